// Two sides of a page beside each other: what is pressed on one is shown on both, where both have it.

import { parted } from "addresses";
import { followed } from "cursor";
import { differenceOf } from "difference";
import { h, speak } from "dom";

const BETWEEN = "&"; // what stands between two addresses; within one it is escaped

/** Whether an address asks for two places. */
export const isPair = (address) => address.includes(BETWEEN);

/** The view `views[name]` of each side of `data`, at `address`, as one view. */
export function beside(data, views, address) {
  const addresses = isPair(address) ? address.split(BETWEEN) : [address, address];
  const sides = data.sides.map((side, k) => ({ ...data, ...side, side: k, id: (name) => (k ? `${name}-right` : name), go: (to) => { location.hash = other(k, to); } }));
  const shown = addresses.map((one, k) => { const [name, ...rest] = parted(one); return views[name](sides[k], rest); });

  /** Where both sides are when side `k` goes `to` a place. */
  function other(k, to) {
    if (hasPlace(sides[1 - k], sides[k], parted(to))) return to;
    const pair = [...addresses];
    pair[k] = to;
    return pair.map((one) => one.replace(/^#/, "")).join(BETWEEN);
  }
  const way = (name) => [0, 1].filter((k) => shown[k][name]).map((k) => other(k, shown[k][name]))[0];
  const columns = sides.map((side, k) => h("section", { class: "side", "aria-label": side.name, onclick: (event) => follow(event, k) },
    h("h2", { class: "side-name" }, side.name), shown[k].content));
  const box = h("div", { onwalk: (event) => walked(box, event) }, difference(data, sides, addresses), h("div", { class: "sides" }, columns));

  /** A link within a side goes where that side goes. */
  function follow(event, k) {
    const link = event.target.closest("a[href^='#/']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    sides[k].go(link.getAttribute("href"));
  }
  return {
    title: [...new Set(shown.map((one) => one.title))].join(" | "),
    up: shown[0].up, next: way("next"), previous: way("previous"), turned: way("turned"),
    content: [box, shown[0].below],
    spoken: shown.flatMap((one, k) => (one.spoken ? [`${sides[k].name}: ${one.spoken}`] : [])).join("; "),
  };
}

/** Whether `side` has the place that `from` goes to: a view by hand, a layer of the same shape, an opened number. */
function hasPlace(side, from, [view, name]) {
  if (view === "open") return Object.hasOwn(side.opened, name) || isAsked(side, from, name);
  if (view !== "layer") return true;
  const [here, there] = [side, from].map(({ network }) => network.layers.find((one) => one.name === name));
  return Boolean(here && there) && `${here.output}` === `${there.output}`;
}

/** Whether the engine behind both sides, if one is, opens that number on each: it lies in arrays of the same shape. */
function isAsked(side, from, key) {
  const [here, there] = [side, from].map(({ shapes }) => shapes?.[key.replace(/\[[0-9,]*\]$/, "")]);
  return Boolean(here && there) && `${here}` === `${there}`;
}

/** The cursor of each other map of the same cells goes to the same cell; who walks aloud hears the difference. */
function walked(box, event) {
  const { at, aloud } = event.detail, { linked, cells } = event.target.dataset;
  const others = [...box.querySelectorAll(".map[data-linked]")].filter((map) => map !== event.target && map.dataset.linked === linked && map.dataset.cells === cells);
  const words = others.map((map) => [map.closest(".difference"), followed(map, at)]).find(([stands]) => stands)?.[1];
  if (aloud && words) speak(words);
}

/** How the sides differ there; nothing where they show different places. */
function difference(data, sides, [left, right]) {
  const found = left === right && differenceOf(data, sides, parted(left));
  return found && h("section", { class: "card difference", "aria-label": "Difference" }, h("h2", {}, "Right minus left"), found);
}
