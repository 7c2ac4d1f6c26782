// The socket of one run: asks only for what it has not seen, also when it comes back after a break.

import { REFUSED, Reconnecting } from "./reconnecting.js";
import { unpack } from "./wire.js";

const GONE = 4404;
const FOR_GOOD = { [GONE]: "gone", [REFUSED]: "refused" };

export class Feed {
  /**
   * @param {string} run
   * @param {(message: Message) => void} onMessage
   * @param {(state: "open" | "lost" | "gone" | "refused") => void} onState
   */
  constructor(run, onMessage, onState) {
    this.run = run;
    this.onMessage = onMessage;
    this.onState = onState;
    this.cursor = null;
    this.socket = new Reconnecting(() => this.address(), {
      message: (data) => this.take(data),
      lost: (code) => {
        onState(FOR_GOOD[code] ?? "lost");
        return !(code in FOR_GOOD);
      },
    });
  }

  address() {
    const since = this.cursor ? `?since=${encodeURIComponent(JSON.stringify(this.cursor))}` : "";
    return `./live/${encodeURIComponent(this.run)}${since}`;
  }

  take(data) {
    this.socket.calm(); // not before: a server that sends nothing is not well
    const message = unpack(data);
    this.cursor = message.news.cursor;
    this.onState("open");
    this.onMessage(message);
  }

  close() {
    this.socket.close();
  }
}
