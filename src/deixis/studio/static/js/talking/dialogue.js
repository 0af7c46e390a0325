/** Questions and answers: what is sent, and what a slot for one answer holds while it is written. */

import { wire } from "../drawing/shapes.js";
import { ServerError, ask, get } from "../server.js";

const MOST_TOLD = 40; // earlier turns; servers take 100 messages

export class Dialogue {
  onloaded = () => {};

  constructor(store) { this.store = store; }

  get running() {
    return this.store.turns.flatMap((turn) => turn.slots).filter((slot) => slot.state === "running");
  }

  /** Ask one question of one or two models. */
  ask(parts, chosen) {
    const kept = parts.map((part) => this.#kept(part));
    return this.#begin({ parts: kept, slots: chosen.map((model) => this.#slot(model, kept)) });
  }

  /** Ask what every region is, all at once. */
  nameAll(model) {
    const slots = this.store.regions.map(({ key }) => {
      const parts = ["What is ", this.#kept({ region: key }), "?"];
      return { ...this.#slot(model, parts), region: key };
    });
    return this.#begin({ parts: ["Name all regions"], slots, all: true });
  }

  stop() { this.running.forEach((slot) => slot.abort.abort()); }

  /** A part as it is now: regions may move later. */
  #kept(part) {
    const region = this.store.region(part.region);
    return region ? { region: region.key, name: region.name, shape: wire(region) } : part;
  }

  #slot(model, parts) {
    const key = this.store.newKey();
    return { key, model, parts, state: "running", text: "", spans: [], abort: new AbortController() };
  }

  async #begin(turn) {
    const { picture } = this.store;
    turn.key = this.store.newKey();
    const since = picture.turns.slice(picture.turns.findLastIndex((one) => one.forgotten) + 1);
    picture.turns.push(turn);
    this.store.marked = null;
    this.store.tell("turns");
    await Promise.all(turn.slots.map((slot) => this.#answer(picture, slot, turn.all ? [] : since)));
  }

  /** Get one answer. Where there is no room for all that was said before, the oldest turns are forgotten. */
  async #answer(picture, slot, since) {
    const answered = since.filter((turn) => !turn.all).map(({ slots }) =>
      slots.find((one) => one.model === slot.model && one.answer) ?? slots.find((one) => one.answer));
    const before = answered.filter(Boolean).slice(-MOST_TOLD);
    const known = this.store.models.find((model) => model.id === slot.model);
    const loading = known?.loaded === false && this.#watchLoading(slot, known);
    for (slot.forgot = 0; slot.state === "running"; ) {
      const body = { model: slot.model, messages: messages(picture, slot.parts, before.slice(slot.forgot)) };
      try {
        await ask(body, slot.abort.signal, (delta) => this.#take(slot, delta));
        if (!slot.answer) throw new ServerError("The answer ended without being handed over as a whole.");
        slot.state = "done";
      } catch (fault) {
        const crowded = fault.status === 400 && slot.forgot < before.length && !slot.text;
        if (crowded) slot.forgot += 1;
        else slot.state = fault.name === "AbortError" ? "stopped" : "failed";
        slot.error = fault instanceof ServerError ? fault.message : `The page failed: ${fault.message}`;
      }
    }
    clearInterval(loading);
    if (loading) this.onloaded();
    this.store.tell("turns");
  }

  /** Take what arrives, and show it with the next frame. */
  #take(slot, { content = "", places = [], answer }) {
    slot.text += content;
    slot.spans = [...slot.spans, ...places];
    if (answer) Object.assign(slot, { answer, text: answer.text, spans: answer.spans });
    this.due ??= requestAnimationFrame(() => {
      this.due = null;
      this.store.tell("stream");
    });
  }

  /** While a model that isn't loaded yet is waited for, say so every second. */
  #watchLoading(slot, known) {
    const started = performance.now();
    return setInterval(async () => {
      const { data } = await get("/v1/models").catch(() => ({ data: [] }));
      Object.assign(known, data.find(({ id }) => id === slot.model)?.deixis);
      const seconds = Math.round((performance.now() - started) / 1000);
      const size = `${Math.ceil(known.bytes / 1e6).toLocaleString("en")} MB`;
      slot.loading = known.loaded ? "" : `Loading ${slot.model} (${size}), ${seconds} s`;
      this.store.tell("stream");
    }, 1000);
  }
}

/** A question as text: {name} is a region, braces of its own are doubled. */
export const questionText = (parts) =>
  parts.map((part) => (part.name ? `{${part.name}}` : part.replace(/[{}]/g, "$&$&"))).join("");

/** The messages of a dialogue: the picture, earlier questions and answers to the letter, the question. */
function messages(picture, parts, before) {
  const content = (own) => own.map((part) => (part.name
    ? { type: "region", region: { ...part.shape, name: part.name } } : { type: "text", text: part }));
  const told = before.flatMap((slot) => [
    { role: "user", content: content(slot.parts) },
    { role: "assistant", content: slot.answer.text, answer: slot.answer },
  ]);
  const all = [...told, { role: "user", content: content(parts) }];
  all[0].content.unshift({ type: "image_url", image_url: { url: `picture:${picture.id}` } });
  return all;
}
