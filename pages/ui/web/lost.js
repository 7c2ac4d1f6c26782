// While the line to the server is down: what the browser computes goes on, one quiet line says so, and a switch that is
// pressed meanwhile is remembered and pressed again when the line is back. Streamlit would disable everything and lay a
// dialog over the page. It stands in the page itself (opening.py); nothing of it is of a single component.

const SETTLED = 700; // ms: a break that is over by then is none
const STREAM = "/_stcore/stream"; // where the page's own socket leads
const RESTS = "[data-testid=stApp][data-test-script-state=notRunning]";
const SWITCHES = [
  "[data-testid=stButtonGroup] button",
  "[data-testid=stTopNavLink]",
  "[data-testid=stPageLink-NavLink]",
].join(", "); // they show something else; what would start or change something is left to the visitor

const LINE = "No connection to the server: what your browser computes goes on, everything else waits.";
const LOOKS = `position: fixed; z-index: 999990; left: 50%; bottom: 0.6rem; translate: -50% 0; max-width: 92vw;
  padding: 0.25rem 0.8rem; border-radius: 0.5rem; font: 0.95rem/1.4 sans-serif; pointer-events: none;
  color: light-dark(#fff, #12171a); background: light-dark(#1b2327, #e8eef0);`;

/** @type {{ name: string, of: Element } | null} the switch that was pressed last */
let wanted = null;
let sockets = 0; // that are open
let lost = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting;

// It is there from the start: a reader of screens tells only of what changes in a line that it knows.
const line = document.createElement("div");
line.setAttribute("role", "status");
line.id = "elbo-lost";
line.style.cssText = LOOKS;
line.hidden = true;
document.body.append(line);

function say() {
  const next = wanted ? ` “${wanted.name}” opens when it is back.` : "";
  line.textContent = lost ? LINE + next : "";
  line.hidden = !lost;
}

const nameOf = (/** @type {Element} */ element) =>
  (
    element.querySelector("[data-testid=stMarkdownContainer], p") ?? element.querySelector("span:not([data-testid])")
  )?.textContent.trim() || element.textContent.trim(); // an icon's name stands before it

/** The switch under a pointer. A disabled one may be told of no press, so its place is compared. @param {MouseEvent} event */
function switchUnder({ clientX: x, clientY: y }) {
  return [...document.querySelectorAll(SWITCHES)].find((element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return left <= x && x < right && top <= y && y < bottom;
  });
}

/** The switch that a key presses, where it can have the focus. @param {KeyboardEvent} event */
const switchWithFocus = ({ key, target }) =>
  key === "Enter" || key === " " ? /** @type {Element} */ (target).closest(SWITCHES) : null;

/** @param {Event} event @param {Element | null | undefined} pressed */
function remember(event, pressed) {
  if (!pressed) return;
  event.preventDefault(); // of a link, whose page could not come
  event.stopPropagation();
  wanted = { name: nameOf(pressed), of: pressed };
  say();
}

/** The switch that was wanted, also where the page has drawn it anew. */
function found() {
  if (wanted.of.isConnected) return wanted.of;
  return [...document.querySelectorAll(SWITCHES)].find((element) => nameOf(element) === wanted.name);
}

/** Press what was wanted, as soon as it can be: a server that was started again runs the page anew first. */
function carryOut() {
  if (lost || !wanted) return;
  const target = /** @type {HTMLElement | undefined} */ (found());
  if (!target || target.matches(":disabled, [aria-disabled=true]") || !document.querySelector(RESTS))
    return void setTimeout(carryOut, SETTLED);
  wanted = null;
  target.click();
}

/** Streamlit's dialog says no more than the line, and covers what goes on; closed once, it stays away until the next break. */
function closeDialog() {
  for (const dialog of document.querySelectorAll("[role=dialog]")) {
    if (!dialog.textContent.includes("Connection error")) continue;
    /** @type {HTMLElement | null} */ (dialog.querySelector("button[aria-label=Close]"))?.click();
  }
}

const dialogs = new MutationObserver(closeDialog);

/** @param {boolean} now */
function turn(now) {
  if (now === lost) return;
  lost = now;
  say();
  if (!lost) return void (dialogs.disconnect(), setTimeout(carryOut, SETTLED));
  dialogs.observe(document.body, { childList: true, subtree: true });
}

/** A socket of the page: before the first one is open, the opening speaks. @param {WebSocket} socket */
function watch(socket) {
  socket.addEventListener("open", () => {
    sockets++;
    clearTimeout(waiting);
    turn(false);
    socket.addEventListener("close", () => {
      if (!--sockets) waiting = setTimeout(() => turn(true), SETTLED);
    });
  });
}

// Streamlit tells nobody how its line is, so its socket is watched from outside. This runs before Streamlit does.
window.WebSocket = new Proxy(window.WebSocket, {
  construct(Native, given) {
    const socket = Reflect.construct(Native, given);
    if (String(given[0]).includes(STREAM)) watch(socket);
    return socket;
  },
});
document.addEventListener("pointerdown", (event) => remember(event, lost && switchUnder(event)), { capture: true });
document.addEventListener("keydown", (event) => remember(event, lost && switchWithFocus(event)), { capture: true });
document.addEventListener("click", (event) => lost && switchUnder(event) && event.preventDefault(), { capture: true });

// What closes explanations comes with the first hand on the page: nothing has to be closed before.
for (const hand of ["pointermove", "pointerdown", "keydown"]) {
  window.addEventListener(hand, () => void import("./escape.js").catch(() => {}), { once: true });
}
