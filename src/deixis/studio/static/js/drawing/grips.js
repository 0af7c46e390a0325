/** What a pressed pointer takes hold of: a handle, a region, or a place of an answer that is being corrected. */

import { area, handles, hit } from "./geometry.js";

export class Grips {
  onfix = () => {}; // a place of an answer got another box

  constructor(stage, store) {
    Object.assign(this, { stage, store });
  }

  /** A handle under the pointer, or with the select tool a region. */
  held(at, reach, tool) {
    const { view } = this.stage;
    for (const item of this.#items(tool)) {
      const near = handles(item.shape).find(({ x, y }) => {
        const [hx, hy] = view.toStage([x, y]);
        return Math.hypot(hx - at[0], hy - at[1]) <= reach;
      });
      if (near) return { act: "reshape", item, id: near.id, start: at };
    }
    const place = this.#fixable(at, reach);
    if (place) return { act: "move", item: place, start: at };
    if (tool !== "select") return null;
    const region = this.regionAt(at, reach);
    this.store.select(region?.key ?? null);
    if (!region) return { act: "pan", last: at, start: at };
    return { act: "move", item: this.#regionItem(region), start: at, picked: region };
  }

  /** What can be reshaped: the selected region, and the places of an answer that is being corrected. */
  #items(tool) {
    const selected = this.store.region(this.store.selected);
    const brush = tool === "brush" || tool === "erase";
    return [...this.#placeItems(), ...(selected && !brush ? [this.#regionItem(selected)] : [])];
  }

  #regionItem(shape) {
    return { shape, preview: (changed) => this.#swap(shape.key, changed), commit: (one) => this.store.replace(one) };
  }

  #placeItems() {
    const { fixing } = this.store;
    if (!fixing) return [];
    return this.stage.shownPlaces().filter((p) => p.slot === fixing.slot).map((place) => ({
      shape: { kind: "box", data: place.box },
      place,
      preview: (changed) => this.onfix(place, changed.data, { live: true }),
      commit: (changed) => this.onfix(place, changed.data, {}),
    }));
  }

  #fixable(at, reach) {
    const [x, y] = this.stage.view.toPicture(at);
    const near = reach / this.stage.view.scale;
    const found = this.#placeItems().filter(({ shape }) => hit(shape, [x, y], near));
    return found.sort((a, b) => area(a.shape) - area(b.shape))[0];
  }

  #swap(key, changed) {
    const { doc } = this.store.picture;
    doc.regions = doc.regions.map((one) => (one.key === key ? changed : one));
    this.stage.redraw("marks");
  }

  regionAt(at, reach = 7) {
    const place = this.stage.view.toPicture(at);
    const near = reach / this.stage.view.scale;
    const found = this.store.regions.filter((region) => hit(region, place, near));
    return found.sort((a, b) => area(a) - area(b))[0];
  }
}
