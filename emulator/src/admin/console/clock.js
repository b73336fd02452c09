// The emulator's clock.

import { ask } from "./api.js";
import { choice, el, field, instant, problem, say } from "./dom.js";

const PACES = {
  system: "system: runs with the machine",
  manual: "manual: moves when told to, and for those who wait",
  frozen: "frozen: moves only when told to",
};
const STEPS = [
  ["60", "a minute"],
  ["901", "15 minutes and a second"],
  ["3601", "an hour and a second"],
  ["86400", "a day"],
];

let now = null;
let pace = null;
let touched = false;

export function open(main) {
  touched = false;
  now = el("time", { class: "big" }, "–");
  pace = choice(Object.entries(PACES));
  const wrong = problem();
  const change = async (what, words) => {
    wrong.show("");
    try {
      const told = await ask("POST", "clock", what);
      touched = false;
      show(told);
      say(words(told));
    } catch (error) {
      wrong.show(error.message);
    }
  };
  const moved = (told) => `It is ${told.now}`;
  const seconds = el("input", { inputmode: "decimal", value: "60", required: true });
  const advance = formOf("Advance", field("Seconds", seconds), () => change({ advance_seconds: Number(seconds.value) }, moved));
  const steps = STEPS.map(([step, name]) => {
    const button = el("button", { type: "button" }, `+ ${name}`);
    button.addEventListener("click", () => change({ advance_seconds: Number(step) }, moved));
    return button;
  });
  const moment = el("input", { placeholder: "2026-01-01T00:00:00Z", spellcheck: "false", required: true });
  const set = formOf("Set", field("Instant (RFC 3339)", moment), () => change({ set: moment.value.trim() }, moved));
  pace.addEventListener("input", () => {
    touched = true;
  });
  const keep = formOf("Use this pace", field("How it passes", pace), () =>
    change({ pace: pace.value }, (told) => `The clock is ${told.pace}`),
  );
  main.append(
    el("h2", {}, "Clock"),
    el("p", {}, "Signatures, sessions, presigned URLs, retention, lifecycle and retries obey it. Clients that sign with another time are told so."),
    el("p", {}, now),
    wrong,
    el("h3", {}, "Move it"),
    el("div", { class: "bar" }, steps),
    advance,
    set,
    el("h3", {}, "Pace"),
    keep,
  );
  return "Clock";
}

function formOf(word, content, act) {
  const form = el("form", { class: "line" }, content, el("button", { type: "submit" }, word));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
  return form;
}

function show(told) {
  if (now.dateTime !== told.now) {
    now.textContent = instant(told.now);
    now.dateTime = told.now;
  }
  if (!touched && document.activeElement !== pace) pace.value = told.pace;
}

export async function refresh(told) {
  show(told);
}
