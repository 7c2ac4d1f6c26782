// Decoding and encoding of many images without a stutter: in a module worker, or, where the browser starts none, on the
// page itself in short slices. Either way newer calls with the same key replace older ones.

import { desk } from "./jobs.js";

const SLICE = 6; // ms of a frame, on the page; the rest is for drawing

/** @typedef {Job & { resolve: (found: any) => void, reject: (why: Error) => void, onPart?: OnPart, found: Found }} Call */

export class Background {
  /** @type {(message: any) => void} to the worker, or to the queue on the page */
  send = () => {};
  /** @type {Worker | null} */
  worker = null;

  /**
   * @param {ArrayBuffer} buffer the package of a model (a safetensors file with `about` in its metadata); it is copied
   */
  constructor(buffer) {
    this.buffer = buffer;
    /** @type {Map<string, Call>} */
    this.calls = new Map();
    this.last = 0;
    this.broken = "";
    this.ended = false;
    this.start();
  }

  /**
   * Mean images of n codes. zs: Float32Array n · D -> a promise of Uint8Array n · 784, grey levels; null if a newer call
   * with the same key replaced it. onPart(pictures, from, to), as parts come: pictures has its whole length, n · 784,
   * and of it the images from … to − 1 are new. Rejects with a sentence if the package is no model or zs no codes.
   * ys: a label for each code, of a model that is told one; without them it is told its own.
   * @param {string} key
   * @param {Numbers} zs
   * @param {OnPart} [onPart]
   * @param {ArrayLike<number>} [ys]
   * @returns {Promise<Uint8Array | null>}
   */
  decode(key, zs, onPart, ys) {
    return this.call(key, "decode", zs, onPart, ys).then((found) => found && found.pictures);
  }

  /**
   * The same, not rounded to grey levels: a promise of Float32Array n · 784 in [0, 1], of which nats can be computed.
   * @param {string} key
   * @param {Numbers} zs
   * @param {ArrayLike<number>} [ys]
   * @returns {Promise<Float32Array | null>}
   */
  means(key, zs, ys) {
    return this.call(key, "means", zs, undefined, ys).then((found) => found && found.means);
  }

  /**
   * Codes of n images. xs: Float32Array n · 784 in [0, 1] -> a promise of { mu, logVar }, Float32Array n · D each, or of
   * null as above. logVar is null for a plain autoencoder.
   * @param {string} key
   * @param {Numbers} xs
   * @returns {Promise<Code | null>}
   */
  encode(key, xs) {
    return this.call(key, "encode", xs);
  }

  /** The worker ends; what still waits is answered with null. */
  destroy() {
    this.ended = true;
    this.worker?.terminate();
    for (const call of this.calls.values()) call.resolve(null);
    this.calls.clear();
  }

  /**
   * @param {string} key
   * @param {Job["kind"]} kind
   * @param {Numbers} values
   * @param {OnPart} [onPart]
   * @param {ArrayLike<number>} [ys]
   * @returns {Promise<any>}
   */
  call(key, kind, values, onPart, ys) {
    this.calls.get(key)?.resolve(null); // replaced
    this.calls.delete(key);
    if (this.broken) return Promise.reject(new Error(this.broken));
    if (this.ended) return Promise.resolve(null);
    const input = new Float32Array(values); // the caller may write over its own
    return new Promise((resolve, reject) => {
      const call = {
        key,
        id: ++this.last,
        kind,
        input,
        ys: ys && Uint8Array.from(ys),
        resolve,
        reject,
        onPart,
        found: {},
      };
      this.calls.set(key, call);
      this.post(call);
    });
  }

  /** @param {Job} job */
  post({ key, id, kind, input, ys }) {
    this.send({ key, id, kind, input, ys });
  }

  start() {
    try {
      const here = new URL(import.meta.url); // with its ?v=, so that old and new files do not mix
      this.worker = new Worker(new URL(`./worker.js${here.search}`, here), { type: "module" });
    } catch {
      return this.stayHere();
    }
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.stayHere();
    };
    this.send = (message) => this.worker?.postMessage(message);
    this.send({ open: this.buffer });
  }

  /** No worker, or it failed: the same queue on the page. What waited begins anew. */
  stayHere() {
    this.worker?.terminate();
    this.worker = null;
    if (this.ended) return;
    /** @param {() => void} run */
    const later = (run) => setTimeout(() => this.ended || run(), 0);
    this.send = desk((message) => this.hear(message), SLICE, later);
    this.send({ open: this.buffer });
    for (const call of this.calls.values()) this.post(call);
  }

  /** @param {any} message of jobs.js */
  hear({ broken, key, id, failed, ...part }) {
    if (broken) return this.giveUp(broken);
    const call = this.calls.get(key);
    if (!call || call.id !== id) return; // a part of what was replaced
    if (failed) this.finish(call, () => call.reject(new Error(failed)));
    else this.keep(call, part);
  }

  /** A part of a call: into its place of the whole. @param {Call} call @param {JobPart} part */
  keep(call, { from, to, count, part }) {
    for (const [name, array] of Object.entries(part)) {
      const each = array ? array.length / Math.max(1, to - from) : 0;
      call.found[name] ??= array && new array.constructor(count * each);
      call.found[name]?.set(array, from * each);
    }
    if (to === count) this.finish(call, () => call.resolve(call.found));
    call.onPart?.(call.found.pictures, from, to);
  }

  /** @param {Call} call @param {() => void} answer */
  finish(call, answer) {
    this.calls.delete(call.key);
    answer();
  }

  /** @param {string} why */
  giveUp(why) {
    this.broken = why;
    for (const call of this.calls.values()) call.reject(new Error(why));
    this.calls.clear();
  }
}
