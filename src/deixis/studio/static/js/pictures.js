/** Pictures come in: dropped, pasted, picked, or one of the samples; the strip shows those that are open. */

import { find, make } from "./dom.js";
import { upload, uprightPicture } from "./server.js";

export class Pictures {
  onproblem = () => {};
  onopen = () => {};

  constructor(store) {
    this.store = store;
    this.strip = find("#strip");
    const picker = find("#picker");
    picker.addEventListener("change", () => this.take([...picker.files]).then(() => (picker.value = "")));
    document.querySelectorAll(".pick").forEach((button) => button.addEventListener("click", () => picker.click()));
    for (const button of document.querySelectorAll(".sample")) {
      button.addEventListener("click", () => this.#sample(button));
    }
    addEventListener("paste", (event) => {
      const files = [...event.clipboardData.files];
      if (files.length) this.take(files);
    });
    const over = (event) => {
      event.preventDefault();
      document.body.classList.toggle("dropping", event.type === "dragover");
    };
    ["dragover", "dragleave", "drop"].forEach((type) => addEventListener(type, over));
    addEventListener("drop", (event) => this.take([...event.dataTransfer.files]));
    store.addEventListener("change", ({ detail }) => detail === "picture" && this.#strip());
  }

  async #sample(button) {
    const { src } = button.querySelector("img");
    const blob = await (await fetch(src)).blob();
    await this.take([new File([blob], src.split("/").pop(), { type: blob.type })]);
    if (this.store.picture) this.onopen(this.store.picture, button.dataset.question);
  }

  /** Open files: pictures go on the stage, JSON files are conversations. */
  async take(files) {
    for (const file of files) {
      if (/json/.test(file.type) || file.name.endsWith(".json")) this.onconversation(file);
      else await this.#open(file);
    }
  }

  onconversation = () => {};

  async #open(file) {
    const busy = find("#busy");
    busy.hidden = false;
    busy.textContent = `Opening ${file.name || "the picture"}…`;
    try {
      const { id, width, height, digest } = await upload(file);
      const known = this.store.pictures.find((picture) => picture.digest === digest);
      if (known) return this.store.show(known);
      const blob = await shown(file, id, { width, height });
      const name = file.name || "pasted.png";
      const picture = { id, width, height, digest, blob, file, name, address: URL.createObjectURL(blob) };
      this.store.add(picture);
      this.onopen(picture);
    } catch (fault) {
      this.onproblem(`${file.name || "The picture"}: ${fault.message}`);
    } finally {
      busy.hidden = true;
    }
  }

  /** After the server came back it may have forgotten all pictures. */
  async giveAgain() {
    for (const picture of this.store.pictures) {
      const { id } = await upload(picture.file).catch(() => ({}));
      if (id) picture.id = id;
    }
  }

  #strip() {
    const { pictures, picture } = this.store;
    this.strip.hidden = !pictures.length;
    const shows = (one) => make("li", {},
      make("button", {
        class: "thumb", type: "button", "aria-pressed": String(one === picture), "aria-label": one.name,
        title: `${one.name} · ${one.width} × ${one.height}`, onclick: () => this.store.show(one),
      }, make("img", { src: one.address, alt: "" })),
      make("button", {
        class: "shut", type: "button", "aria-label": `Close ${one.name}`,
        onclick: () => { this.store.close(one); URL.revokeObjectURL(one.address); },
      }, "×"));
    this.strip.querySelector("ul").replaceChildren(...pictures.map(shows));
  }
}

/** What a browser can show of a file, upright; else the picture as the server sees it. */
async function shown(file, id, { width, height }) {
  try {
    const bitmap = await createImageBitmap(file);
    const same = bitmap.width === width && bitmap.height === height;
    bitmap.close();
    if (same) return file;
  } catch {
    // a format that this browser does not know
  }
  return uprightPicture(id);
}
