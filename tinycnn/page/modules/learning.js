// Fifty steps of the smallest network: the loss as a curve, and everything it knows at each step.

import { belowHome, toExample } from "addresses";
import { h, put, wide } from "dom";
import { still } from "matrix";
import { number } from "numbers";
import { plot } from "plot";

export function learning(data) {
  const passes = data.learning.passes, losses = passes.map((pass) => pass.loss);
  const drawn = plot(losses.map((_, k) => k), losses, `The loss over ${passes.length - 1} steps, from ${number(losses[0])} to ${number(losses.at(-1))}`, { x: "step", y: "loss" });
  drawn.curve(losses.map((loss, k) => [k, loss]), "curve");
  const dot = drawn.dot([0, losses[0]], "dot", 7), box = h("div", { "aria-live": "polite" });
  const slider = h("input", { type: "range", id: "step", min: 0, max: passes.length - 1, value: 0, oninput: show });

  function show() {
    const k = Number(slider.value), pass = passes[k];
    drawn.move(dot, [k, losses[k]]);
    slider.setAttribute("aria-valuetext", `step ${k}, loss ${number(losses[k])}`);
    put(box,
      h("p", { class: "mono" }, `step ${k}: loss ${number(losses[k])}`),
      pass.change && h("p", {}, pass.change),
      wide("Its numbers", pass.values.map(({ name, rows }) => still(name, rows))));
  }
  show();
  return {
    title: "Fifty steps", up: belowHome(data),
    content: [
      h("p", {}, "The network of ", h("a", { href: toExample("whole") }, "whole"), ` takes steps of ${data.learning.rate} against its gradients. The expected change is what the gradient predicts, the real one what came true: where a ReLU or a pool window changes sides on the way, the two part.`),
      drawn.svg, h("div", { class: "row" }, h("label", { for: "step" }, "step"), slider), box,
    ],
  };
}
