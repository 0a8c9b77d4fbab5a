// How two sides differ: as a table of the layers, as a map of one channel, part by part in an opened number. Each names
// the command that prints the same: right minus left, and no more is worked out here.

import { toLayer } from "addresses";
import { asTable, cursor } from "cursor";
import { command, h, put, titles, wide } from "dom";
import { option } from "layer";
import { laidOut, largest, mapOf } from "maps";
import { number } from "numbers";

/** What differs at an address, [view, ...rest]; nothing where nothing is compared. */
export function differenceOf(data, sides, [view, ...rest]) {
  if (view === "layer") return layerMap(data.differences, sides, rest);
  if (view === "open") return numbers(data.differences, sides, rest[0]);
  return layers(data.differences);
}

function table(head, rows) {
  return wide("The differences as a table", h("table", { class: "numbers" },
    titles(head),
    h("tbody", {}, rows.map(([first, ...texts]) => h("tr", {}, h("th", { scope: "row" }, first), texts.map((text) => h("td", { class: "mono" }, text)))))));
}

/** The largest difference of each layer, the share it has of the largest number on the left, and where it is. */
function layers({ loss, layers: found, command: both }) {
  const at = (name, side, where) => where && h("a", { href: toLayer(name, side, where.split(",")[2] ?? 0, where.split(",").slice(0, 2).join(",")) }, where);
  return [
    h("p", { class: "mono" }, `loss: ${loss[1]} on the left, ${loss[2]} on the right, difference ${loss[3]}`),
    table(["layer", "largest difference", "of the left's largest", "at", "of its gradients", "of the left's largest", "at"], found.map((one) => [one.name,
      one.remark ?? one.largest, one.share, at(one.name, "maps", one.where), one.gradient_largest, one.gradient_share, at(one.name, "gradients", one.gradient_where)])),
    command(both),
  ];
}

function numbers({ opened, command: both }, sides, key) {
  const rows = opened[key];
  return rows && [table(["", "left", "right", "difference"], rows), command(`${both} ${sides[0].opened[key].options}`)];
}

/** The differences of one channel, cell by cell, its cursor linked with those of both sides. */
function layerMap({ command: both }, sides, [name, side, channel, at]) {
  const found = sides.map(({ network }) => network.layers.find((one) => one.name === name));
  if (found.some((one) => !one) || `${found[0].output}` !== `${found[1].output}`) return null;
  const backward = side === "gradients" && found.every((one) => one.dy);
  const [left, right] = found.map((one) => (backward ? one.dy : one.y));
  const isMap = left.shape.length === 3, channels = found[0].channels;
  const chosen = isMap ? Math.max(channels ? channels.indexOf(Number(channel)) : Math.min(Number(channel) || 0, left.shape[0] - 1), 0) : 0;
  const [rows, columns] = isMap ? left.shape.slice(1) : laidOut(left.shape[0]);
  const size = isMap ? rows * columns : left.shape[0], first = chosen * size;
  const apart = Float64Array.from({ length: size }, (_, k) => right.values[first + k] - left.values[first + k]);
  const place = (i, j) => (isMap ? [i, j, channels?.[chosen] ?? chosen] : [i * columns + j]).join(",");
  const words = h("p", { class: "equation" }), way = h("div", {}), most = largest(apart);
  const inside = (i, j) => i * columns + j < size;
  function moved(i, j) {
    const k = i * columns + j;
    const [a, b] = [left, right].map(({ values }) => number(values[first + k]));
    words.textContent = `${backward ? "dL/dy of " : ""}${name}[${place(i, j)}]: ${b} - ${a.startsWith("-") ? `(${a})` : a} = ${number(apart[k])}`;
    put(way, command(`${both} ${option(found[0], backward)} --at ${place(i, j)}`));
    return words.textContent;
  }
  const wanted = (at || "").split(",").map(Number), begin = isMap ? wanted : at ? [Math.floor(wanted[0] / columns), wanted[0] % columns] : [];
  const start = begin.length === 2 && begin.every((value, axis) => value >= 0 && value < [rows, columns][axis]) ? begin : [Math.floor(rows / 2), Math.floor(columns / 2)];
  const map = cursor({ canvas: mapOf({ values: apart, shape: isMap ? [1, rows, columns] : [size] }, 0, most || 1), rows, columns, at: start, moved, allowed: inside,
    linked: "cells", width: "min(100%, 20rem)", label: `${name}: the differences, ${rows} x ${columns} cells. Arrows walk` });
  moved(...start);
  return h("div", { class: "two" }, h("div", {}, map.element, asTable("The differences", rows, columns, (i, j) => (inside(i, j) ? number(apart[i * columns + j]) : ""))),
    h("div", {}, words, h("p", { class: "soft" }, `Largest in this ${isMap ? found[0].axis : "layer"}: ${number(most)}.`), way));
}
