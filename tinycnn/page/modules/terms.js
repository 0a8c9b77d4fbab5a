// A parameter's terms as a map: at each place where it was used, what it added to its gradient.

import { asTable, cursor, framed } from "cursor";
import { h } from "dom";
import { colour, drawn, photograph } from "maps";
import { leaves, sourceOf } from "sum";

/**
 * The map of the places of a parameter's sum, beside the picture, and `cellsOf(path, k)`: the cell on it of part k of a
 * level of the sum, of a region that of its largest term; nothing for other numbers.
 */
export function termsMap(tree, one, data) {
  const layer = data.network.layers.find((each) => each.name === one.layer);
  if (!one.editable || !layer?.sees) return null;
  const [rows, columns] = layer.output, levels = leaves(tree), terms = new Map();
  if (levels.some((level) => level.array !== "dz")) return null;
  for (const level of levels) level.texts.forEach((_, k) => {
    const [i, j] = sourceOf(level, k);
    const text = `${level.texts[k]}${level.unit ? `e${level.unit}` : ""}`;
    terms.set(i * columns + j, { text, size: Number(text), words: level.a ? `dz * x = ${level.a[k]} * ${level.b[k]} = ${text}` : `dz = ${text}` });
  });
  if (terms.size !== rows * columns) return null;
  const at = (i, j) => terms.get(i * columns + j), most = Math.max(...[...terms.values()].map((term) => Math.abs(term.size))) || 1;
  const words = h("p", { class: "mono" });
  const picture = framed(photograph(data.network, { "aria-hidden": "true" }), "The picture; the frame is the window at that place", ...data.network.shape);
  function moved(i, j) {
    words.textContent = `place (${i},${j}): ${at(i, j).words}`;
    picture.move(layer.sees.rows[i].slice(2), layer.sees.columns[j].slice(2));
    return words.textContent;
  }
  const begin = [...terms.entries()].reduce((best, entry) => (Math.abs(entry[1].size) > Math.abs(best[1].size) ? entry : best))[0];
  const start = [Math.floor(begin / columns), begin % columns];
  const map = cursor({ canvas: drawn(rows, columns, (i, j) => colour(at(i, j).size / most)), rows, columns, at: start, moved, linked: "terms", width: "min(100%, 24rem)",
    label: `The ${terms.size} terms of the gradient, by place. Arrows walk` });
  function cellsOf(path, k) {
    let level = path.at(-1), term = k;
    while (level.parts) [level, term] = [level.parts[term], level.parts[term].largest];
    map.go(sourceOf(level, term).slice(0, 2));
    return [map.frame];
  }
  moved(...start);
  return { cellsOf, element: h("div", { class: "card" }, h("h3", {}, "Where it was used"), h("div", { class: "two" },
    h("div", {}, map.element, asTable("The terms", rows, columns, (i, j) => at(i, j).text)), h("div", {}, words, picture.element))) };
}
