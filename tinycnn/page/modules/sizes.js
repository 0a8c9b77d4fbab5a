// The output size by sliders: the formula worked out, and the cells that each window reads.

import { belowHome } from "addresses";
import { h, put, s, speak } from "dom";
import { formula as set } from "formula";
import { groups } from "groups";

const SLIDERS = [
  ["input", "input", 1, 20], ["kernel", "kernel", 1, 11], ["stride", "stride", 1, 5],
  ["padding", "padding on each side", 0, 5], ["dilation", "dilation", 1, 4],
];
const PRESETS = [
  ["a remainder", { input: 7, kernel: 2, stride: 3, padding: 0, dilation: 1 }],
  ["same size", { input: 8, kernel: 3, stride: 1, padding: 1, dilation: 1 }],
  ["gaps", { input: 9, kernel: 3, stride: 1, padding: 0, dilation: 2 }],
  ["AlexNet: 227 to 55", { input: 227, kernel: 11, stride: 4, padding: 0, dilation: 1 }],
  ["224 to 54", { input: 224, kernel: 11, stride: 4, padding: 0, dilation: 1 }],
];
const CELL = 30, MOST = 40; // cells that are drawn one by one

/** The output size along an axis, floor((input + padding - dilation*(kernel-1) - 1)/stride) + 1, and its words. */
export function outputSize({ input, kernel, stride, padding, dilation }) {
  const reach = dilation * (kernel - 1) + 1, room = input + 2 * padding - reach;
  const inner = dilation === 1 ? `${kernel}` : `(${dilation}*${kernel - 1}+1)`;
  const size = room < 0 ? 0 : Math.floor(room / stride) + 1;
  return { size, room, reach, formula: `floor((${input}+${2 * padding}-${inner})/${stride})+1 = ${size}` };
}

export function sizes(data) {
  const now = { input: 7, kernel: 3, stride: 2, padding: 0, dilation: 1 };
  const formula = h("p", { class: "equation", id: "formula" }), words = h("p", {}), picture = h("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Windows over the cells" });
  const controls = SLIDERS.map(([name, label, least, most]) => {
    const input = h("input", { type: "range", id: name, min: least, max: most, value: now[name], oninput: () => { now[name] = Number(input.value); update(); } });
    const shown = h("output", { for: name, class: "number" });
    return { name, most, input, shown, row: h("div", { class: "row" }, h("label", { for: name }, label), input, shown) };
  });

  const grouped = groups(() => now.kernel);
  function update() {
    const { size, room, reach, formula: text } = outputSize(now);
    for (const { name, most, input, shown } of controls) {
      input.max = Math.max(most, now[name]);
      input.value = now[name];
      shown.textContent = now[name];
    }
    put(formula, room < 0 ? `the window reaches over ${reach} cells, and there are ${now.input + 2 * now.padding}: no output` : set(text));
    const left = room < 0 ? 0 : room % now.stride;
    const exact = left ? `(${room})/${now.stride} leaves a remainder of ${left}: the last ${left} ${left === 1 ? "cell is" : "cells are"} not reached.` : "Nothing is left over.";
    words.textContent = room < 0 ? "" : `${size} windows of ${now.kernel} cells. ${exact}`;
    put(picture, now.input + 2 * now.padding > MOST || room < 0 ? h("p", { class: "soft" }, room < 0 ? "" : "Too many cells to draw one by one.") : windows(now, size));
    grouped.update();
    speak(formula.textContent);
  }
  update();
  return {
    title: "Stride, padding, dilation, groups", up: belowHome(data),
    content: [
      h("p", {}, "Along one axis. A window starts every stride cells; what no window reads stays grey, and gets the gradient 0."),
      h("div", { class: "row", role: "group", "aria-label": "Presets" }, PRESETS.map(([label, preset]) =>
        h("button", { type: "button", onclick: () => { Object.assign(now, preset); update(); } }, label))),
      h("div", { class: "two" }, h("div", {}, controls.map(({ row }) => row)), h("div", { class: "card" }, formula, words)),
      picture, grouped.element,
    ],
  };
}

/** The cells in a row, and below them a row for each window. */
function windows({ input, kernel, stride, padding, dilation }, size) {
  const read = new Set();
  const rows = Array.from({ length: size }, (_, out) => Array.from({ length: kernel }, (_, k) => out * stride + k * dilation));
  rows.flat().forEach((cell) => read.add(cell));
  const total = input + 2 * padding, height = (size + 1) * CELL + 12;
  const cells = Array.from({ length: total }, (_, at) => {
    const inside = at >= padding && at < padding + input;
    const kind = !inside ? "cell-padding" : read.has(at) ? "cell-read" : "cell-unread";
    return [s("rect", { class: kind, x: at * CELL + 2, y: 2, width: CELL - 4, height: CELL - 4, rx: 4 }),
      s("text", { x: at * CELL + CELL / 2, y: CELL / 2 + 5, "text-anchor": "middle" }, inside ? String(at - padding) : "0")];
  });
  const marks = rows.map((window, out) => [
    s("line", { class: "window", x1: window[0] * CELL + 4, x2: (window.at(-1) + 1) * CELL - 4, y1: (out + 1.5) * CELL + 6, y2: (out + 1.5) * CELL + 6, "stroke-width": 1 }),
    window.map((cell) => s("circle", { class: "dot", cx: cell * CELL + CELL / 2, cy: (out + 1.5) * CELL + 6, r: 6 })),
    s("text", { x: total * CELL + 8, y: (out + 1.5) * CELL + 11 }, `window ${out}`)]);
  const unread = Array.from({ length: input }, (_, at) => at).filter((at) => !read.has(at + padding));
  const label = `${size} windows over ${total} cells. Never read: ${unread.length ? unread.join(", ") : "none"}.`;
  const width = total * CELL + 90;
  const plot = s("svg", { role: "img", "aria-label": label, width, height, viewBox: `0 0 ${width} ${height}` }, cells, marks);
  return h("figure", {}, plot, h("figcaption", {}, label));
}
