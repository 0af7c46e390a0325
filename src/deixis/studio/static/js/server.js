/** The server: one function a request. What goes wrong is a ServerError whose message is a sentence. */

export class ServerError extends Error {
  constructor(message, status = 0) {
    const whole = message.trim();
    super(whole.charAt(0).toUpperCase() + whole.slice(1) + (/[.!?…]$/.test(whole) ? "" : "."));
    this.status = status;
  }
}

export const connection = new EventTarget(); // "lost" and "back"
let lost = false;

/** Ask again and again whether the server is there, until it is. */
async function watch() {
  if (lost) return;
  lost = true;
  connection.dispatchEvent(new Event("lost"));
  for (let wait = 500; lost; wait = Math.min(wait * 1.5, 5000)) {
    await new Promise((done) => setTimeout(done, wait));
    lost = !(await fetch("/health", { cache: "no-store" }).then((reply) => reply.ok, () => false));
  }
  connection.dispatchEvent(new Event("back"));
}

/** What to throw for something that went wrong on the way to the server; being stopped stays what it is. */
function broken(fault, message) {
  if (fault.name === "AbortError" || fault instanceof ServerError) return fault;
  void watch();
  return new ServerError(message);
}

async function request(path, options) {
  const reply = await fetch(path, options).catch((fault) => {
    throw broken(fault, "The server can't be reached. Your question is kept: ask again once it is back.");
  });
  if (reply.ok) return reply;
  const told = await reply.json().catch(() => null); // null: a proxy's page, or nothing
  const after = reply.headers.get("retry-after");
  const wait = after ? `; try again in ${after} s` : "";
  const said = told?.error?.message || `the server answered ${reply.status} ${reply.statusText}`;
  throw new ServerError(said + wait, reply.status);
}

export const get = async (path) => (await request(path)).json();

export function post(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  return request(path, { method: "POST", body: JSON.stringify(body), headers, signal });
}

/** The models that can be asked, with what each can show of how it came to an answer. */
export async function models() {
  const [{ data }, { looks }] = await Promise.all([get("/v1/models"), get("/studio/about")]);
  return data.map(({ id, deixis }) => ({ id, ...deixis, looks: looks[id] ?? {} }));
}

/** Give the server a picture; {id, width, height, digest}. */
export async function upload(blob) {
  const headers = { "Content-Type": blob.type || "application/octet-stream" };
  return (await request("/v1/pictures", { method: "POST", body: blob, headers })).json();
}

/** The picture as the server sees it, for formats that a browser doesn't show. */
export const uprightPicture = async (id) => (await request(`/studio/pictures/${id}`)).blob();

/** Ask, and hand every delta to `ondelta`; the last one has the whole answer. */
export async function ask(body, signal, ondelta) {
  const reply = await post("/v1/chat/completions", { ...body, stream: true }, signal);
  try {
    for await (const data of events(reply.body)) {
      if (data === "[DONE]") return;
      const { error, choices = [] } = JSON.parse(data);
      if (error) throw new ServerError(error.message);
      choices.forEach(({ delta = {} }) => ondelta(delta));
    }
  } catch (fault) {
    throw broken(fault, "The connection broke off in the middle of the answer.");
  }
  throw broken({}, "The answer broke off before its end.");
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
