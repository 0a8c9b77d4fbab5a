// A convolution's window, channel by channel: patch, kernel and products as three matrices.

import { h, put, wide } from "dom";
import { arrive } from "flight";
import { still } from "matrix";
import { player } from "player";
import { leaves } from "sum";

/**
 * The three matrices of a convolution's cell, and `cellsOf(path, k)`: those of patch and kernel that part k of a level
 * of its sum is made of; nothing for other numbers.
 */
export function windows(section, data) {
  const positions = positionsOf(section.tree), [, columns] = section.kernel;
  if (!columns || positions.length < 2) return null;
  const read = positions.map((position) => {
    const lists = leaves(position);
    return { a: lists.flatMap((list) => list.a), b: lists.flatMap((list) => list.b), texts: lists.flatMap((list) => list.texts), places: lists.flatMap((list) => list.places) };
  });
  const some = read.find((list) => list.places.length);
  if (!some) return null;
  const box = wide("Patch, kernel and products"), choice = h("select", { id: data.id("plane"), onchange: () => show() },
    some.places.map((place, c) => h("option", { value: c }, place)));
  box.classList.add("small");
  function rows(texts) {
    return Array.from({ length: Math.ceil(texts.length / columns) }, (_, i) => texts.slice(i * columns, (i + 1) * columns));
  }
  function show(here = -1) {
    const c = Number(choice.value), marked = (i, j) => (i * columns + j === here ? "here" : "");
    const of = (name) => rows(read.map((list) => list[name][c] ?? "pad"));
    const [patch, kernel, products] = [["patch", "a"], ["kernel", "b"], ["products", "texts"]].map(([title, name]) => still(title, of(name), { marked }));
    put(box, h("div", { class: "stage" }, patch, h("span", { class: "arrow" }, "*"), kernel, h("span", { class: "arrow" }, "="), products));
    return read[here]?.places.length ? [patch, kernel, products].map((one) => one.querySelectorAll("td")[here]) : [];
  }
  function multiplied(k) {
    const [patch, kernel, product] = show(k);
    if (product) arrive([patch, kernel], product);
  }
  function cellsOf(path, k) {
    const level = path.at(-1), position = level.parts?.[k].position ?? level.positions?.[k] ?? path.findLast((one) => one.position)?.position;
    const plane = level.places ? some.places.indexOf(level.places[k]) : -1;
    if (plane >= 0) choice.value = plane;
    return position ? show(position[0] * columns + position[1]).slice(0, 2) : [];
  }
  show();
  return { cellsOf, element: h("div", { class: "card" }, h("div", { class: "row" }, h("label", { for: data.id("plane") }, "Plane"), choice, player(read.length, multiplied, () => box).element),
    box, h("p", { class: "soft" }, "One plane of the window at a time; pad is padding, whose products are 0.")) };
}

/** The parts of a sum that are a kernel's positions, row by row; those that read padding are empty. */
function positionsOf(level) {
  if (level.position) return [level];
  if (level.positions) return level.positions.map(() => ({}));
  return (level.parts ?? []).flatMap(positionsOf);
}
