// Counts the clicks on one of Streamlit's buttons. Of quick clicks Streamlit hands on as few as it pleases: those that come
// while a script runs become one. The count is told a moment after the last click, so that none is lost
// (unless the page is left in that moment).

const REST = 200; // ms after the last click

export class Clicks {
  /** tell(count): clicks of this session so far. */
  constructor(tell) {
    this.tell = tell;
    this.where = null;
    this.count = 0;
    this.timer = null;
    this.clicked = ({ target }) => this.where && target.closest?.(`.${this.where} button:enabled`) && this.add();
    document.addEventListener("click", this.clicked, true);
  }

  /** where: class around the button, or null; known: clicks that Streamlit has been told of, also by one before this. */
  follow(where, known) {
    this.where = where;
    this.count = Math.max(this.count, known);
  }

  add() {
    this.count++;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(this.count), REST);
  }

  destroy() {
    clearTimeout(this.timer);
    document.removeEventListener("click", this.clicked, true);
  }
}
