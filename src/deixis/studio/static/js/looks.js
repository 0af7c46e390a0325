/** What a system was given, and what it looked at for a phrase. */

import { find, make } from "./dom.js";
import { questionText } from "./talking/dialogue.js";
import { post } from "./server.js";

const question = (picture, slot) => ({
  model: slot.model, picture: picture.id, question: questionText(slot.parts),
  regions: Object.fromEntries(slot.parts.filter((part) => part.shape).map((part) => [part.name, part.shape])),
});

/** Show the pictures that a system was given for an answer. */
export async function showSeen(store, slot) {
  const { pictures } = await (await post("/studio/seen", question(store.picture, slot))).json();
  const box = find("#seen");
  box.querySelector("div").replaceChildren(...pictures.map(({ title, width, height, png }) => {
    const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
    const src = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
    return make("figure", {},
      make("img", { src, alt: title, onload: () => URL.revokeObjectURL(src) }),
      make("figcaption", {}, `${title} · ${width} × ${height}`));
  }));
  box.showModal();
}

/** Lay over the picture what a system looked at for the phrases of an answer, one after the other. */
export async function showWhy(store, slot) {
  const { looks } = await (await post("/studio/why", question(store.picture, slot))).json();
  if (!looks.length) throw new Error("This system looked for no place here.");
  const at = (number) => {
    store.overlay = looks[number];
    find("#why p").textContent = looks[number].title;
    store.tell("mark");
  };
  const tabs = looks.map((look, i) => make("button", { type: "button", class: "act", onclick: () => at(i) }, look.phrase));
  find("#why div").replaceChildren(...(looks.length > 1 ? tabs : []));
  find("#why").hidden = false;
  at(0);
}

export function hideWhy(store) {
  find("#why").hidden = true;
  store.overlay = null;
  store.tell("mark");
}
