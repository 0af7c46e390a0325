/** Keys that act while no text is being typed. Buttons say theirs in aria-keyshortcuts; the rest is here. */

import { find } from "./dom.js";
import { boxBetween, clamp, moved, pixelAt, reshaped } from "./drawing/shapes.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SPELT = { "+": "Plus", "=": "Plus", "-": "Minus" };

export function bindKeys({ store, stage, hand, gestures, bar, acts }) {
  const zoomTo = (scale) => {
    stage.view.zoomTo(scale);
    stage.viewed();
  };
  const brush = (factor) => {
    find("#radius").value = gestures.radius = clamp(gestures.radius * factor, 2, 120);
    if (stage.brush) stage.brush.radius = gestures.radius / stage.view.scale;
    stage.sketch();
  };
  const remove = () => !gestures.back() && store.selected && store.remove(store.selected);
  const keys = {
    1: () => zoomTo(1), 2: () => zoomTo(2), "[": () => brush(0.8), "]": () => brush(1.25),
    F2: () => store.selected && bar.rename(store.region(store.selected)), Backspace: remove, Delete: remove,
    "/": (event) => { event.preventDefault(); find("#question").focus(); },
  };
  const onStage = { Enter: enter, " ": () => hold(true) };
  Object.keys(ARROWS).forEach((key) => (onStage[key] = arrow));

  addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (key === "Escape" && !target.closest("dialog, [popover]")) return escape();
    if (target.closest("[contenteditable], input:not([type=range]), select, dialog")) return;
    const control = event.ctrlKey || event.metaKey;
    const name = SPELT[key] ?? key.toUpperCase();
    const shortcut = control ? `Control+${event.shiftKey ? "Shift+" : ""}${name}` : name;
    const button = find(`[aria-keyshortcuts~="${CSS.escape(shortcut)}"]`);
    if (target === stage.element && onStage[key]) {
      event.preventDefault();
      onStage[key](event);
    } else if (button && !event.altKey) {
      event.preventDefault();
      if (!button.hidden) button.click();
    } else if (!control && !event.altKey) keys[key]?.(event);
  });
  addEventListener("keyup", ({ key }) => key === " " && hold(false));

  function hold(on) {
    hand.panning = on;
    stage.element.classList.toggle("grabbing", on);
  }

  function escape() {
    if (hand.abandon()) return;
    if (!find("#why").hidden) acts["hide-why"]();
    else if (document.activeElement?.closest("#question")) stage.element.focus();
    else store.select(null);
  }

  /** Without a pointer: Enter closes a polygon, or puts a region into the middle of what is shown. */
  function enter() {
    if (!store.picture || stage.draft) return gestures.finish();
    const at = (share) => stage.view.toPicture(stage.view.room.map((side) => side * share));
    const point = hand.tool === "point";
    const data = point ? pixelAt(at(0.5), store.picture) : boxBetween(at(0.4), at(0.6), store.picture);
    gestures.ondraw(store.draw(point ? "point" : "box", data));
    stage.element.focus();
  }

  /** Arrows move the selected region, with Alt its lower right corner; without one they pan. */
  function arrow({ key, shiftKey, altKey }) {
    const region = store.region(store.selected);
    const by = ARROWS[key].map((step) => step * (shiftKey ? 10 : 1));
    if (!region) {
      stage.view.pan(-40 * by[0], -40 * by[1]);
      stage.viewed();
    } else if (!altKey) store.replace(moved(region, by, store.picture));
    else if (region.kind === "box") {
      const corner = region.data.slice(2).map((value, i) => value + by[i]);
      store.replace(reshaped(region, [1, 1], corner, store.picture));
    }
  }
}
