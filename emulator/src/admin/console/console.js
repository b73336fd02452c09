// Which view is shown, and the steady look at what is new.

import { get, listenForToken } from "./api.js";
import { instant } from "./dom.js";
import * as requests from "./requests.js";
import * as request from "./request.js";
import * as faults from "./faults.js";
import * as clock from "./clock.js";
import * as events from "./events.js";

const PAUSE_MS = 1000;
const VIEWS = { requests, request, faults, clock, events };
const main = document.getElementById("main");
const trouble = document.getElementById("trouble");

let view = null;
let round = 0;

/** `#request/ID` is the view `request` with an argument. */
function place() {
  const [name, ...rest] = location.hash.slice(1).split("/");
  const known = Object.hasOwn(VIEWS, name) ? name : "requests";
  return { name: known, argument: decodeURIComponent(rest.join("/")) };
}

function open(moveFocus) {
  const { name, argument } = place();
  view = VIEWS[name];
  for (const link of document.querySelectorAll("nav a")) {
    const isCurrent = link.dataset.view === (name === "request" ? "requests" : name);
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  main.replaceChildren();
  const title = view.open(main, argument);
  document.title = `${title} – Bucketproof console`;
  if (moveFocus) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  look();
}

/** Looks once, and again after a pause; a newer round ends older ones. */
async function look() {
  const mine = (round += 1);
  while (mine === round) {
    if (!document.hidden) {
      try {
        const told = await get("clock");
        const now = document.getElementById("now");
        if (now.dateTime !== told.now) {
          now.textContent = instant(told.now);
          now.dateTime = told.now;
        }
        if (mine === round) await view.refresh(told);
        trouble.hidden = true;
      } catch (error) {
        if (mine !== round) return;
        trouble.textContent = error.message;
        // For a token there is a form.
        trouble.hidden = error.status === 401;
      }
    }
    await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  }
}

addEventListener("hashchange", () => open(true));
listenForToken(() => open(true));
open(false);
