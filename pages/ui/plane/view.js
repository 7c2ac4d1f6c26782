// A run on points of the plane: one feed, and the parts that draw it. Mounted by view.py through assets.loader.

import { everyFrame, onResize, partsOf } from "../lib/dom.js";
import { Feed } from "../lib/feed.js";
import { Film, Scrubber } from "../lib/film.js";
import { History } from "../lib/history.js";
import { takeHold } from "../lib/hold.js";
import { onKeys, onPageKeys } from "../lib/keys.js";
import { aboutText, format, plain, stepText, waitText } from "../lib/numbers.js";
import { row } from "../lib/plane.js";
import { Teller } from "../lib/spoken.js";
import { coloursOf, followTheme } from "../lib/theme.js";
import { pictureOf } from "../lib/wire.js";
import { drawBound } from "./bound.js";
import { isMove, nearest, next } from "./chosen.js";
import { decoderOf, surveyOf } from "./decoder.js";
import { HTML } from "./html.js";
import { drawPosterior } from "./posterior.js";
import { drawScene, endsOf } from "./scene.js";

const LOST = {
  lost: "The connection to the server is lost: trying again.",
  gone: "This run is over and forgotten: press Start for a new one.",
  refused: "The server takes this page for another site's: see ELBO_ROOM_ORIGINS.",
};

export default class PlaneView {
  constructor(root) {
    this.root = root;
    root.innerHTML = HTML;
    this.part = partsOf(root);
    this.teller = new Teller(root);
    this.history = new History();
    this.chosen = null;
    this.ask = everyFrame(() => this.redraw());
    this.film = new Film("");
    this.scrubber = new Scrubber(
      this.part,
      this.film,
      (step) => this.goTo(step),
      (step) => this.setStateValue("at", step),
    );
    for (const layer of ["map", "decoder", "samples"]) this.part[layer].onchange = () => this.ask();
    this.followPointer(this.part.plane);
    onKeys(this.part.plane, (key) => this.move(key));
    this.deafen = onPageKeys((key) => key === " " && (this.setTriggerValue("space", true), true));
    this.observer = onResize(root, () => this.ask());
    this.shown = () => document.hidden || this.ask();
    document.addEventListener("visibilitychange", this.shown);
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update({ data, setStateValue, setTriggerValue }) {
    this.data = data;
    this.setStateValue = setStateValue;
    this.setTriggerValue = setTriggerValue;
    if (followTheme(this.root)) this.colours = coloursOf(this.root);
    if (data.run !== this.run) this.open(data);
    this.ask();
  }

  open({ run, at, point }) {
    this.run = run;
    this.root.classList.toggle("empty", !run);
    this.feed?.close();
    this.history.clear();
    this.scrubber.destroy();
    this.film = this.scrubber.film = new Film(run ?? "");
    this.scrubber.at = null;
    this.news = this.present = this.picture = this.decode = this.reported = null;
    this.chosen ??= point ?? null;
    this.wanted = at ?? null;
    this.feed =
      run &&
      new Feed(
        run,
        (message) => this.take(message),
        (state) => this.connection(state),
      );
  }

  /** @param {Message} message */
  take({ news, arrays }) {
    this.history.add({ news, arrays });
    this.news = news;
    if (news.fresh) this.film.clear();
    this.film.steps = news.film;
    this.scrubber.refresh();
    if (news.snapshot) this.show((this.present = pictureOf(news.snapshot, arrays)), this.scrubber.at === null);
    if (this.wanted !== null && news.film.length) {
      this.scrubber.go(this.wanted);
      this.wanted = null;
    }
    const state = `${news.status}${news.final ? " final" : ""}`;
    if (state !== this.reported) this.setStateValue("status", (this.reported = state));
    if (!this.present && news.film.length) this.film.get(news.film.at(-1)).then((p) => p && this.show(p, true));
    this.ask();
  }

  /** A picture takes its place on the page, if that is free for it. */
  show(picture, free) {
    if (!free) return;
    this.picture = picture;
    this.decode = picture.points_weight0 ? decoderOf(picture, this.news.config.activation) : null;
    this.survey = null; // made when a posterior is first drawn
    const count = picture.points_test.shape[0];
    this.chosen = this.chosen === null ? null : Math.min(this.chosen, count - 1);
    this.ask();
  }

  async goTo(step) {
    if (step === null) return this.present && this.show(this.present, true);
    const picture = await this.film.get(step);
    if (picture && this.scrubber.at === step) this.show(picture, true);
  }

  connection(state) {
    if (state === "open") return;
    this.part.status.textContent = this.part.status.dataset.status = state;
    this.part.message.textContent = LOST[state];
    this.part.message.hidden = false;
  }

  // ---- the chosen point

  followPointer(canvas) {
    const take = (event) => {
      const points = this.picture?.points_test;
      if (!points || !this.paper) return;
      const { box, px } = this.paper,
        { reach } = this.data;
      const share = (v, from, to) => ((2 * (v * px - from)) / (to - from) - 1) * reach;
      const place = [share(event.offsetX, box.left, box.right), -share(event.offsetY, box.top, box.bottom)];
      this.choose(nearest(points, place));
    };
    const handle = () => {
      const { paper, chosen } = this,
        points = this.picture?.points_test;
      return paper && points && chosen !== null ? paper.at(row(points, chosen)).map((v) => v / paper.px) : null;
    };
    takeHold(canvas, { handle, down: take, move: take, up: () => {}, cancel: () => {} });
  }

  move(key) {
    const points = this.picture?.points_test;
    if (!points || !isMove(key)) return false;
    this.choose(this.chosen === null ? 0 : next(points, this.chosen, key));
    return true;
  }

  choose(number) {
    if (number === this.chosen) return;
    this.chosen = number;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.setStateValue("point", this.chosen), 400);
    this.ask();
  }

