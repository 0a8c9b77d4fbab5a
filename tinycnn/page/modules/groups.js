// Groups by a slider: which channels each filter sees, and how many weights are left.

import { h, put, s, speak } from "dom";
import { formula } from "formula";

const CHANNELS = 8, FILTERS = 8, GROUPS = [1, 2, 4, 8], WIDTH = 400, HEIGHT = 150, RADIUS = 9;

/** Channels above, filters below, and a line for each pair that meets; `kernel` is its height and width. */
export function groups(kernel) {
  const box = h("div", {});
  const input = h("input", { type: "range", id: "groups", min: 0, max: GROUPS.length - 1, value: 0, oninput: update });
  const shown = h("output", { for: "groups", class: "number" });
  const x = (k, count) => ((k + 0.5) * WIDTH) / count;

  function update() {
    const count = GROUPS[Number(input.value)], own = CHANNELS / count;
    const met = (c, f) => Math.floor(c / own) === Math.floor(f / (FILTERS / count));
    const pairs = Array.from({ length: CHANNELS * FILTERS }, (_, k) => [Math.floor(k / FILTERS), k % FILTERS]).filter(([c, f]) => met(c, f));
    const label = `${count} ${count === 1 ? "group" : "groups"}: each of ${FILTERS} filters sees ${own} of ${CHANNELS} channels.`;
    shown.textContent = count;
    input.setAttribute("aria-valuetext", label);
    const row = (length, y, kind) => Array.from({ length }, (_, k) => [s("circle", { class: kind, cx: x(k, length), cy: y, r: RADIUS }),
      s("text", { x: x(k, length), y: y < HEIGHT / 2 ? y - 14 : y + 24, "text-anchor": "middle" }, k)]);
    put(box, h("p", { class: "equation", id: "weights" }, "weights: ", formula(`${kernel()}*${kernel()}*${own}*${FILTERS} = ${(kernel() ** 2 * own * FILTERS).toLocaleString("en-US")}`)),
      h("figure", {}, s("svg", { class: "plot", role: "img", "aria-label": label, viewBox: `0 0 ${WIDTH} ${HEIGHT}` },
        pairs.map(([c, f]) => s("line", { class: "axis", x1: x(c, CHANNELS), y1: 34, x2: x(f, FILTERS), y2: 108 })),
        row(CHANNELS, 34, "dot"), row(FILTERS, 108, "corner")), h("figcaption", {}, label, " Channels above, filters below.")));
    speak(label);
  }
  update();
  return { update, element: h("section", {}, h("h2", {}, "Groups"), h("div", { class: "row" }, h("label", { for: "groups" }, "groups"), input, shown), box) };
}
