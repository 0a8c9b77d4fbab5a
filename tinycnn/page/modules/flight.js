// The terms of a sum fly from the cells that they are made of into the number that they add up to.

import { h } from "dom";
import { moves, player } from "player";

const FLIGHT = 600; // ms

/**
 * The `terms` of a sum that are not 0, added one by one: `cellsOf(k)` are those that term k is made of, and `total`
 * is what they end in. `added(k)` is told of each.
 */
export function flight(terms, cellsOf, total, added) {
  if (terms.length < 2) return null;
  const words = h("p", { class: "mono", role: "status" });
  const box = h("div", { class: "flight" }, h("p", { class: "row" }, "Its terms that are not 0, one by one:", player(terms.length, show, () => box).element), words);

  function show(k) {
    const shown = terms.slice(0, k + 1).map(({ text }, at) => [at > 0 && (text.startsWith("-") ? " - " : " + "), h("span", { class: "term fed" }, at > 0 ? text.replace(/^-/, "") : text)]);
    words.replaceChildren(...shown.flat().filter(Boolean), k === terms.length - 1 ? ` = ${total}` : " + ...");
    added(k);
    arrive(cellsOf(k), shown[k][1]);
  }
  return box;
}

/** Copies of `cells` fly to `target`, which is seen once they are there. */
export async function arrive(cells, target) {
  target.classList.add("coming");
  await fly(cells, target);
  target.classList.remove("coming");
}

/** Copies of `cells` fly to `target`, and are gone; of a frame, which has no text, one of the target's. */
export async function fly(cells, target) {
  if (moves()) await Promise.all(cells.map((cell) => flown(cell, target)));
}

function flown(cell, target) {
  const [start, end] = [cell, target].map((one) => one.getBoundingClientRect());
  const copy = h("span", { class: "term mono flying", "aria-hidden": "true" }, cell.textContent || target.textContent);
  [copy.style.left, copy.style.top, copy.style.minWidth] = [`${start.left}px`, `${start.top}px`, `${start.width}px`];
  document.body.append(copy);
  const way = [0, 1].map((part) => `translate(${part * (end.left - start.left)}px, ${part * (end.top - start.top)}px)`);
  return copy.animate(way.map((transform) => ({ transform })), { duration: FLIGHT, easing: "ease-in-out" }).finished.finally(() => copy.remove());
}
