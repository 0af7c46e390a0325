/** Masks as COCO's compressed run lengths: column by column, as the server reads them. */

const bitsOf = new WeakMap(); // a mask object never changes, so what it was decoded to stays true
const boundsOf = new WeakMap();

/** The bits of a mask, one byte a pixel, column by column. */
export function decoded(mask) {
  if (!bitsOf.has(mask)) {
    const [height, width] = mask.size;
    const bits = new Uint8Array(height * width);
    let at = 0;
    runsOf(mask.counts).forEach((run, i) => {
      if (i % 2) bits.fill(1, at, at + run);
      at += run;
    });
    if (at !== bits.length) throw new Error("The runs of this mask don't add up to its size.");
    bitsOf.set(mask, bits);
  }
  return bitsOf.get(mask);
}

function runsOf(counts) {
  const runs = [];
  for (let i = 0; i < counts.length; ) {
    let [value, shift, more] = [0, 0, true];
    while (more) {
      const bits = counts.charCodeAt(i++) - 48;
      if (!(bits >= 0 && bits < 64) || shift > 35) throw new Error("This mask is not COCO's run lengths.");
      value += (bits & 31) * 2 ** shift;
      shift += 5;
      more = bits & 32;
      if (!more && bits & 16) value -= 2 ** shift;
    }
    runs.push(runs.length > 2 ? value + runs[runs.length - 2] : value);
  }
  return runs;
}

/** The mask of bits; null for one without any. */
export function encoded(bits, height, width) {
  const runs = [];
  for (let at = 0, value = 0; at < bits.length; value ^= 1) {
    let end = bits.indexOf(value ^ 1, at);
    if (end < 0) end = bits.length;
    runs.push(end - at);
    at = end;
  }
  if (runs.length < 2) return null;
  const mask = { size: [height, width], counts: runs.map((run, i) => packed(run, i > 2 ? runs[i - 2] : 0)).join("") };
  bitsOf.set(mask, bits);
  return mask;
}

function packed(run, before) {
  let [value, text, more] = [run - before, "", true];
  while (more) {
    const bits = value & 31;
    value >>= 5;
    more = value !== (bits & 16 ? -1 : 0);
    text += String.fromCharCode(48 + (more ? bits | 32 : bits));
  }
  return text;
}

/** The smallest box of whole pixels around a mask. */
export function maskBounds(mask) {
  if (!boundsOf.has(mask)) {
    const [height] = mask.size;
    const bits = decoded(mask);
    let [x0, y0, x1, y1] = [Infinity, Infinity, 0, 0];
    for (let at = bits.indexOf(1); at >= 0; ) {
      let end = bits.indexOf(0, at);
      if (end < 0) end = bits.length;
      const [a, b] = [Math.floor(at / height), Math.floor((end - 1) / height)];
      [x0, x1] = [Math.min(x0, a), Math.max(x1, b + 1)];
      y0 = a < b ? 0 : Math.min(y0, at % height);
      y1 = a < b ? height : Math.max(y1, ((end - 1) % height) + 1);
      at = bits.indexOf(1, end);
    }
    boundsOf.set(mask, [x0, y0, x1, y1]);
  }
  return boundsOf.get(mask);
}

export function maskHas(mask, x, y) {
  return decoded(mask)[x * mask.size[0] + y] === 1;
}

export function movedMask(mask, dx, dy) {
  const [height, width] = mask.size;
  const [x0, y0, x1, y1] = maskBounds(mask);
  const bits = decoded(mask);
  const shifted = new Uint8Array(bits.length);
  for (let x = x0; x < x1; x++) {
    shifted.set(bits.subarray(x * height + y0, x * height + y1), (x + dx) * height + y0 + dy);
  }
  return encoded(shifted, height, width);
}

/** Bits with all pixels set (or cleared) whose middle is within `radius` of a line through points. */
export function brushed(bits, height, width, { points, radius, value }) {
  const made = bits.slice();
  points.forEach((point, i) => capsule(made, height, width, points[Math.max(i - 1, 0)], point, radius, value));
  return made;
}

function capsule(bits, height, width, [ax, ay], [bx, by], radius, value) {
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

const pictures = new WeakMap();
const MOST_SHOWN = 1_000_000; // pixels of a mask's own picture; larger ones are shown coarser

/** A canvas that shows the filled part of a mask in one colour, and the box it covers. */
export function maskPicture(mask, [red, green, blue]) {
  if (!pictures.has(mask)) {
    const [x0, y0, x1, y1] = maskBounds(mask);
    const step = Math.max(1, Math.ceil(Math.sqrt(((x1 - x0) * (y1 - y0)) / MOST_SHOWN)));
    const [w, h] = [Math.ceil((x1 - x0) / step), Math.ceil((y1 - y0) / step)];
    const canvas = new OffscreenCanvas(w, h);
    const pen = canvas.getContext("2d");
    const image = pen.createImageData(w, h);
    const bits = decoded(mask);
    for (let i = 0; i < w; i++) {
      for (let j = 0; j < h; j++) {
        if (bits[(x0 + i * step) * mask.size[0] + y0 + j * step]) {
          image.data.set([red, green, blue, 255], 4 * (j * w + i));
        }
      }
    }
    pen.putImageData(image, 0, 0);
    pictures.set(mask, { canvas, box: [x0, y0, x0 + w * step, y0 + h * step] });
  }
  return pictures.get(mask);
}
