// The words of the field, explained where they stand, as pages/ui/glossary.py has it. Its words come with every
// component's root, and so do their looks: see component.py.

const MARKED = /\[\[([^\]|]+)(?:\|([^\]]+))?\]\]/g;
const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };

/** HTML with `[[nats]]` in it, or `[[nats|two nats]]`: each becomes a word that explains itself. */
export function explained(root, html) {
  const words = JSON.parse(root.dataset.words);
  return html.replace(MARKED, (_, word, shown = word) => {
    const says = escaped(words[word]);
    return `<span class="word" tabindex="0" aria-description="${says}">${escaped(shown)}</span>`;
  });
}

const escaped = (text) => text.replace(/[&<>"']/g, (letter) => ESCAPES[letter]);
