// Groups by a slider: which channels each filter sees, and how many weights are left.

import { h, put, s, speak } from "dom";
import { formula } from "formula";

const WIDTH = 400, HEIGHT = 150, RADIUS = 9;

/**
 * Channels above, filters below, and a line for each pair that meets. `choices` are the engine's, one for each number
 * of groups; `kernel()` says for which of the kernels the weights are counted.
 */
export function groups(choices, kernel) {
  const box = h("div", {});
  const input = h("input", { type: "range", id: "groups", min: 0, max: choices.length - 1, value: 0, oninput: update });
  const shown = h("output", { for: "groups", class: "number" });
  const x = (k, count) => ((k + 0.5) * WIDTH) / count;

  function update() {
    const { groups: count, channels, pairs, weights } = choices[Number(input.value)];
    const [all, filters] = [0, 1].map((side) => new Set(pairs.map((pair) => pair[side])).size);
    const label = `${count} ${count === 1 ? "group" : "groups"}: each of ${filters} filters sees ${channels} of ${all} channels.`;
    shown.textContent = count;
    input.setAttribute("aria-valuetext", label);
    const row = (length, y, kind) => Array.from({ length }, (_, k) => [s("circle", { class: kind, cx: x(k, length), cy: y, r: RADIUS }),
      s("text", { x: x(k, length), y: y < HEIGHT / 2 ? y - 14 : y + 24, "text-anchor": "middle" }, k)]);
    put(box, h("p", { class: "equation", id: "weights" }, "weights: ", formula(weights[kernel()])),
      h("figure", {}, s("svg", { class: "plot", role: "img", "aria-label": label, viewBox: `0 0 ${WIDTH} ${HEIGHT}` },
        pairs.map(([c, f]) => s("line", { class: "axis", x1: x(c, all), y1: 34, x2: x(f, filters), y2: 108 })),
        row(all, 34, "dot"), row(filters, 108, "corner")), h("figcaption", {}, label, " Channels above, filters below.")));
    speak(label);
  }
  update();
  return { update, element: h("section", {}, h("h2", {}, "Groups"), h("div", { class: "row" }, h("label", { for: "groups" }, "groups"), input, shown), box) };
}
