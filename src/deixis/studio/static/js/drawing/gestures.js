/** What a pressed pointer does: {move(at, passed), end(at), cancel()}, in CSS pixels of the stage. */

import { apart, boxBetween, inside, moved, pixelAt, reshaped } from "./shapes.js";
import { brushed } from "./masks.js";

const SLACK = 4; // CSS pixels within which a press is a click
const NEAR = 12; // CSS pixels from the first corner of a polygon within which a press closes it

export class Gestures {
  radius = 16; // of the brush, in CSS pixels
  ondraw = () => {}; // a region was drawn
  onpick = () => {}; // a region was clicked
  onfix = () => {}; // a place of an answer that is corrected got another box, or none before

  constructor(stage, store) { Object.assign(this, { stage, store, view: stage.view }); }

  /**
   * What begins with a press on some marks: a handle or a place that is corrected comes first, then the tool.
   * Where words wait for their box, it is drawn across whatever there is.
   */
  begin(tool, at, marks) {
    const { store, stage } = this;
    const { slot, words } = store.fixing ?? {};
    const held = stage.brushing || words ? {} : marks.find(({ handle }) => handle !== undefined) ?? {};
    const reshape = (to) => reshaped(held.shape, held.handle, to, store.picture);
    if (held.shape) return this.#change(held.shape, at, reshape);
    const place = words ? null : marks.find(({ shape }) => shape.slot && shape.slot === slot)?.shape;
    return place ? this.#move(place, at) : this[tool](at, marks.find(({ shape }) => shape.key)?.shape);
  }

  #move(shape, from, click) {
    const by = (to, start) => to.map((value, i) => value - start[i]);
    return this.#change(shape, from, (to, start) => moved(shape, by(to, start), this.store.picture), click);
  }

  /** Change a region or place with the pointer; nothing is kept before it is let go. */
  #change(shape, from, change, click = () => {}) {
    const { store, view } = this;
    const start = view.toPicture(from);
    const keep = (one, how) => (one.slot ? this.onfix(one, one.data, how) : store.replace(one, how));
    let changed = null;
    return {
      move: (at) => {
        if (!changed && apart(from, at) < SLACK) return;
        changed = change(view.toPicture(at), start);
        keep(changed, { live: true });
      },
      end: () => {
        if (!changed) return click();
        store.revert();
        if (changed !== shape) keep(changed);
      },
      cancel: () => store.revert(),
    };
  }

  pan(last) {
    return {
      move: (at) => {
        this.view.pan(at[0] - last[0], at[1] - last[1]);
        last = at;
        this.stage.viewed();
      },
    };
  }

  select(at, region) {
    this.store.select(region?.key ?? null);
    return region ? this.#move(region, at, () => this.onpick(region)) : this.pan(at);
  }

  point(from) {
    const pixel = (at) => pixelAt(this.view.toPicture(at), this.store.picture);
    return { end: (at) => apart(from, at) < NEAR && this.#made("point", pixel(at)) };
  }

  /** A box is drawn; a click picks the region under it. */
  box(from, region) {
    const { stage, store, view } = this;
    const corner = view.toPicture(from);
    return {
      move: (at) => {
        const data = boxBetween(corner, view.toPicture(at), store.picture);
        this.#sketch(apart(from, at) < SLACK ? null : { kind: "box", data });
      },
      end: (at) => {
        const { draft } = stage;
        this.#sketch(null);
        if (draft) return this.#made("box", draft.data);
        store.select(region?.key ?? null);
        if (region) this.onpick(region);
      },
    };
  }

  scribble(from) {
    const place = (at) => inside(this.view.toPicture(at), this.store.picture);
    const end = ({ data }) => this.#made("scribble", data);
    return this.#line({ kind: "scribble", data: [place(from)] }, place, end);
  }

  brush(from, region) {
    const draft = { kind: this.stage.element.dataset.tool, data: [this.view.toPicture(from)] };
    draft.radius = this.radius / this.view.scale;
    return this.#line(draft, (at) => this.view.toPicture(at), () => this.#brushed(draft, region));
  }

  erase(from, region) { return this.brush(from, region); }

  /** An open line along which the pointer goes. */
  #line(draft, place, end) {
    const { stage, view } = this;
    this.#sketch(draft);
    return {
      move: (at, passed) => {
        for (const one of passed) {
          if (apart(view.toStage(draft.data.at(-1)), one) >= 1) draft.data.push(place(one));
        }
        if (draft.radius) stage.brush = { at, radius: draft.radius };
        stage.sketch();
      },
      end: (at) => { // it ends where the hand was lifted
        draft.data.push(place(at));
        end(draft);
        this.#sketch(null);
      },
    };
  }

  /** A stroke belongs to the selected mask; an eraser's without one, to the mask on which it began. */
  #brushed({ kind, data, radius }, pressed) {
    const { store } = this;
    const { width, height } = store.picture;
    const erase = kind === "erase";
    const target = [store.region(store.selected), erase ? pressed : null].find((one) => one?.kind === "mask");
    if (erase && !target) return;
    const mask = brushed(target?.data ?? null, [height, width], { points: data, radius, erase });
    if (target && mask) store.replace({ ...target, data: mask });
    else if (target) store.remove(target.key);
    else if (mask) this.#made("mask", mask);
  }

  /** A further corner; a press on the first one closes the polygon. */
  polygon() {
    const end = (at) => {
      const { draft } = this.stage;
      const closes = draft?.data.length > 2 && apart(this.view.toStage(draft.data[0]), at) < NEAR;
      if (closes) return this.finish();
      const corner = inside(this.view.toPicture(at), this.store.picture);
      this.#sketch({ kind: "polygon", data: [...(draft?.data ?? []), corner] });
    };
    return { end };
  }

  /** Close the polygon that is being drawn. */
  finish() {
    const { draft } = this.stage;
    if (draft?.kind !== "polygon") return;
    this.#sketch(null);
    const data = draft.data.filter((corner, i, all) => !i || apart(corner, all[i - 1]) > 0);
    if (data.length > 2) this.#made("polygon", data);
  }

  /** Take back the last corner of a polygon; false if there is none. */
  back() {
    const { draft } = this.stage;
    if (draft?.kind !== "polygon") return false;
    this.#sketch(draft.data.length > 1 ? { ...draft, data: draft.data.slice(0, -1) } : null);
    return true;
  }

  #made(kind, data) {
    if (kind === "box" && this.store.fixing) this.onfix(null, data);
    else this.ondraw(this.store.draw(kind, data));
  }

  #sketch(draft) {
    this.stage.draft = draft;
    this.stage.sketch();
  }
}
