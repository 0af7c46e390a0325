/** Regions as plain values in pixels of the upright picture: {key, name, kind, data}; data is what is sent. */

import { maskBounds, maskHas, movedMask } from "./masks.js";

export const SIDES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export const tenth = (value) => Math.round(value * 10) / 10;

/** The smallest box [x0, y0, x1, y1] around a region. */
export function bounds({ kind, data }) {
  if (kind === "box") return data;
  if (kind === "point") return [data[0], data[1], data[0], data[1]];
  if (kind === "mask") return maskBounds(data);
  const xs = data.map((p) => p[0]);
  const ys = data.map((p) => p[1]);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** A box of whole pixels between two corners, inside the picture and at least one pixel wide and high. */
export function boxBetween([ax, ay], [bx, by], { width, height }) {
  const [x0, x1] = span(ax, bx, width);
  const [y0, y1] = span(ay, by, height);
  return [x0, y0, x1, y1];
}

function span(a, b, most) {
  const low = clamp(Math.round(Math.min(a, b)), 0, most - 1);
  return [low, clamp(Math.round(Math.max(a, b)), low + 1, most)];
}

/** The middle of the pixel that lies under a place. */
export function pixelAt([x, y], { width, height }) {
  return [clamp(Math.floor(x), 0, width - 1) + 0.5, clamp(Math.floor(y), 0, height - 1) + 0.5];
}

/** A place inside the picture, to a tenth of a pixel. */
export function inside([x, y], { width, height }) {
  return [tenth(clamp(x, 0, width)), tenth(clamp(y, 0, height))];
}

/** Whether a place is on a region; reach: how near counts, in pixels. */
export function hit(region, [x, y], reach) {
  const { kind, data } = region;
  const [x0, y0, x1, y1] = bounds(region);
  if (x < x0 - reach || x > x1 + reach || y < y0 - reach || y > y1 + reach) return false;
  if (kind === "box") return true;
  if (kind === "point") return Math.hypot(x - data[0], y - data[1]) <= reach * 1.6;
  if (kind === "mask") return maskHas(data, Math.floor(x), Math.floor(y));
  if (kind === "polygon" && within(data, x, y)) return true;
  const closed = kind === "polygon" ? [...data, data[0]] : data;
  return closed.some((p, i) => distance(x, y, closed[Math.max(i - 1, 0)], p) <= reach);
}

function within(points, x, y) {
  let odd = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const [ax, ay] = points[i];
    const [bx, by] = points[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}

function distance(x, y, [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = clamp(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1), 0, 1);
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}

/** The area by which the smaller of two regions is the one that is meant. */
export function area(region) {
  const [x0, y0, x1, y1] = bounds(region);
  return (x1 - x0) * (y1 - y0);
}

/** Where a region can be taken hold of: [{id, x, y}]. */
export function handles({ kind, data }) {
  if (kind === "polygon") return data.map(([x, y], id) => ({ id, x, y }));
  if (kind !== "box" && kind !== "scribble") return [];
  const [x0, y0, x1, y1] = bounds({ kind, data });
  const at = { w: x0, e: x1, n: y0, s: y1 };
  return SIDES.map((id) => ({
    id,
    x: at[id.match(/[we]/)] ?? (x0 + x1) / 2,
    y: at[id.match(/[ns]/)] ?? (y0 + y1) / 2,
  }));
}

/** The region moved by whole steps, as far as the picture goes. */
export function moved(region, dx, dy, { width, height }) {
  const [x0, y0, x1, y1] = bounds(region);
  const [sx, sy] = [clamp(dx, -x0, width - x1), clamp(dy, -y0, height - y1)];
  const { kind, data } = region;
  const by = kind === "box" || kind === "mask" || kind === "point" ? Math.round : tenth;
  const [mx, my] = [by(sx), by(sy)];
  if (!mx && !my) return region;
  if (kind === "mask") return { ...region, data: movedMask(data, mx, my) };
  if (kind === "box") return { ...region, data: [x0 + mx, y0 + my, x1 + mx, y1 + my] };
  const go = ([x, y]) => [tenth(x + mx), tenth(y + my)];
  return { ...region, data: kind === "point" ? go(data) : data.map(go) };
}

/** The region with one handle at another place. */
export function reshaped(region, id, to, size) {
  const { kind, data } = region;
  if (kind === "polygon") {
    return { ...region, data: data.map((p, i) => (i === id ? inside(to, size) : p)) };
  }
  const old = bounds(region);
  const [ax, ay] = [id.includes("w") ? old[2] : old[0], id.includes("n") ? old[3] : old[1]];
  const [bx, by] = [/[we]/.test(id) ? to[0] : old[2], /[ns]/.test(id) ? to[1] : old[3]];
  const box = boxBetween([ax, ay], [bx, by], size);
  if (kind === "box") return { ...region, data: box };
  const map = (v, i) => box[i] + ((v - old[i]) / (old[i + 2] - old[i] || 1)) * (box[i + 2] - box[i]);
  return { ...region, data: data.map(([x, y]) => inside([map(x, 0), map(y, 1)], size)) };
}

/** What a region is sent and kept as. */
export const wire = ({ kind, data }) => ({ [kind]: data });

/** The region of what was sent or kept; undefined where it is none. */
export function fromWire(name, value) {
  const kind = ["box", "point", "polygon", "scribble", "mask"].find((k) => value?.[k]);
  return kind && { name, kind, data: value[kind] };
}

/** What a region is, in words. */
export function described(region) {
  const [x0, y0, x1, y1] = bounds(region).map((v) => tenth(v));
  if (region.kind === "point") return `point at ${x0}, ${y0}`;
  return `${region.kind}, from ${x0}, ${y0} to ${x1}, ${y1}`;
}
