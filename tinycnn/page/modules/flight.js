// The terms of a sum fly into the number that they add up to.

import { h } from "dom";
import { moves, player } from "player";

const FLIGHT = 600; // ms

/** A sum's `products`, [a, b, a * b], as terms that fly one by one into the cell `target()`; `total` is what they end in. */
export function flight(products, target, total) {
  const terms = products.filter(([, , product]) => product !== "0");
  if (terms.length < 2) return null;
  const chips = terms.map(([a, b]) => h("span", { class: "term mono" }, `${a}*${factor(b)}`));
  const words = h("p", { class: "mono", role: "status" });
  const box = h("div", { class: "flight" }, h("p", { class: "row" }, "The terms that are not 0:", chips), words);

  function show(k) {
    chips.forEach((chip, at) => chip.classList.toggle("fed", at <= k));
    fly(chips[k], target());
    const so = terms.slice(0, k + 1).map(([a, b]) => `${a}*${factor(b)}`).join(" + ");
    words.textContent = k === terms.length - 1 ? `${so} = ${total}` : `${so} + ...`;
  }
  box.append(player(terms.length, show, () => box).element);
  return box;
}

const factor = (text) => (text.startsWith("-") ? `(${text})` : text);

/** A copy of `from` that flies to `to`, and is gone. */
function fly(from, to) {
  if (!moves() || !to) return;
  const [start, end] = [from, to].map((one) => one.getBoundingClientRect());
  const copy = h("span", { class: "term mono flying", "aria-hidden": "true" }, from.textContent);
  [copy.style.left, copy.style.top] = [`${start.left}px`, `${start.top}px`];
  document.body.append(copy);
  const way = [0, 1].map((part) => `translate(${part * (end.left - start.left)}px, ${part * (end.top - start.top)}px)`);
  copy.animate(way.map((transform) => ({ transform })), { duration: FLIGHT, easing: "ease-in-out" }).finished.finally(() => copy.remove());
}
