// A socket below the page's own address that comes back after a break: the more rarely the longer, and each at a moment
// of its own, as a whole class loses its connection at once.

export const REFUSED = 4403; // the server takes this page for another site's, and will for as long as the page is open
const FIRST_WAIT = 500; // ms before a lost connection is tried again; twice as long after each failure
const LONGEST_WAIT = 8000;

export class Reconnecting {
  /**
   * @param {() => string} address below the page's, asked for each time
   * @param {{ open?: () => void, message: (data: any) => void, lost: (code: number) => boolean }} on what happens; lost
   *   tells whether it is worth trying again
   */
  constructor(address, on) {
    this.address = address;
    this.on = on;
    this.closed = false;
    this.calm();
    this.connect();
  }

  /** All is well: the next break is the first. */
  calm() {
    this.wait = FIRST_WAIT;
  }

  connect() {
    const url = new URL(this.address(), document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(url));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.on.open?.();
    socket.onmessage = ({ data }) => this.on.message(data);
    socket.onclose = ({ code }) => {
      if (this.closed || !this.on.lost(code)) return;
      this.timer = setTimeout(() => this.connect(), this.wait * (1 + Math.random()));
      this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
    };
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket.close();
  }
}
