// One layer: its maps or their gradients, and for the cell that is pointed at, what it sees.

import { BACKWARD, HOME, toLayer, toNumber } from "addresses";
import { asTable, cursor, framed } from "cursor";
import { command, h, put } from "dom";
import { formula, rule } from "formula";
import { drawn, colour, laidOut, largest, liveliest, mapOf, photograph, sheetOf } from "maps";
import { filters } from "filters";
import { isClass, named } from "names";
import { number, whole } from "numbers";
import { listed } from "opened";

export function layer(data, [name, side, channel, at]) {
  const net = data.network, position = Math.max(net.layers.findIndex((one) => one.name === name), 0);
  const one = net.layers[position], backward = side === "gradients" && one.dy !== null;
  const array = backward ? one.dy : one.y;
  const isMap = array.shape.length === 3;
  const channels = one.channels ?? Array.from({ length: isMap ? array.shape[0] : 1 }, (_, c) => c);
  const asked = Math.max(Number(channel) || 0, 0), chosen = channels.includes(asked) ? asked : one.channels ? channels[0] : channels.at(-1);
  const neighbour = (step) => net.layers[position + step] && toLayer(net.layers[position + step].name, side);
  return {
    title: one.name,
    up: [{ title: data.title, to: backward ? BACKWARD : HOME }],
    next: neighbour(1), previous: neighbour(-1),
    turned: one.dy && toLayer(one.name, backward ? "maps" : "gradients", chosen, at),
    content: [
      facts(one),
      one.dy && h("nav", { class: "row", "aria-label": "Direction" },
        h("a", { class: "button", href: toLayer(one.name, "maps", chosen, at), "aria-current": backward ? null : "true" }, isMap ? "Maps" : "Numbers"),
        h("a", { class: "button", href: toLayer(one.name, "gradients", chosen, at), "aria-current": backward ? "true" : null }, "Gradients")),
      isMap ? sheet(data, one, array, channels, chosen, backward) : null,
      isMap && Number(channel) > 0 && chosen !== asked && missing(data, one, asked, backward),
      cells(data, one, array, channels.indexOf(chosen), chosen, at, backward),
      one.filters && filters(one),
      links(data, one),
    ],
  };
}

function facts(one) {
  const back = one.backward;
  const rows = [["kind", one.kind], ["size", one.size], ["feature map", one.feature_map], ["parameters", one.parameters || "none"],
    ["multiply-adds", one.multiply_adds], ["range", one.range], ["zeros", one.zeros],
    ["gradient", back && [rule(back.formula), `; largest ${back.largest} at ${back.where}; zeros ${back.zeros}`]]];
  return h("dl", { class: "facts" }, rows.filter(([, found]) => found).map(([term, found]) => [h("dt", {}, term), h("dd", {}, typeof found === "string" ? formula(found) : found)]));
}

/** What is said of a channel that is not in the file. */
function missing(data, one, channel, backward) {
  const middle = one.output.slice(0, 2).map((size) => size >> 1);
  return h("div", { class: "card" }, h("p", {}, `${one.axis} ${channel} is not in this file. On a terminal its numbers are opened so:`),
    command(`${data.command} ${option(one, backward)} --at ${[...middle, channel].join(",")}`));
}

/** The channels that are there beside each other; the one that is chosen is in the frame. */
function sheet(data, one, array, channels, chosen, backward) {
  const [C] = array.shape, at = channels.indexOf(chosen), all = one.output[2], columns = Math.ceil(Math.sqrt(C * 1.8)), rows = Math.ceil(C / columns);
  const go = (c) => data.go(toLayer(one.name, backward ? "gradients" : "maps", c));
  const map = cursor({
    canvas: sheetOf(array, largest(array.values) || 1, columns), rows, columns, at: [Math.floor(at / columns), at % columns], linked: "sheet",
    label: `${C === all ? "All " : ""}${C} ${one.axis}s of ${one.name}. Arrows walk, Enter chooses one`, width: "min(100%, 60rem)",
    allowed: (i, j) => i * columns + j < C,
    moved: (i, j) => { words.textContent = `${one.axis} ${channels[i * columns + j]}`; return words.textContent; },
    opened: (i, j) => go(channels[i * columns + j]),
  });
  const words = h("span", { class: "mono" }, `${one.axis} ${chosen}`);
  const input = h("input", { type: "number", id: data.id("channel"), min: 0, max: all - 1, value: chosen, onchange: () => go(Number(input.value)) });
  return h("section", {}, h("h2", {}, C === all ? `All ${C} ${one.axis}s` : `${C} of ${all} ${one.axis}s`), map.element,
    C < all && h("p", { class: "soft" }, `This file carries the ${C} liveliest; the live page, --serve, has all ${all}.`),
    h("p", { class: "row" }, words, h("label", { for: data.id("channel") }, `show ${one.axis}`), input),
    asTable(`The largest number of each ${one.axis}`, C, 2, (k, j) => extreme(array, k)[j], (k) => `${channels[k]}`, (j) => ["largest", "at row, column"][j]));
}

/** The number of largest size of a map's plane, and its row and column. */
function extreme({ values, shape: [, H, W] }, plane) {
  const own = values.subarray(plane * H * W, (plane + 1) * H * W), most = largest(own);
  const at = own.findIndex((value) => Math.abs(value) === most);
  return [number(own[at]), `${Math.floor(at / W)}, ${at % W}`];
}

