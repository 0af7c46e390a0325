/** The dialogue as it is shown: questions with chips, answers whose phrases are linked to their places. */

import { announce, find, make } from "../dom.js";
import { Fix } from "./fix.js";
import { colourOf } from "../drawing/paint.js";

const NOTES = { length: "cut: as long as it may be", cancelled: "stopped" };

export class Thread {
  on = {}; // again(turn), why(slot, span), seen(slot), save(slot)

  constructor(store) {
    this.store = store;
    this.list = find("#thread");
    this.shown = new Map(); // turn → its element
    this.fix = new Fix(store);
    store.addEventListener("change", ({ detail }) => this.#changed(detail));
  }

  #changed(detail) {
    if (detail === "mark") return this.#mark();
    if (detail === "selection") return;
    const { turns } = this.store;
    for (const [turn, element] of this.shown) {
      if (!turns.includes(turn)) this.shown.delete(turn) && element.remove();
    }
    const settled = detail === "stream" ? turns.filter((t) => t.slots.some((s) => s.state === "running")) : turns;
    settled.forEach((turn) => this.#show(turn));
    find("#hello").hidden = turns.length > 0;
  }

  #show(turn) {
    if (this.fix.holds(turn)) return;
    const stamp = JSON.stringify(turn.slots.map((slot) => [
      slot.state, this.store.textOf(slot), this.store.spansOf(slot).length, slot.loading?.seconds, slot.error, slot.checked,
      this.store.picture.doc.fixes.has(slot.key),
    ]).concat([turn.forgotten, this.store.models.length]));
    const old = this.shown.get(turn);
    if (old?.stamp === stamp) return;
    const near = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 80;
    const element = this.#turn(turn);
    element.stamp = stamp;
    this.shown.set(turn, element);
    if (old) old.replaceWith(element);
    else this.list.append(element);
    if (near || !old) element.scrollIntoView({ block: "end" });
    if (turn.slots.every((slot) => slot.state === "done") && !turn.told) {
      turn.told = true;
      announce(turn.slots.map((slot) => slot.text).join("; "));
    }
  }

  #turn(turn) {
    const question = make("h3", {}, ...turn.parts.map((part) => this.#part(part)));
    const many = turn.slots.length > 1;
    const kind = turn.all ? "all" : many ? "pair" : "";
    return make("li", { class: `turn ${kind} ${turn.forgotten ? "forgotten" : ""}` },
      question, make("div", { class: "slots" }, ...turn.slots.map((slot) => this.#slot(turn, slot, many))));
  }

  #part(part) {
    if (typeof part === "string") return part;
    return make("button", {
      class: "chip", type: "button", title: "Show this region",
      onclick: () => this.store.select(this.store.region(part.region)?.key ?? null),
    }, part.name);
  }

  #slot(turn, slot, many) {
    const name = turn.all ? this.#part(slot.parts.find((part) => part.name)) : many && make("h4", {}, slot.model);
    const article = make("article", {
      class: `slot ${slot.state}`, "aria-busy": slot.state === "running" ? "true" : null, dir: "auto",
    }, name, this.#answer(slot), this.#error(slot), this.#foot(turn, slot));
    article.slot_ = slot;
    return article;
  }

  #answer(slot) {
    const letters = Array.from(this.store.textOf(slot)); // spans count Unicode characters
    const pieces = [];
    let end = 0;
    this.store.spansOf(slot).forEach((span, number) => {
      pieces.push(letters.slice(end, span.start).join(""), this.#phrase(slot, span, number));
      end = span.end;
    });
    pieces.push(letters.slice(end).join(""));
    const waiting = slot.state === "running" && !slot.text;
    const progress = slot.loading && `Loading ${slot.model} (${size(slot.loading.bytes)}), ${Math.round(slot.loading.seconds)} s`;
    return make("p", { class: "answer", dir: "auto" }, ...pieces,
      waiting && make("span", { class: "waiting" }, progress || "Looking"),
      slot.state === "running" && slot.text && make("span", { class: "caret", "aria-hidden": "true" }));
  }

  #phrase(slot, span, number) {
    const mark = () => this.store.mark({ slot, span: number });
    const leave = () => this.store.mark(null);
    const score = span.nowhere ? span.nowhere_score : span.places[0]?.score;
    const count = span.places.length > 1 ? `${span.places.length}× ` : "";
    const told = span.nowhere ? "not in the picture" : `${count}at ${span.places[0]?.box.map(Math.round).join(", ")}`;
    const button = make("button", {
      class: `phrase ${span.nowhere ? "nowhere" : ""}`, type: "button",
      "aria-label": `${span.phrase}: ${told}${score == null ? "" : `, score ${score.toFixed(2)}`}`,
      onmouseenter: mark, onfocus: mark, onmouseleave: leave, onblur: leave, onclick: mark,
    }, span.phrase, make("small", {}, span.nowhere ? "not in the picture " : count, score == null ? "" : score.toFixed(2)));
    button.style.setProperty("--colour", span.nowhere ? "var(--muted)" : colourOf(number));
    button.span_ = number;
    return button;
  }

  #error(slot) {
    if (slot.state === "stopped") return make("p", { class: "note" }, "Stopped.");
    return slot.state === "failed" && make("p", { class: "error", role: "alert" }, slot.error);
  }

  #foot(turn, slot) {
    if (slot.state === "running") return null;
    const { fixes } = this.store.picture.doc;
    const model = this.store.models.find((one) => one.id === slot.model) ?? {};
    const act = (label, run, title) => make("button", { type: "button", class: "act", title, onclick: run }, label);
    const done = slot.state === "done";
    const notes = [
      this.store.models.length > 1 && turn.slots.length < 2 && slot.model, slot.answer && `${slot.answer.seconds.toFixed(2)} s`, NOTES[slot.answer?.finish],
      slot.answer?.parse_failures?.length && `${slot.answer.parse_failures.length} places could not be read`,
      slot.forgot && `without the ${slot.forgot} oldest`, fixes.has(slot.key) && "corrected",
    ].filter(Boolean);
    return make("footer", {},
      make("span", { class: "notes" }, notes.join(" · ")),
      done && make("button", {
        type: "button", class: "act check", "aria-pressed": String(Boolean(slot.checked)), title: "This answer is right: keep it for training",
        onclick: () => { slot.checked = !slot.checked; this.store.tell("turns"); },
      }, "Right"),
      done && act("Correct", () => this.fix.begin(slot, find(`#turn-${turn.key}`) ?? this.#element(slot)), "Drag its boxes, retype its words"),
      !turn.all && act("Again", () => this.on.again(turn), "Ask the same about another region"),
      done && model.looks?.why && slot.spans.length > 0 && act("Why there?", () => this.on.why(slot), "Where it looked"),
      done && !turn.all && model.looks?.seen && act("Seen", () => this.on.seen(slot), "What the model was given"),
      done && act("Save", () => this.on.save(slot), "Save the picture with this answer drawn on it"));
  }

  #element(slot) {
    return [...this.list.querySelectorAll("article")].find((one) => one.slot_ === slot);
  }

  /** Show which phrase is marked. */
  #mark() {
    const { marked } = this.store;
    for (const button of this.list.querySelectorAll(".phrase")) {
      const slot = button.closest("article").slot_;
      const mine = marked?.slot === slot && marked.span === button.span_;
      button.classList.toggle("marked", Boolean(mine));
      if (mine && !button.matches(":hover, :focus")) button.scrollIntoView({ block: "nearest" });
    }
  }
}

const size = (bytes) => (bytes > 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`);
