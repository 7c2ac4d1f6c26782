// Where samples come from: a point of the map, decoded in the browser, with the nearest test image.

import { nearestImage } from "../lib/distances.js";
import { fetchBytes, mapImages } from "../lib/fetched.js";
import { drawImage, greys, imageAt } from "../lib/images.js";
import { fixed, stepText } from "../lib/numbers.js";
import { basisOf, fromPlane, toPlane } from "../lib/plane.js";
import { readTensors } from "../lib/tensors.js";
import { decoderOf } from "../net/model.js";
import { PLACES, nearestCode, nearness, placeOf } from "./origin.js";

/** What the server sent of a run -> its decoder as a function, or null where the browser does not know the network. */
export function decoderIn({ metadata: { net, config, labels, label }, arrays }) {
  try {
    const { latent_dim: dims, widths, activation } = JSON.parse(config);
    const decode = decoderOf({ net, dims, widths, activation, labels: Number(labels) }, arrays);
    return (z) => decode(z, Number(label));
  } catch {
    return null;
  }
}

/** The decoder under the pointer of one arm. */
export class Probe {
  constructor(arm, part) {
    this.arm = arm;
    this.part = part;
    this.point = null;
  }

  /** Decode at a point of the map; null takes the picture away. */
  async show(point) {
    this.point = point;
    const { arm } = this,
      p = arm.picture;
    if (!point) this.say("");
    else if (!p) this.say("Nothing to decode yet.");
    if (!point || !p) return;
    const basis = basisOf(p);
    if (!basis) return this.say("The plane of this map was not kept: nothing to decode.");
    /** @type {Promise<any> & { ready?: boolean }} */
    const known = mapImages();
    const decoder = this.decoder(p.step);
    if (!(decoder.ready && known.ready)) this.say("Fetching the decoder…");
    const [kept, set] = await Promise.all([decoder, known.catch(() => null)]);
    decoder.ready = known.ready = true;
    if (this.point !== point || arm.picture !== p) return;
    this.draw(point, p, basis, kept, set);
  }

  /** A sentence in place of the pictures. */
  say(text) {
    const { probe, origin, details } = this.part;
    probe.hidden = true;
    origin.textContent = text;
    details.textContent = origin.dataset.place = "";
  }

  /** Its weights at a step, or the last ones kept before; one decoder is remembered. */
  decoder(step) {
    const asked = `${this.arm.generation} ${step}`;
    if (this.asked === asked && this.weights) return this.weights;
    this.asked = asked;
    /** @type {Promise<any> & { ready?: boolean }} */
    const weights = fetchBytes(`./decoder/${encodeURIComponent(this.arm.run)}/${step}`)
      .then(readTensors)
      .then((file) => ({ step: Number(file.metadata.step), decode: decoderIn(file) }))
      .catch(() => null);
    weights.then((w) => w ?? (this.weights === weights && (this.weights = null)));
    return (this.weights = weights);
  }

  draw(point, p, basis, kept, set) {
    const { part } = this;
    const missing = !kept
      ? "No decoder is kept for this moment."
      : !kept.decode
        ? "This decoder is not run in the browser: only those of mlp and conv are."
        : !set
          ? "The test images could not be fetched."
          : "";
    if (missing) return this.say(missing);
    const z = fromPlane(point, basis);
    const picture = kept.decode(z);
    const grey = Float32Array.from(picture, (v) => 255 * v);
    const near = nearestImage(set.images.data, grey);
    drawImage(part.decoded, greys(picture));
    drawImage(part.nearest, imageAt(set.images.data, near.index));
    part.probe.hidden = false;
    const words = this.words(toPlane(z, basis), p);
    part.origin.dataset.place = words.place;
    const older = kept.step === p.step ? "" : ` Decoded with the weights of ${stepText(kept.step)}, the last kept.`;
    part.origin.textContent = PLACES[words.place];
    part.details.textContent = `At ${stepText(p.step)}: ${words.text} Nearest test image: a ${set.labels.data[near.index]}, ${near.distance.toFixed(2)} of full scale away.${older}`;
  }

  words(xy, p) {
    if (this.measured !== p) {
      this.measured = p;
      this.near = nearness(p, this.arm.posterior);
    }
    const { reach, of } = this.near,
      { distance } = nearestCode(xy, p);
    const place = placeOf(xy, distance, reach);
    const flat = p.dims > 2 ? ", in the plane of the map" : "";
    return {
      place,
      text: `z = (${xy.map((v) => fixed(v)).join(", ")})${flat}; nearest code ${distance.toFixed(2)} away; near is up to ${reach.toFixed(2)} (${of}).`,
    };
  }
}