/** One map, large, its cursor, and what the cell at the cursor sees. */
function cells(data, one, array, plane, channel, at, backward) {
  const net = data.network, isMap = array.shape.length === 3;
  const [rows, columns] = isMap ? array.shape.slice(1) : laidOut(array.shape[0]);
  const most = largest(array.values) || 1;
  const flat = (i, j) => (isMap ? (plane * rows + i) * columns + j : i * columns + j);
  const place = (i, j) => (isMap ? [i, j, channel] : [i * columns + j]);
  const text = (i, j) => (flat(i, j) < array.values.length ? number(array.values[flat(i, j)]) : "");
  const wanted = (at || "").split(",").map(Number);
  const asked = isMap ? wanted : [Math.floor(wanted[0] / columns), wanted[0] % columns];
  const begin = at && asked.length === 2 && asked.every((value, axis) => value >= 0 && value < [rows, columns][axis]) && flat(...asked) < array.values.length ? asked
    : [Math.floor(rows / 2), Math.floor(columns / 2)];
  const words = h("p", { class: "equation", id: data.id("cell") }), seen = h("p", { class: "soft" }), ways = h("div", {});
  const picture = framed(photograph(net, { "aria-hidden": "true" }), "The picture; the frame is what the cell sees", ...net.shape);
  const label = `${one.name}${isMap ? `, ${one.axis} ${channel}` : ""}${backward ? ", gradients" : ""}`;
  const map = cursor({ canvas: mapOf(array, plane, most), rows, columns, at: begin, linked: "cells", width: "min(100%, 26rem)", moved, opened,
    label: `${label}: ${rows} x ${columns} cells. Arrows walk, Enter opens`, allowed: (i, j) => flat(i, j) < array.values.length });

  function key(i, j) {
    return `${one.name}${backward ? ".y" : ""}[${place(i, j).join(",")}]`;
  }
  function opened(i, j) {
    if (data.live || data.opened[key(i, j)]) data.go(toNumber(key(i, j)));
    else ways.querySelector("button")?.focus();
  }
  function moved(i, j) {
    const equation = `${backward ? "dL/dy of " : ""}${one.name}[${place(i, j).join(",")}] = ${text(i, j)}`;
    words.textContent = isClass(net, one, place(i, j)) ? named(net, equation, place(i, j)[0]) : equation;
    const sees = one.sees && { rows: one.sees.rows[i], columns: one.sees.columns[j] };
    if (sees) {
      picture.move(sees.rows.slice(2), sees.columns.slice(2));
      const span = ([from, to]) => (from === to ? `${from}` : `${from}..${to}`);
      seen.textContent = `It sees rows ${span(sees.rows)}, columns ${span(sees.columns)} of its input; in the picture rows ${span(sees.rows.slice(2))}, columns ${span(sees.columns.slice(2))}.`;
    } else seen.textContent = "It sees all of its input, and all of the picture.";
    const carried = data.live || data.opened[key(i, j)];
    put(ways, carried ? h("p", {}, h("a", { class: "button primary", href: toNumber(key(i, j)) }, "Open this number"))
      : h("div", {}, h("p", { class: "soft" }, "This file does not carry its terms. On a terminal:"), command(`${data.command} ${option(one, backward)} --at ${place(i, j).join(",")}`)));
    return words.textContent;
  }
  function table() {
    if (isMap) return asTable(label, rows, columns, text);
    const name = (k) => (isClass(net, one, [k]) ? named(net, `${k}`, k) : `${k}`);
    return asTable(label, array.shape[0], 1, (k) => number(array.values[k]), name, () => (backward ? "gradient" : "number"));
  }
  moved(...begin);
  return h("section", {}, h("h2", {}, isMap ? `${one.axis} ${channel}${backward ? ": gradients" : ""}` : `Its ${whole(array.shape[0])} numbers${backward ? "' gradients" : ""}`),
    h("div", { class: "two" },
      h("div", {}, map.element, scale(most, array), table()),
      h("div", {}, words, seen, ways, one.sees && picture.element)));
}

/** What opens a number of a layer on a terminal, but for its place. */
export const option = (one, backward) => (backward ? one.gradient_option : one.option);

/** What the colours mean, in numbers. */
function scale(most, array) {
  const least = array.values.reduce((lowest, value) => Math.min(lowest, value), 0);
  const strip = drawn(1, 101, (_, j) => colour(least < 0 ? (j - 50) / 50 : j / 100));
  [strip.style.width, strip.style.height] = ["12rem", "0.8rem"];
  return h("p", { class: "row soft" }, number(least < 0 ? -most : 0, 3), strip, number(most, 3));
}

function links(data, one) {
  const found = Object.entries(listed(data)).filter(([, number]) => number.layer === one.name);
  const list = (title, wanted) => {
    const here = found.filter(([, number]) => wanted(number.part));
    return here.length > 0 && [h("h3", {}, title), h("ul", { class: "links" }, here.map(([key, number]) =>
      h("li", {}, h("a", { class: "button", href: toNumber(key) }, `${key} = ${number.text}`))))];
  };
  return h("section", {}, h("h2", {}, data.live ? "Some of its numbers" : "Opened in this file"),
    list("Cells", (part) => part === ""), list("Gradients of parameters", (part) => part !== "" && part !== "x"), list("Gradients of its input", (part) => part === "x"),
    found.length === 0 && h("p", {}, "None."));
}
