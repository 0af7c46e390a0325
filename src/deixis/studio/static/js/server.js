/** The server: one function a request. What goes wrong is a ServerError whose message is a sentence. */

import { sleep } from "./dom.js";

export class ServerError extends Error {
  constructor(message, { status = 0, code = "" } = {}) {
    super(message);
    Object.assign(this, { status, code });
  }
}

const LOST = "The server can't be reached. Your question is kept: ask again once it is back.";

export const connection = new EventTarget(); // "lost" and "back"
let lost = false;

async function request(path, options = {}) {
  let reply;
  try {
    reply = await fetch(path, options);
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    void watch();
    throw new ServerError(LOST, { code: "lost" });
  }
  if (!reply.ok) throw await refusal(reply);
  return reply;
}

async function refusal(reply) {
  const text = await reply.text().catch(() => "");
  let error = {};
  try {
    error = JSON.parse(text).error ?? {};
  } catch {
    // no JSON: a proxy's page, or nothing
  }
  const after = reply.headers.get("retry-after");
  const wait = after ? ` Try again in ${after} s.` : "";
  const message = error.message || `The server answered ${reply.status} ${reply.statusText}.`;
  return new ServerError(sentence(message) + wait, { status: reply.status, code: error.code ?? "" });
}

/** A message as a sentence: a capital letter in front, a full stop behind. */
export function sentence(text) {
  const whole = text.trim();
  return whole.charAt(0).toUpperCase() + whole.slice(1) + (/[.!?…]$/.test(whole) ? "" : ".");
}

/** Ask again and again whether the server is there, until it is. */
async function watch() {
  if (lost) return;
  lost = true;
  connection.dispatchEvent(new Event("lost"));
  for (let wait = 500; lost; wait = Math.min(wait * 1.5, 5000)) {
    await sleep(wait);
    lost = !(await fetch("/health", { cache: "no-store" }).then((reply) => reply.ok, () => false));
  }
  connection.dispatchEvent(new Event("back"));
}

export async function models() {
  const { data } = await (await request("/v1/models")).json();
  return data.map((model) => ({ id: model.id, ...model.deixis }));
}

export async function about() {
  return (await request("/studio/about")).json();
}

/** Give the server a picture; {id, width, height, digest}. */
export async function upload(blob) {
  const headers = { "Content-Type": blob.type || "application/octet-stream" };
  return (await request("/v1/pictures", { method: "POST", body: blob, headers })).json();
}

/** The picture as the server sees it, for formats that a browser doesn't show. */
export async function uprightPicture(id) {
  return (await request(`/studio/pictures/${encodeURIComponent(id)}`)).blob();
}

/** Post an object to one of the studio's own routes. */
export function post(path, body) {
  return request(path, {
    method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
  });
}

/** Ask, and hand every delta to `ondelta`; the last one has the whole answer. */
export async function ask(body, { signal, ondelta }) {
  const reply = await request("/v1/chat/completions", {
    method: "POST", signal, body: JSON.stringify({ ...body, stream: true }),
    headers: { "Content-Type": "application/json" },
  });
  let ended = false;
  try {
    for await (const data of events(reply.body)) {
      if (data === "[DONE]") ended = true;
      else take(JSON.parse(data), ondelta);
    }
  } catch (fault) {
    if (fault.name === "AbortError" || fault instanceof ServerError) throw fault;
    void watch();
    throw new ServerError("The connection broke off in the middle of the answer.", { code: "lost" });
  }
  if (!ended) {
    void watch();
    throw new ServerError("The answer broke off before its end.", { code: "lost" });
  }
}

function take(chunk, ondelta) {
  if (chunk.error) throw new ServerError(sentence(chunk.error.message), { code: chunk.error.code ?? "" });
  for (const choice of chunk.choices ?? []) ondelta(choice.delta ?? {}, choice.finish_reason);
}

/** The data of server-sent events. */
async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split(/\r?\n\r?\n/);
    rest = parts.pop();
    for (const part of parts) {
      const lines = part.split(/\r?\n/).filter((line) => line.startsWith("data:"));
      if (lines.length) yield lines.map((line) => line.slice(5).trimStart()).join("\n");
    }
  }
}
