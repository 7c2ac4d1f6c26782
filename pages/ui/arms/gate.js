// A film that may not leave its first moment yet: whoever tries is asked something first, and then it goes on.

const MOVES = { click: ["play", "toLive"], input: ["scrub"] };

let tried = ""; // by which move: a question above the arms may mount them anew, and the wish stays

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

  hold(event, parts) {
    const { part } = event.target.dataset;
    if (parts.includes(part) && this.stops(part)) event.stopPropagation();
  }

  /** Whether this move has to wait: then Python is told, and the slider goes back. */
  stops(move) {
    if (!this.closed) return false;
    tried = move;
    this.view.refresh();
    this.view.setTriggerValue("ask", true);
    return true;
  }

  /** It may be open now: who pressed Play need not do so again. */
  refresh() {
    if (!tried || this.closed || !this.view.clock.atStart) return;
    if (tried === "play") this.view.clock.play();
    tried = "";
  }
}
