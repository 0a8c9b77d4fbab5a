// The start: the network as a flow from the picture to its classes, and by hand, where a class begins.

import { BACKWARD, HOME, toExample, toLayer } from "addresses";
import { command, h, titles, wide } from "dom";
import { editing } from "editing";
import { formula, rule } from "formula";
import { thumbnail } from "maps";
import { classWords } from "names";
import { whole } from "numbers";
import { stageOf } from "stages";

// Title, words, and a view or the example and the op at whose first call it opens.
const PANELS = [
  ["Slide the window", "A convolution on paper: patch, kernel, products, sum.", "conv-pool:conv2d"],
  ["The same as a matrix", "im2col: each window a row, the filter a column.", "im2col:im2col"],
  ["Channels, filters, images", "Which sums run over which of them, forward and backward.", "channels:conv2d"],
  ["Stride, padding, dilation, groups", "The size formula with sliders; cells that nobody reads.", "/sizes"],
  ["Groups", "Each filter sees half of the channels.", "groups:conv2d"],
  ["The pool's tournament", "Who wins a window gets its gradient; what a tie does.", "overlap:max_pool2d"],
  ["Where was it used?", "A weight's gradient adds up over its uses; x's, in two ways.", "/uses"],
  ["A gradient with a finger", "Move a weight; the loss, its tangent, its corners.", "/slope"],
  ["Softmax bars", "Logits to probabilities; choose the label, see p - onehot.", "/softmax"],
  ["A whole network", "Forward, backward and a step, one arrow at a time.", "whole:conv2d"],
  ["Fifty steps", "The same network learns: scrub through its steps.", "/learning"],
  ["Winograd on four numbers", "Four products do the work of six.", "winograd:transform"],
  ["Dropout and its mask", "What is dropped, what is doubled.", "dropout:dropout"],
  ["Local response normalisation", "A channel divided by its neighbours.", "lrn:local_response_norm"],
];

export function start(data, [side]) {
  const net = data.network, backward = side === "gradients";
  return {
    title: data.title,
    turned: backward ? HOME : BACKWARD,
    content: [
      h("p", {}, net.random
        ? `${net.model}: ${net.parameters}. Weights: ${net.weights}. Shapes, sums and gradients are real; the class it names means nothing.`
        : `${net.model}: ${net.parameters}. Weights: ${net.weights}.`),
      h("p", { class: "soft" }, "Picture: ", h("bdi", {}, net.picture), `; ${net.input}.`),
      h("nav", { class: "row", "aria-label": "Direction" },
        h("a", { class: "button", href: HOME, "aria-current": backward ? null : "true" }, "Forward: numbers"),
        h("a", { class: "button", href: BACKWARD, "aria-current": backward ? "true" : null }, "Backward: gradients")),
      flow(data, backward),
      answer(net),
      editing(data),
      h("h2", {}, "The network as a table"),
      wide("The network as a table", table(net, backward ? GRADIENTS : FORWARD)),
      h("p", {}, "The same on a terminal:"), command(data.command),
    ],
    below: [
      h("h2", {}, "By hand: hand-sized, nothing hidden"),
      h("ul", { class: "cards" }, PANELS.map(([title, words, to]) => card(data, title, words, to))),
    ],
  };
}

function card(data, title, words, to) {
  const [name, op] = to.split(":");
  const href = op ? toExample(name, stageOf(data, name, op)) : `#${to}`;
  return h("li", {}, h("a", { href }, h("strong", {}, title), words));
}

/** Picture, layers, classes: as high as they are, as deep as their channels. */
function flow(data, backward) {
  const net = data.network, most = Math.max(...net.layers.map((one) => one.work), 1);
  const picture = h("li", {}, h("span", { class: "arrow", "aria-hidden": "true" }, ""),
    h("a", { href: toLayer(net.layers[0].name, backward ? "gradients" : "maps") },
      h("span", { class: "picture" }, thumbnail(net, null, backward)),
      h("span", { class: "name" }, "picture"), h("span", {}, net.shape.join(" x "))));
  const layers = net.layers.map((one) => h("li", {}, arrow(backward),
    h("a", { href: toLayer(one.name, backward ? "gradients" : "maps") },
      h("span", { class: "picture" }, thumbnail(net, one, backward)),
      h("span", { class: "name" }, one.name),
      h("span", {}, one.feature_map),
      backward ? gradientWords(one) : forwardWords(one, most))));
  return h("ol", { class: "flow", "aria-label": backward ? "The gradients, from the picture to the loss" : "The network, from the picture to its classes" }, picture, layers);
}

const arrow = (backward) => h("span", { class: "arrow", "aria-hidden": "true" }, backward ? "←" : "→");

function forwardWords(one, most) {
  const bar = h("span", {});
  bar.style.width = `${(100 * one.work) / most}%`;
  return [h("span", { class: "soft" }, one.parameters ? `${whole(one.parameter_count)} parameters` : "no parameters"),
    h("span", { class: "soft" }, one.work ? `${one.multiply_adds} multiply-adds` : "no multiply-adds"),
    h("span", { class: "bar", "aria-hidden": "true" }, bar)];
}

function gradientWords(one) {
  if (!one.backward) return h("span", { class: "soft" }, "no gradient is carried here");
  return [h("span", { class: "soft" }, rule(one.backward.formula)), h("span", { class: "soft" }, `largest ${one.backward.largest}`)];
}

function answer(net) {
  const { loss } = net;
  const names = (label) => classWords(net, label);
  return h("div", { class: "card" },
    h("h2", {}, "The loss"),
    h("p", { class: "mono" }, formula(`-ln p[${loss.label}] = -ln ${loss.probability} = ${loss.loss}`)),
    h("p", {}, `The label is ${names(loss.label)}. Chance: ln ${whole(net.classes)} = ${loss.chance}. Likeliest classes: ${loss.top.map((one) => `${names(one.label)} (${one.text})`).join(", ")}.`),
    !net.class_names.some(Boolean) && h("p", { class: "soft" }, "Classes stand here as numbers: ", h("code", { class: "option" }, "--classes FILE"), " gives them names."),
    h("p", {}, h("a", { href: "#/open/loss" }, "Open the loss")));
}

const FORWARD = {
  "output size": (one) => formula(one.size), "feature map": (one) => one.feature_map, parameters: (one) => formula(one.parameters),
  "multiply-adds": (one) => one.multiply_adds, range: (one) => one.range, zeros: (one) => one.zeros,
};
const GRADIENTS = {
  gradient: (one) => rule(one.backward?.formula ?? ""), largest: (one) => one.backward?.largest, at: (one) => one.backward?.where,
  zeros: (one) => one.backward?.zeros,
};

function table(net, columns) {
  return h("table", { class: "numbers" },
    titles(["layer", ...Object.keys(columns)]),
    h("tbody", {}, net.layers.map((one) => h("tr", {},
      h("th", { scope: "row" }, h("a", { href: toLayer(one.name, columns === GRADIENTS ? "gradients" : "maps") }, one.name)),
      Object.values(columns).map((content) => h("td", {}, content(one)))))));
}
