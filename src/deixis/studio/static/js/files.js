/** What can be taken along, and brought back: the server writes and reads all files. */

import { fromWire, wire } from "./drawing/shapes.js";
import { make } from "./dom.js";
import { post } from "./server.js";

export class Files {
  #waiting = []; // conversations whose picture isn't open

  constructor(store) { this.store = store; }

  /** How many answers are finished, and how many of them were called right. */
  counts(pictures = this.store.pictures) {
    const slots = pictures.flatMap(({ turns }) => turns.flatMap((turn) => turn.slots));
    const done = slots.filter((slot) => slot.state === "done");
    return { done: done.length, checked: done.filter((slot) => slot.checked).length };
  }

  /** Save the file of an export. all: of all pictures, not the one on the stage; slot: of that answer. */
  async export(form, ending, { all = false, slot = null } = {}) {
    const { picture, pictures } = this.store;
    const given = (all ? pictures : [picture]).map((one) => told(one, slot));
    const reply = await post(`/studio/export/${form}`, { pictures: given });
    const href = URL.createObjectURL(await reply.blob());
    const stem = all ? "deixis" : picture.name.replace(/\.[^.]*$/, "") || "picture";
    make("a", { href, download: `${stem}.${ending}` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 10_000);
  }

  /** Read a conversation, which the server checks; one whose picture isn't open waits, and this says so. */
  async read(file) {
    const kept = await (await post("/studio/conversation", JSON.parse(await file.text()))).json();
    const { name, width, height, digest } = kept.picture;
    const picture = this.store.pictures.find((one) => one.digest === digest);
    if (picture) return this.#attach(picture, kept);
    this.#waiting.push(kept);
    const size = `${name || "a picture"} (${width} × ${height})`;
    throw new Error(`This conversation is about ${size}. Open that picture to go on with it.`);
  }

  /** A picture was opened: a conversation that waits for it goes on. */
  opened(picture) {
    const mine = this.#waiting.filter((kept) => kept.picture.digest === picture.digest);
    this.#waiting = this.#waiting.filter((kept) => !mine.includes(kept));
    mine.forEach((kept) => this.#attach(picture, kept));
  }

  #attach(picture, kept) {
    const key = () => this.store.newKey();
    const region = ([name, value]) => ({ key: key(), name, ...fromWire(value) });
    const regions = Object.entries(kept.regions).map(region);
    const keyOf = (name) => regions.find((region) => region.name === name)?.key ?? -1;
    const fixes = new Map();
    const slot = ({ text, spans, parts, ...own }) => {
      const made = { ...own, key: key(), text: own.answer.text, spans: own.answer.spans, state: "done" };
      if (text !== undefined) fixes.set(made.key, { text, spans });
      made.parts = parts.map((part) => (part.name ? { ...part, region: keyOf(part.name) } : part));
      return { ...made, region: made.parts.find((part) => part.name)?.region };
    };
    picture.turns = kept.turns.map(({ all, answers }) => {
      const slots = answers.map(slot);
      return { key: key(), parts: all ? ["Name all regions"] : slots[0].parts, slots, all };
    });
    picture.past.push(picture.doc);
    picture.doc = { regions, fixes };
    this.store.show(picture);
  }
}

/** A picture with its regions and its finished answers, as the server takes them. */
function told({ id, name, doc, turns }, only) {
  const done = ({ slots }) => slots.filter((slot) => slot.state === "done" && (!only || slot === only));
  const kept = ({ key, model, answer, checked = false }) =>
    ({ model, answer, checked, ...doc.fixes.get(key) });
  const all = turns.map((turn) => ({ all: Boolean(turn.all), answers: done(turn).map(kept) }));
  return {
    id, name, regions: Object.fromEntries(doc.regions.map((region) => [region.name, wire(region)])),
    turns: all.filter((turn) => turn.answers.length),
  };
}
