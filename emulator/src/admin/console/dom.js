// Elements from values. Text is only ever text: nothing here takes HTML.

/** Letters that cannot be seen, or turn the order of others around: they are shown by their number. */
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** A text as it can be seen. */
export function visible(text) {
  return text.replaceAll(UNSEEN, (letter) => `⟨U+${letter.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** A long name that may be broken behind the signs that part it. */
export function breakable(text) {
  return text.split(/(?<=[:/])/).flatMap((part, index) => (index === 0 ? [part] : [document.createElement("wbr"), part]));
}

/** An instant to the millisecond. */
export function instant(text) {
  return text.replace(/(\.\d{3})\d+Z$/, "$1Z");
}

/** An element with attributes and children; a text child becomes a text node, null is left out. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "value") made.value = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  const there = children.flat(Infinity).filter((child) => child !== null && child !== undefined);
  made.append(...there.map((child) => (typeof child === "string" ? visible(child) : child)));
  return made;
}

let drawn = 0;

/** A label with its field below it; the field gets an id if it has none. */
export function field(label, input, help) {
  if (!input.id) input.id = `field-${(drawn += 1)}`;
  const hint = help ? el("small", { id: `${input.id}-help` }, help) : null;
  if (hint) input.setAttribute("aria-describedby", hint.id);
  return el("div", { class: "field" }, el("label", { for: input.id }, label), input, hint);
}

/** A choice among texts, or pairs of value and text. */
export function choice(options, attributes = {}) {
  const select = el("select", attributes);
  for (const option of options) {
    const [value, text] = Array.isArray(option) ? option : [option, option];
    select.append(el("option", { value }, text));
  }
  return select;
}

/** A table that scrolls by itself where it is too wide; it can be reached by the keyboard for that. */
export function table(caption, columns, rows) {
  const head = el("tr", {}, columns.map((column) => el("th", { scope: "col" }, column)));
  return el(
    "div",
    { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" },
    el("table", {}, el("caption", {}, caption), el("thead", {}, head), el("tbody", {}, rows)),
  );
}

/** Says something to whoever does not look: once, briefly. */
export function say(text) {
  document.getElementById("said").textContent = text;
}

/** What went wrong, beside what was asked; an empty text takes it away. */
export function problem() {
  const place = el("p", { class: "notice bad", role: "alert", hidden: true });
  place.show = (text) => {
    place.textContent = text;
    place.hidden = !text;
  };
  return place;
}

/** Time of day for a list; the whole in its title. */
export function time(text) {
  if (!text) return "–";
  const short = /T(\d\d:\d\d:\d\d(?:\.\d{1,3})?)/.exec(text);
  return el("time", { datetime: text, title: text }, short ? short[1] : text);
}

/** Allowed or denied, by word and by colour. */
export function badge(outcome) {
  const looks = {
    allowed: ["good", "allowed"],
    Allowed: ["good", "allowed"],
    denied: ["bad", "denied"],
    ImplicitlyDenied: ["bad", "denied (implicit)"],
    ExplicitlyDenied: ["bad", "denied (explicit)"],
    undecided: ["open", "not decided"],
  };
  const [look, word] = looks[outcome] ?? ["open", String(outcome)];
  return el("span", { class: `badge ${look}` }, word);
}
