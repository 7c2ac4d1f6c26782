// Which keys are a component's own. It takes a key from the browser only where it acts on it: Tab leads on, F5 reloads,
// Control and F searches, Alt and ← goes back, wherever the focus is.
//
// Listeners are added and never set as `onkeydown`: a handler set so takes the key away by returning false.

/**
 * Hear the keys pressed on a target; returns a function that ends it.
 *
 * act(key, event) returns true where it has acted: only then the browser does nothing with the key. Not heard are keys
 * with Control, Meta or Alt, and those with Shift unless `shift` says that it means something here. With `command` the
 * keys with Control, or Meta on a Mac, are heard instead, and no others.
 */
export function onKeys(target, act, { shift = false, command = false } = {}) {
  const listen = (event) => {
    const { key, shiftKey, ctrlKey, metaKey, altKey, defaultPrevented } = event;
    if (defaultPrevented || altKey || (ctrlKey || metaKey) !== command || (shiftKey && !shift)) return;
    if (act(key, event) === true) event.preventDefault();
  };
  target.addEventListener("keydown", listen);
  return () => target.removeEventListener("keydown", listen);
}

/** The same for keys of the whole page, as `act(key)`: those that nothing else wants, for nothing else has the focus. */
export function onPageKeys(act) {
  return onKeys(document, (key, event) => isPage(event.composedPath()[0]) && act(key));
}

/** A click beside every control gives the focus to the page's body, or to Streamlit's `main`, which scrolls. */
const isPage = ({ tagName }) => tagName === "BODY" || tagName === "MAIN";
