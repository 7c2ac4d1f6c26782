// The live view: one feed, and the parts that draw it. Mounted by view.py through assets.loader.

import { Clicks } from "../lib/clicks.js";
import { Curves } from "../lib/curves.js";
import { everyFrame, listMarks, onResize, partsOf } from "../lib/dom.js";
import { Feed } from "../lib/feed.js";
import { Film, Scrubber } from "../lib/film.js";
import { History } from "../lib/history.js";
import { onPageKeys } from "../lib/keys.js";
import { coloursOf, followTheme } from "../lib/theme.js";
import { pictureOf } from "../lib/wire.js";
import { Compared } from "./compared.js";
import { drawHeader, drawLost, drawWaiting } from "./header.js";
import { HTML, headerOf, heightsOf, seriesOf, scaleNamesOf, scaleNoteOf, scalesOf } from "./html.js";
import { Picture } from "./picture.js";
import { SlowMotion } from "./slow/motion.js";

const PROJECTED = 20; // px of a letter: above that it is the presentation mode, see ui/lecture/bar.py

export default class LiveView {
  constructor(root) {
    this.root = root;
    root.innerHTML = HTML;
    this.part = partsOf(root);
    this.history = new History();
    this.curves = [];
    this.picture = new Picture(root, this.part);
    this.slow = new SlowMotion(this.part.slow, () => this.setTriggerValue("slow", true));
    this.others = [];
    this.part.automatic.onchange = ({ target }) => this.maps().forEach((map) => map.setAutomatic(target.checked));
    this.ask = everyFrame(() => this.redraw());
    this.film = new Film("");
    this.scrubber = new Scrubber(
      this.part,
      this.film,
      (step) => this.goTo(step),
      (step) => this.reportMoment(step),
    );
    this.shown = () => !document.hidden && this.redraw();
    document.addEventListener("visibilitychange", this.shown);
    this.clicks = new Clicks((count) => this.setStateValue("clicks", count));
    this.deafen = onPageKeys((key) => this.key(key));
    this.rem = 0;
    this.sizes = onResize(root, () => this.fit());
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update({ data, setStateValue, setTriggerValue }) {
    this.setStateValue = data.quiet ? () => {} : setStateValue;
    this.setTriggerValue = data.quiet ? () => {} : setTriggerValue;
    this.root.classList.toggle("quiet", data.quiet);
    this.picture.said = data;
    this.clicks.follow(data.counted, data.clicks);
    const themed = followTheme(this.root);
    if (themed) this.colours = coloursOf(this.root);
    this.setFamily(data.family);
    if (themed) this.restyle();
    this.compare(data.compare ?? []);
    if (data.run !== this.run) this.open(data);
  }

  /** The header and the curves of a run are those of its family's terms: another family has others. @param {Family} family */
  setFamily(family) {
    const key = JSON.stringify(family);
    if (key === this.family) return;
    this.family = key;
    this.part.header.innerHTML = headerOf(family);
    this.curves.forEach((curves) => curves.destroy());
    const kl = seriesOf(family).filter(({ name }) => name.endsWith(".kl"));
    const scales = scalesOf(family);
    const mixed = family.terms.some(({ unit }) => unit);
    const all = { series: seriesOf(family), ...(mixed && { unit: "nats; squared distance ↓" }) };
    this.curves = [new Curves(this.part.all, all)];
    if (kl.length) this.curves.push(new Curves(this.part.klOnly, { series: kl, quiet: true }));
    if (scales.length)
      this.curves.push(
        new Curves(this.part.scaleOnly, {
          series: scales,
          unit: scales[0].unit ?? "of full scale",
          quiet: true,
        }),
      );
    this.part.klCard.hidden = !kl.length;
    this.part.scaleCard.hidden = !scales.length;
    this.part.scaleNames.innerHTML = scaleNamesOf(family);
    [this.part.scaleNote.textContent, this.part.scaleNote.title] = scaleNoteOf(family);
    this.picture.setFamily(family);
    for (const curves of this.curves) curves.compare(this.others.map((other) => other.label));
    this.rem = 0;
    this.fit();
  }

  /** On the projector letters are larger: then the pictures lie in rows of ten above the curves, see live.css. */
  fit() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    if (rem === this.rem) return;
    this.rem = rem;
    const present = this.root.classList.toggle("present", rem > PROJECTED);
    this.picture.setPerRow(present ? 10 : 5);
    const heights = heightsOf(this.curves.length, present);
    this.curves.forEach((curves, i) => (curves.height = rem * heights[i]));
    this.restyle();
    if (this.news) this.ask();
  }

  /** Another run; at: a moment named by the link. */
  open({ run, at }) {
    this.run = run;
    this.feed?.close();
    this.reported = null;
    this.slow.close();
    this.news = null;
    this.history.clear();
    this.forget();
    this.drawCurves();
    drawWaiting(this.part);
    this.scrubber.destroy();
    this.film = this.scrubber.film = new Film(run);
    if (this.scrubber.at !== null) this.reportMoment(null);
    this.scrubber.at = null;
    for (const curves of this.curves) curves.setMoment(null);
    this.root.classList.remove("past");
    this.wanted = at ?? null;
    this.feed = new Feed(
      run,
      (message) => this.take(message),
      (state) => this.connection(state),
    );
  }

