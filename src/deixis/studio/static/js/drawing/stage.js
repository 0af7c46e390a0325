/** The stage: three canvases over each other (picture, marks, what is being drawn), painted when they change. */

import { bounds } from "./geometry.js";
import { colourOf, drawBrush, drawDraft, drawOverlay, drawPlace, drawRegion, drawTag, inkOn } from "./paint.js";
import { View } from "./view.js";

export class Stage {
  hovered = null; // key of the region under the pointer
  draft = null;
  brush = null; // {at, radius} of the ring that shows the brush
  onview = () => {};

  constructor(element, store) {
    this.element = element;
    this.store = store;
    this.view = new View(element);
    this.pens = ["photo", "marks", "drafts"].map((name) => element.querySelector(`#${name}`).getContext("2d"));
    this.places = element.querySelector("#places");
    this.levels = [];
    this.dirty = new Set();
    new ResizeObserver(() => this.#fill()).observe(element);
    store.addEventListener("change", ({ detail }) => {
      if (detail === "picture") this.#open();
      else this.redraw("marks");
    });
    matchMedia("(resolution: 1dppx)").addEventListener("change", () => this.#fill());
  }

  /** Ask for layers to be painted with the next frame. */
  redraw(...layers) {
    if (!this.asked) requestAnimationFrame(() => {
      this.asked = false;
      this.#paint();
    });
    this.asked = true;
    layers.forEach((layer) => this.dirty.add(layer));
  }

  /** Paint what is being drawn now, in the event that changed it: the hand is never ahead of the line. */
  sketch() {
    const pen = this.pens[2];
    this.#clear(pen);
    if (this.draft) drawDraft(pen, this.view, this.draft);
    if (this.brush) drawBrush(pen, this.brush.at, this.brush.radius * this.view.scale);
  }

  viewed() {
    const { scale, x, y } = this.view;
    this.element.dataset.view = [scale, x, y].join(" ");
    this.redraw("photo", "marks");
    this.sketch();
    this.onview();
  }

  async #open() {
    const { picture } = this.store;
    this.levels.forEach((level) => level.close());
    this.levels = [];
    this.element.classList.toggle("empty", !picture);
    if (!picture) return this.viewed();
    this.view.size = picture;
    this.view.fit();
    const levels = [await createImageBitmap(picture.blob)];
    while (Math.max(levels.at(-1).width, levels.at(-1).height) > 1400) {
      const { width, height } = levels.at(-1);
      const half = (side) => Math.max(Math.round(side / 2), 1);
      levels.push(await createImageBitmap(levels.at(-1), {
        resizeWidth: half(width), resizeHeight: half(height), resizeQuality: "medium",
      }));
    }
    if (this.store.picture !== picture) levels.forEach((level) => level.close());
    else this.levels = levels;
    this.viewed();
  }

  #fill() {
    const ratio = devicePixelRatio;
    for (const { canvas } of this.pens) {
      canvas.width = Math.round(this.element.clientWidth * ratio);
      canvas.height = Math.round(this.element.clientHeight * ratio);
    }
    if (this.view.fitted) this.view.fit();
    this.dirty.clear();
    this.viewed();
    this.#paint(["photo", "marks"]);
  }

  #clear(pen) {
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    pen.clearRect(0, 0, this.element.clientWidth, this.element.clientHeight);
  }

  #paint(layers = [...this.dirty]) {
    layers.forEach((layer) => this.dirty.delete(layer));
    if (layers.includes("photo")) this.#paintPhoto();
    if (layers.includes("marks")) this.#paintMarks();
  }

  #paintPhoto() {
    const [pen] = this.pens;
    this.#clear(pen);
    if (!this.store.picture || !this.levels.length) return;
    const { view } = this;
    const needed = view.size.width * view.scale * devicePixelRatio;
    const level = this.levels.findLast((one) => one.width >= needed) ?? this.levels[0];
    const [w, h] = [view.size.width * view.scale, view.size.height * view.scale];
    pen.fillStyle = "#ffffff"; // what is transparent lies over white, as systems see it
    pen.fillRect(view.x, view.y, w, h);
    pen.imageSmoothingEnabled = view.scale < 3;
    pen.imageSmoothingQuality = "high";
    pen.drawImage(level, view.x, view.y, w, h);
  }

  #paintMarks() {
    const pen = this.pens[1];
    const { store, view } = this;
    this.#clear(pen);
    this.places.replaceChildren();
    if (!store.picture) return;
    if (store.overlay) return drawOverlay(pen, view, store.overlay);
    const order = [...store.regions].sort((a, b) => (a.kind === "mask" ? 0 : 1) - (b.kind === "mask" ? 0 : 1));
    const look = (r) => ({ selected: r.key === store.selected, hovered: r.key === this.hovered });
    order.forEach((region) => drawRegion(pen, view, region, look(region)));
    const tags = [];
    const room = [this.element.clientWidth, this.element.clientHeight];
    for (const place of this.shownPlaces()) this.#place(pen, place, tags, room);
    for (const region of order) {
      const { selected, hovered } = look(region);
      const said = store.turns.findLast((t) => t.all)?.slots.find((s) => s.region === region.key);
      const text = said?.text ? `${region.name} · ${store.textOf(said)}` : region.name;
      const ground = selected || hovered ? "#ff6a45" : "#161614";
      drawTag(pen, view, bounds(region), text, { ground, ink: inkOn(ground), room, taken: tags });
    }
  }

  /** Every place of the answers that are shown: [{slot, span, place, box, score, phrase, colour, dashed}]. */
  shownPlaces() {
    const { store } = this;
    return store.shownSlots().flatMap((slot, which) =>
      store.spansOf(slot).flatMap((span, number) =>
        span.places.map((place, index) => ({
          slot, span: number, place: index, box: place.box, score: place.score, phrase: span.phrase,
          colour: colourOf(number), dashed: which % 2 === 1,
        })),
      ),
    );
  }

  #place(pen, place, tags, room) {
    const { marked, fixing } = this.store;
    const mine = marked && marked.slot === place.slot && marked.span === place.span;
    const edited = fixing?.slot === place.slot;
    const faded = (marked && !mine) || (fixing && !edited);
    drawPlace(pen, this.view, place.box, place.colour, { faded, marked: mine, dashed: place.dashed, edited });
    const score = edited ? "" : ` ${place.score.toFixed(2)}`;
    drawTag(pen, this.view, place.box, `${place.phrase}${score}`, {
      ground: place.colour, ink: inkOn(place.colour), faded, room, taken: tags,
    });
    this.#focusable(place);
  }

  /** A place is a button as well, for keys and screen readers; the pointer goes through it. */
  #focusable({ slot, span, box, phrase, score }) {
    const button = document.createElement("button");
    const [x0, y0] = this.view.toStage(box.slice(0, 2));
    const [x1, y1] = this.view.toStage(box.slice(2));
    button.className = "place";
    button.ariaLabel = `${phrase}, score ${score.toFixed(2)}, from ${box.map(Math.round).join(", ")}`;
    Object.assign(button.style, {
      left: `${x0}px`, top: `${y0}px`, width: `${x1 - x0}px`, height: `${y1 - y0}px`,
    });
    button.addEventListener("focus", () => this.store.mark({ slot, span }));
    this.places.append(button);
  }
}
