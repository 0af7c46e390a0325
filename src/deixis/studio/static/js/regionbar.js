/** The regions as a row of chips: a click puts one into the question, a second one or F2 renames it. */

import { find, make } from "./dom.js";
import { described } from "./drawing/shapes.js";

export class RegionBar {
  list = find("#regions");
  onpoint = () => {};

  constructor(store) {
    this.store = store;
    store.addEventListener("change", ({ detail }) => !["stream", "mark"].includes(detail) && this.#show());
  }

  #show() {
    const { regions } = this.store;
    const held = document.activeElement.closest("#regions button")?.dataset.key;
    if (this.list.querySelector("input")) return;
    this.list.hidden = !regions.length;
    this.list.replaceChildren(...regions.map((region) => this.#item(region)));
    find("#name-all").hidden = regions.length < 2;
    if (held) this.#chip(held)?.focus();
  }

  #chip(key) {
    return this.list.querySelector(`[data-key="${key}"]`);
  }

  #item(region) {
    const { store } = this;
    const { key, name } = region;
    const selected = key === store.selected;
    const told = described(region);
    const remove = () => store.remove(key);
    return make("li", {}, make("button", {
      class: `chip ${region.kind}`, type: "button", "data-key": key, "aria-pressed": String(selected),
      "aria-label": `Region ${name}: ${told}`, title: `${told} · F2 renames`,
      onclick: () => { store.select(key); this.onpoint(region); },
      ondblclick: () => this.rename(region),
      onkeydown: (event) => ({ F2: () => this.rename(region), Delete: remove })[event.key]?.(),
    }, name), selected && make("button", { class: "shut", "aria-label": `Remove region ${name}`, onclick: remove }, "×"));
  }

  /** Let a region's name be typed. */
  rename(region) {
    let open = true; // taking the field away leaves it, which would end it once more
    const end = (keep) => {
      const wrong = open && keep ? this.store.rename(region, field.value.trim()) : "";
      field.setCustomValidity(wrong);
      if (!open || !field.reportValidity()) return;
      open = false;
      field.remove();
      this.#show();
      this.#chip(region.key)?.focus();
    };
    const field = make("input", {
      value: region.name, "aria-label": "Name of the region", maxlength: 40, spellcheck: "false",
      oninput: () => field.setCustomValidity(""), onblur: () => end(/^[A-Za-z_]\w*$/.test(field.value.trim())),
      onkeydown: (event) => {
        event.stopPropagation();
        if (["Enter", "Escape"].includes(event.key)) end(event.key === "Enter");
      },
    });
    this.#chip(region.key)?.parentElement.replaceChildren(field);
    field.select();
  }
}
