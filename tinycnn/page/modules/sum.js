// A sum that opens level by level: any part, not the largest alone.

import { toLayer, toNumber } from "addresses";
import { h, put, speak, wide } from "dom";
import { arrive, fly } from "flight";
import { isClass, named } from "names";
import { player } from "player";

/** The sum `tree` of an opened number; `cellsOf(path, k)` are the cells elsewhere that a part of a level is made of. */
export function sum(tree, one, data, cellsOf = () => []) {
  const path = [tree], box = h("div", { class: "card" });
  const inside = (level) => level.parts ?? level.texts ?? [];
  if (!inside(tree).length) return null;

  function show(focus) {
    const level = path.at(-1), { table, numbers } = level.parts ? parts(level) : terms(level, one, data), total = h("span", { class: "mono" }, level.total);
    async function add(k) {
      numbers.forEach((number, at) => number.classList.toggle("fed", at <= k));
      await arrive(cellsOf(path, k), numbers[k]);
      await fly([numbers[k]], total);
    }
    put(box,
      h("nav", { class: "row", "aria-label": "Levels of the sum" }, path.map((part, k) => h("button", { type: "button", "aria-current": k === path.length - 1 ? "true" : null,
        onclick: () => { path.length = k + 1; show(true); } }, `${part.place} = ${part.text}`))),
      level.unit ? h("p", { class: "soft" }, `in units of 1e${level.unit}`) : null,
      wide(`The parts of ${level.place}`, table),
      inside(level).length > 1 ? h("p", { class: "row total" }, total, player(numbers.length, add, () => table).element) : null);
    if (focus) box.querySelector("nav button:last-child").focus();
    if (focus) speak(`${level.place}: ${level.total}`);
  }

  function parts(level) {
    const open = (part) => { path.push(part); show(true); };
    const cell = (part, k) => (inside(part).length
      ? h("button", { type: "button", class: k === level.largest ? "primary" : null, "aria-label": `Open ${part.place} = ${part.text}`, onclick: () => open(part) }, part.text)
      : linked(part.text, part.array, sourceOf(part, 0), one, data));
    const numbers = level.parts.map((part, k) => h("td", {}, cell(part, k)));
    return { numbers, table: level.columns > 1 ? grid(level.place, numbers, level.columns) : h("table", { class: "parts" }, h("tbody", {},
      level.parts.map((part, k) => h("tr", {}, h("th", { scope: "row" }, part.place), numbers[k])))) };
  }
  show(false);
  return box;
}

function grid(label, cells, columns) {
  const rows = Array.from({ length: Math.ceil(cells.length / columns) }, (_, i) => cells.slice(i * columns, (i + 1) * columns));
  return h("table", { class: "parts", "aria-label": label }, h("tbody", {}, rows.map((row) => h("tr", {}, row))));
}

/** Terms, and of products their factors, each with a way to where it comes from. */
function terms(level, one, data) {
  const name = (text, k) => linked(text, level.array, sourceOf(level, k), one, data);
  if (!level.a && level.columns > 1) {
    const cells = level.texts.map((text, k) => h("td", {}, name(text, k)));
    return { numbers: cells, table: grid(level.place, cells, level.columns) };
  }
  const numbers = level.texts.map((text) => h("td", {}, text));
  const second = (k) => (level.other ? linked(level.b[k], level.other.array, sourceOf(level.other, k), one, data) : level.b[k]);
  const product = (k) => level.a && [h("td", {}, level.a[k]), h("td", {}, level.a[k] && "*"), h("td", {}, second(k)), h("td", {}, level.a[k] && "=")];
  return { numbers, table: h("table", { class: "parts" }, h("tbody", {}, level.texts.map((_, k) => h("tr", {},
    h("th", { scope: "row" }, name(level.places[k], k)), product(k), numbers[k])))) };
}

const PARTS = { x: "", y: "", z: "", dy: ".y", dz: ".z" }; // of a key: numbers have none, gradients have

/** Text that leads to the number at `place` of an array of the pass, where there is such and the page shows it. */
export function linked(text, array, place, one, data) {
  const layers = data.network.layers, own = layers.findIndex((layer) => layer.name === one.layer);
  const at = one.part === "y" ? own + 1 : own; // the next layer's terms make the gradient of an output
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
