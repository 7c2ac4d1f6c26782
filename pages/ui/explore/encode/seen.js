// What the model makes of an image, said and shown: pictures from mu and from samples, the terms in nats, the neighbours.

import { make } from "../../lib/dom.js";
import { drawImage, greys } from "../../lib/images.js";
import { fixed } from "../../lib/numbers.js";
import { Latest } from "../shared/latest.js";
import { name } from "../shared/plane.js";
import { SAMPLES, nll, total } from "../shared/posterior.js";
import { indexOf } from "../shared/rows.js";
import { Sheet } from "../shared/sheet.js";
import { classesOf, nearestCodes, usualDistances } from "./math.js";
import { likelihoodWords, lonelyWords, nats, neighbourWords, nllWords, vectorWords } from "./words.js";

const COLUMNS = 8;
const LIVE_MS = 200; // between two times that the samples of a drawing are decoded

export class Seen {
  /** on: of the sheet, see there; page: { ready(): the samples can be saved; z(): what is shown big } */
  constructor(part, on, page) {
    this.part = part;
    this.page = page;
    this.code = null;
    this.samples = null;
    this.askedAt = 0;
    this.decoder = new Latest("encode");
    this.sheet = new Sheet(part.sheet, "pictures from 16 samples", on);
    this.sheet.resize(COLUMNS, SAMPLES);
    part.details.ontoggle = () => this.tellTable();
  }

  load(found) {
    const { part } = this,
      { about, model } = found,
      { stochastic } = model;
    this.found = found;
    this.code = null;
    this.samples = null;
    this.usual = null;
    part.likelihood.textContent = likelihoodWords(about);
    for (const key of ["sampleBox", "terms", "std"]) part[key].hidden = !stochastic;
    part.plain.hidden = stochastic;
  }

  /**
   * code: { x, mu, std, kl, zs, seed } or null; own: index of the test image that it is, or -1; live: it is being drawn,
   * and the 16 pictures follow more slowly than the rest.
   */
  show(code, own, live = false) {
    const { part, found } = this;
    part.empty.hidden = Boolean(code);
    for (const key of ["three", "said", "details"]) part[key].hidden = !code;
    part.cloud.hidden = !code?.zs;
    this.code = code;
    if (!code) return;
    const fromMu = found.decode(code.mu);
    code.nllMu = nll(code.x, fromMu, found.about);
    drawImage(part.x, greys(code.x));
    drawImage(part.fromMu, greys(fromMu));
    part.nllMu.textContent = nllWords(code.nllMu);
    part.mu.value = vectorWords("mu", code.mu);
    if (code.zs) this.tellSamples(code, live);
    this.tellNeighbours(code, own);
    this.tellTable();
  }

  tellSamples(code, live) {
    const { found, part, page } = this,
      { x, mu, std, kl, zs, seed } = code,
      fromSample = found.model.decode(zs.subarray(0, mu.length));
    code.nllSample = nll(x, fromSample, found.about);
    drawImage(part.fromSample, greys(fromSample));
    part.nllSample.textContent = nllWords(code.nllSample);
    part.kl.textContent = `KL ${nats(total(kl))}`;
    part.sum.replaceChildren(...(code.nllSample === null ? [] : sumOf(code.nllSample, total(kl))));
    part.std.value = vectorWords("std", std, 3);
    part.seed.value = seed;
    part.how.textContent = `z = mu + std · eps, eps = torch.randn(${SAMPLES}, ${mu.length}, generator=torch.Generator().manual_seed(${seed})): the same eps for every image. The first of them stands above. Point at a picture or its dot to see it big, press to go there.`;
    this.moved(page.z());
    if (live && performance.now() - this.askedAt < LIVE_MS) return;
    this.askedAt = performance.now();
    this.decoder.ask(found, zs, (pictures, from, to) => {
      this.sheet.draw(pictures, from, to);
      if (to < SAMPLES) return;
      this.samples = { zs, pictures };
      page.ready();
    });
  }

  tellNeighbours({ mu }, own) {
    const {
        found: { set },
        part,
      } = this,
      near = nearestCodes(mu, set.mu, undefined, own),
      at = near[0] * set.dims;
    this.usual ??= usualDistances(set.mu, set.dims);
    const words = lonelyWords(Math.hypot(...mu.map((v, d) => v - set.mu[at + d])), this.usual);
    part.classes.textContent = neighbourWords(classesOf(near, set.labels), set.classNames);
    part.lonely.textContent = words;
    part.lonely.hidden = !words;
  }

  /** All latents, while the table is open. */
  tellTable() {
    const { part, code } = this;
    if (!code) return;
    const { mu, std, kl } = code,
      many = ["the latent", "both latents"][mu.length - 1] ?? `all ${mu.length} latents`;
    part.all.textContent = `${std ? "mu, std and KL" : "mu"} of ${many}`;
    if (!part.details.open) return;
    const row = (d) => [name(d), fixed(mu[d], 3), ...(std ? [fixed(std[d], 3), fixed(kl[d], 3)] : [])];
    part.head.replaceChildren(rowOf("th", ["latent", "mu", ...(std ? ["std", "KL (nats)"] : [])]));
    part.rows.replaceChildren(...Array.from(mu, (_, d) => rowOf("td", row(d))));
  }

  /** z is shown big: mark the sample that it is. */
  moved(z) {
    if (!this.code?.zs) return;
    const i = indexOf(z, this.code.zs);
    this.sheet.mark(i < 0 ? null : i);
  }

  /** The samples' pictures, once all have come: Uint8Array 16 · 784. */
  get pictures() {
    return this.samples && this.samples.zs === this.code?.zs ? this.samples.pictures : null;
  }
}

/** "+ nll 77.1 nats (that sample) = −ELBO 83.4 nats", in the colours of the terms. */
function sumOf(one, kl) {
  const piece = (className, textContent) => make("b", { className, textContent });
  return ["+ ", piece("reconstruction", nllWords(one)), " (that sample) = ", piece("total", `−ELBO ${nats(one + kl)}`)];
}

const rowOf = (tag, texts) => make("tr", {}, ...texts.map((textContent) => make(tag, { textContent })));
