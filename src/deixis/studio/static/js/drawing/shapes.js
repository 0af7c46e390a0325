/** Regions as plain values in pixels of the upright picture: {key, name, kind, data}; data is sent. */

import { fitMask, maskBounds } from "./masks.js";

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
export const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
const tenth = (value) => Math.round(value * 10) / 10;

/** A place inside the picture, to a tenth of a pixel. */
export const inside = ([x, y], { width, height }) => [tenth(clamp(x, 0, width)), tenth(clamp(y, 0, height))];

/** The middle of the pixel that lies under a place. */
export const pixelAt = (place, { width, height }) =>
  [width, height].map((side, i) => clamp(Math.floor(place[i]), 0, side - 1) + 0.5);

/** A box of whole pixels between two corners, inside the picture and at least one pixel wide and high. */
export function boxBetween(a, b, { width, height }) {
  const low = [width, height].map((side, i) => clamp(Math.round(Math.min(a[i], b[i])), 0, side - 1));
  const high = [width, height].map((side, i) => clamp(Math.round(Math.max(a[i], b[i])), low[i] + 1, side));
  return [...low, ...high];
}

function around(points) {
  const [xs, ys] = [0, 1].map((i) => points.map((point) => point[i]));
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** Points that lie in one box as they lie in another one. */
const stretched = (points, from, to) => points.map((point) => point.map((value, i) =>
  tenth(to[i] + ((value - from[i]) / (from[i + 2] - from[i] || 1)) * (to[i + 2] - to[i]))));

/** Of each kind: the smallest box around it, and how it fits into another box; whole: by whole pixels. */
const KINDS = {
  point: { whole: true, bounds: (at) => [...at, ...at], fit: (data, from, to) => to.slice(0, 2) },
  box: { whole: true, bounds: (data) => data, fit: (data, from, to) => to },
  polygon: { bounds: around, fit: stretched },
  scribble: { bounds: around, fit: stretched },
  mask: { whole: true, bounds: maskBounds, fit: fitMask },
};

export const bounds = ({ kind, data }) => KINDS[kind].bounds(data);

const fitted = (region, to) => ({ ...region, data: KINDS[region.kind].fit(region.data, bounds(region), to) });

/** The area of the box around a region: of two, the smaller one is meant. */
export function area(region) {
  const [x0, y0, x1, y1] = bounds(region);
  return (x1 - x0) * (y1 - y0);
}

const SIDES = [[0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1], [0.5, 1], [0, 1], [0, 0.5]];

/** Where a region can be taken hold of: [{id, at}]; id: a corner of a polygon, or a share of its box. */
export function handles(region) {
  if (region.kind === "point") return [];
  if (region.kind === "polygon") return region.data.map((at, id) => ({ id, at }));
  const box = bounds(region);
  return SIDES.map((id) => ({ id, at: id.map((share, i) => box[i] + share * (box[i + 2] - box[i])) }));
}

/** The region with one handle at another place. */
export function reshaped(region, id, to, size) {
  if (region.kind === "polygon") return { ...region, data: region.data.with(id, inside(to, size)) };
  const box = bounds(region);
  const fixed = id.map((share, i) => box[share === 1 ? i : i + 2]);
  const moving = id.map((share, i) => (share === 0.5 ? box[i] : to[i]));
  return fitted(region, boxBetween(fixed, moving, size));
}

/** The region moved by whole steps, as far as the picture goes. */
export function moved(region, by, { width, height }) {
  const box = bounds(region);
  const step = [width, height].map((side, i) => (KINDS[region.kind].whole
    ? clamp(Math.round(by[i]), Math.ceil(-box[i]), Math.floor(side - box[i + 2]))
    : tenth(clamp(by[i], -box[i], side - box[i + 2]))));
  return step.some(Boolean) ? fitted(region, box.map((value, i) => value + step[i % 2])) : region;
}

/** What a region is sent and kept as, and back. */
export const wire = ({ kind, data }) => ({ [kind]: data });
export const fromWire = (value) => Object.entries(value).map(([kind, data]) => ({ kind, data }))[0];

/** What a region is, in words. */
export function described(region) {
  const [x0, y0, x1, y1] = bounds(region).map(tenth);
  const { kind } = region;
  return kind === "point" ? `point at ${x0}, ${y0}` : `${kind}, from ${x0}, ${y0} to ${x1}, ${y1}`;
}
