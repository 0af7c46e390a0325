/** The line for questions: words and chips of regions. `{` offers the regions; Enter asks. */

import { find, make } from "../dom.js";

export class Composer {
  box = find("#question");
  menu = find("#offer");
  pristine = true; // nobody has typed: a new region may still take the place of the one that is meant
  onask = () => {};
  #offered = { brace: null, regions: [], at: 0 };

  constructor(store) {
    this.store = store;
    this.box.addEventListener("input", () => this.#typed());
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.box.addEventListener("blur", () => this.#offer(null));
    this.box.addEventListener("paste", (event) => {
      event.preventDefault();
      const text = event.clipboardData.getData("text/plain").replace(/\s+/g, " ");
      document.execCommand("insertText", false, text);
    });
    store.addEventListener("change", () => this.#names());
  }

  /** The question as parts: text, and {region: key}. */
  parts() {
    const parts = [""];
    const walk = (node) => {
      if (node.dataset?.region) parts.push({ region: Number(node.dataset.region) }, "");
      else if (node.data) parts.push(parts.pop() + node.data.replace(/[\u00a0\u200b\n]/g, " "));
      else node.childNodes.forEach(walk);
    };
    walk(this.box);
    parts[0] = parts[0].trimStart();
    parts.push(parts.pop().trimEnd());
    return parts.filter((part) => part !== "");
  }

  get empty() { return !this.parts().length; }

  set(parts, { pristine = false, focus = true } = {}) {
    this.box.replaceChildren(...parts.map((part) => (part.region ? this.#chip(part.region) : part)));
    this.pristine = pristine || !parts.length;
    this.#names();
    if (focus) this.focus();
  }

  focus() {
    this.box.focus({ preventScroll: true });
    getSelection().selectAllChildren(this.box);
    getSelection().collapseToEnd();
  }

  /** A region was drawn or picked: it takes the place of the one in an untouched question, or is added. */
  point({ key }) {
    const parts = this.parts();
    const chips = parts.filter((part) => part.region).length;
    if (!parts.length || (this.pristine && chips < 2)) {
      const swapped = parts.map((part) => (part.region ? { region: key } : part));
      this.set(chips ? swapped : ["What is ", { region: key }, "?"], { pristine: true });
    } else {
      if (!this.box.contains(getSelection().anchorNode)) this.focus();
      this.#insert(getSelection().getRangeAt(0), key);
    }
  }

  #insert(range, key) {
    const space = document.createTextNode("\u00a0");
    range.deleteContents();
    range.insertNode(space);
    range.insertNode(this.#chip(key));
    this.box.focus();
    getSelection().collapse(space, 1);
    this.pristine = false;
    this.#names();
  }

  #chip(key) {
    const onmouseenter = () => this.store.select(key);
    return make("span", { class: "chip", contenteditable: "false", "data-region": key, onmouseenter });
  }

  /** Regions were renamed or removed: their chips follow. */
  #names() {
    for (const chip of this.box.querySelectorAll(".chip")) {
      const region = this.store.region(Number(chip.dataset.region));
      if (!region) chip.remove();
      else if (chip.textContent !== region.name) chip.textContent = region.name;
    }
    this.box.classList.toggle("blank", this.empty);
  }

  #typed() {
    this.pristine = this.empty;
    this.#names();
    const brace = this.#brace();
    const whole = brace && this.store.named(brace.typed.match(/^\{(\w+)\}$/)?.[1]);
    if (whole) this.#take(brace, whole);
    else this.#offer(brace?.typed.endsWith("}") ? null : brace);
  }

  /** An open brace before the caret, with the letters behind it. */
  #brace() {
    const { anchorNode: node, anchorOffset: end } = getSelection();
    if (node?.nodeType !== Node.TEXT_NODE || !this.box.contains(node)) return null;
    const typed = node.data.slice(0, end).match(/(?<!\{)\{\w*\}?$/)?.[0];
    return typed ? { node, end, typed } : null;
  }

  #take({ node, end, typed }, { key }) {
    const range = document.createRange();
    range.setStart(node, end - typed.length);
    range.setEnd(node, end);
    this.#offer(null);
    this.#insert(range, key);
  }

  #offer(brace) {
    const known = this.store.regions;
    const regions = brace ? known.filter(({ name }) => name.startsWith(brace.typed.slice(1))) : [];
    const item = (region, i) => make("li", {
      id: `offer-${i}`, role: "option",
      onpointerdown: (event) => { event.preventDefault(); this.#take(brace, region); },
    }, make("span", { class: "chip" }, region.name), ` ${region.kind}`);
    const none = known.length ? "No region begins so" : "Draw a region first";
    this.#offered = { brace, regions, at: 0 };
    this.menu.replaceChildren(...(regions.length ? regions.map(item)
      : [make("li", { class: "none", role: "option", "aria-disabled": "true" }, none)]));
    this.menu.hidden = !brace;
    this.box.setAttribute("aria-expanded", String(Boolean(brace)));
    this.#choose(0);
  }

  #choose(step) {
    const { regions, at } = this.#offered;
    const now = (this.#offered.at = (at + step + regions.length) % (regions.length || 1));
    [...this.menu.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === now)));
    this.box.setAttribute("aria-activedescendant", regions.length ? `offer-${now}` : "");
  }

  #key(event) {
    const { brace, regions, at } = this.#offered;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const enter = event.key === "Enter" && !event.isComposing;
    if (event.key === "Escape" && brace) {
      event.stopPropagation();
      return this.#offer(null);
    }
    if (!enter && !(regions.length && (step || event.key === "Tab"))) return;
    event.preventDefault();
    if (step) this.#choose(step);
    else if (regions.length) this.#take(brace, regions[at]);
    else if (!event.shiftKey) this.onask();
  }
}
