// What lies over the page goes when it is not wanted: by Escape the explanation of a word (pages/ui/glossary.py), which
// stays closed until pointer and focus have left the word; at a press the tooltip of what was pressed.

/** The word, also within a component, in which what `of` finds in the document lies. @param {(root: any) => any} of */
function wordAt(of) {
  let found = of(document);
  while (found?.shadowRoot && of(found.shadowRoot)) found = of(found.shadowRoot);
  return found?.closest(".word");
}

const explained = () =>
  [wordAt((root) => root.activeElement), wordAt((root) => [...root.querySelectorAll(":hover")].at(-1))].filter(
    (word) => word && !word.classList.contains("closed"),
  );

function close(word) {
  word.classList.add("closed");
  word.onpointerleave = word.onblur = () => word.matches(":hover, :focus") || word.classList.remove("closed");
}

document.addEventListener(
  "keydown",
  (event) => {
    const words = event.key === "Escape" ? explained() : [];
    if (words.length) event.stopPropagation(); // it closes nothing else at that press
    words.forEach(close);
  },
  { capture: true },
);

const OPENS_MS = 300; // Streamlit's tooltip waits a moment, and a finger has pressed by then

/** It says what a button does before the press, and would lie over what comes of it; with the next visit it is made anew. */
function hideTooltip({ target }) {
  const around = target.closest?.("[data-testid^=stBaseButton]")?.closest(".stTooltipHoverTarget");
  const hide = () => document.getElementById(around.getAttribute("aria-describedby"))?.toggleAttribute("hidden", true);
  if (around) for (const wait of [0, OPENS_MS]) setTimeout(hide, wait);
}

document.addEventListener("click", hideTooltip, { capture: true });

export {}; // a module: nothing of it is anybody else's
