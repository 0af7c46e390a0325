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
    const held = document.activeElement?.closest("#regions button")?.dataset.key;
    this.list.hidden = !regions.length;
    this.list.replaceChildren(...regions.map((region) => this.#item(region)));
    find("#name-all").hidden = regions.length < 2;
    if (held) this.#chip(held)?.focus();
  }

  #chip(key) { return this.list.querySelector(`[data-key="${key}"]`); }

  #item(region) {
    const { store } = this;
    const { key, name } = region;
    const selected = key === store.selected;
    const told = described(region);
    const remove = () => store.remove(key);
    const chip = make("button", {
      class: `chip ${region.kind}`, type: "button", "data-key": key, "aria-pressed": String(selected),
      "aria-label": `Region ${name}: ${told}`, title: `${told} · F2 renames`,
      onclick: () => { store.select(key); this.onpoint(region); },
      ondblclick: () => this.rename(region),
      onkeydown: (event) => ({ F2: () => this.rename(region), Delete: remove })[event.key]?.(),
    }, name);
    const shut = { class: "shut", type: "button", "aria-label": `Remove region ${name}`, onclick: remove };
    return make("li", {}, chip, selected && make("button", shut, "×"));
  }

  /** Let a region's name be typed. */
  rename(region) {
    const dialog = find("#rename");
    const field = dialog.querySelector("input");
    field.oninput = () => field.setCustomValidity(this.store.misnamed(region, field.value));
    // Not at "close": that comes a task later, and keys typed meanwhile would find the old name.
    field.form.onsubmit = (event) => {
      event.preventDefault();
      dialog.close();
      this.store.replace({ ...region, name: field.value });
    };
    field.value = region.name;
    field.setCustomValidity("");
    dialog.showModal();
    field.select();
  }
}
