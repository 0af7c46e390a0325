/** Marks as SVG, in pixels of the stage: regions, places, what is being drawn. Styles: stage.css. */

import { make } from "../dom.js";
import { bounds, handles } from "./shapes.js";
import { maskPath } from "./masks.js";

// Those of the drawn answers of the Python package: Okabe and Ito's, apart for colour-blind readers too.
const COLOURS = ["#e69f00", "#56b4e9", "#d55e00", "#009e73", "#f0e442", "#0072b2", "#cc79a7"];
export const colourOf = (number) => COLOURS[number % COLOURS.length];

const ring = ([x, y], r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;

/** The outline of a shape, as SVG writes it. */
function outline({ kind, data }, view) {
  if (kind === "point") return ring(view.toStage(data), 8.5) + ring(view.toStage(data), 1);
  if (kind === "box") {
    const [[x0, y0], [x1, y1]] = [data.slice(0, 2), data.slice(2)].map((corner) => view.toStage(corner));
    return `M${x0} ${y0}H${x1}V${y1}H${x0}z`;
  }
  const line = data.map((point) => view.toStage(point).join(" ")).join("L");
  return kind === "polygon" ? `M${line}z` : `M${line}h0`;
}

/** A region or place: a line on a dark one, and around it what the pointer reaches; grips: its handles. */
export function figure(shape, view, { look = "", grips = false, ...attributes } = {}) {
  const path = (name, given) => make("svg:path", { class: name, ...given });
  const mask = shape.kind === "mask";
  const d = outline(mask ? { kind: "box", data: bounds(shape) } : shape, view);
  const transform = `translate(${view.x} ${view.y}) scale(${view.scale})`;
  const reach = mask ? { d: maskPath(shape.data), transform } : { d };
  const held = (grips ? handles(shape) : []).map(({ id, at }) => {
    const [cx, cy] = view.toStage(at);
    const circles = ["reach", "grip"].map((name) => make("svg:circle", { class: name, cx, cy, r: 4.5 }));
    return Object.assign(make("svg:g", { class: "handle" }, ...circles), { handle_: id });
  });
  const lines = [path("reach", reach), path("under", { d }), path("line", { d })];
  const group = make("svg:g", { class: `mark ${shape.kind} ${look}`, ...attributes }, ...lines, ...held);
  if (shape.colour) group.style.setProperty("--colour", shape.colour);
  return Object.assign(group, { shape_: shape });
}

/** What is being drawn: an open line, a box, or a brush stroke of some radius in picture pixels. */
export function drafted({ kind, data, radius, at }, view) {
  if (!radius) {
    const open = kind === "polygon" && { kind: "scribble", data: at ? [...data, at] : data };
    const corners = figure({ kind, data }, view, { look: "draft", grips: kind === "polygon" });
    return open ? [figure(open, view, { look: "draft" }), corners] : [corners];
  }
  const d = outline({ kind: "scribble", data }, view);
  return [make("svg:path", { class: `stroke ${kind}`, d, "stroke-width": 2 * radius * view.scale })];
}

export const brushRing = ({ at, radius }, view) => ["under", "line"].map((name) =>
  make("svg:path", { class: `ring ${name}`, d: ring(at, radius * view.scale) }));

/** A name tag above a box in picture pixels, or with `below` under it, inside of the stage. */
export function tag([x0, y0, , y1], words, view, { below = false, colour, look = "" }) {
  const [left, top] = view.toStage([x0, below ? y1 : y0]);
  const [width, height] = view.room;
  const element = make("span", { class: `tag ${look}` }, words);
  const y = Math.min(Math.max(below ? top + 3 : top - 23, 2), height - 22);
  element.style.translate = `${Math.min(Math.max(left - 1, 2), width - 30)}px ${y}px`;
  if (colour) element.style.setProperty("--colour", colour);
  return element;
}
