// Where was it used? A weight's or a cell's gradient, and the two ways to the gradient of x.

import { belowHome, toExample } from "addresses";
import { calculation } from "calculation";
import { command, h } from "dom";
import { exampleOf, stagesOf } from "stages";

const GRADIENTS = { W: "dW", x: "dx" }; // whose gradient is asked for where a number is pointed at

export function uses(data) {
  const one = exampleOf(data, "turned");
  const [forward, scatter, full] = stagesOf(one).map(({ stage }) => stage);
  const both = { scattered: null, turned: null };
  both.scattered = calculation(one, scatter, { gradients: GRADIENTS, pointed: (name, flat) => name === "dx" && both.turned.point("dx_turned", flat) });
  both.turned = calculation(one, full, { pointed: (name, flat) => name === "dx_turned" && both.scattered.point("dx", flat) });
  both.scattered.point("dW", one.values.dW.cells.indexOf("dW[1,1]"));
  return {
    title: "Where was it used?", up: belowHome(data), next: toExample("turned", 1),
    content: [
      h("p", {}, "Point at a weight or at a cell of x: each place where it was used sent it a term, and its gradient is their sum."),
      h("p", { class: "soft" }, `Forward was ${forward.call}: each dz is the gradient of a cell of z.`),
      h("h2", {}, "From where it was used: scattered"), both.scattered.element,
      h("h2", {}, "The same dx as a full convolution"),
      h("p", {}, "The kernel is turned by half a turn and slides over dz with zeros around it. The cell that is pointed at in one dx is shown in the other."),
      both.turned.element,
      h("p", {}, "The same on a terminal:"), command(one.command),
    ],
  };
}
