// A sum that opens level by level: any part, not the largest alone.

import { toLayer, toNumber } from "addresses";
import { h, put, speak } from "dom";
import { isClass, named } from "names";

/** The sum `tree` of an opened number. */
export function sum(tree, one, data) {
  const path = [tree], box = h("div", { class: "card" });
  const inside = (level) => level.parts ?? level.texts ?? [];
  if (!inside(tree).length) return null;

  function show(focus) {
    const level = path.at(-1);
    put(box, 
      h("nav", { class: "row", "aria-label": "Levels of the sum" }, path.map((part, k) => h("button", { type: "button", "aria-current": k === path.length - 1 ? "true" : null,
        onclick: () => { path.length = k + 1; show(true); } }, `${part.place} = ${part.text}`))),
      level.unit ? h("p", { class: "soft" }, `in units of 1e${level.unit}`) : null,
      h("div", { class: "wide", tabindex: 0, role: "group", "aria-label": `The parts of ${level.place}` }, level.parts ? parts(level) : terms(level, one, data)),
      inside(level).length > 1 ? h("p", { class: "mono total" }, level.total) : null);
    if (focus) box.querySelector("nav button:last-child").focus();
    if (focus) speak(`${level.place}: ${level.total}`);
  }

  function parts(level) {
    const open = (part) => { path.push(part); show(true); };
    const cell = (part, k) => (inside(part).length
      ? h("button", { type: "button", class: k === level.largest ? "primary" : null, "aria-label": `Open ${part.place} = ${part.text}`, onclick: () => open(part) }, part.text)
      : linked(part.text, part.array, sourceOf(part, 0), one, data));
    const cells = level.parts.map(cell);
    return level.columns > 1 ? grid(level.place, cells, level.columns) : h("table", { class: "parts" }, h("tbody", {},
      level.parts.map((part, k) => h("tr", {}, h("th", { scope: "row" }, part.place), h("td", {}, cells[k])))));
  }
  show(false);
  return box;
}

function grid(label, cells, columns) {
  const rows = Array.from({ length: Math.ceil(cells.length / columns) }, (_, i) => cells.slice(i * columns, (i + 1) * columns));
  return h("table", { class: "parts", "aria-label": label }, h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell))))));
}

/** Terms, and of products their factors, each with a way to where it comes from. */
function terms(level, one, data) {
  const name = (text, k) => linked(text, level.array, sourceOf(level, k), one, data);
  if (!level.a && level.columns > 1) return grid(level.place, level.texts.map(name), level.columns);
  const product = (k) => level.a && [h("td", {}, level.a[k]), h("td", {}, level.a[k] && "*"), h("td", {}, level.b[k]), h("td", {}, level.a[k] && "=")];
  return h("table", { class: "parts" }, h("tbody", {}, level.texts.map((text, k) => h("tr", {},
    h("th", { scope: "row" }, name(level.places[k], k)), product(k), h("td", {}, text)))));
}

const PARTS = { x: "", y: "", z: "", dy: ".y", dz: ".z" }; // of a key: numbers have none, gradients have

/** Text that leads to the number at `place` of an array of the pass, where there is such and the page shows it. */
function linked(text, array, place, one, data) {
  const layers = data.network.layers, at = layers.findIndex((layer) => layer.name === one.layer);
  const layer = array === "x" ? layers[at - 1] : layers.at(at); // the loss is made of the last one's
  if (!place || !layer) return text;
  const words = isClass(data.network, layer, place) ? named(data.network, text, place[0]) : text;
  const key = `${layer.name}${PARTS[array]}[${place.join(",")}]`, backward = PARTS[array] !== "";
  if (data.live || Object.hasOwn(data.opened, key)) return h("a", { href: toNumber(key) }, words);
  if (backward && !layer.dy) return words;
  const [channel, cell] = place.length === 3 ? [place[2], place.slice(0, 2)] : [0, place];
  return h("a", { href: toLayer(layer.name, backward ? "gradients" : "maps", channel, cell.join(",")) }, words);
}

/** Where the k-th term of a level stands in its array, as opened.py has packed it; undefined where it is no number of the pass. */
export function sourceOf({ first, across, sources }, k) {
  if (!first) return sources?.[k];
  const [i, j, ...rest] = first;
  return across ? [i + Math.floor(k / across), j + (k % across), ...rest] : [...first.slice(0, -1), first.at(-1) + k];
}

/** All levels of terms below a level, in order. */
export function leaves(level) {
  return level.texts ? [level] : (level.parts ?? []).flatMap(leaves);
}
