/** Marks drawn over the picture: regions in white on dark, places in the colour of their phrase. */

import { bounds, handles } from "./geometry.js";
import { maskPicture } from "./masks.js";

// Those of the drawn answers of the Python package: Okabe and Ito's, apart for colour-blind readers too.
export const COLOURS = ["#e69f00", "#56b4e9", "#d55e00", "#009e73", "#f0e442", "#0072b2", "#cc79a7"];
const DARK = "rgba(12, 12, 14, 0.6)";
const PICKED = "#ff6a45";

export const colourOf = (number) => COLOURS[number % COLOURS.length];

/** Draw a region; look: {selected, hovered, open}. */
export function drawRegion(pen, view, region, look = {}) {
  const ink = look.selected || look.hovered ? PICKED : "#ffffff";
  if (region.kind === "mask") return drawMask(pen, view, region, look);
  const path = outline(view, region);
  if (region.kind === "point") {
    const [x, y] = view.toStage(region.data);
    dot(pen, x, y, 8.5, DARK, 5);
    dot(pen, x, y, 8.5, ink, 2);
    pen.fillStyle = ink;
    pen.fill(circle(x, y, 2.2));
  } else {
    if (look.selected && region.kind !== "scribble") {
      pen.fillStyle = "rgba(255, 106, 69, 0.10)";
      pen.fill(path);
    }
    stroke(pen, path, DARK, 4.5);
    pen.setLineDash(region.kind === "scribble" || look.open ? [] : [7, 4]);
    stroke(pen, path, ink, region.kind === "scribble" ? 2.5 : 2);
    pen.setLineDash([]);
  }
  if (look.selected && !look.open) drawHandles(pen, view, region, PICKED);
}

function drawMask(pen, view, region, { selected, hovered }) {
  const { canvas, box } = maskPicture(region.data, [255, 106, 69]);
  const [x0, y0] = view.toStage(box.slice(0, 2));
  const [x1, y1] = view.toStage(box.slice(2));
  pen.globalAlpha = selected || hovered ? 0.62 : 0.42;
  pen.imageSmoothingEnabled = view.scale < 2;
  pen.drawImage(canvas, x0, y0, x1 - x0, y1 - y0);
  pen.globalAlpha = 1;
  if (selected) {
    pen.setLineDash([3, 4]);
    stroke(pen, outline(view, { kind: "box", data: bounds(region) }), PICKED, 1.5);
    pen.setLineDash([]);
  }
}

/** Draw the place of a phrase; look: {faded, marked, dashed, edited}. */
export function drawPlace(pen, view, box, colour, look) {
  const path = outline(view, { kind: "box", data: box });
  pen.globalAlpha = look.faded ? 0.28 : 1;
  if (look.marked) {
    pen.fillStyle = `${colour}2e`;
    pen.fill(path);
  }
  stroke(pen, path, DARK, look.marked ? 6 : 5);
  pen.setLineDash(look.dashed ? [9, 5] : []);
  stroke(pen, path, colour, look.marked ? 3.5 : 2.5);
  pen.setLineDash([]);
  if (look.edited) drawHandles(pen, view, { kind: "box", data: box }, colour);
  pen.globalAlpha = 1;
}

/** Draw a name tag above a box in picture pixels, inside of the stage; taken: tags that are there already. */
export function drawTag(pen, view, box, text, { ground, ink, faded, room, taken }) {
  pen.font = "600 12px Inter, system-ui, sans-serif";
  const words = text.length > 34 ? `${text.slice(0, 33)}…` : text;
  const [w, h] = [Math.ceil(pen.measureText(words).width) + 12, 20];
  const [x0, y0] = view.toStage(box.slice(0, 2));
  const [, y1] = view.toStage(box.slice(2));
  const x = Math.min(Math.max(x0 - 1, 2), Math.max(room[0] - w - 2, 2));
  const free = [y0 - h - 3, y1 + 3, y0 + 3].map((y) => Math.min(Math.max(y, 2), room[1] - h - 2));
  const y = free.find((one) => taken.every((t) => x > t[0] + t[2] || x + w < t[0] || one > t[1] + h || one + h < t[1]));
  const top = y ?? free[0];
  taken.push([x, top, w]);
  pen.globalAlpha = faded ? 0.3 : 1;
  pen.fillStyle = ground;
  pen.beginPath();
  pen.roundRect(x, top, w, h, 5);
  pen.fill();
  pen.fillStyle = ink;
  pen.textBaseline = "middle";
  pen.fillText(words, x + 6, top + h / 2 + 0.5);
  pen.globalAlpha = 1;
}

