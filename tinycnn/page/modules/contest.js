// The window of a max-pool: who wins it, and in which windows else each of its numbers competes.

import { h, put } from "dom";
import { linked, sourceOf } from "sum";

export function contest(section, data, one) {
  const before = data.network.layers[data.network.layers.findIndex((layer) => layer.name === one.layer) - 1];
  const [first, second] = section.argmax, box = h("div", { "aria-live": "polite" });
  const named = (found) => `${before?.name ?? "x"}[${sourceOf(found, 0).join(",")}] = ${found.text}`;
  const wins = (i, j) => i === first && j === second;
  const drawn = section.rows.map((row, i) => row.map((_, j) => cell(i, j)));

  function cell(i, j) {
    const found = section.rows[i][j], show = () => shown(i, j);
    if (!found) return h("td", { class: "cell soft" }, "pad");
    const link = linked(found.text, found.array, sourceOf(found, 0), one, data), content = typeof link === "string" ? h("span", { tabindex: 0, role: "group" }, link) : link;
    content.setAttribute("aria-label", `${named(found)}${wins(i, j) ? ", wins" : ""}`);
    return h("td", { class: `cell ${wins(i, j) ? "fed" : ""}`, onmouseenter: show, onfocusin: show }, content, wins(i, j) && " ★");
  }

  /** In which windows the candidate of a row and column competes, and what came of it. */
  function shown(i, j) {
    const found = section.rows[i][j];
    drawn.forEach((row, r) => row.forEach((each, c) => each.classList.toggle("now", r === i && c === j)));
    put(box, h("p", { class: "equation" }, `${named(found)}${wins(i, j) ? ", wins" : ""}`), h("table", { class: "parts" }, h("tbody", {}, found.windows.map((window) => h("tr", {},
      h("th", { scope: "row" }, linked(window.words, window.array, sourceOf(window, 0), one, data)), h("td", {}, window.text))))));
  }
  shown(first, second);
  return h("section", {}, h("h2", {}, "Its window"), h("p", {}, section.heading), h("div", { class: "stage" },
    h("div", { class: "matrix" }, h("table", { "aria-label": section.heading }, h("tbody", {}, drawn.map((row) => h("tr", {}, row))))), box),
    h("p", { class: "legend" }, "★ wins, and gets the gradient. Each number leads to its cell; point at one and see in which windows it competes, and what came of it."));
}
