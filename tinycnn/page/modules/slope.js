// A gradient with a finger: a weight is moved by h, and the loss is the engine's at each h.

import { belowHome, toExample } from "addresses";
import { h, put } from "dom";
import { number } from "numbers";
import { plot } from "plot";

export function slope(data) {
  const curves = data.curves;
  const box = h("div", {});
  const choice = h("div", { class: "row", role: "group", "aria-label": "Which number is moved" },
    curves.map((one) => h("button", { type: "button", onclick: () => show(one) }, one.name)));

  function show(one) {
    [...choice.children].forEach((button, k) => button.setAttribute("aria-pressed", String(curves[k] === one)));
    const middle = one.moves.indexOf(0), loss = one.losses[middle];
    const drawn = plot(one.moves, one.losses, `The loss over h, for ${one.name}. ${corners(one)}`, { x: `h, added to ${one.name}`, y: "loss" });
    const reach = 0.6; // where the tangent is drawn, to both sides
    drawn.curve(one.moves.map((move, k) => [move, one.losses[k]]), "curve");
    drawn.curve([-reach, reach].map((move) => [move, loss + one.gradient * move]), "tangent");
    one.corners.forEach((corner) => drawn.dot(corner, "corner", 5));
    const finger = drawn.dot([0, loss], "dot", 8), words = h("p", { class: "mono", "aria-live": "polite" });
    const slider = h("input", { type: "range", id: "move", min: 0, max: one.moves.length - 1, value: middle, oninput: moved });

    function moved() {
      const k = Number(slider.value), move = one.moves[k];
      drawn.move(finger, [move, one.losses[k]]);
      slider.setAttribute("aria-valuetext", `h = ${number(move, 3)}, loss ${number(one.losses[k])}`);
      words.textContent = `${one.name} = ${number(one.value)} ${move < 0 ? "-" : "+"} ${number(Math.abs(move), 3)}: loss ${number(one.losses[k])}, by the tangent ${one.tangent[k]}`;
    }
    moved();
    put(box,
      h("p", {}, `dL/d${one.name} = `, h("span", { class: "mono" }, one.gradient_text), `: the slope of the dashed line, which touches the curve at h = 0.`),
      drawn.svg, h("div", { class: "row" }, h("label", { for: "move" }, "h"), slider), words,
      h("p", { class: "soft" }, corners(one)));
  }
  show(curves[0]);
  return {
    title: "A gradient with a finger", up: belowHome(data),
    content: [
      h("p", {}, "The network of ", h("a", { href: toExample("whole") }, "whole"), ": one number of its filter is moved, all else stays. Circles are corners: there a ReLU or a pool window changes sides."),
      choice, box,
    ],
  };
}

function corners(one) {
  if (!one.corners.length) return "No corner in reach.";
  const at = one.corners.map(([move]) => number(move, 3)).join(", ");
  return `${one.corners.length === 1 ? "A corner" : "Corners"} at h = ${at}${one.corners.some(([move]) => move === 0) ? ": at a corner there is no single slope, and the engine gives that of one side" : ""}.`;
}
