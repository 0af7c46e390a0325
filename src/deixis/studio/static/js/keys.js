/** Keys. Letters act while no text is being typed; the dialog behind `?` lists them all (index.html). */

import { find } from "./dom.js";
import { boxBetween, moved, pixelAt, reshaped } from "./drawing/geometry.js";

const TOOLS = { v: "select", p: "point", b: "box", g: "polygon", s: "scribble", m: "brush", e: "erase", h: "pan" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function bindKeys({ store, stage, hand, bar, use, zoom, closeWhy }) {
  const typing = ({ target }) => target.closest("[contenteditable], input:not([type=range]), select, dialog");

  addEventListener("keydown", (event) => {
    const command = event.ctrlKey || event.metaKey;
    if (command && !typing(event) && event.key.toLowerCase() === "z") {
      event.preventDefault();
      return event.shiftKey ? store.redo() : store.undo();
    }
    if (command && !typing(event) && event.key.toLowerCase() === "y") {
      event.preventDefault();
      return store.redo();
    }
    if (event.key === "Escape") return event.target.closest("dialog, [popover]") ? null : escape();
    if (command || event.altKey && !ARROWS[event.key] || typing(event)) return;
    if (event.key === " " && document.activeElement === stage.element) {
      event.preventDefault();
      hand.panning = true;
      stage.element.classList.add("grabbing");
    }
    const run = letters[event.key.toLowerCase()] ?? ARROWS[event.key] ?? null;
    if (TOOLS[event.key.toLowerCase()]) use(TOOLS[event.key.toLowerCase()]);
    else if (ARROWS[event.key]) arrow(event, ARROWS[event.key]);
    else run?.(event);
  });
  addEventListener("keyup", (event) => {
    if (event.key !== " ") return;
    hand.panning = false;
    stage.element.classList.remove("grabbing");
  });

  const letters = {
    "+": () => zoom(1),
    "=": () => zoom(1),
    "-": () => zoom(-1),
    0: () => { stage.view.fit(); stage.viewed(); },
    1: () => { stage.view.zoomTo(1); stage.viewed(); },
    2: () => { stage.view.zoomTo(2); stage.viewed(); },
    "[": () => brush(1 / 1.25),
    "]": () => brush(1.25),
    "?": () => find("#keys").showModal(),
    "/": (event) => { event.preventDefault(); find("#question").focus(); },
    f2: () => store.selected && bar.rename(store.region(store.selected)),
    n: () => find("#name-all").click(),
    backspace: remove,
    delete: remove,
    enter: (event) => document.activeElement === stage.element && enter(event),
  };

  function escape() {
    if (hand.abandon()) return;
    if (!find("#why").hidden) closeWhy();
    else if (document.activeElement?.closest("#question")) stage.element.focus();
    else store.select(null);
  }

  function brush(factor) {
    hand.radius = Math.min(Math.max(hand.radius * factor, 2), 120);
    find("#radius").value = hand.radius;
    if (stage.brush) stage.brush.radius = hand.radius / stage.view.scale;
    stage.sketch();
  }

  function remove() {
    if (!hand.back() && store.selected) store.remove(store.selected);
  }

  /** Without a pointer: Enter closes a polygon, or puts a region into the middle of what is shown. */
  function enter(event) {
    event.preventDefault();
    if (!store.picture || stage.draft) return hand.finish();
    const { clientWidth: w, clientHeight: h } = stage.element;
    const at = (x, y) => stage.view.toPicture([w * x, h * y]);
    const point = hand.tool === "point";
    const data = point ? pixelAt(at(0.5, 0.5), store.picture) : boxBetween(at(0.4, 0.4), at(0.6, 0.6), store.picture);
    hand.ondraw(store.draw(point ? "point" : "box", data));
    stage.element.focus();
  }

  /** Arrows move the selected region, with Alt its lower right corner; without one they pan. */
  function arrow(event, [dx, dy]) {
    if (document.activeElement !== stage.element) return;
    event.preventDefault();
    const region = store.region(store.selected);
    const step = event.shiftKey ? 10 : 1;
    if (!region) {
      stage.view.pan(-dx * 40 * step, -dy * 40 * step);
      return stage.viewed();
    }
    if (!event.altKey) return store.replace(moved(region, dx * step, dy * step, store.picture));
    if (region.kind !== "box") return;
    const [, , x1, y1] = region.data;
    store.replace(reshaped(region, "se", [x1 + dx * step, y1 + dy * step], store.picture));
  }
}
