/** Elements, made without any HTML text: what a system writes is never read as markup. */

export const find = (selector) => document.querySelector(selector);

/** make("button", { class: "chip", onclick }, "a"): on… are listeners; "svg:path" is one of SVG's. */
export function make(tag, given = {}, ...children) {
  const [name, svg] = tag.split(":").reverse();
  const element = document.createElementNS(`http://www.w3.org/${svg ? "2000/svg" : "1999/xhtml"}`, name);
  for (const [key, value] of Object.entries(given)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value != null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

/** Say something to screen readers. */
export const announce = (text) => (find("#spoken").textContent = text);

/** Say what went wrong beside what caused it; an empty text takes it away. */
export function problem(text, where = "#problem") {
  find(where).hidden = !text;
  find(`${where} p`).textContent = text;
  if (text) announce(text);
}
