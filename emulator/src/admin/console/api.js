// The admin API of the emulator that served this page.

const PREFIX = "/_bucketproof/";
const KEY = "bucketproof-admin-token";

let token = sessionStorage.getItem(KEY);

/** What the API refused: its status and its text. */
export class Refusal extends Error {
  constructor(status, text) {
    super(text.trim() || `status ${status}`);
    this.status = status;
  }
}

/** Asks; a body is sent as JSON. `heard` gets the headers of the answer. */
export async function ask(method, place, body, heard) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(PREFIX + place, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refusal(0, "the emulator does not answer; is it still running?");
  }
  const text = await answer.text();
  if (answer.status === 401) askForToken(token !== null);
  if (!answer.ok) throw new Refusal(answer.status, text);
  heard?.(answer.headers);
  return JSON.parse(text);
}

export const get = (place, heard) => ask("GET", place, undefined, heard);

function askForToken(wasWrong) {
  const form = document.getElementById("token-form");
  if (!form.hidden) return;
  form.hidden = false;
  form.querySelector("label").textContent = wasWrong
    ? "This is not the admin token of this emulator"
    : "This emulator asks for its admin token";
  form.querySelector("input").focus();
}

/** Takes the token that is typed in, for this tab alone. */
export function listenForToken(then) {
  const form = document.getElementById("token-form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const input = form.querySelector("input");
    token = input.value.trim() || null;
    input.value = "";
    if (token) sessionStorage.setItem(KEY, token);
    else sessionStorage.removeItem(KEY);
    form.hidden = true;
    then();
  });
}
