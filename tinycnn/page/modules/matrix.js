// A matrix of real buttons: arrows walk it, a cell tells who points at it, and cells can be marked.

import { STEPS } from "arrows";
import { h } from "dom";

const MARKS = ["reads", "fed", "here", "now"];

/**
 * Draw a value of a hand-sized example. `point(flat)` is called for the cell that is pointed at or has the
 * focus, `pick(flat)` for the one that is pressed; `hidden(flat)` says whether its number is not shown yet.
 */
export function matrix(name, value, { point, pick, hidden = () => false }) {
  const buttons = [];
  const place = new Map(); // flat: [plane, row, column]
  const planes = value.planes.map((plane, number) =>
    h("table", {}, plane.label && h("caption", {}, plane.label),
      h("tbody", {}, plane.rows.map((row, i) =>
        h("tr", {}, row.map((flat, j) => h("td", {}, cell(flat, [number, i, j]))))))));
  const element = h("div", { class: "matrix", role: "group", "aria-label": name },
    h("p", { class: "name" }, name), h("div", { class: "planes" }, planes));
  if (buttons.length) buttons.find(Boolean).tabIndex = 0;

  function cell(flat, at) {
    place.set(flat, at);
    buttons[flat] = h("button", { type: "button", tabindex: -1, onclick: () => pick?.(flat),
      onmouseenter: () => point?.(flat), onfocus: () => { rove(flat); point?.(flat); }, onkeydown: (event) => walk(event, flat) });
    show(flat);
    return buttons[flat];
  }

  function show(flat) {
    const text = hidden(flat) ? "?" : value.texts[flat];
    buttons[flat].textContent = text;
    buttons[flat].setAttribute("aria-label", hidden(flat) ? `${value.cells[flat]}, hidden` : `${value.cells[flat]} = ${text}`);
  }

  function rove(flat) {
    for (const button of buttons) button.tabIndex = -1;
    buttons[flat].tabIndex = 0;
  }

  function walk(event, flat) {
    const step = STEPS[event.key];
    if (!step) return;
    const [plane, i, j] = place.get(flat);
    const beside = value.planes[plane].rows[i + step[0]]?.[j + step[1]];
    const other = value.planes[plane + Math.sign(step[0] + step[1])]; // over the edge, into the next plane
    const next = beside ?? other?.rows[step[1] ? i : step[0] > 0 ? 0 : other.rows.length - 1]?.[step[0] ? j : step[1] > 0 ? 0 : -1 + other.rows[0].length];
    if (next === undefined) return;
    event.preventDefault();
    buttons[next].focus();
  }

  return {
    element,
    show: () => value.texts.forEach((_, flat) => show(flat)),
    mark: (kind, cells) => cells.forEach((flat) => buttons[flat]?.classList.add(kind)),
    clear: (...kinds) => buttons.forEach((button) => button.classList.remove(...(kinds.length ? kinds : MARKS))),
    focus: (flat) => buttons[flat]?.focus(),
    cell: (flat) => buttons[flat],
  };
}

/** Rows of texts as a matrix that is only looked at. */
export function still(name, rows, { label = name, marked = () => "" } = {}) {
  return h("div", { class: "matrix" }, h("p", { class: "name" }, name),
    h("table", { "aria-label": label }, h("tbody", {}, rows.map((row, i) =>
      h("tr", {}, row.map((text, j) => h("td", { class: `cell ${marked(i, j)}` }, text)))))));
}
