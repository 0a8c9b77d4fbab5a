// A sum that opens level by level: any part, not the largest alone.

import { toLayer, toNumber } from "addresses";
import { h, put, speak } from "dom";

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
    const largest = level.parts.reduce((best, part) => (Math.abs(part.text) > Math.abs(best.text) ? part : best));
    const open = (part) => { path.push(part); show(true); };
    const cell = (part) => (inside(part).length
      ? h("button", { type: "button", class: part === largest ? "primary" : null, "aria-label": `Open ${part.place} = ${part.text}`, onclick: () => open(part) }, part.text)
      : h("span", {}, part.text));
    if (level.columns > 1) {
      const rows = Array.from({ length: Math.ceil(level.parts.length / level.columns) }, (_, i) => level.parts.slice(i * level.columns, (i + 1) * level.columns));
      return h("table", { class: "parts", "aria-label": level.place }, h("tbody", {}, rows.map((row) => h("tr", {}, row.map((part) => h("td", {}, cell(part)))))));
    }
    return h("table", { class: "parts" }, h("tbody", {}, level.parts.map((part) => h("tr", {}, h("th", { scope: "row" }, part.place), h("td", {}, cell(part))))));
  }
  show(false);
  return box;
}

/** Products in full, each with a way to where it comes from. */
function terms(level, one, data) {
  const layers = data.network.layers, before = layers[layers.findIndex((layer) => layer.name === one.layer) - 1];
  const from = (place) => {
    const key = `${before.name}[${place.join(",")}]`;
    return data.live || data.opened[key] ? toNumber(key) : toLayer(before.name, "maps", place[2] ?? 0, place.slice(0, 2).join(","));
  };
  const name = (k) => (level.source && before ? h("a", { href: from([...level.source.slice(0, -1), level.source.at(-1) + k]) }, level.places[k]) : level.places[k]);
  return h("table", { class: "parts" }, h("tbody", {}, level.texts.map((text, k) => h("tr", {}, h("th", { scope: "row" }, name(k)),
    h("td", {}, level.a[k]), h("td", {}, "*"), h("td", {}, level.b[k]), h("td", {}, "="), h("td", {}, text)))));
}

/** All levels of products below a level, in order. */
export function leaves(level) {
  return level.texts ? [level] : (level.parts ?? [level]).flatMap((part) => (part === level ? [] : leaves(part)));
}
