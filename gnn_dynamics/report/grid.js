// Draws the tables of grids.py: rows can be sorted by every column and filtered by word and value.
"use strict";

const PAGE = 50; // rows that are drawn at a time
const FEW = 12; // a column with at most as many values has a menu of them

function element(tag, parent, attributes = {}, text = "") {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  parent.append(made);
  return made;
}

function shown(column, row) {
  const value = column.data[row];
  if (!column.values) return value === null ? "" : String(value);
  return value < 0 ? "" : column.values[value];
}

function grid(place) {
  const { columns, count } = JSON.parse(place.querySelector("script").textContent);
  const menus = new Map(); // column -> menu
  let [sorted, direction, first] = [null, 1, 0];

  const tools = element("p", place, { class: "tools" });
  const search = element("input", tools, { type: "search", placeholder: "Filter by words" });
  search.setAttribute("aria-label", "Show rows that contain all these words");
  const found = element("output", tools);
  const table = element("table", element("div", place, { class: "scroll" }), { class: "cells" });
  const head = element("thead", table);
  const [titles, choices] = [element("tr", head), element("tr", head, { class: "choices" })];
  const body = element("tbody", table);
  const pager = element("p", place, { class: "tools" });
  const back = element("button", pager, { type: "button" }, "‹ previous");
  const next = element("button", pager, { type: "button" }, "next ›");

  function rows() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = [...menus].filter(([, menu]) => menu.value !== "");
    const kept = [];
    for (let row = 0; row < count; row++) {
      if (chosen.some(([column, menu]) => column.data[row] !== Number(menu.value))) continue;
      const text = words.length && columns.map((c) => shown(c, row)).join(" ").toLowerCase();
      if (words.every((word) => text.includes(word))) kept.push(row);
    }
    return sorted ? kept.sort(order) : kept;
  }

  function order(one, other) {
    const [a, b] = [sorted.data[one], sorted.data[other]];
    const missing = (value) => value === null || (sorted.values && value < 0);
    if (missing(a) || missing(b)) return missing(a) - missing(b) || one - other; // come last
    return direction * (a - b) || one - other;
  }

  function draw() {
    const kept = rows();
    first = Math.min(first, Math.max(0, kept.length - 1));
    first -= first % PAGE;
    const last = Math.min(first + PAGE, kept.length);
    body.replaceChildren();
    for (const row of kept.slice(first, last)) {
      const line = element("tr", body);
      for (const column of columns) element("td", line, look(column), shown(column, row));
    }
    const range = kept.length > PAGE ? `${first + 1} to ${last} of ` : "";
    const all = kept.length < count ? ` (of ${count.toLocaleString("en")})` : "";
    found.textContent = `${range}${kept.length.toLocaleString("en")} rows${all}`;
    [back.disabled, next.disabled] = [first === 0, last === kept.length];
    pager.hidden = kept.length <= PAGE;
  }

  const look = (column) => (column.values ? {} : { class: "number" });
  const restart = () => { first = 0; draw(); };

  function sort(column, title) {
    direction = sorted === column ? -direction : 1;
    sorted = column;
    for (const other of titles.children) other.removeAttribute("aria-sort");
    title.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    restart();
  }

  for (const column of columns) {
    const title = element("th", titles, { scope: "col" });
    const button = element("button", title, { type: "button" }, column.title);
    button.addEventListener("click", () => sort(column, title));
    const cell = element("td", choices);
    if (!column.values || column.values.length > FEW) continue;
    const menu = element("select", cell, { "aria-label": `Only rows with this ${column.title}` });
    element("option", menu, { value: "" }, "all");
    column.values.forEach((value, place) => element("option", menu, { value: place }, value));
    menu.addEventListener("change", restart);
    menus.set(column, menu);
  }
  search.addEventListener("input", restart);
  back.addEventListener("click", () => { first -= PAGE; draw(); });
  next.addEventListener("click", () => { first += PAGE; draw(); });
  draw();
}

for (const place of document.querySelectorAll("details.grid")) {
  place.addEventListener("toggle", () => grid(place), { once: true });
}
