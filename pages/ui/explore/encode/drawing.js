// A canvas to draw on, with mouse, finger or pen. What is drawn lies over a picture (of an upload or a link), if
// there is one. Nothing leaves the page here: the way that owns it is told what the picture is now.

import { onKeys } from "../../lib/keys.js";
import { pictureOf, textOf } from "./math.js";
import { asMnist, reduced } from "./mnist.js";

const SIDE = 280; // pixels of the ink, whatever the screen: the same strokes make the same picture everywhere
const CELL = SIDE / 28;
const BRUSH = 0.093 * SIDE; // gives a digit that fills two thirds of the canvas the thickness of most in MNIST, 2.5 pixels
const FINE = 0.14; // of its height or width: a small digit is inked with a finer brush, or enlarged it would be a blot
const DOT = 4; // pixels: no brush is finer

export class Drawing {
  /** @type {CanvasRenderingContext2D} for small drawings, made when one comes */
  fine;

  /** on: { moving(), done(text): the picture as base64, or null where nothing is left } */
  constructor(canvas, on) {
    this.canvas = canvas;
    this.on = on;
    this.centred = true; // whether pictures are made as MNIST's images are
    this.base = null;
    this.text = null;
    this.strokes = [];
    this.before = [];
    this.stroke = null;
    this.ctx = surface(canvas);
    canvas.onpointerdown = (event) => this.begin(event);
    canvas.onpointermove = (event) => this.follow(event);
    canvas.onpointerup = canvas.onpointercancel = (event) => this.end(event);
    onKeys(canvas, (key) => key.toLowerCase() === "z" && this.undo(), { command: true });
    this.paint();
  }

  /** Whether a stroke is being drawn. */
  get busy() {
    return this.stroke !== null;
  }

  /** Another picture, from outside; what was drawn before is gone. */
  take(text) {
    this.base = pictureOf(text);
    this.text = text;
    this.strokes = [];
    this.before = [];
    this.paint();
  }

  /** What the model is to see: 784 grey levels, or null where there is no ink. */
  picture() {
    if (!this.strokes.length) return this.base;
    const pixels = this.inked().getImageData(0, 0, SIDE, SIDE).data,
      ink = new Float32Array(SIDE * SIDE);
    for (let i = 0; i < ink.length; i++) ink[i] = pixels[4 * i] / 255;
    const picture = this.centred ? asMnist(ink, SIDE, SIDE) : reduced(ink, CELL);
    return picture && Uint8Array.from(picture, (v) => Math.round(255 * v));
  }

  /** The ink as on the page, or for a small drawing once more with a finer brush. */
  inked() {
    const width = this.base || !this.centred ? BRUSH : Math.max(DOT, FINE * extent(this.strokes));
    if (width >= BRUSH) return this.ctx;
    this.fine ??= surface(document.createElement("canvas"));
    paint(this.fine, null, this.strokes, width);
    return this.fine;
  }

  /** Whether there was a stroke to take back. */
  undo() {
    if (this.busy || !this.before.length) return false;
    this.change(this.before.pop());
    return true;
  }

  clear() {
    if (this.busy || !(this.base || this.strokes.length)) return;
    this.remember();
    this.change({ base: null, strokes: [] });
  }

  change({ base, strokes }) {
    this.base = base;
    this.strokes = strokes;
    this.paint();
    this.settle();
  }

  remember() {
    this.before.push({ base: this.base, strokes: this.strokes });
  }

  settle() {
    const picture = this.picture();
    this.text = picture && textOf(picture);
    this.on.done(this.text);
  }

  // ---- the pointer

  begin(event) {
    if (!event.isPrimary || event.button || this.busy) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.remember();
    this.stroke = [this.place(event)];
    this.pointer = event.pointerId;
    this.strokes = [...this.strokes, this.stroke];
    line(this.ctx, this.stroke, 0, BRUSH);
    this.on.moving();
  }

  /** All places since the last frame, not only the latest: a fast hand draws no corners. */
  follow(event) {
    if (!this.busy || event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [],
      from = this.stroke.length;
    for (const each of events.length ? events : [event]) this.stroke.push(this.place(each));
    line(this.ctx, this.stroke, from, BRUSH);
    this.on.moving();
  }

  end(event) {
    if (!this.busy || event.pointerId !== this.pointer) return;
    this.stroke = null;
    this.settle();
  }

  place({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect(),
      scale = SIDE / box.width;
    return [(clientX - box.left) * scale, (clientY - box.top) * scale];
  }

  paint() {
    paint(this.ctx, this.base, this.strokes, BRUSH);
  }
}

// ---- the ink

function surface(canvas) {
  canvas.width = canvas.height = SIDE;
  return canvas.getContext("2d", { willReadFrequently: true });
}

function paint(ctx, base, strokes, width) {
  ctx.fillStyle = "#000";
  ctx.fillRect(0, 0, SIDE, SIDE);
  base?.forEach((v, i) => {
    ctx.fillStyle = `rgb(${v} ${v} ${v})`;
    if (v) ctx.fillRect((i % 28) * CELL, Math.floor(i / 28) * CELL, CELL, CELL);
  });
  for (const stroke of strokes) line(ctx, stroke, 0, width);
}

/** A stroke from its place number `from` on, as round pieces: the same ink whether it comes bit by bit or at once. */
function line(ctx, stroke, from, width) {
  ctx.fillStyle = ctx.strokeStyle = "#fff";
  ctx.lineWidth = width;
  ctx.lineCap = "round";
  for (let i = from; i < stroke.length; i++) {
    ctx.beginPath();
    ctx.arc(...stroke[i], width / 2, 0, 2 * Math.PI);
    ctx.fill();
    if (!i) continue;
    ctx.beginPath();
    ctx.moveTo(...stroke[i - 1]);
    ctx.lineTo(...stroke[i]);
    ctx.stroke();
  }
}

/** The longer side of the box around all strokes, in pixels, as far as it lies on the canvas. */
function extent(strokes) {
  const bounds = [0, 1].map((k) => {
    let [least, most] = [SIDE, 0];
    for (const stroke of strokes)
      for (const place of stroke) [least, most] = [Math.min(least, place[k]), Math.max(most, place[k])];
    return Math.min(SIDE, most) - Math.max(0, least);
  });
  return Math.max(...bounds);
}
