// Tables as CSV (RFC 4180); fields as those of the ablation's table.

import { field } from "../arms/meter.js";

/** Rows of numbers and texts. */
export const csv = (rows) => rows.map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";

/** "z1", "z2", … */
export const columnsOf = (name, dims) => Array.from({ length: dims }, (_, d) => `${name}${d + 1}`);
