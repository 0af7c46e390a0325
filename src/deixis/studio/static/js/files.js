/** What can be taken along: answers in other tools' forms, training records, conversations; and back again. */

import { saveFile } from "./dom.js";
import { fromWire, wire } from "./drawing/geometry.js";
import { answerOf } from "./talking/fix.js";
import { post } from "./server.js";

const stem = (name) => name.replace(/\.[^.]*$/, "") || "picture";
const json = (value) => new Blob([JSON.stringify(value, null, 1)], { type: "application/json" });

export class Files {
  waiting = []; // conversations whose picture isn't open

  constructor(store) {
    this.store = store;
  }

  /** The finished answers of a picture as they stand; with `record`, one a turn, the checked ones if there are some. */
  answers(picture, { record = false } = {}) {
    const done = (turn) => turn.slots.filter((slot) => slot.state === "done");
    if (!record) return picture.turns.flatMap(done).map((slot) => answerOf(picture, slot));
    const any = this.store.pictures.some((one) => one.turns.some((turn) => turn.slots.some((slot) => slot.checked)));
    const kept = picture.turns.flatMap((turn) => {
      const own = any ? done(turn).filter((slot) => slot.checked) : done(turn);
      return turn.all ? own : own.slice(0, 1);
    });
    return kept.map((slot) => answerOf(picture, slot));
  }

  counts() {
    const all = this.store.pictures.flatMap((picture) => this.answers(picture, { record: true }));
    const checked = this.store.pictures.some((p) => p.turns.some((t) => t.slots.some((s) => s.checked)));
    return { answers: all.length, checked };
  }

  async export(form) {
    const { picture, pictures } = this.store;
    if (form === "answers") return saveFile(json(this.answers(picture)), `${stem(picture.name)}.answers.json`);
    if (form === "conversation") return saveFile(json(conversation(picture)), `${stem(picture.name)}.conversation.json`);
    const record = form === "records";
    const all = pictures.map((one) => ({ id: one.id, name: one.name, answers: this.answers(one, { record }) }));
    const reply = await post(`/studio/export/${form}`, { pictures: all.filter((one) => one.answers.length) });
    const endings = { coco: "coco.json", label_studio: "label_studio.json", records: "records.zip" };
    saveFile(await reply.blob(), `deixis.${endings[form]}`);
  }

  async drawn(picture, slot) {
    const body = { pictures: [{ id: picture.id, name: picture.name, answers: [answerOf(picture, slot)] }] };
    saveFile(await (await post("/studio/export/drawn", body)).blob(), `${stem(picture.name)}.answer.png`);
  }

  /** Read a conversation; the server checks it. It goes on once its picture is open: returns what to say. */
  async read(file) {
    const reply = await post("/studio/conversation", JSON.parse(await file.text()));
    const kept = await reply.json();
    const picture = this.store.pictures.find((one) => one.digest === kept.picture.digest);
    if (picture) return this.attach(picture, kept) ?? "";
    this.waiting.push(kept);
    const { name, width, height } = kept.picture;
    return `This conversation is about ${name || "a picture"} (${width} × ${height}). Open that picture to go on with it.`;
  }

  /** A picture was opened: conversations that wait for it go on. */
  opened(picture) {
    const mine = this.waiting.filter((kept) => kept.picture.digest === picture.digest);
    this.waiting = this.waiting.filter((kept) => !mine.includes(kept));
    mine.forEach((kept) => this.attach(picture, kept));
  }

  attach(picture, kept) {
    const { store } = this;
    const regions = Object.entries(kept.regions).map(([name, value]) => ({ ...fromWire(name, value), key: store.newKey() }));
    const key = (name) => regions.find((region) => region.name === name)?.key ?? -1;
    const fixes = new Map();
    const slot = ({ model, answer, text, spans, checked }) => {
      const own = { key: store.newKey(), model, answer, text: answer.text, spans: answer.spans, checked, state: "done" };
      if (text !== undefined) fixes.set(own.key, { text, spans });
      const part = (one) => (typeof one === "string" ? one : { ...one, region: key(one.name) });
      return (parts) => ({ ...own, parts: parts.map(part), region: key(parts.find((one) => one.name)?.name) });
    };
    picture.turns = kept.turns.map((turn) => {
      const slots = turn.answers.map((one) => slot(one)(questionParts(one.answer)));
      const parts = turn.all ? ["Name all regions"] : slots[0].parts;
      return { key: store.newKey(), parts, slots, all: turn.all };
    });
    picture.past.push(picture.doc);
    picture.doc = { regions, fixes };
    store.show(picture);
  }
}

/** The question of an answer as parts, each region with its shape. */
function questionParts({ question = "", regions = {} }) {
  const pieces = question.split(/(\{\{|\}\}|\{[^{}]*\})/).filter(Boolean);
  return pieces.map((piece) => {
    if (piece === "{{" || piece === "}}") return piece[0];
    const name = piece.match(/^\{(.*)\}$/)?.[1];
    return name === undefined ? piece : { name, shape: regions[name] };
  });
}

/** A picture's dialogue as one file; the picture itself by its digest. */
function conversation(picture) {
  const { name, width, height, digest, doc, turns } = picture;
  const done = (turn) => turn.slots.filter((slot) => slot.state === "done").map((slot) => ({
    model: slot.model, answer: slot.answer, checked: Boolean(slot.checked), ...doc.fixes.get(slot.key),
  }));
  return {
    format: "deixis conversation", version: 1,
    picture: { name, width, height, digest },
    regions: Object.fromEntries(doc.regions.map((region) => [region.name, wire(region)])),
    turns: turns.map((turn) => ({ all: Boolean(turn.all), answers: done(turn) })).filter((turn) => turn.answers.length),
  };
}
