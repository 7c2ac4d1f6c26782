// Arms side by side on one clock and the same axes. Mounted by view.py through assets.loader.

import { Clicks } from "../lib/clicks.js";
import { choices, everyFrame, onResize, pressWhere, quietPartsOf } from "../lib/dom.js";
import { onPageKeys } from "../lib/keys.js";
import { Teller } from "../lib/spoken.js";
import { coloursOf, followTheme } from "../lib/theme.js";
import { Arm } from "./arm.js";
import { Clock } from "./clock.js";
import { Gate } from "./gate.js";
import { ROOT, ROWS } from "./html.js";
import { PATIENCE_MS, Panel } from "./panel.js";
import { Point } from "./point.js";
import { Probe } from "./probe.js";
import { Table } from "./table.js";
import { SharedCurves, drawKl, drawTug } from "./together.js";
import { armsText, sameness } from "./words.js";

const SETTLED_MS = 350; // after which a moment counts as chosen
const DIGITS = [0, 1, 4]; // in the tug of war at first

export default class ArmsView {
  constructor(root) {
    this.root = root;
    root.innerHTML = ROOT;
    this.part = quietPartsOf(root);
    this.teller = new Teller(root);
    this.panels = [];
    this.chosen = new Set(DIGITS);
    this.open = null;
    this.point = new Point(this.part.linked);
    this.data = {};
    this.news = true;
    this.curves = new SharedCurves(() => (this.sees("curves") ? this.panels : []));
    this.stale = new Set();
    this.tugOf = "";
    this.clock = new Clock(
      this.part,
      (step) => this.goTo(step),
      (step) => this.setStateValue?.("at", step),
    );
    this.table = new Table(this.part.tableHead, this.part.tableBody, this.part.download);
    this.ask = everyFrame(() => this.redraw());
    this.listen();
  }

  listen() {
    const { part } = this;
    choices(part.chips, "chip", (row) => this.fold(row));
    choices(part.points, "point", (i) => this.pick(Number(i)));
    this.gate = new Gate(part.scrubber, this);
    part.automatic.onchange = ({ target }) => this.setAutomatic(target.checked);
    part.linked.onchange = () => this.setPoint(this.point.panel, this.point.xy);
    this.clicks = new Clicks((count) => this.setStateValue("clicks", count));
    this.shown = () => !document.hidden && this.ask();
    document.addEventListener("visibilitychange", this.shown);
    this.deafen = onPageKeys((key) => this.key(key));
    this.observer = onResize(part.columns, () => this.renewAll());
  }

  /** Called by Streamlit on mount and on every change of data or theme. */
  update({ data, setStateValue, setTriggerValue }) {
    this.setStateValue = setStateValue;
    this.setTriggerValue = setTriggerValue;
    this.data = data;
    if (!this.open) this.setOpen(new Set(data.rows ?? ROWS.map(([key]) => key)));
    this.clicks.follow(data.counted, data.clicks);
    for (const look of ["presents", "film"]) this.root.classList.toggle(look, data[look]);
    this.setArms(data.arms);
    if (followTheme(this.root)) this.restyle();
    this.clock.begin(data.at);
    this.figured = false;
    this.refresh();
  }

  get arms() {
    return this.panels.map(({ arm }) => arm);
  }

  /** Keep the panels of arms that stay, in the order of the list. */
  setArms(wanted) {
    const old = new Map(this.panels.map((panel) => [panel.arm.run, panel]));
    this.panels = wanted.map((shown) => {
      const panel = old.get(shown.run_id) ?? this.newPanel(shown);
      old.delete(shown.run_id);
      panel.arm.shown = shown;
      panel.rename();
      return panel;
    });
    for (const gone of old.values()) gone.destroy();
    const { columns } = this.part;
    this.panels.forEach(
      ({ root }, i) => columns.children[i] !== root && columns.insertBefore(root, columns.children[i] ?? null),
    );
    columns.style.setProperty("--arms", this.panels.length);
    this.root.classList.toggle("roomy", this.panels.length < 3); // pictures stand beside the map, not below
  }

  newPanel(shown) {
    const panel = new Panel(new Arm(shown, (arm, what) => this.changed(panel, what)), {
      point: (where, xy) => this.setPoint(where, xy),
      pick: (i) => this.pick(i),
      toggle: (message) => this.toggle(message),
      branch: (run) => this.setTriggerValue("branch", { run, at: this.clock.at }),
      remove: (run) => this.setTriggerValue("remove", { run }),
      look: () => this.open.has("table") || this.fold("table"),
    });
    panel.watch(() => {
      if (panel.seen.has("curves")) this.news = true;
      this.renew(panel);
    });
    panel.probe = new Probe(panel.arm, panel.part);
    if (this.colours) panel.restyle(this.colours);
    panel.map.setAutomatic(this.part.automatic.checked);
    panel.setMoment(this.clock.at);
    if (this.clock.at !== null) panel.arm.goTo(this.clock.at);
    return panel;
  }

  /** Space starts and pauses, arrows move through the film, unless something else has the focus. */
  key(key) {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (key === " " && this.data.space) this.setTriggerValue("space", true);
    else if (!move) return false;
    else if (!this.gate.stops("key")) this.clock.move(move);
    return true;
  }

  restyle() {
    this.colours = coloursOf(this.root);
    for (const panel of this.panels) panel.restyle(this.colours);
  }

  // ---- the clock

