/** The stage: the picture, marks over it, and what is being drawn, shown anew when they change. */

import { find } from "../dom.js";
import { area, bounds } from "./shapes.js";
import { brushRing, colourOf, drafted, figure, tag } from "./marks.js";
import { View } from "./view.js";

export class Stage {
  element = find("#stage");
  view = new View(this.element);
  draft = null; // what is being drawn: {kind, data, radius, at}
  brush = null; // {at, radius} of the ring that shows the brush

  constructor(store) {
    this.store = store;
    new ResizeObserver(() => {
      if (this.view.fitted) this.view.fit();
      this.viewed();
    }).observe(this.element);
    store.addEventListener("change", ({ detail }) => (detail === "picture" ? this.#open() : this.redraw()));
  }

  get brushing() { return ["brush", "erase"].includes(this.element.dataset.tool); }

  /** Show the marks anew with the next frame. */
  redraw() {
    this.asked ??= requestAnimationFrame(() => {
      this.asked = null;
      this.#paint();
    });
  }

  /** Show what is being drawn now, in the event that changed it: the hand is never ahead of the line. */
  sketch() {
    const line = this.draft ? drafted(this.draft, this.view) : [];
    find("#drafts").replaceChildren(...line, ...(this.brush ? brushRing(this.brush, this.view) : []));
  }

  /** The view was changed. */
  viewed() {
    const { scale, x, y } = this.view;
    this.element.dataset.view = [scale, x, y].join(" ");
    find("#zoom").textContent = `${Math.round(scale * 100)} %`;
    find("#sheet").style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    find("#sheet").classList.toggle("pixels", scale >= 3);
    this.redraw();
    this.sketch();
  }

  #open() {
    const { picture } = this.store;
    this.element.classList.toggle("empty", !picture);
    find("#photo").hidden = !picture;
    if (picture) {
      find("#photo").src = picture.address;
      find("#veil").width = picture.width;
      find("#veil").height = picture.height;
      this.view.size = picture;
      this.view.fit();
    }
    this.viewed();
  }

  #paint() {
    const { picture, overlay } = this.store;
    const held = document.activeElement?.closest(".mark")?.id;
    find("#veil").hidden = !(picture && overlay?.veil);
    const [figures, tags] = !picture ? [[], []] : overlay ? [this.#proposals(overlay), []] : this.#marks();
    find("#marks").replaceChildren(...figures);
    find("#tags").replaceChildren(...tags);
    if (held) document.getElementById(held)?.focus();
  }

  /** Regions and places with their tags; the smallest lie on top. */
  #marks() {
    const { store, view } = this;
    const shapes = [...store.regions, ...this.shownPlaces()].sort((a, b) => area(b) - area(a));
    const [figures, tags] = [[], []];
    for (const shape of shapes) {
      const { words, look, ...given } = shape.slot ? this.#placeLook(shape) : this.#regionLook(shape);
      figures.push(figure(shape, view, { look, ...given }));
      tags.push(tag(bounds(shape), words, view, { below: !shape.slot, colour: shape.colour, look }));
    }
    return [figures, tags];
  }

  #regionLook(region) {
    const { store } = this;
    const said = store.turns.findLast((turn) => turn.all)?.slots.find((slot) => slot.region === region.key);
    const words = said?.text ? `${region.name} · ${store.now(said).text}` : region.name;
    const selected = region.key === store.selected;
    return { words, look: selected ? "selected" : "", grips: selected && !this.brushing };
  }

  /** A place can be focused, for keys and screen readers. */
  #placeLook(place) {
    const { marked, fixing } = this.store;
    const { slot, span, phrase, dashed, data } = place;
    const score = place.score.toFixed(2);
    const edited = fixing?.slot === slot;
    const mine = marked?.slot === slot && marked.span === span;
    const faded = (marked && !mine) || (fixing && !edited);
    const looks = { place: true, edited, marked: mine, faded, dashed };
    return {
      words: edited ? phrase : `${phrase} ${score}`, grips: edited,
      look: Object.keys(looks).filter((name) => looks[name]).join(" "),
      id: `place-${slot.key}-${span}-${place.place}`, tabindex: 0, role: "button",
      "aria-label": `${phrase}, score ${score}, from ${data.map(Math.round).join(", ")}`,
      onfocus: () => this.store.mark(place),
    };
  }

  /** The places of the answers that are shown, as boxes that know their phrase. */
  shownPlaces() {
    return this.store.shownSlots().flatMap((slot, which) =>
      this.store.now(slot).spans.flatMap(({ phrase, places }, span) =>
        places.map(({ box, score }, place) => ({
          kind: "box", data: box, slot, span, place, score, phrase,
          colour: colourOf(span), dashed: which % 2 === 1,
        })),
      ),
    );
  }

  /** Boxes that a system found before anything was asked. */
  #proposals({ boxes }) {
    return boxes.map(({ box: data, score: opacity }) =>
      figure({ kind: "box", data }, this.view, { look: "proposal", opacity }));
  }

  /** The marks under a place of the window, from the top: {shape, handle}. */
  marksAt({ clientX, clientY }) {
    return document.elementsFromPoint(clientX, clientY).flatMap((element) => {
      const [mark, handle] = [element.closest(".mark"), element.closest(".handle")];
      return mark ? { shape: mark.shape_, handle: handle?.handle_ } : [];
    });
  }
}
