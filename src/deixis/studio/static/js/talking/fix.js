/** Corrections: words are retyped, boxes dragged right, and words that have no place yet are given one. */

import { announce, find, make } from "../dom.js";

export class Fix {
  ondraw = () => {}; // a box is to be drawn now

  constructor(store, thread) {
    Object.assign(this, { store, thread });
    this.chosen = null; // words that are selected: {slot, start, end}
    document.addEventListener("selectionchange", () => this.#selected());
    store.addEventListener("change", ({ detail }) => store.fixing && detail === "all" && this.#show());
  }

  /** Let an answer be corrected in its own place in the dialogue. */
  begin(slot) {
    const { store } = this;
    this.end();
    store.fixing = { slot, span: 0, words: null };
    this.article = [...document.querySelectorAll("#thread article")].find((one) => one.slot_ === slot);
    this.answer = this.article.querySelector(".answer");
    this.article.classList.add("fixing");
    this.answer.contentEditable = "plaintext-only";
    this.answer.oninput = () => this.#retyped({ live: true });
    this.answer.onblur = () => this.#retyped();
    this.answer.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      this.end();
    };
    this.shown = null;
    this.#say("Retype words. Drag boxes; a new box is one more place. Select words to give them a place.");
    store.tell();
    this.answer.focus();
  }

  end() {
    const { store, article } = this;
    if (!store.fixing) return;
    this.#retyped();
    article.closest("li").stamp = ""; // shown anew, whether or not anything was changed
    store.fixing.slot.checked = true;
    store.fixing = null;
    store.tell();
    find("#question").focus({ preventScroll: true });
  }

  /** The phrase in question has no place in the picture. */
  nowhere() {
    const { slot, span } = this.store.fixing;
    const gone = { places: [], nowhere: true, nowhere_score: 1 };
    const change = (one, i) => (i === span ? { ...one, ...gone } : one);
    this.#keep({ spans: this.store.now(slot).spans.map(change) });
  }

  /** The selected words are to get a place: the next box. */
  here() {
    const { slot, start, end } = this.chosen;
    if (this.store.fixing?.slot !== slot) this.begin(slot);
    this.store.fixing.words = [start, end];
    this.#say(`Now draw a box around “${Array.from(this.store.now(slot).text).slice(start, end).join("")}”.`);
    this.ondraw();
  }

  /** A place got another box; without a place, a new one for the words or the phrase in question. */
  moved(place, box, how) {
    const { slot, span, words } = this.store.fixing;
    const { text, spans } = this.store.now(slot);
    const own = { box, score: 1 };
    if (!place && (words || !spans.length)) {
      const letters = Array.from(text);
      const [start, end] = words ?? [0, letters.length];
      const apart = spans.filter((one) => one.end <= start || one.start >= end);
      const phrase = letters.slice(start, end).join("");
      const made = { start, end, phrase, places: [own], nowhere: false, nowhere_score: 0 };
      this.store.fixing.words = null;
      return this.#keep({ spans: [...apart, made].sort((a, b) => a.start - b.start) });
    }
    const changed = spans.map((one, i) => {
      if (i !== (place?.span ?? span)) return one;
      const places = place ? one.places.with(place.place, own) : [...one.places, own];
      const sure = places.map(({ box: kept }) => ({ box: kept, score: 1 }));
      return { ...one, places: sure, nowhere: false, nowhere_score: one.nowhere_score && 0 };
    });
    this.#keep({ spans: changed }, how);
  }

  #keep(fix, how) {
    const { slot } = this.store.fixing;
    const { text, spans } = this.store.now(slot);
    this.store.edit((doc) => doc.fixes.set(slot.key, { text, spans, ...fix }), how);
  }

  /** Show the answer as it stands, with phrases that can be retyped; not while that is being done. */
  #show() {
    const { slot } = this.store.fixing;
    if (this.shown === stamp(this.store.now(slot))) return;
    this.shown = stamp(this.store.now(slot));
    const phrase = (_, span, number) => make("span", { class: "phrase", "data-span": number }, span.phrase);
    this.answer.replaceChildren(...this.thread.pieces(slot, phrase));
  }

  /** Take the words as they stand; phrases before and behind what was typed stay, one around it grows. */
  #retyped(how) {
    const { slot } = this.store.fixing ?? {};
    if (!slot) return;
    this.store.revert();
    const { text, spans } = this.store.now(slot);
    const [old, fresh] = [text, this.answer.textContent].map((words) => Array.from(words));
    if (old.join("") === fresh.join("")) return;
    const most = Math.min(old.length, fresh.length);
    let [start, tail] = [0, 0];
    while (start < most && old[start] === fresh[start]) start++;
    while (tail < most - start && old.at(-1 - tail) === fresh.at(-1 - tail)) tail++;
    const [end, grown] = [old.length - tail, fresh.length - old.length];
    const at = (span, by, more) => {
      const own = { start: span.start + by, end: span.end + by + more };
      return { ...span, ...own, phrase: fresh.slice(own.start, own.end).join("") };
    };
    const moved = spans.flatMap((span) => {
      if (span.start >= end && (span.start > start || start === end)) return at(span, grown, 0);
      if (span.start <= start && span.end >= end) return at(span, 0, grown);
      return span.end <= start ? span : [];
    });
    const fix = { text: fresh.join(""), spans: moved.filter((span) => span.phrase.trim()) };
    this.shown = stamp(fix);
    this.store.fixing.words = null;
    this.#keep(fix, how);
  }

  /** Words of an answer were selected: their place can be marked, and the phrase there is in question. */
  #selected() {
    const selection = getSelection();
    const within = (node) => (node?.closest ? node : node?.parentElement)?.closest(".slot.done .answer");
    const answer = within(selection.anchorNode);
    const range = answer && answer === within(selection.focusNode) && selection.getRangeAt(0);
    const article = answer?.closest("article");
    const [start, end] = range ? wordsOf(answer, range) : [0, 0];
    this.chosen = end > start ? { slot: article.slot_, start, end } : null;
    for (const button of document.querySelectorAll('[data-act="here"]')) {
      button.hidden = !this.chosen || button.closest("article") !== article;
    }
    const phrase = selection.anchorNode?.parentElement?.closest(".fixing .phrase");
    if (phrase && this.store.fixing) this.store.fixing.span = Number(phrase.dataset.span);
  }

  #say(text) {
    this.article.querySelector(".hint").textContent = text;
    announce(text);
  }
}

const stamp = ({ text, spans }) => JSON.stringify([text, spans]);

/** Which letters of an answer are selected, without blanks around them and scores behind phrases. */
function wordsOf(answer, { startContainer, startOffset, endContainer, endOffset }) {
  const before = (node, offset) => {
    const range = document.createRange();
    range.setStart(answer, 0);
    range.setEnd(node, offset);
    const held = range.cloneContents();
    held.querySelectorAll("small").forEach((one) => one.remove());
    return held.textContent;
  };
  const [left, whole] = [before(startContainer, startOffset), before(endContainer, endOffset)];
  const words = whole.slice(left.length);
  const start = Array.from(left).length + words.length - words.trimStart().length;
  return [start, start + Array.from(words.trim()).length];
}
