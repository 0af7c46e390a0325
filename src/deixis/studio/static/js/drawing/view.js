/** How the picture lies on the stage: picture pixels times `scale`, moved by (x, y) in CSS pixels. */

import { clamp } from "./shapes.js";

const [MARGIN, TOOLS, SOME] = [24, 68, 48]; // CSS pixels; SOME of the picture always stay on the stage

export class View {
  scale = 1;
  x = 0;
  y = 0;
  fitted = true; // until somebody zooms or pans, the picture is kept fitted
  size = { width: 1, height: 1 };

  constructor(stage) { this.stage = stage; }
  get room() { return [this.stage.clientWidth, this.stage.clientHeight]; }

  /** As large as there is room beside the tools, which lie at the left or, if narrow, at the bottom. */
  fit() {
    const [w, h] = this.room;
    const { width, height } = this.size;
    const [left, bottom] = w > 500 ? [TOOLS, MARGIN] : [MARGIN / 2, TOOLS];
    const [right, top] = [Math.min(left, MARGIN), MARGIN];
    this.scale = Math.min((w - left - right) / width, (h - top - bottom) / height, 16);
    this.x = Math.round(left + (w - left - right - width * this.scale) / 2);
    this.y = Math.round(top + (h - top - bottom - height * this.scale) / 2);
    this.fitted = true;
  }

  toPicture([x, y]) { return [(x - this.x) / this.scale, (y - this.y) / this.scale]; }
  toStage([x, y]) { return [x * this.scale + this.x, y * this.scale + this.y]; }

  /** Zoom so that what is under a place of the stage stays there. */
  zoomTo(scale, at = this.room.map((side) => side / 2)) {
    const [px, py] = this.toPicture(at);
    this.scale = clamp(scale, 0.02, 32);
    this.pan(Math.round(at[0] - px * this.scale) - this.x, Math.round(at[1] - py * this.scale) - this.y);
  }

  /** Zoom by half a doubling, to 50, 71, 100, 141, 200 % and so on. */
  step(direction) {
    const now = 2 * Math.log2(this.scale);
    this.zoomTo(2 ** ((direction > 0 ? Math.floor(now + 0.01) + 1 : Math.ceil(now - 0.01) - 1) / 2));
  }

  pan(dx, dy) {
    const [w, h] = this.room;
    this.x = clamp(this.x + dx, SOME - this.size.width * this.scale, w - SOME);
    this.y = clamp(this.y + dy, SOME - this.size.height * this.scale, h - SOME);
    this.fitted = false;
  }
}
