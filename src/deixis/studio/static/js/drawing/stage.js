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

  get brushing() {
    return ["brush", "erase"].includes(this.element.dataset.tool);
  }

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
    find("#photo").style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    find("#photo").classList.toggle("pixels", scale >= 3);
    this.redraw();
    this.sketch();
  }

  #open() {
    const { picture } = this.store;
    this.element.classList.toggle("empty", !picture);
    find("#photo").hidden = !picture;
    if (picture) {
      find("#photo").src = picture.address;
      this.view.size = picture;
      this.view.fit();
    }
    this.viewed();
  }

  #paint() {
    const { picture, overlay } = this.store;
    const held = document.activeElement.closest(".mark")?.id;
    this.#veil(picture && overlay);
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
      const { words, look, label } = shape.slot ? this.#placeLook(shape) : this.#regionLook(shape);
      const grips = look === "selected" ? !this.brushing : look.includes("edited");
      const focusable = label && { id: `place-${shape.slot.key}-${shape.span}-${shape.place}`, tabindex: 0, role: "button" };
      const onfocus = () => store.mark(shape);
      figures.push(figure(shape, view, { look, grips, ...focusable, ...(label && { "aria-label": label, onfocus }) }));
      tags.push(tag(bounds(shape), words, view, { below: !shape.slot, colour: shape.colour, look }));
    }
    return [figures, tags];
  }

  #regionLook(region) {
    const { store } = this;
    const said = store.turns.findLast((turn) => turn.all)?.slots.find((slot) => slot.region === region.key);
    const words = said?.text ? `${region.name} · ${store.now(said).text}` : region.name;
    return { words, look: region.key === store.selected ? "selected" : "" };
  }

  #placeLook(place) {
    const { marked, fixing } = this.store;
    const { slot, span, phrase, dashed, data } = place;
    const score = place.score.toFixed(2);
    const edited = fixing?.slot === slot;
    const mine = marked?.slot === slot && marked.span === span;
    const faded = (marked && !mine) || (fixing && !edited);
    const looks = { place: true, edited, marked: mine, faded, dashed };
    return {
      words: edited ? phrase : `${phrase} ${score}`, look: Object.keys(looks).filter((name) => looks[name]).join(" "),
      label: `${phrase}, score ${score}, from ${data.map(Math.round).join(", ")}`,
    };
  }

  /** The places of the answers that are shown, as boxes that know their phrase. */
  shownPlaces() {
    return this.store.shownSlots().flatMap((slot, which) =>
      this.store.now(slot).spans.flatMap(({ phrase, places }, span) =>
        places.map(({ box, score }, place) => ({
          kind: "box", data: box, slot, span, place, score, phrase, colour: colourOf(span), dashed: which % 2 === 1,
        })),
      ),
    );
  }

  /** Where a system looked: darkness over the picture that is thinner where it looked more. */
  #veil(overlay) {
    const veil = find("#veil");
    veil.hidden = !overlay?.values;
    if (veil.hidden) return;
    const { values, width, height, box: [x0, y0, x1, y1] } = overlay;
    const image = new ImageData(width, height);
    values.forEach((value, i) => image.data.set([8, 6, 4, 225 * (1 - Math.sqrt(value))], 4 * i));
    Object.assign(veil, { width, height });
    veil.getContext("2d").putImageData(image, 0, 0);
    const { scale, x, y } = this.view;
    const [w, h] = [((x1 - x0) * scale) / width, ((y1 - y0) * scale) / height];
    veil.style.transform = `translate(${x + x0 * scale}px, ${y + y0 * scale}px) scale(${w}, ${h})`;
    const { width: right, height: low } = this.view.size; // the map may be larger than the picture
    const inset = [-y0, x1 - right, y1 - low, -x0].map((cut, i) => Math.max(cut, 0) / (i % 2 ? x1 - x0 : y1 - y0));
    veil.style.clipPath = `inset(${inset.map((share) => `${100 * share}%`).join(" ")})`;
  }

  /** Boxes that a system found before anything was asked. */
  #proposals({ boxes = [] }) {
    return boxes.map(({ box, score }) => figure({ kind: "box", data: box }, this.view, { look: "proposal", opacity: score }));
  }

  /** The marks under a place of the window, from the top: {shape, handle}. */
  marksAt({ clientX, clientY }) {
    const groups = document.elementsFromPoint(clientX, clientY).map((one) => [one.closest(".mark"), one.closest(".handle")]);
    return groups.flatMap(([mark, handle]) => (mark ? { shape: mark.shape_, handle: handle?.handle_ } : []));
  }
}
