// One call of an op on a few numbers: point at a result and see what it was made of; at a number, where it was used.

import { h, put, speak } from "dom";
import { matrix, still } from "matrix";
import { settings } from "settings";

const key = (number, flat) => `${number} ${flat}`;

/** A stage of an example, drawn. */
export function calculation(example, stage) {
  const values = example.values;
  const shown = new Set(); // what a class that predicts has asked for
  const box = h("div", { class: "card" });
  const takes = new Map(stage.takes.map((name) =>
    [name, matrix(name, values[name], { point: (flat) => used(name, flat), pick: (flat) => speak(used(name, flat)) })]));
  const results = stage.results.map((result, number) => matrix(result.name, values[result.name], {
    point: (flat) => made(number, flat),
    pick: (flat) => { shown.add(key(number, flat)); results[number].show(); speak(made(number, flat)); },
    hidden: (flat) => settings.predict && !shown.has(key(number, flat)),
  }));
  const everything = [...takes.values(), ...results];

  function made(number, flat) {
    const result = stage.results[number], cell = result.cells[flat];
    const asked = settings.predict && !shown.has(key(number, flat));
    everything.forEach((one) => one.clear());
    results[number].mark("here", [flat]);
    for (const [name, cells] of Object.entries(cell.reads)) takes.get(name)?.mark("reads", cells);
    if (stage.wins.length && !asked) takes.get(stage.takes[0]).mark("fed", [stage.wins[flat]]);
    const name = values[result.name].cells[flat];
    put(box, 
      h("p", { class: "equation" }, asked ? cell.asked : cell.equation),
      cell.note && !asked && h("p", {}, cell.note),
      products(cell.products, asked),
      h("p", { class: "soft" }, result.rule && `${result.name}: ${result.rule}.`, asked && " Work it out, then press the cell."));
    return asked ? `${name}: work it out` : `${cell.equation}${cell.note ? `, ${cell.note}` : ""}`;
  }

  function used(name, flat) {
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
      h("ul", {}, uses.map(([cell, { equation, note }]) => h("li", { class: "mono" }, settings.predict ? cell : equation, !settings.predict && note && ` (${note})`))));
    return words;
  }

  made(0, 0);
  return h("div", {},
    h("p", { class: "mono" }, stage.call),
    stage.sizes.length > 0 && h("p", {}, "Size: ", h("span", { class: "mono" }, [...new Set(stage.sizes)].join(", "))),
    h("div", { class: "stage" },
      h("div", { class: "operands" }, [...takes.values()].map((one) => one.element)),
      h("span", { class: "arrow", "aria-hidden": "true" }, "→"),
      h("div", { class: "results" }, results.map((one) => one.element))),
    h("p", { class: "legend" }, "Point at a number, or walk with the arrows: ",
      h("span", { class: "swatch reads" }), " what it was made of, ", h("span", { class: "swatch fed" }), " where it is used", stage.wins.length > 0 && ", and of a window the cell that wins", "."),
    box,
    stage.remark && h("p", {}, stage.remark));
}

/** Factors and products as three rows of cells that stand below each other. */
function products(found, asked) {
  if (found.length < 2) return null;
  const rows = [found.map((one) => one[0]), found.map((one) => one[1]), found.map((one) => (asked ? "?" : one[2]))];
  return h("div", { class: "wide", tabindex: 0, role: "group", "aria-label": "Factors and products" }, still("factors, and below them their products", rows, { marked: (i) => (i === 2 ? "fed" : "reads") }));
}
