/** Masks as COCO's run lengths, {size: [height, width], counts}, column by column. */

/** Work something out of a mask once: a mask object never changes. */
function once(work) {
  const known = new WeakMap();
  return (mask) => known.get(mask) ?? known.set(mask, work(mask)).get(mask);
}

/** The mask whose pixels are set in stretches [start, end), in order; null for one without any. */
function encoded(size, stretches) {
  const runs = [];
  let at = 0;
  for (const [start, end] of stretches) {
    if (runs.length && start === at) runs.push(runs.pop() + end - start);
    else runs.push(start - at, end - start);
    at = end;
  }
  if (!runs.length) return null;
  if (at < size[0] * size[1]) runs.push(size[0] * size[1] - at);
  return { size, counts: runs };
}

/** The pieces of columns that are set: [x, top, low]. */
const pieces = once(({ size: [height], counts }) => {
  const found = [];
  let at = 0;
  counts.forEach((run, i) => {
    for (const end = at + run; at < end; ) {
      const x = Math.floor(at / height);
      const stop = i % 2 ? Math.min(end, (x + 1) * height) : end;
      if (i % 2) found.push([x, at - x * height, stop - x * height]);
      at = stop;
    }
  });
  return found;
});

/** The smallest box of whole pixels around a mask. */
export const maskBounds = once((mask) => pieces(mask).reduce(
  ([x0, y0, x1, y1], [x, top, low]) => [Math.min(x0, x), Math.min(y0, top), x + 1, Math.max(y1, low)],
  [Infinity, Infinity, 0, 0],
));

/** A mask moved and scaled from one box into another: each pixel is what lies under its middle. */
export function fitMask(mask, [x0, y0, x1, y1], [u0, v0, u1, v1]) {
  const [height] = mask.size;
  const column = (x) => Math.ceil(((x - x0) * (u1 - u0)) / (x1 - x0) - 0.5) + u0;
  const row = (y) => Math.ceil(((y - y0) * (v1 - v0)) / (y1 - y0) - 0.5) + v0;
  const stretches = pieces(mask).flatMap(([x, top, low]) => {
    const [start, end, first] = [row(top), row(low), column(x)];
    const length = end > start ? column(x + 1) - first : 0;
    return Array.from({ length }, (_, i) => [start, end].map((y) => (first + i) * height + y));
  });
  return encoded(mask.size, stretches.sort((a, b) => a[0] - b[0])) ?? mask;
}

/** A mask, or null, with a stroke added or taken away: pixels whose middle is within `radius` of it. */
export function brushed(mask, size, { points, radius, erase }) {
  const [height, width] = size;
  const bits = new Uint8Array(height * width);
  if (mask) pieces(mask).forEach(([x, top, low]) => bits.fill(1, x * height + top, x * height + low));
  points.forEach((point, i) => capsule(bits, size, points[Math.max(i - 1, 0)], point, radius, erase ? 0 : 1));
  const stretches = [];
  for (let at = bits.indexOf(1); at >= 0; ) {
    const end = bits.indexOf(0, at);
    stretches.push([at, end < 0 ? bits.length : end]);
    at = end < 0 ? -1 : bits.indexOf(1, end);
  }
  return encoded(size, stretches);
}

function capsule(bits, [height, width], [ax, ay], [bx, by], radius, value) {
  const [dx, dy] = [bx - ax, by - ay];
  const long = dx * dx + dy * dy || 1;
  const first = Math.max(Math.floor(Math.min(ax, bx) - radius), 0);
  const last = Math.min(Math.ceil(Math.max(ax, bx) + radius), width);
  const top = Math.max(Math.floor(Math.min(ay, by) - radius), 0);
  const low = Math.min(Math.ceil(Math.max(ay, by) + radius), height);
  for (let x = first; x < last; x++) {
    for (let y = top; y < low; y++) {
      const [px, py] = [x + 0.5 - ax, y + 0.5 - ay];
      const along = Math.min(Math.max((px * dx + py * dy) / long, 0), 1);
      const [ox, oy] = [px - along * dx, py - along * dy];
      if (ox * ox + oy * oy <= radius * radius) bits[x * height + y] = value;
    }
  }
}

/** The set pixels of a mask as an outline of SVG, in pixels of the picture. */
export const maskPath = once((mask) =>
  pieces(mask).map(([x, top, low]) => `M${x} ${top}h1V${low}h-1z`).join(""));
