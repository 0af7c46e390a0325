/** The hand on the stage: pointers that draw, take hold, brush, pan and pinch. */

import { area, boxBetween, hit, inside, moved, pixelAt, reshaped } from "./geometry.js";
import { Grips } from "./grips.js";
import { brushed, decoded, encoded } from "./masks.js";

const SLACK = 4; // CSS pixels within which a press is a click
const REACH = { mouse: 7, pen: 10, touch: 16 };

export class Hand {
  tool = "box";
  radius = 16; // of the brush, in CSS pixels on the stage
  panning = false; // while the space bar is held
  #pointers = new Map();
  #grip = null; // what the pressed pointer does
  ondraw = () => {};
  onpick = () => {};

  constructor(stage, store) {
    Object.assign(this, { stage, store, element: stage.element, grips: new Grips(stage, store) });
    const { element } = this;
    const on = (type, act) => element.addEventListener(type, (event) => store.picture && act.call(this, event));
    on("pointerdown", this.#down);
    on("pointermove", this.#move);
    on("pointerup", this.#up);
    on("pointercancel", this.#cancel);
    on("pointerleave", this.#leave);
    on("dblclick", this.finish);
    on("wheel", this.#wheel);
    element.addEventListener("contextmenu", (event) => this.#grip && event.preventDefault());
  }

  use(tool) {
    if (tool !== this.tool) this.abandon();
    this.tool = tool;
    this.element.dataset.tool = tool;
    this.stage.brush = null;
    this.stage.sketch();
  }

  #at(event) {
    const { left, top } = this.element.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  #down(event) {
    if (event.target.closest?.("button:not(.place), input, label")) return;
    this.element.focus({ preventScroll: true });
    this.element.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, this.#at(event));
    if (this.#pointers.size === 2) return this.#pinch();
    if (this.#pointers.size > 2) return;
    event.preventDefault();
    const at = this.#at(event);
    if (event.button === 1 || this.panning || this.tool === "pan") {
      this.#grip = { act: "pan", last: at };
    } else if (event.button === 0) {
      this.#grip = this.grips.held(at, REACH[event.pointerType] ?? 7, this.tool) ?? this.#begin(at);
    }
  }

  #begin(at) {
    const { stage, tool } = this;
    const { picture } = this.store;
    const place = stage.view.toPicture(at);
    if (tool === "point") return { act: "point", start: at };
    if (tool === "polygon") return { act: tool, start: at };
    const radius = tool === "brush" || tool === "erase" ? this.radius / stage.view.scale : 0;
    if (radius || tool === "scribble") stage.draft = { kind: tool, data: [radius ? place : inside(place, picture)], radius };
    stage.sketch();
    return { act: tool, start: at, from: place };
  }

  #move(event) {
    const at = this.#at(event);
    if (this.#pointers.has(event.pointerId)) this.#pointers.set(event.pointerId, at);
    if (this.#grip?.act === "pinch") return this.#pinched();
    if (!this.#grip || this.#grip.act === "none") return this.#hover(at, event);
    this.#drag(at, event);
  }

  #drag(at, event) {
    const { stage, store } = this;
    const grip = this.#grip;
    const { view } = stage;
    if (grip.act === "pan") {
      view.pan(at[0] - grip.last[0], at[1] - grip.last[1]);
      grip.last = at;
      return stage.viewed();
    }
    if (grip.act === "reshape" || grip.act === "move") return this.#change(grip, at);
    if (grip.act === "box") {
      const data = boxBetween(grip.from, view.toPicture(at), store.picture);
      stage.draft = far(grip.start, at) ? { kind: "box", data } : null;
    } else if (stage.draft && grip.act !== "polygon") {
      const passed = event.getCoalescedEvents?.() ?? [];
      for (const one of passed.length ? passed : [event]) {
        const place = view.toPicture(this.#at(one));
        const [lx, ly] = view.toStage(stage.draft.data.at(-1));
        if (Math.hypot(lx - this.#at(one)[0], ly - this.#at(one)[1]) >= 1) {
          stage.draft.data.push(stage.draft.radius ? place : inside(place, store.picture));
        }
      }
      if (stage.draft.radius) stage.brush = { at, radius: stage.draft.radius };
    }
    stage.sketch();
  }

  #change(grip, at) {
    if (!grip.changed && !far(grip.start, at)) return;
    const [x, y] = this.stage.view.toPicture(at);
    const [sx, sy] = this.stage.view.toPicture(grip.start);
    const { shape } = grip.item;
    const size = this.store.picture;
    grip.changed = grip.act === "move" ? moved(shape, x - sx, y - sy, size) : reshaped(shape, grip.id, [x, y], size);
    grip.item.preview(grip.changed);
  }

  #hover(at, { pointerType }) {
    const { stage, store, tool } = this;
    const brush = tool === "brush" || tool === "erase";
    if (brush && pointerType !== "touch") stage.brush = { at, radius: this.radius / stage.view.scale };
    if (stage.draft?.kind === "polygon") stage.draft.at = inside(stage.view.toPicture(at), store.picture);
    if (brush || stage.draft) stage.sketch();
    const region = this.grips.regionAt(at)?.key ?? null;
    if (region !== stage.hovered) {
      stage.hovered = region;
      stage.redraw("marks");
    }
    if (!store.fixing) this.#markPlace(at);
    this.element.classList.toggle("holding", Boolean(tool === "select" && region));
  }

  #markPlace(at) {
    const place = this.stage.view.toPicture(at);
    const found = this.stage.shownPlaces().filter(({ box }) => hit({ kind: "box", data: box }, place, 0));
    const [best] = found.sort((a, b) => area({ kind: "box", data: a.box }) - area({ kind: "box", data: b.box }));
    if (best) this.store.mark({ slot: best.slot, span: best.span });
    else if (this.store.marked) this.store.mark(null);
  }

  #up(event) {
    const at = this.#at(event);
    this.#pointers.delete(event.pointerId);
    const grip = this.#grip;
    if (grip?.act === "pinch" && this.#pointers.size) return;
    this.#grip = null;
    if (!grip) return;
    if (grip.act === "reshape" || grip.act === "move") this.#settle(grip);
    else if (grip.act !== "pan" && grip.act !== "pinch" && grip.act !== "none") this.#complete(grip, at);
  }

  #settle({ item, changed, picked }) {
    if (changed) {
      item.preview(item.shape);
      item.commit(changed);
    } else if (picked) {
      this.onpick(picked);
    }
  }

  #complete({ act, start, from }, at) {
    const { stage, store } = this;
    const { draft } = stage;
    stage.draft = null;
    if (act === "polygon") return this.#corner(at, draft);
    if (draft && act !== "box") { // a line ends where the hand was lifted
      const end = stage.view.toPicture(at);
      draft.data.push(draft.radius ? end : inside(end, store.picture));
    }
    if (act === "point" && !far(start, at, 12)) this.#made("point", pixelAt(stage.view.toPicture(at), store.picture));
    else if (act === "box" && draft) this.#made("box", draft.data);
    else if (act === "box") this.#pickAt(at);
    else if (act === "scribble" && draft) this.#made("scribble", draft.data);
    else if (draft?.radius && from) this.#brushed(draft);
    stage.sketch();
  }

  /** A further corner of a polygon; a press on the first one closes it. */
  #corner(at, draft) {
    const { stage, store } = this;
    stage.draft = draft;
    const first = draft?.data[0];
    const near = first && Math.hypot(...stage.view.toStage(first).map((v, i) => v - at[i])) < 12;
    if (near && draft.data.length > 2) return this.finish();
    const corner = inside(stage.view.toPicture(at), store.picture);
    stage.draft = { kind: "polygon", data: [...(draft?.data ?? []), corner] };
    stage.sketch();
  }

  /** A click with the box tool picks the region under it. */
  #pickAt(at) {
    const region = this.grips.regionAt(at);
    this.store.select(region?.key ?? null);
    if (region) this.onpick(region);
  }

  #made(kind, data) {
    if (kind === "box" && this.store.fixing) return this.grips.onfix(null, data, {});
    this.ondraw(this.store.draw(kind, data));
  }

  #brushed({ kind, data, radius }) {
    const { store } = this;
    const { width, height } = store.picture;
    const masks = store.regions.filter((region) => region.kind === "mask");
    const selected = masks.find((region) => region.key === store.selected);
    const under = kind === "erase" ? masks.find((r) => data.some((p) => hit(r, p, 0))) : null;
    const target = selected ?? under;
    if (kind === "erase" && !target) return;
    const bits = target ? decoded(target.data) : new Uint8Array(width * height);
    const value = kind === "erase" ? 0 : 1;
    const mask = encoded(brushed(bits, height, width, { points: data, radius, value }), height, width);
    if (target && mask) store.replace({ ...target, data: mask });
    else if (target) store.remove(target.key);
    else if (mask) this.#made("mask", mask);
  }

  /** Close a polygon. */
  finish() {
    const { draft } = this.stage;
    if (draft?.kind !== "polygon") return;
    const data = draft.data.filter((p, i, all) => !i || p[0] !== all[i - 1][0] || p[1] !== all[i - 1][1]);
    this.abandon();
    if (data.length > 2) this.#made("polygon", data);
  }

  /** Take back the last corner of a polygon; false if there is none. */
  back() {
    const { draft } = this.stage;
    if (draft?.kind !== "polygon") return false;
    draft.data = draft.data.slice(0, -1);
    if (!draft.data.length) this.stage.draft = null;
    this.stage.sketch();
    return true;
  }

  abandon() {
    const had = Boolean(this.stage.draft);
    this.stage.draft = null;
    if (this.#grip?.changed) this.#grip.item.preview(this.#grip.item.shape);
    if (this.#grip) this.#grip = { act: "none" };
    this.stage.sketch();
    return had;
  }

  #cancel(event) {
    this.#pointers.delete(event.pointerId);
    this.abandon();
    this.#grip = null;
  }

  #leave() {
    if (this.#pointers.size) return;
    this.stage.brush = this.stage.hovered = null;
    if (this.stage.draft) this.stage.draft.at = null;
    this.stage.redraw("marks");
    this.stage.sketch();
    if (!this.store.fixing) this.store.mark(null);
  }

  #pinch() {
    if (this.stage.draft?.kind !== "polygon") this.abandon();
    this.#grip = { act: "pinch", ...this.#fingers(), scale: this.stage.view.scale };
  }

  #fingers() {
    const [a, b] = this.#pointers.values();
    return { apart: Math.hypot(a[0] - b[0], a[1] - b[1]) || 1, middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] };
  }

  #pinched() {
    if (this.#pointers.size < 2) return;
    const { apart, middle } = this.#fingers();
    const { view } = this.stage;
    view.pan(middle[0] - this.#grip.middle[0], middle[1] - this.#grip.middle[1]);
    view.zoomTo((this.#grip.scale * apart) / this.#grip.apart, middle);
    this.#grip.middle = middle;
    this.stage.viewed();
  }

  #wheel(event) {
    event.preventDefault();
    const { view } = this.stage;
    const lines = event.deltaMode ? 16 : 1;
    const aside = event.deltaX || (event.shiftKey ? event.deltaY : 0);
    if (aside && !event.ctrlKey) view.pan(-aside * lines, event.shiftKey ? 0 : -event.deltaY * lines);
    else view.zoomTo(view.scale * 2 ** ((-event.deltaY * lines) / (event.ctrlKey ? 100 : 300)), this.#at(event));
    this.stage.viewed();
  }
}

const far = (a, b, slack = SLACK) => Math.hypot(a[0] - b[0], a[1] - b[1]) >= slack;
