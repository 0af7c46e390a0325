/** The hand on the stage: pointers that begin gestures, hover, pinch; and the wheel. */

import { apart, inside } from "./shapes.js";

export class Hand {
  tool = "box";
  panning = false; // while the space bar is held
  #pointers = new Map(); // those that are pressed: id → where
  #gesture = null;

  constructor(stage, store, gestures) {
    Object.assign(this, { stage, store, gestures, element: stage.element });
    const acts = {
      pointerdown: this.#down, pointermove: this.#move, pointerup: this.#up, pointercancel: this.#cancel,
      pointerleave: this.#leave, dblclick: () => gestures.finish(), wheel: this.#wheel,
      contextmenu: (event) => this.#gesture && event.preventDefault(),
    };
    for (const [type, act] of Object.entries(acts)) {
      this.element.addEventListener(type, (event) => store.picture && act.call(this, event));
    }
  }

  use(tool) {
    if (tool !== this.tool) this.abandon();
    this.tool = this.element.dataset.tool = tool;
    this.element.classList.toggle("brushing", this.stage.brushing);
    this.stage.brush = null;
    this.stage.sketch();
    this.stage.redraw();
  }

  #at(event) {
    const { left, top } = this.element.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  #down(event) {
    const at = this.#at(event);
    this.element.focus({ preventScroll: true });
    this.element.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, at);
    if (this.#pointers.size === 2) return this.#pinch();
    if (this.#pointers.size > 2) return;
    event.preventDefault();
    const { gestures, tool } = this;
    if (event.button === 1 || this.panning || tool === "pan") this.#gesture = gestures.pan(at);
    else if (event.button === 0) this.#gesture = gestures.begin(tool, at, this.stage.marksAt(event));
  }

  #move(event) {
    const at = this.#at(event);
    if (this.#pointers.has(event.pointerId)) this.#pointers.set(event.pointerId, at);
    if (!this.#gesture) return this.#hover(at, event);
    const passed = event.getCoalescedEvents?.() ?? [];
    this.#gesture.move?.(at, (passed.length ? passed : [event]).map((one) => this.#at(one)));
  }

  #up(event) {
    this.#pointers.delete(event.pointerId);
    if (this.#pointers.size) return;
    const gesture = this.#gesture;
    this.#gesture = null;
    gesture?.end?.(this.#at(event));
  }

  #cancel(event) {
    this.#pointers.delete(event.pointerId);
    this.abandon();
  }

  /** Give up what is being drawn or changed; tell whether something was being drawn. */
  abandon() {
    const had = Boolean(this.stage.draft);
    this.#gesture?.cancel?.();
    this.#gesture = this.#pointers.size ? {} : null; // what is pressed does nothing any more
    this.stage.draft = null;
    this.stage.sketch();
    return had;
  }

  #hover(at, event) {
    const { stage, store, gestures } = this;
    const { view, draft, brushing } = stage;
    if (brushing && event.pointerType !== "touch") stage.brush = { at, radius: gestures.radius / view.scale };
    if (draft?.kind === "polygon") draft.at = inside(view.toPicture(at), store.picture);
    if (brushing || draft) stage.sketch();
    if (!store.fixing) store.mark(stage.marksAt(event).find(({ shape }) => shape.slot)?.shape ?? null);
  }

  #leave() {
    const { stage, store } = this;
    if (this.#pointers.size) return;
    stage.brush = null;
    if (stage.draft) stage.draft.at = null;
    stage.sketch();
    if (!store.fixing) store.mark(null);
  }

  /** Two fingers zoom and pan. */
  #pinch() {
    const { view } = this.stage;
    const fingers = () => {
      const [a, b] = this.#pointers.values();
      return { width: apart(a, b) || 1, middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] };
    };
    if (this.stage.draft?.kind !== "polygon") this.abandon();
    const { scale } = view;
    const first = fingers();
    let last = first.middle;
    const move = () => {
      if (this.#pointers.size < 2) return;
      const { width, middle } = fingers();
      view.pan(middle[0] - last[0], middle[1] - last[1]);
      view.zoomTo((scale * width) / first.width, middle);
      last = middle;
      this.stage.viewed();
    };
    this.#gesture = { move };
  }

  #wheel(event) {
    event.preventDefault();
    const { view } = this.stage;
    const lines = event.deltaMode ? 16 : 1;
    const [dx, dy] = [-event.deltaX * lines, -event.deltaY * lines];
    if (event.shiftKey && !event.ctrlKey) view.pan(dx || dy, 0);
    else if (dx && !event.ctrlKey) view.pan(dx, dy);
    else view.zoomTo(view.scale * 2 ** (dy / (event.ctrlKey ? 100 : 300)), this.#at(event));
    this.stage.viewed();
  }
}
