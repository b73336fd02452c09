// What is to be delivered, and what became of the rest.

import { get } from "./api.js";
import { breakable, el, table, time } from "./dom.js";

const LOOKS = { delivered: "good", refused: "bad", no_receiver: "bad", failed: "bad", postponed: "fault" };

let place = null;
let told = "";

export function open(main) {
  told = "";
  place = el("div");
  main.append(el("h2", {}, "Events and notifications"), place);
  return "Events";
}

export async function refresh() {
  const events = await get("events");
  const text = JSON.stringify(events);
  if (text === told) return;
  told = text;
  const waiting = events.waiting.map((one) =>
    el(
      "tr",
      {},
      el("td", {}, time(one.due)),
      el("td", {}, one.kind),
      el("td", { class: "long" }, breakable(one.from)),
      el("td", { class: "long" }, breakable(one.to ?? "–")),
      el("td", { class: "number" }, String(one.attempts)),
    ),
  );
  const done = events.done.toReversed().map((one) =>
    el(
      "tr",
      {},
      el("td", {}, time(one.at)),
      el("td", {}, el("span", { class: `badge ${LOOKS[one.outcome] ?? "open"}` }, one.outcome.replaceAll("_", " "))),
      el("td", {}, one.kind),
      el("td", { class: "long" }, breakable(one.from)),
      el("td", { class: "long" }, breakable(one.to)),
      el("td", { class: "number" }, String(one.attempt)),
      el("td", { class: "long" }, one.answer ?? ""),
    ),
  );
  place.replaceChildren(
    el("h3", {}, "Waiting"),
    waiting.length > 0
      ? table("To be delivered", ["Due", "Kind", "From", "To", "Tries so far"], waiting)
      : el("p", {}, "Nothing waits."),
    el("h3", {}, "Done"),
    done.length > 0
      ? table("Newest first", ["Time", "Outcome", "Kind", "From", "To", "Try", "Answer"], done)
      : el("p", {}, "Nothing was delivered yet."),
  );
}
