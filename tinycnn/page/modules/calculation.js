// One call of an op on a few numbers: point at a result and see what it was made of; at a number, where it was used.

import { h, put, speak, wide } from "dom";
import { flight } from "flight";
import { formula } from "formula";
import { matrix, still } from "matrix";
import { settings } from "settings";

const key = (number, flat) => `${number} ${flat}`;

/**
 * A stage of an example, drawn: its `element`, and `point(name, flat)`, which shows how a cell of a result was made.
 * `gradients` names the result that is shown where an operand is pointed at, in place of its uses; `pointed(name,
 * flat)` is told which cell of a result the reader points at.
 */
export function calculation(example, stage, { gradients = {}, pointed = () => {} } = {}) {
  const values = example.values;
  const shown = new Set(); // what a class that predicts has asked for
  const asked = new Map(), told = new Map(); // what the box shows of a cell
  const box = h("div", { class: "card" });
  const takes = new Map(stage.takes.map((name) =>
    [name, matrix(name, values[name], { point: (flat) => used(name, flat), pick: (flat) => speak(used(name, flat)) })]));
  const results = stage.results.map((result, number) => matrix(result.name, values[result.name], {
    point: (flat) => reached(number, flat),
    pick: (flat) => { shown.add(key(number, flat)); results[number].show(); speak(reached(number, flat)); },
    hidden: (flat) => settings.predict && !shown.has(key(number, flat)),
  }));
  const everything = [...takes.values(), ...results];

  function reached(number, flat) {
    pointed(stage.results[number].name, flat);
    return made(number, flat);
  }

  function made(number, flat) {
    const result = stage.results[number], cell = result.cells[flat];
    const hidden = settings.predict && !shown.has(key(number, flat));
    everything.forEach((one) => one.clear());
    results[number].mark("here", [flat]);
    for (const [name, cells] of Object.entries(cell.reads)) takes.get(name)?.mark("reads", cells);
    if (stage.wins.length && !hidden) takes.get(stage.takes[0]).mark("fed", [stage.wins[flat]]);
    const name = values[result.name].cells[flat];
    const ready = hidden ? asked : told;
    if (!ready.has(cell)) ready.set(cell, workings(result, flat, hidden));
    put(box, ready.get(cell));
    return hidden ? `${name}: work it out` : `${cell.equation}${cell.note ? `, ${cell.note}` : ""}`;
  }

  /** How a cell of a result was made, its products, and its terms, which fly. */
  function workings(result, flat, hidden) {
    const cell = result.cells[flat];
    return [
      h("p", { class: "equation" }, formula(hidden ? cell.asked : cell.equation)),
      cell.note && !hidden && h("p", {}, cell.note),
      products(cell.products, hidden),
      !hidden && flight(cell.terms, (k) => cell.terms[k].cells.map(([name, at]) => takes.get(name).cell(at)), values[result.name].texts[flat], (k) => term(cell.terms[k])),
      h("p", { class: "soft" }, result.rule && `${result.name}: ${result.rule}.`, hidden && " Work it out, then press the cell."),
    ];
  }

  /** Which cells the term is made of that is added just now. */
  function term({ cells }) {
    takes.forEach((one) => one.clear("now"));
    for (const [name, at] of cells) takes.get(name).mark("now", [at]);
  }

  function used(name, flat) {
    const gradient = stage.results.findIndex((result) => result.name === gradients[name]);
    if (gradient >= 0) {
      const words = reached(gradient, flat);
      takes.get(name).mark("here", [flat]);
      return words;
    }
    everything.forEach((one) => one.clear());
    takes.get(name).mark("here", [flat]);
    const uses = [];
    stage.results.forEach((result, number) => {
      const cells = result.cells.flatMap((cell, at) => (cell.reads[name]?.includes(flat) ? [at] : []));
      results[number].mark("fed", cells);
      uses.push(...cells.map((at) => [values[result.name].cells[at], result.cells[at]]));
    });
    const where = uses.length === 1 ? "one cell" : `${uses.length} cells`;
    const words = `${values[name].cells[flat]} is used in ${uses.length ? where : "no cell"}`;
    put(box, h("p", { class: "equation" }, uses.length ? `${words}:` : `${words}.`),
      h("ul", {}, uses.map(([cell, { equation, note }]) => h("li", { class: "mono" }, settings.predict ? cell : formula(equation), !settings.predict && note && ` (${note})`))));
    return words;
  }

  made(0, 0);
  const point = (name, flat) => made(stage.results.findIndex((result) => result.name === name), flat);
  return { point, element: h("div", {},
    h("p", { class: "mono" }, stage.call),
    stage.sizes.length > 0 && h("p", {}, "Size: ", [...new Set(stage.sizes)].map((size, k) => [k > 0 && ", ", formula(size)])),
    h("div", { class: "stage" },
      h("div", { class: "operands" }, [...takes.values()].map((one) => one.element)),
      h("span", { class: "arrow", "aria-hidden": "true" }, "→"),
      h("div", { class: "results" }, results.map((one) => one.element))),
    h("p", { class: "legend" }, "Point at a number, or walk with the arrows: ",
      h("span", { class: "swatch reads" }), " what it was made of, ", h("span", { class: "swatch fed" }), " where it is used", stage.wins.length > 0 && ", and of a window the cell that wins", "."),
    box,
    stage.remark && h("p", {}, stage.remark)) };
}

/** Factors and products as three rows of cells that stand below each other. */
function products(found, asked) {
  if (found.length < 2) return null;
  const rows = [found.map((one) => one[0]), found.map((one) => one[1]), found.map((one) => (asked ? "?" : one[2]))];
  return wide("Factors and products", still("factors, and below them their products", rows, { marked: (i) => (i === 2 ? "fed" : "reads") }));
}
