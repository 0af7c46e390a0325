/** How the picture lies on the stage: picture pixels times `scale`, moved by (x, y) in CSS pixels. */

const STEPS = [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32];
const MARGIN = 24;
const TOOLS = 68;

export class View {
  scale = 1;
  x = 0;
  y = 0;
  fitted = true; // until somebody zooms or pans, the picture is kept fitted

  constructor(stage) {
    this.stage = stage;
    this.size = { width: 1, height: 1 };
  }

  get #room() {
    return [this.stage.clientWidth, this.stage.clientHeight];
  }

  /** As large as there is room beside the tools, which lie at the left or, on narrow stages, at the bottom. */
  fit() {
    const [w, h] = this.#room;
    const { width, height } = this.size;
    const [left, bottom] = w > 500 ? [TOOLS, MARGIN] : [MARGIN / 2, TOOLS];
    const [right, top] = [Math.min(left, MARGIN), MARGIN];
    this.scale = Math.min((w - left - right) / width, (h - top - bottom) / height, 16);
    this.x = Math.round(left + (w - left - right - width * this.scale) / 2);
    this.y = Math.round(top + (h - top - bottom - height * this.scale) / 2);
    this.fitted = true;
  }

  toPicture([x, y]) {
    return [(x - this.x) / this.scale, (y - this.y) / this.scale];
  }

  toStage([x, y]) {
    return [x * this.scale + this.x, y * this.scale + this.y];
  }

  /** Zoom so that what is under a place of the stage stays there. */
  zoomTo(scale, at = this.#room.map((side) => side / 2)) {
    const [px, py] = this.toPicture(at);
    this.scale = Math.min(Math.max(scale, 0.02), 32);
    this.x = Math.round(at[0] - px * this.scale);
    this.y = Math.round(at[1] - py * this.scale);
    this.#keep();
  }

  /** The next step of a ladder of zooms. */
  step(direction, at) {
    const next = direction > 0 ? STEPS.find((s) => s > this.scale * 1.01) : STEPS.findLast((s) => s < this.scale * 0.99);
    if (next) this.zoomTo(next, at);
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.#keep();
  }

  /** Some of the picture always stays on the stage. */
  #keep() {
    this.fitted = false;
    const [w, h] = this.#room;
    const [pw, ph] = [this.size.width * this.scale, this.size.height * this.scale];
    const some = 48;
    this.x = Math.min(Math.max(this.x, some - pw), w - some);
    this.y = Math.min(Math.max(this.y, some - ph), h - some);
  }
}
