// Calls to the service this page came from. The key lives in sessionStorage: gone with the tab, and sent nowhere else.

const KEY = "eigenwarp.key";

export class Problem extends Error {
  constructor(status, document, retryAfter) {
    super(document.detail ?? document.title ?? `HTTP ${status}`);
    this.status = status;
    this.code = (document.type ?? "").split("/").pop();
    this.retryAfter = retryAfter;
  }
}

export const apiKey = () => sessionStorage.getItem(KEY) ?? "";
export const setApiKey = (key) => (key ? sessionStorage.setItem(KEY, key) : sessionStorage.removeItem(KEY));

export async function call(path, { headers = {}, ...rest } = {}) {
  const key = apiKey();
  const response = await fetch(path, { ...rest, headers: key ? { "X-Api-Key": key, ...headers } : headers });
  if (response.ok) return response;
  const document = await response.json().catch(() => ({}));
  throw new Problem(response.status, document, Number(response.headers.get("Retry-After")) || null);
}

export const json = async (path, options) => (await call(path, options)).json();

// What is still being made is asked for again, for a minute at most.
export async function patiently(path, { signal } = {}) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      return await call(path, { signal });
    } catch (problem) {
      if (problem.code !== "not-ready" || Date.now() > deadline) throw problem;
      await wait(1000 * (problem.retryAfter ?? 1), signal);
    }
  }
}

export function wait(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}

// Server-sent events by fetch, since EventSource sends no key. Yields each event's data until the stream ends.
export async function* events(path, signal) {
  const response = await call(path, { signal, headers: { Accept: "text/event-stream" } });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    pending += value.replaceAll("\r\n", "\n");
    const blocks = pending.split("\n\n");
    pending = blocks.pop();
    for (const block of blocks) {
      const data = block.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart());
      if (data.length) yield JSON.parse(data.join("\n"));
    }
  }
}

export function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
