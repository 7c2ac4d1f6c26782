// The socket of one run: connects, comes back after a break, and asks only for what it has not seen.

import { unpack } from "./wire.js";

const GONE = 4404;
const REFUSED = 4403; // the server takes this page for another site's, and will for as long as the page is open

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
    this.closed = false;
    this.wait = 500;
    this.connect();
  }

  connect() {
    const url = new URL(`./live/${encodeURIComponent(this.run)}`, document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    if (this.cursor) url.searchParams.set("since", JSON.stringify(this.cursor));
    const socket = (this.socket = new WebSocket(url));
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => {
      this.wait = 500;
      const message = unpack(event.data);
      this.cursor = message.news.cursor;
      this.onState("open");
      this.onMessage(message);
    };
    socket.onclose = (event) => {
      if (this.closed) return;
      if (event.code === GONE) return this.onState("gone");
      if (event.code === REFUSED) return this.onState("refused");
      this.onState("lost");
      this.timer = setTimeout(() => this.connect(), this.wait);
      this.wait = Math.min(2 * this.wait, 8000);
    };
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket.close();
  }
}