/** Black or white, whichever can be read on a colour. */
export function inkOn(colour) {
  const part = (at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2;
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) > 0.18 ? "#000000" : "#ffffff";
}

function outline(view, { kind, data }) {
  const path = new Path2D();
  if (kind === "box") {
    const [x0, y0] = view.toStage(data.slice(0, 2));
    const [x1, y1] = view.toStage(data.slice(2));
    path.rect(x0, y0, x1 - x0, y1 - y0);
  } else if (kind === "polygon" || kind === "scribble") {
    data.forEach((point, i) => path[i ? "lineTo" : "moveTo"](...view.toStage(point)));
    if (data.length === 1) path.lineTo(...view.toStage(data[0]));
    if (kind === "polygon") path.closePath();
  }
  return path;
}

function stroke(pen, path, colour, width) {
  pen.lineJoin = pen.lineCap = "round";
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke(path);
}

function circle(x, y, radius) {
  const path = new Path2D();
  path.arc(x, y, radius, 0, 2 * Math.PI);
  return path;
}

function dot(pen, x, y, radius, colour, width) {
  stroke(pen, circle(x, y, radius), colour, width);
}

export function drawHandles(pen, view, region, colour) {
  for (const handle of handles(region)) {
    const [x, y] = view.toStage([handle.x, handle.y]);
    pen.fillStyle = "#ffffff";
    pen.fill(circle(x, y, 4.5));
    dot(pen, x, y, 4.5, colour, 2);
  }
}

/** Draw what is being drawn: an open line, a box, or a brush stroke of some radius in picture pixels. */
export function drawDraft(pen, view, { kind, data, radius, at }) {
  if (radius) {
    const path = outline(view, { kind: "scribble", data });
    pen.globalAlpha = 0.55;
    stroke(pen, path, kind === "erase" ? "#1c1b19" : PICKED, 2 * radius * view.scale);
    pen.globalAlpha = 1;
  } else if (kind === "polygon") {
    const line = at ? [...data, at] : data;
    drawRegion(pen, view, { kind: "scribble", data: line }, { hovered: true });
    drawHandles(pen, view, { kind: "polygon", data }, PICKED);
  } else {
    drawRegion(pen, view, { kind, data }, { selected: true, open: kind !== "box" });
  }
}

/** Draw the ring of the brush. */
export function drawBrush(pen, [x, y], radius) {
  dot(pen, x, y, radius, DARK, 3);
  dot(pen, x, y, radius, "#ffffff", 1.2);
}

/** Draw where a system looked: {values, width, height, box} with values from 0 to 1, or {boxes: [[box, score]]}. */
export function drawOverlay(pen, view, overlay) {
  if (overlay.boxes) {
    for (const { box, score } of overlay.boxes) {
      pen.globalAlpha = 0.25 + 0.75 * score;
      stroke(pen, outline(view, { kind: "box", data: box }), PICKED, 1 + 2 * score);
    }
    pen.globalAlpha = 1;
    return;
  }
  overlay.picture ??= veil(overlay);
  const { width, height } = view.size;
  const [x0, y0] = view.toStage(overlay.box.slice(0, 2));
  const [x1, y1] = view.toStage(overlay.box.slice(2));
  pen.save();
  pen.beginPath();
  pen.rect(view.x, view.y, width * view.scale, height * view.scale);
  pen.clip();
  pen.imageSmoothingEnabled = true;
  pen.drawImage(overlay.picture, x0, y0, x1 - x0, y1 - y0);
  pen.restore();
}

/** Darkness that is thinner where a system looked more. */
function veil({ values, width, height }) {
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(width, height);
  values.forEach((value, i) => image.data.set([8, 6, 4, 225 * (1 - Math.sqrt(value))], 4 * i));
  pen.putImageData(image, 0, 0);
  return canvas;
}
