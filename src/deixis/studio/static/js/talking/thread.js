/** The dialogue as it is shown: questions with chips, answers whose phrases are linked to their places. */

import { announce, find, make } from "../dom.js";
import { colourOf } from "../drawing/marks.js";

const NOTES = { length: "cut: as long as it may be", cancelled: "stopped" };

export class Thread {
  list = find("#thread");
  #shown = new Map(); // turn → its element

  constructor(store) {
    this.store = store;
    store.addEventListener("change", ({ detail }) => {
      if (detail === "mark") this.#mark();
      else if (detail !== "selection") this.#changed(detail);
    });
  }

  #changed(detail) {
    const { turns } = this.store;
    for (const [turn, element] of this.#shown) {
      if (!turns.includes(turn)) this.#shown.delete(turn) && element.remove();
    }
    const running = (turn) => turn.slots.some((slot) => slot.state === "running");
    turns.filter((turn) => detail !== "stream" || running(turn)).forEach((turn) => this.#show(turn));
    find("#hello").hidden = turns.length > 0;
  }

  /** Show a turn anew if anything in it is new; one that is being corrected shows itself. */
  #show(turn) {
    if (turn.slots.includes(this.store.fixing?.slot)) return;
    const old = this.#shown.get(turn);
    const fresh = turn.slots.map((slot) => {
      const { text, spans } = this.store.now(slot);
      return [slot.state, slot.loading, slot.checked, text, spans];
    });
    const stamp = JSON.stringify([fresh, turn.forgotten, this.store.models.length]);
    if (old?.stamp === stamp) return;
    const near = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 80;
    const element = this.#turn(turn);
    element.stamp = stamp;
    this.#shown.set(turn, element);
    if (old) old.replaceWith(element);
    else this.list.append(element);
    if (near || !old) element.scrollIntoView({ block: "end" });
    if (turn.told || !turn.slots.every((slot) => slot.state === "done")) return;
    turn.told = true;
    announce(turn.slots.map((slot) => slot.text).join("; "));
  }

  #turn(turn) {
    const kind = turn.all ? "all" : turn.slots.length > 1 ? "pair" : "";
    return make("li", { class: `turn ${kind} ${turn.forgotten ? "forgotten" : ""}` },
      make("h3", {}, ...turn.parts.map((part) => this.#part(part))),
      make("div", { class: "slots" }, ...turn.slots.map((slot) => this.#slot(turn, slot))));
  }

  #part(part) {
    if (!part.name) return part;
    const onclick = () => this.store.select(this.store.region(part.region)?.key ?? null);
    return make("button", { class: "chip", type: "button", title: "Show this region", onclick }, part.name);
  }

  #slot(turn, slot) {
    const { state, answer } = slot;
    const article = find("#slot").content.firstElementChild.cloneNode(true);
    const inside = (selector) => article.querySelector(selector);
    Object.assign(article, { slot_: slot, turn_: turn, ariaBusy: String(state === "running") });
    article.classList.add(state);
    if (turn.all) article.prepend(this.#part(slot.parts.find((part) => part.name)));
    else if (turn.slots.length > 1) article.prepend(make("h4", {}, slot.model));
    inside(".answer").append(...this.pieces(slot), ...this.#waiting(slot));
    inside(".error").hidden = state !== "failed" && state !== "stopped";
    inside(".error").textContent = state === "failed" ? slot.error : "Stopped.";
    const failures = answer?.parse_failures?.length;
    inside(".notes").textContent = [
      this.store.models.length > 1 && turn.slots.length < 2 && slot.model,
      answer && `${answer.seconds.toFixed(2)} s`, NOTES[answer?.finish],
      failures && `${failures} places could not be read`,
      slot.forgot && `without the ${slot.forgot} oldest`, this.store.now(slot) !== slot && "corrected",
    ].filter(Boolean).join(" · ");
    const { looks } = this.store.models.find((one) => one.id === slot.model) ?? {};
    const [done, single] = [state === "done", !turn.all];
    const offers = {
      right: done, correct: done, again: single, save: done,
      why: done && looks?.why && slot.spans.length, seen: done && single && looks?.seen,
    };
    for (const [act, on] of Object.entries(offers)) inside(`[data-act="${act}"]`).hidden = !on;
    inside('[data-act="right"]').ariaPressed = String(Boolean(slot.checked));
    inside("footer").hidden = state === "running";
    return article;
  }

  #waiting({ state, text, loading }) {
    if (state !== "running") return [];
    return [make("span", { class: text ? "caret" : "waiting" }, text ? "" : loading || "Looking")];
  }

  /** An answer's words, its phrases as `shown(slot, span, number)` makes them. */
  pieces(slot, shown = this.#phrase.bind(this)) {
    const { text, spans } = this.store.now(slot);
    const letters = Array.from(text); // spans count Unicode characters
    const ends = [0, ...spans.map((span) => span.end)];
    const words = (from, to) => letters.slice(from, to).join("");
    const each = spans.flatMap((span, i) => [words(ends[i], span.start), shown(slot, span, i)]);
    return [...each, words(ends.at(-1))];
  }

  #phrase(slot, span, number) {
    const mark = () => this.store.mark({ slot, span: number });
    const leave = () => this.store.mark(null);
    const score = (span.nowhere ? span.nowhere_score : span.places[0]?.score)?.toFixed(2) ?? "";
    const count = span.places.length > 1 ? `${span.places.length}× ` : "";
    const at = span.places[0]?.box.map(Math.round).join(", ");
    const told = span.nowhere ? "not in the picture" : `${count}at ${at}`;
    const button = make("button", {
      class: `phrase ${span.nowhere ? "nowhere" : ""}`, type: "button",
      "aria-label": `${span.phrase}: ${told}${score && `, score ${score}`}`,
      onmouseenter: mark, onfocus: mark, onmouseleave: leave, onblur: leave, onclick: mark,
    }, span.phrase, make("small", {}, span.nowhere ? "not in the picture " : count, score));
    button.style.setProperty("--colour", span.nowhere ? "var(--muted)" : colourOf(number));
    button.span_ = number;
    return button;
  }

  /** Show which phrase is marked. */
  #mark() {
    const { marked } = this.store;
    for (const button of this.list.querySelectorAll(".phrase")) {
      const mine = marked?.slot === button.closest("article").slot_ && marked?.span === button.span_;
      button.classList.toggle("marked", mine);
      if (mine && !button.matches(":hover, :focus")) button.scrollIntoView({ block: "nearest" });
    }
  }
}