  /** What is exact of the chosen point: { x, elbo, gap, logP, q }. */
  one() {
    const { picture: p, chosen: i } = this;
    if (i === null || !p?.points_log_p) return null;
    const [elbo, gap, logP] = [p.points_elbo, p.points_gap, p.points_log_p].map((values) => values.data[i]);
    return { x: row(p.points_test, i), elbo, gap, logP, q: { mu: row(p.points_mu, i), std: row(p.points_std, i) } };
  }

  // ---- drawing

  redraw() {
    if (document.hidden || !this.colours) return;
    const { picture, part, colours } = this,
      one = this.one();
    const preview = this.data.preview.length
      ? { shape: [this.data.preview.length, 2], data: Float64Array.from(this.data.preview.flat()) }
      : null;
    const shown = Object.fromEntries(["map", "decoder", "samples"].map((layer) => [layer, part[layer].checked]));
    const [train, test] = [picture?.points_train ?? preview, picture?.points_test];
    const seen = { reach: this.data.reach, train, test, picture, decode: this.decode, q: one?.q, shown };
    this.paper = drawScene(part.plane, { ...seen, chosen: this.chosen }, colours);
    this.drawState();
    this.drawFigures();
    if (this.history.test.step.length) drawBound(part.curves, this.history.test, this.scrubber.at, colours);
    this.drawOne(one);
  }

  drawState() {
    const { news, part } = this;
    if (!news) return;
    part.status.dataset.status = news.status;
    part.status.textContent = news.waits ? waitText(news.waits) : news.status;
    part.message.textContent = news.message;
    part.message.hidden = !news.message;
    const share = news.totalSteps ? news.step / news.totalSteps : 0;
    part.track.firstChild.style.width = `${100 * share}%`;
    part.track.setAttribute("aria-valuenow", Math.round(100 * share));
    const left = ((news.totalSteps - news.step) * news.config.batch_size) / news.imagesPerSecond;
    const rest = news.imagesPerSecond && !news.waits ? ` · ${aboutText(left)} left` : "";
    part.progress.textContent = `${stepText(news.step)} of ${news.totalSteps.toLocaleString("en")}${rest}`;
  }

  drawFigures() {
    const { part, picture } = this,
      exact = picture?.exact;
    if (!exact?.exact_log_p) return;
    part.elbo.value = format(exact.exact_elbo);
    part.logP.value = format(exact.exact_log_p);
    part.gap.value = format(exact.exact_log_p - exact.exact_elbo);
    const count = picture.points_test.shape[0];
    part.what.textContent = `nats per point, mean of ${count} test points at step ${picture.step.toLocaleString("en")}; by quadrature, off by less than ${tenth(exact.error)}`;
    part.ends.value =
      endsOf(picture.points_map)
        .map((v) => plain(Math.round(v)))
        .join(" … ") + " nats";
    this.teller.say(() => this.tell());
  }

  /** The moment that is shown, in words, which are the name of the curves, too. */
  tell() {
    const { part, picture } = this,
      { elbo, gap, logP } = part;
    if (!picture) return "";
    const told = `At ${stepText(picture.step)}: ELBO ${elbo.value} + gap ${gap.value} = log p(x) ${logP.value} nats per point`;
    part.curves.setAttribute("aria-label", `ELBO and log p(x) by step. ${told}`);
    return `${told}.`;
  }

  drawOne(one) {
    const { part } = this;
    for (const b of part.x.parentElement.querySelectorAll("b")) b.hidden = !one;
    if (!one || !this.decode) return;
    part.x.textContent = `x = (${one.x.map((v) => plain(Number(v.toFixed(2)))).join(", ")}):`;
    for (const [name, value] of Object.entries({ oneElbo: one.elbo, oneGap: one.gap, oneLogP: one.logP }))
      part[name].value = format(value);
    this.survey ??= surveyOf(this.decode);
    const { decode, survey, colours, picture } = this;
    drawPosterior(part.posterior, { decode, survey, sigma: picture.exact.sigma, ...one }, colours);
  }

  destroy() {
    this.feed?.close();
    this.scrubber.destroy();
    this.ask.cancel();
    this.deafen();
    this.teller.destroy();
    this.observer.disconnect();
    clearTimeout(this.settling);
    document.removeEventListener("visibilitychange", this.shown);
  }
}

/** The power of ten above a small number: "0.001". */
function tenth(error) {
  return plain(10 ** Math.max(-6, Math.ceil(Math.log10(error + 1e-12))));
}
