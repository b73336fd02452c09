// The faults in force, and new ones.

import { ask, get } from "./api.js";
import { choice, el, field, problem, say, table } from "./dom.js";

let list = null;
let told = "";

export function open(main) {
  told = "";
  list = el("div");
  main.append(el("h2", {}, "Faults"), list, el("div", {}, el("p", {}, "…")));
  form(main.lastElementChild);
  return "Faults";
}

export async function refresh() {
  const faults = await get("faults");
  const text = JSON.stringify(faults);
  // What has not changed keeps the focus of whoever is in it.
  if (text === told) return;
  const focused = document.activeElement?.dataset?.fault;
  told = text;
  if (faults.length === 0) {
    list.replaceChildren(el("p", {}, "None is in force."));
    return;
  }
  const rows = faults.map((fault) => {
    const name = fault.name ?? `fault ${fault.id}`;
    const end = el("button", { type: "button", "aria-label": `End ${name}`, "data-fault": String(fault.id) }, "End");
    end.addEventListener("click", async () => {
      await ask("DELETE", `faults/${fault.id}`).catch(() => {});
      say(`${name} is ended`);
      await refresh();
    });
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, name),
      el("td", { class: "long" }, fault.description),
      el("td", { class: "number" }, String(fault.met)),
      el("td", { class: "number" }, String(fault.hits)),
      el("td", {}, end),
    );
  });
  list.replaceChildren(table("In force", ["Fault", "What it does", "Met", "Acted", "End"], rows));
  if (focused) list.querySelector(`[data-fault="${CSS.escape(focused)}"]`)?.focus();
}

/** The form is made from the schema that the API itself publishes. */
async function form(place) {
  const api = await get("openapi.json").catch(() => null);
  if (!api) {
    place.replaceChildren();
    return;
  }
  const post = api.paths["/_bucketproof/faults"].post.requestBody.content["application/json"].schema;
  const fields = post.properties;
  const needs = post["x-effects"] ?? {};
  const inputs = {};
  const make = (name) => {
    const schema = fields[name];
    const isNumber = schema.type === "integer" || schema.type === "number";
    inputs[name] = schema.enum
      ? choice([["", "any"], ...schema.enum])
      : el("input", { spellcheck: "false", inputmode: isNumber ? "decimal" : null });
    return field(name.replaceAll("_", " "), inputs[name]);
  };
  const effect = choice(fields.effect.enum.map((name) => [name, EFFECTS[name] ? `${name}: ${EFFECTS[name]}` : name]));
  effect.value = "slow_down";
  const own = el("div", { class: "fields" });
  const drawOwn = () => {
    for (const name of Object.keys(inputs)) if (!SHARED.includes(name)) delete inputs[name];
    const wanted = needs[effect.value] ?? { required: [], optional: [] };
    own.replaceChildren(...[...wanted.required, ...wanted.optional].map(make));
    for (const name of wanted.required) inputs[name].required = true;
  };
  effect.addEventListener("change", drawOwn);
  const shared = el("div", { class: "fields" }, SHARED.map(make));
  drawOwn();
  const wrong = problem();
  const inject = el("button", { type: "submit", class: "main" }, "Put it in force");
  const made = el(
    "form",
    { "aria-labelledby": "new-fault" },
    el("h3", { id: "new-fault" }, "A new fault"),
    el("div", { class: "fields" }, field("effect", effect)),
    own,
    el("fieldset", {}, el("legend", {}, "Which requests, and how often; empty means any"), shared),
    el("div", { class: "bar" }, inject),
    wrong,
  );
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong.show("");
    const fault = { effect: effect.value };
    for (const [name, input] of Object.entries(inputs)) {
      if (input.value === "") continue;
      const isNumber = fields[name].type === "integer" || fields[name].type === "number";
      fault[name] = isNumber && input.value.trim() !== "" && !Number.isNaN(Number(input.value))
        ? Number(input.value)
        : input.value;
    }
    try {
      const answer = await ask("POST", "faults", fault);
      say(`Fault ${answer.id} is in force`);
      await refresh();
    } catch (error) {
      wrong.show(error.message);
    }
  });
  place.replaceChildren(made);
}

/** What an effect does, in a few words; one that is not here has its name alone. */
const EFFECTS = {
  refuse: "this status and code instead of an answer",
  slow_down: "503 SlowDown, as AWS throttles",
  error_in_200: "an error in an answer of status 200",
  ignore_header: "as if the request had no such header",
  expire_token: "the session has expired",
  throttle: "503 for what exceeds so many requests in so many seconds",
  fail_keys: "some keys of a DeleteObjects fail",
  disabled_kms_key: "the KMS key is disabled",
  clock_skew: "the server's clock is off by so many seconds",
  delay: "the answer comes so many seconds later",
  status: "done as asked, answered with this status",
  body: "done as asked, answered with this body",
  corrupt_body: "one bit of the answer's body is wrong",
  header: "the answer has this header",
  without_header: "the answer lacks this header",
  drop_answer: "done as asked, the answer is lost",
  reset_after: "the connection breaks after so many bytes",
  stall_after: "nothing more comes after so many bytes",
  truncate: "the answer's body ends early, and says so",
};

const SHARED = ["name", "operation", "bucket", "key_prefix", "principal", "skip", "times", "every", "probability"];
