// One request: why it was answered so, and how it would be with other documents.

import { ask, get } from "./api.js";
import { badge, el, field, problem, say, time } from "./dom.js";
import { kindName, tree } from "./trace.js";

let shown = null;
let wanted = null;
let place = null;

export function open(main, id) {
  wanted = id;
  shown = null;
  place = el("div", {}, el("p", {}, "…"));
  main.append(el("p", { class: "back" }, el("a", { href: "#requests" }, "← All requests")), place);
  return `Request ${id}`;
}

/** A request does not change; it is looked at once. */
export async function refresh() {
  if (shown === wanted) return;
  const request = await get(`requests/${encodeURIComponent(wanted)}`);
  shown = wanted;
  place.replaceChildren(...draw(request));
}

function draw(request) {
  const name = request.operation ?? `${request.service} ${request.method}`;
  const facts = [
    ["Request id", el("code", {}, request.request_id)],
    ["When", time(request.received_at)],
    ["Who", el("code", {}, request.principal ?? "nobody known")],
    ["Asked", el("code", {}, `${request.method} ${request.path}`)],
    ["Key", request.key ? el("code", {}, request.key) : null],
    ["Answered", `${request.status}${request.code ? ` ${request.code}` : ""}`],
    ["Bytes", `${request.request_bytes} in, ${request.response_bytes} out`],
    ["Faults", request.faults.length > 0 ? request.faults.join("; ") : null],
  ];
  const rows = facts
    .filter(([, value]) => value !== null)
    .map(([label, value]) => el("div", {}, el("dt", {}, label), el("dd", {}, value)));
  const parts = [el("h2", {}, `${name} `, badge(request.outcome)), el("dl", { class: "facts" }, rows)];
  parts.push(el("h3", {}, request.decisions.length > 1 ? "Decisions" : "Decision"));
  if (request.decisions.length === 0) {
    parts.push(el("p", {}, "It was answered before anything was decided: no policy was asked."));
    return parts;
  }
  parts.push(...request.decisions.map(tree), editor(request));
  return parts;
}

/** Each document that was in force, once. */
function documents(request) {
  const found = new Map();
  for (const decision of request.decisions) {
    for (const policy of decision.policies) {
      found.set(`${policy.kind} ${policy.name} ${policy.number}`, policy);
    }
  }
  return [...found.values()];
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function editor(request) {
  const editors = documents(request).map((policy) => ({ policy, before: pretty(policy.text) }));
  const place = el("div", { class: "documents" });
  for (const one of editors) place.append(documentField(one));
  const wrong = problem();
  const verdict = el("div", { class: "verdict" });
  const add = adder(request, editors, place);
  const judge = el("button", { type: "submit", class: "main" }, "Judge the request anew");
  const undo = el("button", { type: "button" }, "Undo all edits");
  const keys = el("textarea", { rows: "3", spellcheck: "false", placeholder: '{"aws:SourceVpce": "vpce-1"}' });
  undo.addEventListener("click", () => {
    for (const one of editors.splice(0)) if (one.policy.text !== null) editors.push(one);
    place.replaceChildren(...editors.map(documentField));
    keys.value = "";
    wrong.show("");
    verdict.replaceChildren();
    say("The documents are as they were");
  });
  const form = el(
    "form",
    { class: "editor", "aria-labelledby": "judge" },
    el("h3", { id: "judge" }, "With other documents"),
    el("p", {}, "Edit what was in force, and see what would have been decided. Nothing in the emulator changes."),
    place,
    add,
    field("Condition keys to change, as JSON", keys, "null takes a key away; empty changes none"),
    el("div", { class: "bar" }, judge, undo),
    wrong,
    verdict,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong.show("");
    const question = { request: request.request_id, policies: [] };
    try {
      if (keys.value.trim()) question.context = JSON.parse(keys.value);
    } catch (error) {
      wrong.show(`The condition keys are not JSON: ${error.message}`);
      return;
    }
    for (const { policy, before, input } of editors) {
      if (input.value === before) continue;
      const document = input.value.trim() === "" ? null : input.value;
      // An added policy has no number: there is none of its name.
      question.policies.push({ kind: policy.kind, name: policy.name, number: policy.number, document });
    }
    try {
      const answer = await ask("POST", "judge", question);
      verdict.replaceChildren(...drawVerdict(answer, question));
      say(answer.allowed ? "It would be allowed" : "It would still be denied");
      verdict.scrollIntoView({ block: "nearest" });
    } catch (error) {
      verdict.replaceChildren();
      wrong.show(error.message);
    }
  });
  return form;
}

function documentField(one) {
  const lines = Math.min(24, Math.max(6, one.before.split("\n").length + 1));
  one.input = el("textarea", { rows: String(lines), spellcheck: "false", class: "document", value: one.before });
  const label = `${kindName(one.policy.kind)} ${one.policy.name}`;
  return field(label, one.input, "An empty text takes the policy away");
}

/** A policy that is not there yet: of the caller, or of the resource if it has none. */
function adder(request, editors, place) {
  const kinds = ["identity"];
  const decision = request.decisions[0];
  const service = decision.action.split(":")[0].toLowerCase();
  const ofResource = { s3: "bucket", kms: "key", sns: "topic", sqs: "queue", sts: "trust" }[service];
  const hasOne = request.decisions.some((one) => one.policies.some((policy) => policy.kind === ofResource));
  if (ofResource && !hasOne && decision.resource !== "*") kinds.push(ofResource);
  const buttons = kinds.map((kind) => {
    const button = el("button", { type: "button" }, `Add: ${kindName(kind).toLowerCase()}`);
    button.addEventListener("click", () => {
      const name = kind === "identity" ? "added" : (request.bucket ?? "added");
      const statement = { Effect: "Allow", Action: decision.action, Resource: decision.resource };
      if (kind !== "identity") statement.Principal = "*";
      const one = { policy: { kind, name, text: null }, before: "" };
      const added = documentField(one);
      one.input.value = JSON.stringify({ Version: "2012-10-17", Statement: [statement] }, null, 2);
      one.input.rows = 14;
      editors.push(one);
      place.append(added);
      one.input.focus();
      button.disabled = true;
    });
    return button;
  });
  return el("div", { class: "bar" }, buttons);
}

function drawVerdict(answer, question) {
  const unchanged = question.policies.length === 0 && !question.context;
  const head = el(
    "p",
    { class: `result ${answer.allowed ? "good" : "bad"}` },
    answer.allowed ? "It would be allowed." : "It would still be denied.",
    unchanged ? " Nothing was edited." : "",
  );
  return [head, answer.note ? el("p", { class: "note" }, answer.note) : null, ...answer.decisions.map(tree)].filter(Boolean);
}
