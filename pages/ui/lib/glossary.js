// The words of the field, explained where they stand, as pages/ui/glossary.py has it. Its words come with every
// component's root, and so do their looks: see component.py.

const MARKED = /\[\[([^\]|]+)(?:\|([^\]]+))?\]\]/g;
const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };

/**
 * HTML with `[[nats]]` in it, or `[[nats|two nats]]`: each becomes a word that explains itself.
 *
 * @param {HTMLElement} root - the root of a component, or an element in it
 * @param {string} html
 */
export function explained(root, html) {
  const words = JSON.parse(/** @type {HTMLElement} */ (root.closest("[data-words]")).dataset.words);
  return html.replace(MARKED, (_, word, shown = word) => {
    const says = escaped(words[word]);
    return `<span class="word" tabindex="0" aria-description="${says}">${escaped(shown)}</span>`;
  });
}

const escaped = (text) => text.replace(/[&<>"']/g, (letter) => ESCAPES[letter]);
