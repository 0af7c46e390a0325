/** The line for questions: words and chips of regions. `{` offers the regions; Enter asks. */

import { find, make } from "../dom.js";

export class Composer {
  pristine = true; // nobody has typed: a new region may still take the place of the one that is meant
  onask = () => {};

  constructor(store) {
    this.store = store;
    this.box = find("#question");
    this.menu = find("#offer");
    this.box.addEventListener("input", () => this.#typed());
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.box.addEventListener("blur", () => this.#offer(null));
    this.box.addEventListener("paste", (event) => {
      const text = event.clipboardData.getData("text/plain");
      event.preventDefault();
      if (text) document.execCommand("insertText", false, text.replace(/\s+/g, " "));
    });
    store.addEventListener("change", () => this.#names());
  }

  /** The question as parts: text, and {region: key}. */
  parts() {
    const parts = [];
    const walk = (node) => {
      if (node.nodeType === Node.TEXT_NODE) parts.push(node.data.replace(/[\u00a0\u200b\n]/g, " "));
      else if (node.dataset?.region) parts.push({ region: Number(node.dataset.region) });
      else node.childNodes.forEach(walk);
    };
    walk(this.box);
    const joined = [];
    for (const part of parts) {
      if (typeof part === "string" && typeof joined.at(-1) === "string") joined.push(joined.pop() + part);
      else joined.push(part);
    }
    if (typeof joined[0] === "string") joined[0] = joined[0].trimStart();
    if (typeof joined.at(-1) === "string") joined.push(joined.pop().trimEnd());
    return joined.filter((part) => part !== "");
  }

  get empty() {
    return !this.parts().length;
  }

  set(parts, { pristine = false, focus = true } = {}) {
    this.box.replaceChildren(...parts.map((part) => (typeof part === "string" ? part : this.#chip(part.region))));
    this.pristine = pristine || !parts.length;
    this.#mark();
    if (focus) this.focus();
  }

  focus() {
    this.box.focus({ preventScroll: true });
    getSelection().selectAllChildren(this.box);
    getSelection().collapseToEnd();
  }

  /** A region was drawn or picked: it takes the place of the one in an untouched question, or is added. */
  point(region) {
    const parts = this.parts();
    const chips = parts.filter((part) => part.region);
    if (!parts.length || (this.pristine && !chips.length)) return this.set(["What is ", { region: region.key }, "?"], { pristine: true });
    if (this.pristine && chips.length === 1) {
      const swapped = parts.map((part) => (part.region ? { region: region.key } : part));
      return this.set(swapped, { pristine: true });
    }
    this.insert(region);
  }

  insert(region) {
    const selection = getSelection();
    if (!this.box.contains(selection.anchorNode)) this.focus();
    const range = selection.getRangeAt(0);
    range.deleteContents();
    const chip = this.#chip(region.key);
    const space = document.createTextNode("\u00a0");
    range.insertNode(space);
    range.insertNode(chip);
    range.setStartAfter(space);
    range.collapse(true);
    selection.removeAllRanges();
    selection.addRange(range);
    this.box.focus();
    this.pristine = false;
    this.#mark();
  }

  #chip(key) {
    const name = this.store.region(key)?.name ?? "?";
    return make("span", {
      class: "chip", contenteditable: "false", "data-region": key,
      onmouseenter: () => this.store.select(key),
    }, name);
  }

  /** Regions were renamed or removed: their chips follow. */
  #names() {
    for (const chip of this.box.querySelectorAll(".chip")) {
      const region = this.store.region(Number(chip.dataset.region));
      if (!region) chip.remove();
      else if (chip.textContent !== region.name) chip.textContent = region.name;
    }
    this.#mark();
  }

  #mark() {
    this.box.classList.toggle("blank", this.empty);
  }

  #typed() {
    this.pristine = this.empty;
    this.#mark();
    const brace = this.#brace();
    const whole = brace?.text.match(/^\{(\w+)\}$/);
    const region = whole && this.store.named(whole[1]);
    if (region) return this.#take(brace, region);
    this.#offer(brace);
  }

  /** An open brace before the caret, with the letters behind it. */
  #brace() {
    const { anchorNode, anchorOffset } = getSelection();
    if (anchorNode?.nodeType !== Node.TEXT_NODE || !this.box.contains(anchorNode)) return null;
    const found = anchorNode.data.slice(0, anchorOffset).match(/(?<!\{)\{\w*\}?$/);
    return found && { node: anchorNode, start: found.index, end: anchorOffset, text: found[0] };
  }

  #take({ node, start, end }, region) {
    const range = document.createRange();
    range.setStart(node, start);
    range.setEnd(node, end);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    this.#offer(null);
    this.insert(region);
  }

  #offer(brace) {
    const start = brace && !brace.text.endsWith("}") ? brace.text.slice(1) : null;
    const regions = start === null ? [] : this.store.regions.filter((r) => r.name.startsWith(start));
    this.offered = { brace, regions, at: 0 };
    this.menu.hidden = start === null;
    this.box.setAttribute("aria-expanded", String(start !== null));
    this.menu.replaceChildren(
      ...regions.map((region, i) => make("li", {
        id: `offer-${i}`, role: "option", "aria-selected": String(i === 0),
        onpointerdown: (event) => { event.preventDefault(); this.#take(brace, region); },
      }, make("span", { class: "chip" }, region.name), ` ${region.kind}`)),
      ...(regions.length || start === null ? [] : [make("li", { class: "none", role: "option", "aria-disabled": "true" },
        this.store.regions.length ? `No region begins with “${start}”` : "Draw a region first")]),
    );
    this.#choose(0);
  }

  #choose(at) {
    const { regions } = this.offered;
    this.offered.at = (at + regions.length) % (regions.length || 1);
    [...this.menu.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === this.offered.at)));
    if (regions.length && !this.menu.hidden) this.box.setAttribute("aria-activedescendant", `offer-${this.offered.at}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    const open = !this.menu.hidden && this.offered.regions.length;
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      this.#choose(this.offered.at + (event.key === "ArrowDown" ? 1 : -1));
    } else if (open && (event.key === "Enter" || event.key === "Tab")) {
      event.preventDefault();
      this.#take(this.offered.brace, this.offered.regions[this.offered.at]);
    } else if (event.key === "Escape" && !this.menu.hidden) {
      event.stopPropagation();
      this.#offer(null);
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      if (!event.shiftKey) this.onask();
    }
  }
}
