// The queue behind Background: jobs by key, done in slices. The same code runs in the worker and, where a browser starts
// no worker, on the page. Pure; runs under node.
//
//   in   { open: ArrayBuffer of a package }, first            { key, id, kind, input, ys }
//   out  { broken: text }, for a package that is no model     { key, id, from, to, count, part: { name: array | null } }
//                                                             { key, id, failed: text }

import { PIXELS, greys } from "../lib/images.js";
import { readTensors } from "../lib/tensors.js";
import { modelOf } from "./model.js";

/** @type {Record<string, { size: (model: Model) => number, run: (model: Model, input: Float32Array) => Found, types: any }>} */
const KINDS = {
  decode: {
    size: (model) => model.dims,
    run: (model, z) => ({ pictures: greys(model.decode(z)) }),
    types: { pictures: Uint8Array },
  },
  means: {
    size: (model) => model.dims,
    run: (model, z) => ({ means: model.decode(z) }),
    types: { means: Float32Array },
  },
  encode: {
    size: () => PIXELS,
    run: (model, x) => model.encode(x),
    types: { mu: Float32Array, logVar: Float32Array },
  },
};

/** What waits, by key. A newer job replaces an older one with the same key; the keys take turns, a slice each. */
export class Jobs {
  /** @param {Model} model */
  constructor(model, now = () => performance.now()) {
    this.model = model;
    this.now = now;
    /** @type {Map<string, Job & { count: number, done: number }>} */
    this.waiting = new Map();
  }

  /** @param {Job} job */
  add({ key, id, kind, input, ys }) {
    const count = input.length / KINDS[kind].size(this.model);
    if (!Number.isInteger(count)) throw new Error(`${input.length} numbers are not whole inputs to ${kind}.`);
    if (ys && ys.length !== count) throw new Error(`${ys.length} labels do not go with ${count} inputs to ${kind}.`);
    this.waiting.set(key, { key, id, kind, input, ys, count, done: 0 });
  }

  /** @param {string} key */
  drop(key) {
    this.waiting.delete(key);
  }

  /**
   * Work on the key whose turn it is, for at most `ms` milliseconds but on one image at least.
   * @param {number} ms
   * @returns {JobPart | null} null if nothing waits
   */
  slice(ms) {
    const [job] = this.waiting.values();
    if (!job) return null;
    this.waiting.delete(job.key);
    const from = job.done,
      part = this.run(job, ms),
      { key, id, done, count } = job;
    if (done < count) this.waiting.set(key, job); // behind the others
    return { key, id, from, to: done, count, part };
  }

  /** @param {Job & { count: number, done: number }} job @param {number} ms @returns {Found} */
  run(job, ms) {
    const { size, run, types } = KINDS[job.kind],
      step = size(this.model),
      /** @type {Found[]} */ results = [];
    const start = this.now();
    let last = 0,
      spent = 0;
    while (job.done < job.count && (!results.length || spent + last <= ms)) {
      const model = job.ys ? this.model.given(job.ys[job.done]) : this.model;
      results.push(run(model, job.input.subarray(job.done * step, ++job.done * step)));
      const passed = this.now() - start;
      [last, spent] = [passed - spent, passed];
    }
    return Object.fromEntries(
      Object.entries(types).map(([name, Type]) => [
        name,
        joined(
          Type,
          results.map((r) => r[name]),
        ),
      ]),
    );
  }
}

/** Arrays of one length, side by side; null if they are null. @param {any} Type @param {any[]} arrays */
function joined(Type, arrays) {
  if (arrays[0] === null) return null;
  const each = arrays[0]?.length ?? 0,
    whole = new Type(arrays.length * each);
  arrays.forEach((array, i) => whole.set(array, i * each));
  return whole;
}

/**
 * A function that takes messages and has `say` answer them, part by part: (message, arrays that may be handed over).
 * `later` has the next slice wait until newer messages have come through.
 * @param {(answer: any, handed?: Transferable[]) => void} say
 * @param {number} ms
 * @param {(run: () => void) => void} later
 * @returns {(message: any) => void}
 */
export function desk(say, ms, later) {
  /** @type {Jobs | null} */
  let jobs = null;
  let going = false;
  const work = () => {
    const part = jobs?.slice(ms);
    going = Boolean(part);
    if (!part) return;
    later(work);
    say(
      part,
      Object.values(part.part)
        .filter(Boolean)
        .map((array) => array.buffer),
    );
  };
  return (message) => {
    if (message.open) jobs = opened(message.open, say);
    else if (take(jobs, message, say) && !going) {
      going = true;
      later(work);
    }
  };
}

/** @param {ArrayBuffer} buffer @param {(answer: any) => void} say */
function opened(buffer, say) {
  try {
    const { metadata, arrays } = readTensors(buffer);
    const weights = Object.fromEntries(Object.entries(arrays).filter(([name]) => name.startsWith("model.")));
    return new Jobs(modelOf(JSON.parse(metadata.about), weights));
  } catch (error) {
    say({ broken: error.message });
    return null;
  }
}

/** @param {Jobs | null} jobs @param {Job} message @param {(answer: any) => void} say */
function take(jobs, message, say) {
  try {
    jobs?.add(message);
    return jobs !== null;
  } catch (error) {
    jobs?.drop(message.key); // it was replaced all the same
    say({ key: message.key, id: message.id, failed: error.message });
    return false;
  }
}
