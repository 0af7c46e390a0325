/** The page: its parts are made here and told of each other; what its buttons do. */

import { Composer } from "./talking/composer.js";
import { Dialogue } from "./talking/dialogue.js";
import { Fix } from "./talking/fix.js";
import { Thread } from "./talking/thread.js";
import { Gestures } from "./drawing/gestures.js";
import { Hand } from "./drawing/hand.js";
import { Stage } from "./drawing/stage.js";
import { announce, find, make, problem } from "./dom.js";
import { Files } from "./files.js";
import { bindKeys } from "./keys.js";
import { hideWhy, showSeen, showWhy } from "./looks.js";
import { Pictures } from "./pictures.js";
import { RegionBar } from "./regionbar.js";
import { connection, models } from "./server.js";
import { Store } from "./store.js";

const store = new Store();
const stage = new Stage(store);
const gestures = new Gestures(stage, store);
const hand = new Hand(stage, store, gestures);
const composer = new Composer(store);
const dialogue = new Dialogue(store);
const thread = new Thread(store);
const fix = new Fix(store, thread);
const pictures = new Pictures(store);
const files = new Files(store);
const bar = new RegionBar(store);
const [model, other] = [find("#model"), find("#other")];
const touch = matchMedia("(pointer: coarse)").matches;

/** Run something that may fail with a sentence, which is said then. */
async function tried(run, ...given) {
  problem("");
  await Promise.resolve(run(...given)).catch((fault) => problem(fault.message));
}

/** What buttons do, by data-act; they are given the button, and the article of an answer around it. */
const acts = {
  ask() {
    const parts = composer.parts();
    if (dialogue.running.length) return;
    if (!store.picture) return problem("Open a picture first: drop one on the page, or take a sample.");
    if (!parts.length) return composer.focus();
    composer.set([], { focus: !touch });
    dialogue.ask(parts, [...new Set([model, other].filter((one) => !one.hidden).map((one) => one.value))]);
  },
  stop: () => dialogue.stop(),
  "name-all": () => !dialogue.running.length && dialogue.nameAll(model.value),
  forget: () => { store.turns.at(-1).forgotten = true; store.tell("turns"); },
  compare(button) {
    other.hidden = !other.hidden;
    button.ariaPressed = String(!other.hidden);
  },
  undo: () => store.undo(),
  redo: () => store.redo(),
  tool: ({ dataset }) => use(dataset.tool),
  zoom: () => { stage.view.fit(); stage.viewed(); },
  "zoom-in": () => { stage.view.step(1); stage.viewed(); },
  "zoom-out": () => { stage.view.step(-1); stage.viewed(); },
  pick() {
    find("#exports").hidePopover();
    find("#picker").click();
  },
  sample: (button) => pictures.sample(button),
  help: () => find("#keys").showModal(),
  "hide-why": () => hideWhy(store),
  dismiss: (button) => (button.parentElement.hidden = true),
  export({ dataset }) {
    find("#exports").hidePopover();
    return files.export(dataset.form, dataset.file, { all: "all" in dataset });
  },
  right: (_, { slot_: slot }) => { slot.checked = !slot.checked; store.tell("turns"); },
  again(_, { turn_: turn }) {
    const parts = turn.parts.map((part) => (store.region(part.region) ? part : part.name ?? part));
    composer.set(parts, { pristine: true });
  },
  why: (_, { slot_: slot }) => showWhy(store, slot),
  seen: (_, { slot_: slot }) => showSeen(store, slot),
  save: (_, { slot_: slot }) => files.export("drawn", "answer.png", { slot }),
  correct: (_, { slot_: slot }) => fix.begin(slot),
  here: () => fix.here(),
  nowhere: () => fix.nowhere(),
  fixed: () => fix.end(),
};
addEventListener("click", ({ target }) => {
  const button = target.closest("[data-act]");
  if (button) tried(async () => acts[button.dataset.act](button, button.closest("article")));
});
find("#thread").addEventListener("pointerdown", (event) => { // selected words stay selected
  if (event.target.closest('[data-act="here"]')) event.preventDefault();
});
find("#radius").addEventListener("input", ({ target }) => (gestures.radius = Number(target.value)));

function use(tool) {
  hand.use(tool);
  for (const one of document.querySelectorAll("button[data-tool]")) {
    one.ariaPressed = String(one.dataset.tool === tool);
  }
  find("#brush-size").hidden = !stage.brushing;
}

async function showModels() {
  store.models = await models();
  const option = ({ id, loaded }) => make("option", { value: id }, loaded ? id : `${id} (not loaded)`);
  const [first] = [...store.models].sort((a, b) => (b.default ?? false) - (a.default ?? false));
  const second = store.models.find((one) => one !== first) ?? first;
  for (const [select, standard] of [[model, first], [other, second]]) {
    const { value } = select;
    select.replaceChildren(...store.models.map(option));
    select.value = store.models.some((one) => one.id === value) ? value : standard?.id;
  }
  find("#compare").hidden = store.models.length < 2;
  store.tell("turns");
}

function showButtons() {
  const { picture } = store;
  const busy = dialogue.running.length > 0;
  const { done, checked } = files.counts();
  find("#ask").hidden = busy;
  find("#stop").hidden = !busy;
  find("#undo").disabled = !picture?.past.length;
  find("#redo").disabled = !picture?.future.length;
  find("#forget").hidden = picture?.turns.at(-1)?.forgotten !== undefined || !picture?.turns.length;
  find("#title").textContent = picture ? `${picture.name} · ${picture.width} × ${picture.height}` : "";
  for (const one of document.querySelectorAll(".needs-picture")) one.disabled = !picture;
  for (const one of document.querySelectorAll(".needs-answer")) one.disabled = !done;
  find("#records-note").textContent = checked ? `${checked} checked` : "all, for none is checked";
}
store.addEventListener("change", ({ detail }) => !["mark", "selection"].includes(detail) && showButtons());

gestures.ondraw = gestures.onpick = bar.onpoint = (region) => composer.point(region);
gestures.onfix = (place, box, how) => fix.moved(place, box, how);
fix.ondraw = () => {
  use("box");
  stage.element.focus();
};
composer.onask = acts.ask;
dialogue.onloaded = () => showModels().catch(() => {}); // only the labels: a lost server is told elsewhere
pictures.onconversation = (file) => tried(() => files.read(file).catch((fault) => {
  throw new Error(`${file.name}: ${fault.message}`);
}));
pictures.onopen = (picture, question) => {
  problem("", "#problem-open");
  problem("");
  files.opened(picture);
  if (question && composer.empty) composer.set([question], { pristine: true });
  else if (!touch) stage.element.focus();
};
connection.addEventListener("lost", () => {
  find("#lost").hidden = false;
  announce("The server can't be reached. Trying to reach it again.");
});
connection.addEventListener("back", async () => {
  await pictures.giveAgain();
  await showModels();
  find("#lost").hidden = true;
  announce("The server is back.");
});

bindKeys({ store, stage, hand, gestures, bar, acts });
use("box");
showButtons();
tried(showModels);
