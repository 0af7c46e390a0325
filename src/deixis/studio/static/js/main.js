/** The page: its parts are made here and told of each other. */

import { Composer } from "./talking/composer.js";
import { Dialogue } from "./talking/dialogue.js";
import { announce, find, make } from "./dom.js";
import { Files } from "./files.js";
import { Hand } from "./drawing/hand.js";
import { bindKeys } from "./keys.js";
import { hideWhy, showSeen, showWhy } from "./looks.js";
import { Pictures } from "./pictures.js";
import { RegionBar } from "./regionbar.js";
import { about, connection, models } from "./server.js";
import { Stage } from "./drawing/stage.js";
import { Store } from "./store.js";
import { Thread } from "./talking/thread.js";

const store = new Store();
const stage = new Stage(find("#stage"), store);
const hand = new Hand(stage, store);
const composer = new Composer(store);
const dialogue = new Dialogue(store);
const thread = new Thread(store);
const pictures = new Pictures(store);
const files = new Files(store);
const bar = new RegionBar(store);
const chosen = [find("#model"), find("#other")];

/** Say what went wrong beside what caused it; the message goes with the next success or a click. */
function problem(text, where = "#problem") {
  const box = find(where);
  box.hidden = !text;
  box.querySelector("p").textContent = text;
  if (text) announce(text);
}

/** Run something that may fail with a sentence. */
const tried = (run, where) => async (...given) => {
  try {
    problem("", where);
    await run(...given);
  } catch (fault) {
    problem(fault.message, where);
  }
};

const chosenModels = () => [...new Set(chosen.filter((select) => !select.hidden).map((select) => select.value))];

function ask() {
  if (dialogue.running.length) return;
  const parts = composer.parts();
  if (!store.picture) return problem("Open a picture first: drop one on the page, or take a sample.");
  if (!parts.length) return composer.focus();
  problem("");
  composer.set([], { focus: !matchMedia("(pointer: coarse)").matches });
  void dialogue.ask(parts, chosenModels());
}

async function showModels() {
  const [known, own] = await Promise.all([models(), about()]);
  store.models = known.map((model) => ({ ...model, looks: own.looks[model.id] }));
  const option = (model) => make("option", { value: model.id }, model.loaded ? model.id : `${model.id} (not loaded)`);
  for (const select of chosen) {
    const { value } = select;
    select.replaceChildren(...store.models.map(option));
    const standard = store.models.find((model) => model.default) ?? store.models[0];
    select.value = store.models.some((m) => m.id === value) ? value : standard?.id;
  }
  find("#compare").hidden = store.models.length < 2;
  if (find("#other").hidden) find("#other").value = store.models.find((m) => m.id !== chosen[0].value)?.id ?? "";
  store.tell("turns");
}

function showButtons() {
  const { picture } = store;
  const busy = dialogue.running.length > 0;
  find("#ask").hidden = busy;
  find("#stop").hidden = !busy;
  find("#undo").disabled = !picture?.past.length;
  find("#redo").disabled = !picture?.future.length;
  find("#forget").hidden = !picture?.turns.some((turn, i, all) => i === all.length - 1 && !turn.forgotten);
  find("#title").textContent = picture ? `${picture.name} · ${picture.width} × ${picture.height}` : "";
  document.querySelectorAll(".needs-picture").forEach((one) => (one.disabled = !picture));
  document.querySelectorAll("[data-export]").forEach((one) => (one.disabled = !picture || !files.answers(picture).length));
  const { answers, checked } = files.counts();
  find("#records-note").textContent = checked ? `${answers} checked` : `all ${answers}, none checked yet`;
  find("#records").disabled = !answers;
  find('[data-export="conversation"]').disabled = !picture;
}

stage.onview = () => (find("#zoom").textContent = `${Math.round(stage.view.scale * 100)} %`);
store.addEventListener("change", ({ detail }) => !["mark", "selection"].includes(detail) && showButtons());

hand.ondraw = hand.onpick = (region) => composer.point(region);
hand.grips.onfix = (place, box, how) => thread.fix.moved(place, box, how);
bar.onpoint = (region) => composer.point(region);
composer.onask = ask;
dialogue.onloaded = () => showModels().catch(() => {}); // only the labels: a lost server is told elsewhere
pictures.onproblem = (text) => problem(text, store.picture ? "#problem" : "#problem-open");
pictures.onconversation = tried(async (file) => {
  const note = await files.read(file).catch((fault) => { throw new Error(`${file.name}: ${fault.message}`); });
  if (note) throw new Error(note);
});
pictures.onopen = (picture, question) => {
  problem("", "#problem-open");
  problem("");
  files.opened(picture);
  if (question && composer.empty) composer.set([question], { pristine: true });
  else if (!matchMedia("(pointer: coarse)").matches) stage.element.focus();
};
thread.on = {
  again: (turn) => composer.set(turn.parts.map((part) => (store.region(part.region) ? part : part.name ?? part)), { pristine: true }),
  why: tried((slot) => showWhy(store, slot)),
  seen: tried((slot) => showSeen(store, slot)),
  save: tried((slot) => files.drawn(store.picture, slot)),
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

const click = (selector, run) => find(selector).addEventListener("click", run);
click("#ask", ask);
click("#stop", () => dialogue.stop());
click("#name-all", () => !dialogue.running.length && dialogue.nameAll(chosen[0].value));
click("#help", () => find("#keys").showModal());
click("#undo", () => store.undo());
click("#redo", () => store.redo());
click("#zoom-in", () => zoom(1));
click("#zoom-out", () => zoom(-1));
click("#zoom", () => { stage.view.fit(); stage.viewed(); });
click("#why .shut", () => hideWhy(store));
click("#open-conversation", () => { find("#exports").hidePopover(); find("#picker").click(); });
click("#forget", () => { store.turns.at(-1).forgotten = true; store.tell("turns"); });
click("#compare", () => {
  const on = find("#other").hidden;
  find("#other").hidden = !on;
  find("#compare").setAttribute("aria-pressed", String(on));
});
document.querySelectorAll(".problem .shut").forEach((one) => one.addEventListener("click", () => (one.parentElement.hidden = true)));
for (const button of document.querySelectorAll("[data-export]")) {
  button.addEventListener("click", tried(async () => {
    find("#exports").hidePopover();
    await files.export(button.dataset.export);
  }));
}
for (const button of document.querySelectorAll("[data-tool]")) button.addEventListener("click", () => use(button.dataset.tool));
find("#radius").addEventListener("input", ({ target }) => (hand.radius = Number(target.value)));

function use(tool) {
  hand.use(tool);
  for (const button of document.querySelectorAll("button[data-tool]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  }
  find("#brush-size").hidden = tool !== "brush" && tool !== "erase";
}

function zoom(direction) {
  if (!store.picture) return;
  stage.view.step(direction);
  stage.viewed();
}

bindKeys({ store, stage, hand, bar, use, zoom, closeWhy: () => hideWhy(store) });
use("box");
showButtons();
tried(showModels)();
