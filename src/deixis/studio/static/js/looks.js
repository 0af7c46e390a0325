/** What a system was given, and what it looked at for a phrase. */

import { find, make } from "./dom.js";
import { questionText } from "./talking/dialogue.js";
import { post } from "./server.js";

async function look(route, { picture }, { model, parts }) {
  const regions = Object.fromEntries(parts.flatMap(({ name, shape }) => (name ? [[name, shape]] : [])));
  return (await post(route, { model, picture: picture.id, question: questionText(parts), regions })).json();
}

/** Let an image show a picture that came as base64. */
function shown(image, png) {
  const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
  image.src = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  image.onload = () => URL.revokeObjectURL(image.src);
  return image;
}

/** Show the pictures that a system was given for an answer. */
export async function showSeen(store, slot) {
  const { pictures } = await look("/studio/seen", store, slot);
  find("#seen div").replaceChildren(...pictures.map(({ title, width, height, png }) => make("figure", {},
    shown(make("img", { alt: title }), png),
    make("figcaption", {}, `${title} · ${width} × ${height}`))));
  find("#seen").showModal();
}

/** Lay over the picture what a system looked at for the phrases of an answer, one after the other. */
export async function showWhy(store, slot) {
  const { looks } = await look("/studio/why", store, slot);
  if (!looks.length) throw new Error("This system looked for no place here.");
  const show = ({ title, png, boxes = [] }) => {
    if (png) shown(find("#veil"), png);
    store.overlay = { veil: Boolean(png), boxes };
    find("#why p").textContent = title;
    store.tell("mark");
  };
  const tabs = looks.map((one) => make("button", { class: "act", onclick: () => show(one) }, one.phrase));
  find("#why div").replaceChildren(...(looks.length > 1 ? tabs : []));
  find("#why").hidden = false;
  show(looks[0]);
}

export function hideWhy(store) {
  find("#why").hidden = true;
  store.overlay = null;
  store.tell("mark");
}
