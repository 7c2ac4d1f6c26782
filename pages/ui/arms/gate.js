// A film that may not leave its first moment yet: whoever tries is asked something first, and then it goes on.

const MOVES = { click: ["play", "toLive"], input: ["scrub"] };

/** By which move, and of which arms: what is asked may mount them anew, and the wish stays. */
let tried = { move: "", arms: "", to: "" };

export class Gate {
  /**
   * @param {HTMLElement} strip holds the buttons of the clock
   * @param {{ data: any, clock: any, refresh: () => void, setTriggerValue?: (name: string, value: any) => void }} view
   */
  constructor(strip, view) {
    this.view = view;
    for (const [type, parts] of Object.entries(MOVES))
      strip.addEventListener(type, (event) => this.hold(event, parts), true);
  }

  get closed() {
    return this.view.data.asks && this.view.clock.atStart;
  }

  /** Those that are shown now: of others it was not wished. */
  get arms() {
    return this.view.data.arms.map(({ run_id }) => run_id);
  }

  hold(event, parts) {
    const { part } = event.target.dataset;
    if (parts.includes(part) && this.stops(part, event.target.value)) event.stopPropagation();
  }

  /** Whether this move has to wait: then Python is told, and the slider goes back. */
  stops(move, to = "") {
    if (!this.closed) return false;
    tried = { move, arms: this.arms.join(), to };
    this.view.refresh();
    this.view.setTriggerValue("ask", true);
    return true;
  }

  /** The end of an arm that was added would be seen before it is asked about: all go back to the first moment. */
  watch() {
    const { data, clock } = this.view;
    const added = this.known?.length && this.arms.some((run) => !this.known.includes(run));
    this.known = this.arms;
    if (added && data.film && data.asks) clock.rewind();
  }

  /** It may be open now: what was pressed need not be pressed again. */
  refresh() {
    this.watch();
    if (!this.view.data.film || tried.arms !== this.arms.join()) tried.move = "";
    if (!tried.move || this.closed || !this.view.clock.atStart) return;
    const { move, to } = tried;
    tried.move = "";
    this.view.clock.carryOut(move, to);
  }
}