  /** Space starts and pauses, arrows move through the film, unless something else has the focus. */
  key(key) {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (key === " ") this.setTriggerValue("space", true);
    else if (move && this.slow.open) this.slow.go(this.slow.stage + move);
    else if (move) this.scrubber.move(move);
    else return false;
    return true;
  }

  maps() {
    return [this.picture.map, ...this.others.map((other) => other.map)];
  }

  /** Show other runs beside this one: [{ run, label }]. */
  compare(wanted) {
    const same =
      wanted.length === this.others.length &&
      wanted.every((w, i) => w.run === this.others[i].run && w.label === this.others[i].label);
    if (same) return;
    this.others.forEach((other) => other.destroy());
    this.others = wanted.map((w, i) => new Compared(this.part.compared, w, i, () => this.ask()));
    for (const other of this.others) {
      other.map.restyle(this.colours);
      other.map.setAutomatic(this.part.automatic.checked);
    }
    for (const curves of this.curves) curves.compare(wanted.map((w) => w.label));
    this.ask();
  }

  restyle() {
    for (const part of [...this.curves, this.slow, ...this.maps()]) part.restyle(this.colours);
  }

  /** @param {Message} message */
  take(message) {
    const { news, arrays } = message;
    this.history.add(message);
    this.news = news;
    if (news.fresh) this.film.clear();
    this.picture.follow(news);
    if (news.fresh && !news.snapshot) this.forget(); // after a reset in a busy class its picture comes later
    this.film.steps = news.film;
    this.scrubber.refresh();
    if (this.wanted !== null && news.film.length) {
      this.scrubber.go(this.wanted);
      this.wanted = null;
    }
    if (news.snapshot) this.present = pictureOf(news.snapshot, arrays);
    if (news.slow && news.slow.step === news.step) this.slow.show(news.slow, arrays);
    else this.slow.follow(news.step);
    this.newPicture ||= Boolean(news.snapshot) || news.fresh;
    // Streamlit learns of a new status, of the first kept state and of the final figures: buttons and tables follow.
    const kept = news.states.some((step) => step < news.totalSteps);
    const state = `${news.status}${kept ? " kept" : ""}${news.final ? " final" : ""}`;
    if (state !== this.reported) this.setStateValue("status", (this.reported = state));
    this.ask();
    if (!this.present && news.film.length) this.showLastFrame(news.film.at(-1));
  }

  /** No picture is left of the run before, or of the time before a reset. */
  forget() {
    this.present = null;
    this.picture.forget();
  }

  /** A run that was saved or shipped has no snapshot in memory: its last frame stands for it. */
  async showLastFrame(step) {
    const { film } = this;
    const last = await film.get(step);
    if (!last || this.present || film !== this.film) return; // another run may be shown by then
    this.present = last;
    this.newPicture = true;
    this.ask();
  }

  redraw() {
    if (document.hidden || !this.news) return;
    this.curves[0]?.setShown("train.loss", this.history.weighted());
    this.drawCurves();
    drawHeader(this.part, this.news);
    if (this.newPicture && this.present && this.scrubber.at === null) this.picture.draw(this.present);
    this.newPicture = false;
  }

  drawCurves() {
    const histories = [this.history, ...this.others.map((other) => other.history)];
    for (const curves of this.curves) curves.draw(histories);
    listMarks(this.part.marks, this.history.marks);
  }

  /** Show a moment of the film, or the present (null). Moves that outrun the frames skip what they passed. */
  async goTo(step) {
    this.root.classList.toggle("past", step !== null);
    for (const curves of this.curves) curves.setMoment(step);
    if (step === null) return this.present && this.picture.draw(this.present);
    const picture = await this.film.get(step);
    if (this.scrubber.at !== step) return;
    if (picture) this.picture.draw(picture);
    const { steps } = this.film;
    for (const near of [steps[steps.indexOf(step) + 1], steps[steps.indexOf(step) - 1]])
      if (near !== undefined) this.film.get(near);
  }

  /** Tell Streamlit where the bar rests, for the link and for a branch. */
  reportMoment(step) {
    this.setStateValue("at", step);
  }

  connection(state) {
    this.root.classList.toggle("lost", state !== "open");
    if (state !== "open") drawLost(this.part, state);
  }

  destroy() {
    this.feed?.close();
    this.scrubber.destroy();
    this.ask.cancel();
    document.removeEventListener("visibilitychange", this.shown);
    this.clicks.destroy();
    this.sizes.disconnect();
    this.deafen();
    for (const part of [...this.curves, this.picture.map, this.picture.teller, this.slow, ...this.others])
      part.destroy();
  }
}
