/** Corrections: an answer's words are retyped and its boxes dragged right; the result is an answer like any. */

import { find, make } from "../dom.js";

export class Fix {
  constructor(store) {
    this.store = store;
  }

  holds(turn) {
    return turn.slots.includes(this.store.fixing?.slot);
  }

  /** Let an answer be corrected in its own place in the dialogue. */
  begin(slot, article) {
    const { store } = this;
    if (store.fixing) this.end();
    this.text = Array.from(store.textOf(slot));
    store.fixing = { slot, span: null };
    this.article = article;
    article.classList.add("fixing");
    const [answer, foot] = [article.querySelector(".answer"), article.querySelector("footer")];
    this.fields = this.#fields(slot);
    answer.replaceChildren(...this.fields);
    foot.replaceChildren(
      make("span", { class: "notes" }, "Retype words. Drag boxes; a new box is one more place of the phrase."),
      make("button", { type: "button", class: "act strong", onclick: () => this.end() }, "Done"),
      make("button", { type: "button", class: "act", onclick: () => this.#nowhere() }, "Not in the picture"),
    );
    store.tell();
    (this.fields.find((field) => field.span_ !== null) ?? this.fields[0]).focus();
  }

  #fields(slot) {
    const fields = [];
    let end = 0;
    const field = (from, to, span) => from < to && fields.push(this.#field(this.text.slice(from, to).join(""), span));
    this.store.spansOf(slot).forEach((span, number) => {
      field(end, span.start, null);
      field(span.start, span.end, number);
      end = span.end;
    });
    field(end, this.text.length, null);
    return fields.length ? fields : [this.#field("", null)];
  }

  #field(text, span) {
    const element = make("span", {
      class: span === null ? "retype" : "retype phrase", contenteditable: "plaintext-only", role: "textbox",
      "aria-label": span === null ? "words" : "phrase with a place", tabindex: "0",
      onfocus: () => { this.store.fixing && (this.store.fixing.span = span ?? this.store.fixing.span); },
      onblur: () => this.#retyped(),
      onkeydown: (event) => {
        if (event.key !== "Enter" && event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        this.end();
      },
    }, text);
    element.span_ = span;
    return element;
  }

  /** Take the words as they stand in the fields. */
  #retyped() {
    const { store } = this;
    if (!store.fixing) return;
    const spans = [];
    let text = "";
    for (const field of this.fields) {
      const words = field.textContent;
      const start = Array.from(text).length;
      text += words;
      const old = field.span_ === null ? null : store.spansOf(store.fixing.slot)[field.span_];
      if (old && words.trim()) spans.push({ ...old, start, end: start + Array.from(words).length, phrase: words });
    }
    if (text !== store.textOf(store.fixing.slot)) this.#keep({ text, spans });
  }

  #keep(fix) {
    const { slot } = this.store.fixing;
    this.store.edit((doc) => doc.fixes.set(slot.key, { text: this.store.textOf(slot), spans: this.store.spansOf(slot), ...fix }));
  }

  /** A place got another box; without a place, a new one for the phrase in question. live: not to be kept yet. */
  moved(place, box, { live = false }) {
    const { store } = this;
    const { slot } = store.fixing;
    const number = place?.span ?? store.fixing.span ?? store.spansOf(slot).length - 1;
    const change = (spans) => spans.map((span, i) => {
      if (i !== number) return span;
      const own = { box, score: 1 };
      const places = place ? span.places.map((one, j) => (j === place.place ? own : one)) : [...span.places, own];
      const sure = places.map((one) => ({ ...one, score: 1 }));
      return { ...span, places: sure, nowhere: false, nowhere_score: span.nowhere_score === null ? null : 0 };
    });
    if (number < 0) return;
    if (!live) return this.#keep({ spans: change(store.spansOf(slot)) });
    const shown = store.picture.doc.fixes.get(slot.key);
    store.picture.doc.fixes = new Map(store.picture.doc.fixes);
    store.picture.doc.fixes.set(slot.key, { text: store.textOf(slot), ...shown, spans: change(store.spansOf(slot)) });
    store.tell("mark");
  }

  /** The phrase in question has no place in the picture. */
  #nowhere() {
    const { slot, span } = this.store.fixing;
    const number = span ?? 0;
    this.#keep({
      spans: this.store.spansOf(slot).map((one, i) => (i === number ? { ...one, places: [], nowhere: true, nowhere_score: 1 } : one)),
    });
  }

  end() {
    if (!this.store.fixing) return;
    this.#retyped();
    this.store.fixing.slot.checked = true;
    this.store.fixing = null;
    this.store.tell();
    find("#question").focus({ preventScroll: true });
  }
}

/** An answer as it stands, as the schema of answers has it: with corrections, and then not to the letter. */
export function answerOf(picture, slot) {
  const fix = picture.doc.fixes.get(slot.key);
  if (!fix || !slot.answer) return slot.answer;
  const { raw, parse_failures, ...answer } = slot.answer;
  const scores = fix.spans.map((span) => span.nowhere_score);
  return {
    ...answer, ...fix, nowhere: fix.spans.length > 0 && fix.spans.every((span) => span.nowhere),
    nowhere_score: scores.length && !scores.includes(null) ? Math.min(...scores) : null,
  };
}
