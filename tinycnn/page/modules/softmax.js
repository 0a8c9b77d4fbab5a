// Softmax as bars: logits to probabilities, and for a label the gradient p - onehot.

import { belowHome, toExample } from "addresses";
import { h, put, s, speak, titles, wide } from "dom";
import { formula } from "formula";

const WIDTH = 130, HEIGHT = 220, MIDDLE = 150;

export function softmax(data) {
  const one = data.softmax;
  const box = h("div", {});
  const choice = h("div", { class: "row", role: "group", "aria-label": "The label" }, "The label:",
    one.labels.map((label, k) => h("button", { type: "button", onclick: () => show(k) }, `class ${k}`)));

  function show(chosen) {
    [...choice.querySelectorAll("button")].forEach((button, k) => button.setAttribute("aria-pressed", String(k === chosen)));
    const label = one.labels[chosen];
    const words = `Label ${chosen}: loss ${label.equation}; gradient ${label.gradient_texts.join(", ")}.`;
    put(box, bars(one, label, words),
      h("p", { class: "equation" }, formula(`loss = ${label.equation}`)),
      wide("Softmax, class by class", h("table", { class: "numbers" },
        titles(["class", "logit z", "exp z", "p", "onehot", "p - onehot"]),
        h("tbody", {}, one.logits.map((logit, k) => h("tr", {}, h("th", { scope: "row" }, `${k}`),
          [logit, one.exponentials[k], one.probability_texts[k], k === chosen ? "1" : "0", label.gradient_texts[k]].map((text) => h("td", { class: "mono" }, text))))))));
    speak(words);
  }
  show(one.labels.length - 1);
  return {
    title: "Softmax bars", up: belowHome(data),
    content: [
      h("p", {}, "Logits that are logarithms give fractions. Upper bars: p. Lower bars: what the logits should do, p - onehot; a step goes against it, so the label's logit rises."),
      choice, box, h("p", {}, h("a", { href: toExample("softmax") }, "Cell by cell")),
    ],
  };
}

function bars(one, label, words) {
  const parts = one.probabilities.map((p, k) => {
    const x = 20 + k * WIDTH, gradient = label.gradient[k], up = gradient > 0;
    return [
      s("rect", { class: "bar-fill", x, y: MIDDLE - p * 120, width: 50, height: p * 120 }),
      s("text", { x: x + 25, y: MIDDLE - p * 120 - 6, "text-anchor": "middle" }, `p = ${one.probability_texts[k]}`),
      s("rect", { class: up ? "bar-up" : "bar-down", x: x + 56, y: up ? MIDDLE - gradient * 120 : MIDDLE, width: 30, height: Math.abs(gradient) * 120 }),
      s("text", { x: x + 71, y: up ? MIDDLE - gradient * 120 - 6 : MIDDLE - gradient * 120 + 16, "text-anchor": "middle" }, label.gradient_texts[k]),
      s("text", { x: x + 20, y: HEIGHT + 40, "text-anchor": "middle" }, `class ${k}`)];
  });
  const width = 20 + one.probabilities.length * WIDTH;
  return s("svg", { class: "plot", role: "img", "aria-label": words, viewBox: `0 0 ${width} ${HEIGHT + 50}` },
    s("line", { class: "axis", x1: 10, x2: width - 10, y1: MIDDLE, y2: MIDDLE }), parts);
}
