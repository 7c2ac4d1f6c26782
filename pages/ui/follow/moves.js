// What the server says of the lecturer's moves, and when a page moves after it.

const SPREAD = 1000; // ms: else a whole class would ask the server for its next page in the same moment
const FIRST_WAIT = 500; // ms before a lost connection is tried again; twice as long after each failure
const LONGEST_WAIT = 8000;

const REFUSED = 4403; // as in lib/feed.js

export class Moves {
  /**
   * @param {string} run that the page shows, "" for none
   * @param {() => void} onMove called when the page is to show another one, at a moment of its own
   * @param {(open: boolean) => void} onState
   */
  constructor(run, onMove, onState) {
    this.shown = run;
    this.told = run;
    this.onMove = onMove;
    this.onState = onState;
    this.closed = false;
    this.wait = FIRST_WAIT;
    this.connect();
  }

  connect() {
    const url = new URL("./follow", document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("run", this.shown);
    const socket = (this.socket = new WebSocket(url));
    this.told = this.shown; // what was said before a break may be outdated: the server says it again
    socket.onopen = () => {
      this.wait = FIRST_WAIT;
      this.onState(true);
    };
    socket.onmessage = ({ data }) => {
      this.told = JSON.parse(data).moved;
      this.follow();
    };
    socket.onclose = (event) => {
      if (this.closed) return;
      this.onState(false);
      if (event.code === REFUSED) return; // the view of the run says why
      this.retry = setTimeout(() => this.connect(), this.wait * (1 + Math.random()));
      this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
    };
  }

  /** The page shows this run now. */
  see(run) {
    this.shown = run;
    this.follow();
  }

  follow() {
    if (this.told === this.shown) return;
    this.timer ??= setTimeout(() => {
      this.timer = null;
      if (this.told !== this.shown && !this.closed) this.onMove();
    }, SPREAD * Math.random());
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.retry);
    this.socket.close();
  }
}
