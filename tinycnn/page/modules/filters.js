// The filters of a first convolution, which can be looked at: they read colours.

import { asTable } from "cursor";
import { h } from "dom";
import { drawn, largest } from "maps";
import { number } from "numbers";

/** The filters of a first layer, as sheets in the colours of what they read. */
export function filters(one) {
  const { values, shape: [F, KH, KW, C] } = one.filters, most = largest(values) || 1;
  const columns = Math.ceil(Math.sqrt(F * 1.8)), rows = Math.ceil(F / columns);
  const canvas = drawn(rows * (KH + 1) - 1, columns * (KW + 1) - 1, (y, x) => {
    const [i, j] = [y % (KH + 1), x % (KW + 1)], f = Math.floor(y / (KH + 1)) * columns + Math.floor(x / (KW + 1));
    if (i === KH || j === KW || f >= F) return [128, 128, 128];
    return [0, 1, 2].map((k) => 128 + (127 * values[((f * KH + i) * KW + j) * C + (C === 3 ? k : 0)]) / most);
  }, { role: "img", "aria-label": `The ${F} filters of ${one.name}, ${KH} x ${KW}, in colour` });
  canvas.style.width = "min(100%, 60rem)";
  return h("section", {}, h("h2", {}, `Its ${F} filters`), h("figure", {}, canvas,
    h("figcaption", {}, `Grey is 0; ${C === 3 ? "red, green and blue are the weights of these colours" : "white and black are the largest weights above and below 0"}, up to ${number(most, 3)}.`)),
    asTable(`The weights of its ${F} filters`, F, KH * KW * C, (f, k) => number(values[f * KH * KW * C + k]), (f) => `filter ${f}`,
      (k) => [Math.floor(k / (KW * C)), Math.floor(k / C) % KW, k % C].join(",")));
}
