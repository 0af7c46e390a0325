/** Elements, made without any HTML text: what a system writes is never read as markup. */

/** make("button", { class: "chip", onclick }, "a"): on… are listeners, the rest attributes. */
export function make(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

export const find = (selector) => document.querySelector(selector);

/** Hand a file to the user. */
export function saveFile(blob, name) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Say something to screen readers. */
export function announce(text) {
  find("#spoken").textContent = text;
}
