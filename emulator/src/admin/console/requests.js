// The journal as it grows.

import { ask, get } from "./api.js";
import { badge, breakable, choice, el, field, say, time } from "./dom.js";

const SHOWN_MAX = 500;

let last = null;
let body = null;
let count = null;
let form = null;
let paused = false;
let seen = 0;

export function open(main) {
  last = null;
  seen = 0;
  paused = false;
  const outcome = choice([["", "all"], "allowed", "denied", ["undecided", "not decided"]]);
  const operation = el("input", { list: "operations", placeholder: "PutObject", spellcheck: "false" });
  const known = el("datalist", { id: "operations" });
  const bucket = el("input", { placeholder: "logs", spellcheck: "false" });
  const principal = el("input", { placeholder: "a part of the ARN", spellcheck: "false" });
  form = el(
    "form",
    { class: "filters", "aria-label": "Filters" },
    field("Decision", outcome),
    field("Operation", operation),
    field("Bucket", bucket),
    field("Principal", principal),
    known,
  );
  form.query = () => {
    const pairs = [
      ["outcome", outcome.value],
      ["operation", operation.value.trim()],
      ["bucket", bucket.value.trim()],
      ["principal", principal.value.trim()],
    ];
    return pairs
      .filter(([, value]) => value)
      .map(([name, value]) => `&${name}=${encodeURIComponent(value)}`)
      .join("");
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => {
    restart();
    refresh().then(
      () => say(`${seen} requests match`),
      (error) => {
        count.textContent = error.message;
      },
    );
  });
  form.operations = known;
  const pause = el("button", { type: "button", "aria-pressed": "false" }, "Pause");
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
  });
  const clear = el("button", { type: "button" }, "Empty the journal");
  clear.addEventListener("click", async () => {
    await ask("DELETE", "requests");
    restart();
    await refresh();
    say("The journal is empty");
  });
  count = el("p", { class: "count" }, "");
  body = el("tbody");
  const columns = ["Time", "Decision", "Status", "Operation", "What", "Who"];
  main.append(
    el("h2", {}, "Requests"),
    form,
    el("div", { class: "bar" }, count, pause, clear),
    el(
      "div",
      { class: "scroll", role: "region", "aria-label": "Requests, newest first", tabindex: "0" },
      el(
        "table",
        { class: "requests" },
        el("caption", {}, "Newest first; open one to see why it was decided so"),
        el("thead", {}, el("tr", {}, columns.map((column) => el("th", { scope: "col" }, column)))),
        body,
      ),
    ),
  );
  loadOperations();
  return "Requests";
}

function restart() {
  last = null;
  seen = 0;
  body.replaceChildren();
}

/** The names of operations, from the description of the API. */
async function loadOperations() {
  if (loadOperations.names === undefined) {
    const api = await get("openapi.json").catch(() => null);
    const faults = api?.paths["/_bucketproof/faults"]?.post.requestBody.content["application/json"].schema;
    loadOperations.names = faults?.properties.operation.enum ?? [];
  }
  form.operations.replaceChildren(...loadOperations.names.map((name) => el("option", { value: name })));
}

export async function refresh() {
  if (paused) return;
  const after = last ? `&after=${encodeURIComponent(last)}` : "";
  const asked = form.query();
  let isAnew = false;
  const fresh = await get(`requests?brief=true&limit=${SHOWN_MAX}${after}${asked}`, (headers) => {
    isAnew = headers.get("x-bucketproof-continues") === "false";
  });
  // The filters may have changed meanwhile.
  if (asked !== form.query()) return;
  // The journal was emptied, by a reset perhaps.
  if (isAnew) restart();
  for (const request of fresh) body.prepend(row(request));
  while (body.children.length > SHOWN_MAX) body.lastElementChild.remove();
  if (fresh.length > 0) last = fresh[fresh.length - 1].request_id;
  seen += fresh.length;
  const text = seen === 0 ? "No requests yet" : `${seen} ${seen === 1 ? "request" : "requests"}`;
  if (count.textContent !== text) count.textContent = text;
}

function row(request) {
  const what = request.bucket
    ? `${request.bucket}${request.key ? `/${request.key}` : ""}`
    : (request.decisions[0]?.resource ?? request.path);
  const name = request.operation ?? `${request.service} ${request.method}`;
  return el(
    "tr",
    { "data-id": request.request_id },
    el("td", {}, time(request.received_at)),
    el("td", {}, badge(request.outcome)),
    el(
      "td",
      {},
      String(request.status),
      request.code ? el("span", { class: "code" }, ` ${request.code}`) : null,
      request.faults.length > 0
        ? el("span", { class: "badge fault", title: request.faults.join("\n") }, "fault")
        : null,
    ),
    el("td", {}, el("a", { href: `#request/${encodeURIComponent(request.request_id)}` }, name)),
    el("td", { class: "long" }, breakable(what)),
    el("td", { class: "long" }, breakable(request.principal ?? "nobody known")),
  );
}
