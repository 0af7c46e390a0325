/** Questions and answers: what is sent, and what a slot for one answer holds while it is written. */

import { wire } from "../drawing/geometry.js";
import { ServerError, ask, models } from "../server.js";
import { sleep } from "../dom.js";

const MOST_TOLD = 40; // earlier turns; servers take 100 messages

/** A question as text: {name} is a region, braces of its own are doubled. */
export const questionText = (parts) =>
  parts.map((part) => (typeof part === "string" ? part.replace(/[{}]/g, "$&$&") : `{${part.name}}`)).join("");

export class Dialogue {
  onloaded = () => {};

  constructor(store) {
    this.store = store;
  }

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
    const slots = this.store.regions.map((region) => {
      const parts = ["What is ", this.#kept({ region: region.key }), "?"];
      return { ...this.#slot(model, parts), region: region.key };
    });
    return this.#begin({ parts: ["Name all regions"], slots, all: true });
  }

  /** A part as it is now: regions may move later. */
  #kept(part) {
    const region = part.region && this.store.region(part.region);
    return region ? { region: region.key, name: region.name, shape: wire(region) } : part;
  }

  #slot(model, parts) {
    return { key: this.store.newKey(), model, parts, state: "running", text: "", spans: [], abort: new AbortController() };
  }

  async #begin(turn) {
    const { picture } = this.store;
    turn.key = this.store.newKey();
    const earlier = picture.turns.slice(picture.turns.findLastIndex((one) => one.forgotten) + 1);
    picture.turns.push(turn);
    this.store.marked = null;
    this.store.tell("turns");
    await Promise.all(turn.slots.map((slot) => this.#answer(picture, slot, turn.all ? [] : earlier)));
    this.store.tell("turns");
  }

  /** Get one answer. Where there is no room for all that was said before, the oldest turns are forgotten. */
  async #answer(picture, slot, earlier) {
    const before = earlier
      .filter((turn) => !turn.all)
      .map((turn) => turn.slots.find((s) => s.model === slot.model && s.answer) ?? turn.slots.find((s) => s.answer))
      .filter(Boolean)
      .slice(-MOST_TOLD);
    const loading = this.#watchLoading(slot);
    for (let first = 0; ; first++) {
      try {
        await this.#stream(picture, slot, before.slice(first));
        slot.forgot = first;
        break;
      } catch (fault) {
        const crowded = fault.status === 400 && first < before.length && !slot.text;
        if (crowded) continue;
        this.#failed(slot, fault);
        break;
      }
    }
    clearInterval(loading);
    slot.loading = null;
    if (loading) this.onloaded();
    this.store.tell("turns");
  }

  #failed(slot, fault) {
    slot.state = fault.name === "AbortError" ? "stopped" : "failed";
    slot.error = fault instanceof ServerError ? fault.message : `The page failed: ${fault.message}`;
  }

  async #stream(picture, slot, before) {
    const body = { model: slot.model, messages: messages(picture, slot.parts, before) };
    await ask(body, {
      signal: slot.abort.signal,
      ondelta: (delta, finish) => {
        if (delta.content) slot.text += delta.content;
        if (delta.places?.length) slot.spans = [...slot.spans, ...delta.places];
        if (delta.answer) Object.assign(slot, { answer: delta.answer, text: delta.answer.text, spans: delta.answer.spans });
        slot.finish = finish ?? slot.finish;
        this.#show();
      },
    });
    if (!slot.answer) throw new ServerError("The server ended the answer without handing it over as a whole.");
    slot.state = "done";
  }

  /** Show what is being written, once a frame. */
  #show() {
    this.due ??= requestAnimationFrame(() => {
      this.due = null;
      this.store.tell("stream");
    });
  }

  /** While a model that isn't loaded yet is waited for, say so. */
  #watchLoading(slot) {
    const known = this.store.models.find((model) => model.id === slot.model);
    if (!known || known.loaded) return null;
    const started = performance.now();
    return setInterval(async () => {
      const now = (await models().catch(() => [])).find((model) => model.id === slot.model);
      if (now) Object.assign(known, now);
      slot.loading = slot.text || known.loaded ? null : { seconds: (performance.now() - started) / 1000, bytes: known.bytes };
      this.store.tell("stream");
    }, 1000);
  }

  stop() {
    this.running.forEach((slot) => slot.abort.abort());
  }

  /** Wait for the answers that are being written. */
  async settled() {
    while (this.running.length) await sleep(20);
  }
}

/** The messages of a dialogue: the picture, earlier questions with their answers to the letter, the question. */
export function messages(picture, parts, before = []) {
  const content = (own) => own.map((part) => typeof part === "string"
    ? { type: "text", text: part }
    : { type: "region", region: { ...part.shape, name: part.name } });
  const told = before.flatMap((slot) => [
    { role: "user", content: content(slot.parts) },
    { role: "assistant", content: slot.answer.text, answer: slot.answer },
  ]);
  const all = [...told, { role: "user", content: content(parts) }];
  all[0].content.unshift({ type: "image_url", image_url: { url: `picture:${picture.id}` } });
  return all;
}
