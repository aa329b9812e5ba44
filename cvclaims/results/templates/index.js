"use strict";
// All text from the results is put into the page as text; nothing of it is read as HTML.
const { rows, symbols } = JSON.parse(document.getElementById("data").textContent);
const form = document.querySelector("form");
const table = document.querySelector("table.claims");
const count = document.querySelector("output");
const FILTERS = ["report", "verdict", "scale", "device"];
const RANK = ["supported", "refuted", "inconclusive", "ran", "not evaluated", "error"];
const SORTS = {
  claim: (r) => r.place,
  statement: (r) => r.title.toLowerCase(),
  reported: (r) => first(r.quantities.map((q) => q.reportedMean)),
  measured: (r) => first(r.quantities.map((q) => q.mean)),
  effect: (r) => (r.effect ? r.effect.measured / Math.abs(r.effect.reported || 1) : null),
  verdict: (r) => RANK.indexOf(r.verdict),
  scale: (r) => r.scale,
};

function first(numbers) {
  const found = numbers.find((x) => typeof x === "number");
  return found === undefined ? null : found;
}

function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

function drawn(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// The measured interval as a line with its estimate, the reported effect as a diamond, 0 as a tick.
function effectOf(row) {
  if (!row.effect) return "";
  const { reported, measured, lower, upper } = row.effect;
  const ends = [0, reported, measured, lower ?? measured, upper ?? measured];
  const low = Math.min(...ends), high = Math.max(...ends);
  const x = (value) => 6 + (108 * (value - low)) / (high - low || 1);
  const svg = drawn("svg", { viewBox: "0 0 120 22", class: "effect", role: "img" });
  const said = drawn("title", {});
  said.textContent = `measured ${short(measured)}, reported ${short(reported)}`;
  svg.append(said);
  svg.append(drawn("line", { x1: x(0), x2: x(0), y1: 3, y2: 19, stroke: "currentColor", opacity: 0.35 }));
  if (lower !== null && upper !== null) {
    svg.append(drawn("line", { x1: x(lower), x2: x(upper), y1: 11, y2: 11, stroke: "currentColor", "stroke-width": 2 }));
  }
  svg.append(drawn("circle", { cx: x(measured), cy: 11, r: 4, fill: "currentColor" }));
  const at = x(reported);
  svg.append(drawn("path", { d: `M${at} 4L${at + 5} 11L${at} 18L${at - 5} 11Z`, fill: "none", stroke: "var(--accent)", "stroke-width": 2 }));
  return svg;
}

function short(value) {
  return Number.isInteger(value) ? String(value) : Number(value.toPrecision(4)).toString();
}

function numbers(row, part) {
  return row.quantities
    .filter((q) => q[part] !== "" && q[part] !== "–")
    .map((q) => make("div", { class: "quantity" }, make("span", {}, q.name), make("span", {}, q[part])));
}

function rowOf(row, number) {
  const id = make("button", { class: "id", type: "button", "aria-expanded": "false" }, row.id);
  const verdict = make("span", { class: `v v-${row.verdict.replace(" ", "-")}` }, `${symbols[row.verdict]} ${row.verdict}`);
  const line = make(
    "tr", { class: "row" },
    make("td", {}, id, row.case ? make("div", { class: "soft" }, row.case) : ""),
    make("td", {}, row.title),
    make("td", { class: "number", "data-name": "reported" }, ...numbers(row, "reported")),
    make("td", { class: "number", "data-name": "measured" }, ...numbers(row, "measured")),
    make("td", {}, effectOf(row)),
    make("td", {}, verdict, row.meaning ? make("div", { class: "soft" }, row.meaning) : ""),
    make("td", {}, row.scale),
  );
  const body = make("tbody", { "data-number": number }, line);
  line.addEventListener("click", (event) => {
    if (!window.getSelection().toString() || event.target === id) show(number, !isOpen(number), true);
  });
  return body;
}

const bodies = rows.map(rowOf);

function isOpen(number) {
  return bodies[number].querySelector(".open") !== null;
}

function show(number, open, remember) {
  const body = bodies[number];
  if (open !== isOpen(number)) {
    if (open) body.append(make("tr", { class: "open" }, make("td", { colspan: 7 }, inside(rows[number]))));
    else body.querySelector(".open").remove();
    body.querySelector("button.id").setAttribute("aria-expanded", String(open));
  }
  if (remember) tell(true);
}

function inside(row) {
  const list = make("dl");
  for (const [name, text] of row.facts) list.append(make("dt", {}, name), make("dd", {}, text));
  const seeds = make("table");
  for (const q of row.quantities.filter((q) => q.values.length)) {
    seeds.append(make("tr", {}, make("th", {}, q.label), make("td", {}, q.values)));
  }
  const figures = row.figures.map((file) => make("img", { src: file, alt: file, loading: "lazy" }));
  return make(
    "div", { class: "inside" },
    make("p", {}, row.reason),
    list,
    seeds.childNodes.length ? make("div", {}, make("p", { class: "soft" }, "each value"), seeds) : "",
    make("p", {}, make("code", {}, row.command)),
    make("p", {}, make("a", { href: row.page }, "protocol, figures and records of this claim")),
    ...figures,
  );
}

function wanted() {
  const found = { q: form.elements.q.value.trim() };
  for (const name of FILTERS) found[name] = form.elements[name].value;
  return found;
}

function fits(row, want) {
  const words = want.q.toLowerCase().split(/\s+/).filter(Boolean);
  return FILTERS.every((name) => !want[name] || row[name] === want[name])
    && words.every((word) => row.text.includes(word));
}

let sorted = { by: "claim", down: false };

function apply() {
  const want = wanted();
  let shown = 0;
  rows.forEach((row, number) => {
    bodies[number].hidden = !fits(row, want);
    shown += bodies[number].hidden ? 0 : 1;
  });
  const key = SORTS[sorted.by], way = sorted.down ? -1 : 1;
  const order = rows.map((_, number) => number).sort((a, b) => {
    const [x, y] = [key(rows[a]), key(rows[b])];
    if ((x === null) !== (y === null)) return x === null ? 1 : -1; // what has none stands last
    return (x < y ? -way : x > y ? way : 0) || a - b;
  });
  table.append(...order.map((number) => bodies[number]));
  for (const head of table.querySelectorAll("th[data-by]")) {
    const is = head.dataset.by === sorted.by;
    if (is) head.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  count.textContent = `${shown} of ${rows.length} rows`;
}

// The address holds all that is seen, so that it can be shared.
function tell(push) {
  const told = new URLSearchParams();
  for (const [name, value] of Object.entries(wanted())) if (value) told.set(name, value);
  if (sorted.by !== "claim" || sorted.down) told.set("sort", (sorted.down ? "-" : "") + sorted.by);
  rows.forEach((row, number) => { if (isOpen(number)) told.append("open", row.key); });
  const address = `#${told}`;
  if (address === (location.hash || "#")) return;
  if (push) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

function read() {
  const told = new URLSearchParams(location.hash.slice(1));
  form.elements.q.value = told.get("q") || "";
  for (const name of FILTERS) {
    const select = form.elements[name], value = told.get(name) || "";
    select.value = [...select.options].some((option) => option.value === value) ? value : "";
  }
  const sort = told.get("sort") || "claim", by = sort.replace(/^-/, "");
  sorted = { by: Object.hasOwn(SORTS, by) ? by : "claim", down: sort.startsWith("-") };
  const open = new Set(told.getAll("open"));
  rows.forEach((row, number) => show(number, open.has(row.key), false));
  apply();
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", () => { apply(); tell(false); });
form.addEventListener("change", () => { apply(); tell(true); });
form.querySelector("button").addEventListener("click", () => { form.reset(); apply(); tell(true); });
window.addEventListener("popstate", read);
for (const head of table.querySelectorAll("th[data-by]")) {
  head.querySelector("button").addEventListener("click", () => {
    const by = head.dataset.by;
    sorted = { by, down: sorted.by === by && !sorted.down };
    apply();
    tell(true);
  });
}

function step(by) {
  const ids = [...table.querySelectorAll("tbody:not([hidden]) button.id")];
  if (!ids.length) return;
  const here = ids.indexOf(document.activeElement);
  ids[here < 0 ? 0 : Math.min(Math.max(here + by, 0), ids.length - 1)].focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = ["INPUT", "SELECT"].includes(event.target.tagName);
  if (event.key === "Escape") {
    if (typing && form.elements.q.value) { form.elements.q.value = ""; apply(); tell(false); }
    else { rows.forEach((_, number) => show(number, false, false)); tell(true); }
    event.target.blur();
  } else if (typing) return;
  else if (event.key === "/") { event.preventDefault(); form.elements.q.focus(); }
  else if (event.key === "j" || event.key === "ArrowDown") { event.preventDefault(); step(1); }
  else if (event.key === "k" || event.key === "ArrowUp") { event.preventDefault(); step(-1); }
});

read();
const asked = bodies.find((body) => body.querySelector(".open"));
if (asked) asked.scrollIntoView({ block: "start" });
