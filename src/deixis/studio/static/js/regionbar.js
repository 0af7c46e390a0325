/** The regions as a row of chips: a click puts one into the question, a second one or F2 renames it. */

import { find, make } from "./dom.js";
import { described } from "./drawing/geometry.js";

export class RegionBar {
  onpoint = () => {};

  constructor(store) {
    this.store = store;
    this.list = find("#regions");
    store.addEventListener("change", ({ detail }) => !["stream", "mark"].includes(detail) && this.#show());
  }

  #show() {
    const { regions } = this.store;
    const held = document.activeElement?.closest?.("#regions button")?.dataset.key;
    if (this.list.querySelector("input")) return;
    this.list.hidden = !regions.length;
    this.list.replaceChildren(...regions.map((region) => this.#item(region)));
    find("#name-all").hidden = regions.length < 2;
    if (held) this.list.querySelector(`[data-key="${held}"]`)?.focus();
  }

  #item(region) {
    const { store } = this;
    const selected = region.key === store.selected;
    const chip = make("button", {
      class: `chip ${region.kind}`, type: "button", "data-key": region.key, "aria-pressed": String(selected),
      "aria-label": `Region ${region.name}: ${described(region)}`, title: `${described(region)} · F2 renames`,
      onclick: () => { store.select(region.key); this.onpoint(region); },
      ondblclick: () => this.rename(region),
      onkeydown: (event) => {
        if (event.key === "F2") this.rename(region);
        else if (event.key === "Delete") store.remove(region.key);
      },
    }, region.name);
    const remove = selected && make("button", {
      class: "shut", type: "button", "aria-label": `Remove region ${region.name}`, onclick: () => store.remove(region.key),
    }, "×");
    return make("li", {}, chip, remove);
  }

  /** Let a region's name be typed. */
  rename(region) {
    const item = this.list.querySelector(`[data-key="${region.key}"]`)?.parentElement;
    if (!item) return;
    const field = make("input", { value: region.name, "aria-label": "Name of the region", maxlength: 40, spellcheck: "false" });
    let closed = false; // leaving the field takes it away, and that leaves it once more
    const close = (keep) => {
      const wrong = keep && !closed ? this.store.rename(region.key, field.value.trim()) : "";
      field.setCustomValidity(wrong);
      if (closed || (wrong && !field.reportValidity())) return;
      closed = true;
      field.remove();
      this.#show();
      this.list.querySelector(`[data-key="${region.key}"]`)?.focus();
    };
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") close(true);
      else if (event.key === "Escape") close(false);
    });
    field.addEventListener("input", () => field.setCustomValidity(""));
    field.addEventListener("blur", () => close(/^[A-Za-z_]\w*$/.test(field.value.trim())));
    item.replaceChildren(field);
    field.select();
  }
}
