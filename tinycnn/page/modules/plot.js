// Curves in SVG: points to places, axes with a few numbers.

import { s } from "dom";
import { number } from "numbers";

const WIDTH = 640, HEIGHT = 340, MARGIN = 56;

/** An SVG of curves: places of the plot, and what draws into it. */
export function plot(xs, ys, label, { x: horizontal, y: vertical }) {
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const spread = Math.max(...ys) - Math.min(...ys) || 1;
  const [low, high] = [Math.min(...ys) - spread * 0.06, Math.max(...ys) + spread * 0.06];
  const x = (value) => MARGIN + ((value - left) / (right - left)) * (WIDTH - 1.4 * MARGIN);
  const y = (value) => HEIGHT - MARGIN * 0.8 - ((value - low) / (high - low)) * (HEIGHT - 1.3 * MARGIN);
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const svg = s("svg", { class: "plot", role: "img", "aria-label": label, viewBox: `0 0 ${WIDTH} ${HEIGHT}` },
    s("path", { class: "axis", d: `M${x(left)},${y(high)}V${y(low)}H${x(right)}` }),
    ticks.map((share) => left + share * (right - left)).map((value) => s("text", { x: x(value), y: y(low) + 18, "text-anchor": "middle" }, number(value, 3))),
    ticks.map((share) => low + share * (high - low)).map((value) => s("text", { x: x(left) - 6, y: y(value) + 4, "text-anchor": "end" }, number(value, 3))),
    s("text", { x: (x(left) + x(right)) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, horizontal),
    s("text", { x: x(left) + 6, y: 16 }, vertical));
  const path = (points) => points.map(([a, b], k) => `${k ? "L" : "M"}${x(a).toFixed(2)},${y(b).toFixed(2)}`).join("");
  return {
    svg,
    curve: (points, kind) => svg.appendChild(s("path", { class: kind, d: path(points) })),
    dot: (at, kind, radius = 6) => svg.appendChild(s("circle", { class: kind, cx: x(at[0]), cy: y(at[1]), r: radius })),
    move: (mark, at) => { mark.setAttribute("cx", x(at[0])); mark.setAttribute("cy", y(at[1])); },
  };
}
