// A path over stops: test images whose codes are joined, straight or on a sphere. Pure; runs under node.

import { MersenneTwister } from "../../lib/rng.js";
import { list, whole, within } from "../../lib/state.js";
import { spherical, straight, through } from "../shared/paths.js";

export const MOST = 6; // stops
const FIRST = [10, 0]; // images of the map: of MNIST a 0 and a 1
const PICTURES = 11; // of a strip, at least
const LEAST = 4; // steps of the strip from stop to stop, at least
const FINE = 40; // places of the slider from one picture of the strip to the next
const WAYS = { straight, spherical };

/** The way's part of the state. at: the place on the path, 0 to 1; seed: of the next two random images. */
export function cleanInterpolate(raw, { count }) {
  const images = withoutRepeats(list(raw?.images, MOST).filter((i) => whole(i, count)));
  return {
    images: images.length > 1 ? images : FIRST.map((i) => Math.min(i, count - 1)),
    shape: raw?.shape === "spherical" ? "spherical" : "straight",
    at: Math.round(10000 * within(raw?.at, [0, 1], 0)) / 10000,
    twin: raw?.twin !== false,
    seed: whole(raw?.seed, 2 ** 32) ? raw.seed : 0,
  };
}

const withoutRepeats = (images) => images.filter((image, k) => image !== images[k - 1]);

/** Another stop at the end; null where there is no room, or it is where the path ends already. */
export function withStop(images, image) {
  return images.length >= MOST || images.at(-1) === image ? null : [...images, image];
}

/** Without the stop at `k`; null where two would not be left. */
export function withoutStop(images, k) {
  const left = withoutRepeats(images.filter((_, i) => i !== k));
  return left.length > 1 ? left : null;
}

const TRIES = 1000; // in case that all images are of one class

/** Two test images, of different classes where there are some, drawn with a seed. */
export function randomPair(seed, labels) {
  const generator = new MersenneTwister(seed);
  const draw = () => Math.floor(generator.uniform() * labels.length);
  const first = draw();
  let second = draw();
  for (let i = 0; i < TRIES && labels[second] === labels[first]; i++) second = draw();
  return [first, second === first ? (first + 1) % labels.length : second];
}

/** A path through codes, as finely as a slider asks for it; the strip's pictures are places of it. */
export class Path {
  /** codes: two or more arrays of D numbers. */
  constructor(codes, shape) {
    const legs = codes.length - 1;
    this.dims = codes[0].length;
    this.steps = Math.max(LEAST, Math.ceil((PICTURES - 1) / legs)); // from stop to stop
    this.count = legs * this.steps + 1; // of pictures
    this.last = legs * this.steps * FINE; // place
    this.codes = through(codes, this.steps * FINE + 1, WAYS[shape]);
  }

  /** z at a place, 0 to `last`. */
  z(place) {
    return this.codes.subarray(place * this.dims, (place + 1) * this.dims);
  }

  /** The place at a share of the path, 0 to 1; equal shares from stop to stop. */
  place(at) {
    return Math.round(at * this.last);
  }

  /** The place of picture k. */
  placeOf(k) {
    return k * FINE;
  }

  /** Which picture is at a place, with a fraction. */
  picture(place) {
    return place / FINE;
  }

  /** { leg, t }: between which stops a place is, and how far from the first to the second. */
  leg(place) {
    const size = this.steps * FINE,
      leg = Math.min(Math.floor(place / size), this.last / size - 1);
    return { leg, t: place / size - leg };
  }

  /** `n` codes at equal shares, both ends included, as Background.decode takes them. */
  codesOf(n = this.count) {
    const zs = new Float32Array(n * this.dims);
    for (let i = 0; i < n; i++) zs.set(this.z(this.place(i / (n - 1))), i * this.dims);
    return zs;
  }
}