  /** An arm has something new. */
  changed(panel, what) {
    if (what !== "picture") this.report();
    this.news ||= what === "news";
    if (what === "picture") this.stale.add(panel);
    if (what === "picture" && this.point.xy) this.settleLater(); // a decoder of every moment would be too much to fetch
    if (what === "meter" || panel.arm.live?.meter) this.figured = false;
    this.ask();
  }

  /** Streamlit learns of a new status, so that buttons can follow; and that a prediction can be judged now. */
  report() {
    const statuses = this.arms.map(({ told }) => told).join(",");
    if (statuses !== this.reported && !statuses.includes("…"))
      this.setStateValue("statuses", (this.reported = statuses));
  }

  refresh() {
    this.clock.refresh(this.arms);
    this.gate.refresh();
    this.tell();
  }

  /** What is said beside the pictures is drawn again. */
  tell() {
    this.news = true;
    this.ask();
  }

  goTo(step) {
    this.root.classList.toggle("past", step !== null);
    for (const panel of this.panels) {
      panel.setMoment(step);
      panel.arm.goTo(step);
      this.stale.add(panel);
    }
    this.settleLater();
    this.ask();
  }

  settleLater() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.settle(), this.clock.at === null ? 4 * SETTLED_MS : SETTLED_MS);
  }

  /** At rest: the meter of the moment is looked for, and the point is decoded again. */
  settle() {
    for (const arm of this.arms) arm.seekMeter();
    if (this.point.xy) this.setPoint(this.point.panel, this.point.xy);
  }

  // ---- what the visitor does

  /** A switch shows what was wished until the run says so, or has had its time. */
  toggle(message) {
    this.setTriggerValue("toggle", message);
    setTimeout(() => this.tell(), PATIENCE_MS + 50);
  }

  setOpen(open) {
    this.open = open;
    pressWhere(this.part.chips, "chip", (row) => open.has(row));
    this.root.dataset.closed = ROWS.map(([key]) => key)
      .filter((key) => !open.has(key))
      .join(" ");
    this.part.tug.hidden = !open.has("pulls");
  }

  fold(key) {
    const open = new Set(this.open);
    if (!open.delete(key)) open.add(key);
    this.setOpen(open);
    this.renewAll();
    this.curves.hurry();
    this.tell();
  }

  renew(panel) {
    this.stale.add(panel);
    this.ask();
  }

  renewAll() {
    this.panels.forEach((panel) => this.renew(panel));
  }

  pick(index) {
    if (!this.chosen.delete(index)) this.chosen.add(index);
    this.renewAll();
  }

  setAutomatic(on) {
    this.part.warning.hidden = !on;
    for (const { map } of this.panels) map.setAutomatic(on);
    this.drawTug();
  }

  /** Decode at a point of a map, and at the same point of the others. */
  setPoint(panel, xy) {
    this.point.set(panel, xy);
    this.ask();
  }

  // ---- drawing

  redraw() {
    if (document.hidden || !this.panels.length) return;
    const { at } = this.clock;
    if (this.news) this.drawNews();
    for (const panel of this.panels) panel.drawNews(at);
    const drawn = this.stale;
    this.stale = new Set();
    for (const panel of drawn)
      if (this.panels.includes(panel))
        panel.drawPicture(this.chosen, this.open.has("pulls"), (row) => this.open.has(row) && panel.seen.has(row));
    if (drawn.size) this.root.dataset.step = at ?? Math.max(0, ...this.arms.map(({ picture }) => picture?.step ?? 0));
    this.point.draw(this.panels);
    const weights = JSON.stringify(this.arms.map((arm) => arm.weights()));
    if (drawn.size || weights !== this.tugOf) this.drawTug();
    this.tugOf = weights;
    if (drawn.size && this.sees("meter")) drawKl(this.panels);
    if (drawn.size || !this.figured) this.drawTable();
    if (drawn.size) this.teller.say(() => armsText(this.arms));
  }

  /** Whether a row is open and on the screen, of any arm. */
  sees(row) {
    return !document.hidden && this.open.has(row) && this.panels.some(({ seen }) => seen.has(row));
  }

  drawNews() {
    this.news = false;
    const steps = this.arms.map(({ film }) => `${film.steps.length} to ${film.steps.at(-1)}`).join();
    if (steps !== this.filmed) {
      this.filmed = steps;
      this.refresh();
      this.news = false;
    }
    const known = this.arms.filter(({ news }) => news);
    const [configs, shown] = [known.map(({ news }) => news.config), known.map((arm) => arm.shown)];
    this.part.same.textContent = sameness(configs, shown);
    this.curves.draw();
  }

  drawTable() {
    this.figured = true;
    if (this.open.has("table")) this.table.draw(this.data.figures, this.arms, this.data.real);
  }

  drawTug() {
    pressWhere(this.part.points, "point", (i) => this.chosen.has(Number(i)));
    const scale = drawTug(this.panels, this.chosen, this.open.has("pulls"), (panel) => this.point.of(panel));
    this.part.scale.value = `1 unit of the map = ${scale.toLocaleString("en")} ${scale === 1 ? "nat" : "nats"} per unit`;
  }

  destroy() {
    this.ask.cancel();
    for (const part of [this.clicks, this.clock, this.curves, this.teller]) part.destroy();
    this.observer.disconnect();
    clearTimeout(this.settling);
    document.removeEventListener("visibilitychange", this.shown);
    this.deafen();
    for (const panel of this.panels) panel.destroy();
  }
}
