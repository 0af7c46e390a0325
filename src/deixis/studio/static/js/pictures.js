/** Pictures come in: dropped, pasted, picked, or one of the samples; the strip shows those that are open. */

import { find, make, problem } from "./dom.js";
import { upload, uprightPicture } from "./server.js";

export class Pictures {
  strip = find("#strip");
  onopen = () => {}; // a picture is open, with a question that suits it if it is a sample
  onconversation = () => {};

  constructor(store) {
    this.store = store;
    const picker = find("#picker");
    picker.addEventListener("change", () => this.take([...picker.files]).then(() => (picker.value = "")));
    addEventListener("paste", ({ clipboardData }) => this.take([...clipboardData.files]));
    for (const type of ["dragover", "dragleave", "drop"]) {
      addEventListener(type, (event) => {
        event.preventDefault();
        document.body.classList.toggle("dropping", type === "dragover");
        if (type === "drop") this.take([...event.dataTransfer.files]);
      });
    }
    store.addEventListener("change", ({ detail }) => detail === "picture" && this.#show());
  }

  async sample({ dataset, firstElementChild: { src } }) {
    const blob = await (await fetch(src)).blob();
    await this.take([new File([blob], src.split("/").pop(), { type: blob.type })]);
    if (this.store.picture) this.onopen(this.store.picture, dataset.question);
  }

  /** Open files: pictures go on the stage, JSON files are conversations. */
  async take(files) {
    for (const file of files) {
      if (/json$/.test(file.type) || file.name.endsWith(".json")) await this.onconversation(file);
      else await this.#open(file);
    }
  }

  async #open(file) {
    const { store } = this;
    const name = file.name || "pasted.png";
    find("#busy").hidden = false;
    find("#busy").textContent = `Opening ${name}…`;
    try {
      const { id, width, height, digest } = await upload(file);
      const known = store.pictures.find((picture) => picture.digest === digest);
      if (known) return store.show(known);
      const blob = await shown(file, id, { width, height });
      store.add({ id, width, height, digest, blob, file, name, address: URL.createObjectURL(blob) });
      this.onopen(store.picture);
    } catch (fault) {
      problem(`${name}: ${fault.message}`, store.picture ? "#problem" : "#problem-open");
    } finally {
      find("#busy").hidden = true;
    }
  }

  /** After the server came back it may have forgotten all pictures. */
  async giveAgain() {
    for (const picture of this.store.pictures) {
      picture.id = (await upload(picture.file).catch(() => picture)).id;
    }
  }

  #show() {
    const { store } = this;
    const close = (picture) => {
      store.close(picture);
      URL.revokeObjectURL(picture.address);
    };
    const item = (one) => make("li", {},
      make("button", {
        class: "thumb", type: "button", "aria-pressed": String(one === store.picture), "aria-label": one.name,
        title: `${one.name} · ${one.width} × ${one.height}`, onclick: () => store.show(one),
      }, make("img", { src: one.address, alt: "" })),
      make("button", {
        class: "shut", type: "button", "aria-label": `Close ${one.name}`, onclick: () => close(one),
      }, "×"));
    this.strip.hidden = !store.pictures.length;
    this.strip.querySelector("ul").replaceChildren(...store.pictures.map(item));
  }
}

/** What a browser can show of a file, upright; else the picture as the server sees it. */
async function shown(file, id, { width, height }) {
  const bitmap = await createImageBitmap(file).catch(() => null); // null: a format that it does not know
  const same = bitmap?.width === width && bitmap.height === height;
  bitmap?.close();
  return same ? file : uprightPicture(id);
}
