// Elements of a drawing in SVG.

const NS = "http://www.w3.org/2000/svg";

/**
 * An element with attributes; `text` among them is what it says.
 * @param {string} name
 * @param {Record<string, any>} attributes
 * @param {Element | null} parent
 * @returns {any}
 */
export function svg(name, attributes = {}, parent = null) {
  const node = set(document.createElementNS(NS, name), attributes);
  parent?.append(node);
  return node;
}

/** @param {any} node @param {Record<string, any>} attributes */
export function set(node, { text, ...attributes }) {
  if (text !== undefined) node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(name, value);
  return node;
}
