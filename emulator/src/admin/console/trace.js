// A decision as a tree: policies, their statements, the elements of each.

import { badge, el } from "./dom.js";

const KINDS = {
  identity: "Identity policy",
  boundary: "Permissions boundary",
  session: "Session policy",
  service_control: "Service control policy",
  bucket: "Bucket policy",
  trust: "Trust policy",
  key: "Key policy",
  topic: "Topic policy",
  queue: "Queue policy",
};
const VERDICTS = {
  allows: ["good", "allows"],
  denies: ["bad", "denies"],
  no_match: ["open", "no match"],
  not_applicable: ["open", "not asked"],
};

/** The words for a kind of policy. */
export const kindName = (kind) => KINDS[kind] ?? kind;

/** The whole of a trace. */
export function tree(decision) {
  const trace = decision.trace;
  const policies = trace.policies.map((policy) => policyNode(policy, trace.outcome));
  if (trace.policies.length === 0) policies.push(el("li", {}, "No policy speaks for or against the caller."));
  return el(
    "section",
    { class: "trace" },
    el("h4", {}, badge(trace.outcome), " ", el("code", {}, trace.action), " on ", el("code", {}, trace.resource)),
    el("p", { class: "rule" }, trace.rule),
    butFor(trace.but_for),
    el("ul", { class: "tree" }, policies, aclNode(trace.acl), (trace.kms_grants ?? []).map(grantNode)),
    details("Condition keys of the request", context(decision.context)),
    details("As text", el("pre", { tabindex: "0" }, decision.explanation)),
  );
}

function details(summary, content) {
  return el("details", {}, el("summary", {}, summary), content);
}

function policyNode(policy, outcome) {
  const [look, word] = VERDICTS[policy.verdict] ?? ["open", policy.verdict];
  const opened = policy.verdict === "denies" || (policy.verdict === "no_match" && outcome !== "Allowed") ||
    (policy.verdict === "allows" && outcome === "Allowed");
  const level = policy.level ? ` (level ${policy.level})` : "";
  return el(
    "li",
    {},
    el(
      "details",
      { open: opened },
      el(
        "summary",
        {},
        el("span", { class: `badge ${look}` }, word),
        ` ${kindName(policy.kind)} `,
        el("code", {}, policy.name),
        level,
        policy.file ? el("span", { class: "file" }, ` ${policy.file}`) : null,
      ),
      policy.note ? el("p", { class: "note" }, policy.note) : null,
      el("ul", {}, policy.statements.map((statement) => statementNode(statement, policy))),
    ),
  );
}

function statementNode(statement, policy) {
  const name = statement.sid ? `Statement “${statement.sid}”` : `Statement ${statement.number}`;
  const place = policy.file ? `${policy.file}:${statement.line}` : `line ${statement.line}`;
  const effect = statement.effect;
  const look = statement.applies ? (effect === "deny" ? "bad" : "good") : "open";
  return el(
    "li",
    {},
    el(
      "p",
      {},
      el("span", { class: `badge ${look}` }, statement.applies ? `applies: ${effect}` : `does not apply: ${effect}`),
      ` ${name} `,
      el("span", { class: "file" }, `(${place})`),
    ),
    el("ul", { class: "elements" }, statement.elements.map(elementNode)),
  );
}

function elementNode(element) {
  const [look, mark, word] = element.matches ? ["good", "✓", "matches"] : ["bad", "✗", "fails"];
  return el(
    "li",
    {},
    el("span", { class: `mark ${look}`, "aria-hidden": "true" }, mark),
    el("strong", {}, ` ${element.element} `),
    el("span", { class: look }, word),
    " ",
    el("span", { class: "long" }, element.text),
  );
}

function aclNode(acl) {
  if (!acl) return null;
  const [look, word] = VERDICTS[acl.verdict] ?? ["open", acl.verdict];
  return el(
    "li",
    {},
    el(
      "details",
      { open: acl.verdict === "allows" },
      el("summary", {}, el("span", { class: `badge ${look}` }, word), ` ACL of the ${acl.acl}`),
      acl.note ? el("p", { class: "note" }, acl.note) : null,
      el("ul", {}, acl.grants.map((grant) => el("li", {}, grant.text))),
    ),
  );
}

function grantNode(grant) {
  const [look, word] = grant.applies ? ["good", "allows"] : ["open", "no match"];
  return el("li", {}, el("span", { class: `badge ${look}` }, word), ` Grant on the key: ${grant.text}`);
}

function statementName(one) {
  const name = one.sid ? `“${one.sid}”` : String(one.statement);
  return `statement ${name} of the ${kindName(one.policy_kind).toLowerCase()} ${one.policy}`;
}

/** What alone stood in the way. */
function butFor(obstacles) {
  if (!obstacles || obstacles.length === 0) return null;
  const words = obstacles.map((one) => {
    const at = one.statement ? ` of ${statementName(one.statement)}` : "";
    switch (one.kind) {
      case "element":
        return `the ${one.element}${at}: ${one.detail}`;
      case "deny":
        return `the deny${at}`;
      case "missing":
        return `an allow in a policy of the class ${String(one.class).replaceAll("_", " ")}`;
      default:
        return String(one.kind).replaceAll("_", " ");
    }
  });
  return el("div", { class: "but-for" }, el("p", {}, "Would be allowed but for"), el("ul", {}, words.map((word) => el("li", {}, word))));
}

function context(keys) {
  const rows = Object.entries(keys).map(([key, value]) =>
    el("div", {}, el("dt", {}, el("code", {}, key)), el("dd", {}, [value].flat().join(", "))),
  );
  return rows.length > 0 ? el("dl", { class: "facts" }, rows) : el("p", {}, "None.");
}
