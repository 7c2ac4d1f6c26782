// Tables as CSV (RFC 4180), and files to be saved.

/** One field of a CSV file (RFC 4180). A text that a spreadsheet would run as a formula gets an apostrophe before it. */
function field(value) {
  if (value == null) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows of numbers and texts. */
export const csv = (rows) => rows.map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";

/** "z1", "z2", … */
export const columnsOf = (name, dims) => Array.from({ length: dims }, (_, d) => `${name}${d + 1}`);

/** Have the browser save a file under a name. */
export function download(blob, name) {
  const href = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
