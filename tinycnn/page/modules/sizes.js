// The output size by sliders: the engine's formula for each choice of them, and the cells that each window reads.

import { belowHome } from "addresses";
import { h, put, s, speak, wide } from "dom";
import { formula as set } from "formula";
import { groups } from "groups";

const LABELS = { padding: "padding on each side" };
const PRESETS = [
  ["a remainder", { input: 7, kernel: 2, stride: 3, padding: 0, dilation: 1 }],
  ["same size", { input: 8, kernel: 3, stride: 1, padding: 1, dilation: 1 }],
  ["gaps", { input: 9, kernel: 3, stride: 1, padding: 0, dilation: 2 }],
  ["AlexNet: 227 to 55", { input: 227, kernel: 11, stride: 4, padding: 0, dilation: 1 }],
  ["224 to 54", { input: 224, kernel: 11, stride: 4, padding: 0, dilation: 1 }],
];
const CELL = 30;

/** What the engine's table has for a choice of all sliders. */
export function sizeOf({ sliders, formulas, windows, left, read }, now) {
  const at = Object.entries(sliders).reduce((place, [name, values]) => place * values.length + values.indexOf(now[name]), 0);
  return { formula: formulas[at], windows: windows.values[at], left: left.values[at], read: read.values[at] };
}

export function sizes(data) {
  const now = { input: 7, kernel: 3, stride: 2, padding: 0, dilation: 1 }, table = data.sizes;
  const formula = h("p", { class: "equation", id: "formula" }), words = h("p", {}), picture = wide("Windows over the cells");
  const controls = Object.entries(table.sliders).map(([name, values]) => {
    const input = h("input", { type: "range", id: name, min: 0, max: values.length - 1, oninput: () => { now[name] = values[Number(input.value)]; update(); } });
    const shown = h("output", { for: name, class: "number" });
    return { name, values, input, shown, row: h("div", { class: "row" }, h("label", { for: name }, LABELS[name] ?? name), input, shown) };
  });

  const grouped = groups(table.groups, () => table.sliders.kernel.indexOf(now.kernel));
  function update() {
    const found = sizeOf(table, now), { left } = found;
    for (const { name, values, input, shown } of controls) {
      input.value = values.indexOf(now[name]);
      input.setAttribute("aria-valuetext", now[name]);
      shown.textContent = now[name];
    }
    put(formula, found.formula ? set(found.formula) : "The window reaches further than there are cells, padding included: no output.");
    const exact = left ? `The division leaves a remainder of ${left}: the last ${left === 1 ? "cell is" : `${left} cells are`} not reached.` : "Nothing is left over.";
    words.textContent = found.formula && `${found.windows === 1 ? "1 window" : `${found.windows} windows`} of ${now.kernel === 1 ? "1 cell" : `${now.kernel} cells`}. ${exact}`;
    put(picture, found.formula && (now.input > table.drawn ? h("p", { class: "soft" }, "Too many cells to draw one by one.") : windows(now, found)));
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

/** The cells in a row, those that are `read` in their colour, and below them a row for each window. */
function windows({ input, kernel, stride, padding, dilation }, { windows: size, read }) {
  const isRead = (cell) => (read >> cell) & 1;
  const rows = Array.from({ length: size }, (_, out) => Array.from({ length: kernel }, (_, k) => out * stride + k * dilation));
  const total = input + 2 * padding, height = (size + 1) * CELL + 12;
  const cells = Array.from({ length: total }, (_, at) => {
    const inside = at >= padding && at < padding + input;
    const kind = !inside ? "cell-padding" : isRead(at - padding) ? "cell-read" : "cell-unread";
    return [s("rect", { class: kind, x: at * CELL + 2, y: 2, width: CELL - 4, height: CELL - 4, rx: 4 }),
      s("text", { x: at * CELL + CELL / 2, y: CELL / 2 + 5, "text-anchor": "middle" }, inside ? String(at - padding) : "0")];
  });
  const marks = rows.map((window, out) => [
    s("line", { class: "window", x1: window[0] * CELL + 4, x2: (window.at(-1) + 1) * CELL - 4, y1: (out + 1.5) * CELL + 6, y2: (out + 1.5) * CELL + 6, "stroke-width": 1 }),
    window.map((cell) => s("circle", { class: "dot", cx: cell * CELL + CELL / 2, cy: (out + 1.5) * CELL + 6, r: 6 })),
    s("text", { x: total * CELL + 8, y: (out + 1.5) * CELL + 11 }, `window ${out}`)]);
  const unread = Array.from({ length: input }, (_, at) => at).filter((at) => !isRead(at));
  const label = `${size} windows over ${total} cells. Never read: ${unread.length ? unread.join(", ") : "none"}.`;
  const width = total * CELL + 90;
  const plot = s("svg", { role: "img", "aria-label": label, width, height, viewBox: `0 0 ${width} ${height}` }, cells, marks);
  return h("figure", {}, plot, h("figcaption", {}, label));
}
