// What the server says of the lecturer's moves, and when a page moves after it.

import { REFUSED, Reconnecting } from "../lib/reconnecting.js";

const SPREAD = 1000; // ms: else a whole class would ask the server for its next page in the same moment

export class Moves {
  /**
   * @param {string} run that the page shows, "" for none
   * @param {() => void} onMove called when the page is to show another one, at a moment of its own
   * @param {(open: boolean) => void} onState
   */
  constructor(run, onMove, onState) {
    this.shown = run;
    this.onMove = onMove;
    this.closed = false;
    this.socket = new Reconnecting(() => this.address(), {
      open: () => {
        this.socket.calm();
        onState(true);
      },
      message: (data) => {
        this.told = JSON.parse(data).moved;
        this.follow();
      },
      lost: (code) => {
        onState(false);
        return code !== REFUSED; // the view of the run says why
      },
    });
  }

  address() {
    this.told = this.shown; // what was said before a break may be outdated: the server says it again
    return `./follow?${new URLSearchParams({ run: this.shown })}`;
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
    this.socket.close();
  }
}
