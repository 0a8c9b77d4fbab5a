// A picture of cells that is walked with arrows or pointed at: a frame shows which cell is meant.

import { STEPS } from "arrows";
import { h, speak, wide } from "dom";

const FOLLOWERS = new WeakMap(); // of a map's element: what brings its cursor to a cell

/** Bring the cursor of a map to a cell; the words for it. */
export const followed = (element, at) => FOLLOWERS.get(element)(at);

/**
 * `canvas` with `rows` x `columns` cells, `label` what it shows. `moved(i, j)` is called for the cell that is
 * pointed at and gives the words for it, `opened(i, j)` for the one that is pressed. A map that is `linked` tells
 * by an event "walk" where its cursor goes.
 */
export function cursor({ canvas, rows, columns, label, at, moved, opened, width, linked, allowed = () => true }) {
  const frame = h("div", { class: "frame" });
  const element = h("div", { class: "map", tabindex: 0, role: "application", "aria-roledescription": "map of cells",
    "aria-label": label, "data-linked": linked, "data-cells": `${rows}x${columns}`, onkeydown: walk, onpointermove: point, onclick: press }, canvas, frame);
  if (width) [element.style.width, canvas.style.width] = [width, "100%"];
  let now = at;
  place();

  function place() {
    const percent = (share) => `${100 * share}%`;
    [frame.style.height, frame.style.width] = [percent(1 / rows), percent(1 / columns)];
    frame.style.transform = `translate(${percent(now[1])}, ${percent(now[0])})`; // of its own size: nothing is laid out
  }

  function follow(next) {
    if (!next.every((value, axis) => value >= 0 && value < [rows, columns][axis]) || !allowed(...next)) return "";
    now = next;
    place();
    return moved?.(...now);
  }

  function go(next, aloud) {
    if (next[0] === now[0] && next[1] === now[1]) return;
    const words = follow(next);
    if (aloud && words) speak(words);
    element.dispatchEvent(new CustomEvent("walk", { bubbles: true, detail: { at: now, aloud } }));
  }
  FOLLOWERS.set(element, follow);

  function walk(event) {
    const step = STEPS[event.key];
    if (event.key === "Enter" || event.key === " ") opened?.(...now);
    else if (step) go([now[0] + step[0], now[1] + step[1]], true);
    else return;
    event.preventDefault();
  }

  function under(event) {
    const box = canvas.getBoundingClientRect();
    return [Math.floor(((event.clientY - box.top) / box.height) * rows), Math.floor(((event.clientX - box.left) / box.width) * columns)];
  }
  function point(event) { if (event.pointerType !== "touch") go(under(event), false); }
  function press(event) { go(under(event), true); opened?.(...now); }
  return { element, frame, go: (next) => go(next, false) };
}

/** A frame around rows and columns, first and last, of a picture of `height` x `width`. */
export function framed(canvas, label, height, width) {
  canvas.style.width = "100%";
  const frame = h("div", { class: "frame" });
  const element = h("div", { class: "map picture", role: "img", "aria-label": label }, canvas, frame);
  return {
    element,
    move(rows, columns) {
      frame.style.top = `${(100 * rows[0]) / height}%`;
      frame.style.left = `${(100 * columns[0]) / width}%`;
      frame.style.height = `${(100 * (rows[1] - rows[0] + 1)) / height}%`;
      frame.style.width = `${(100 * (columns[1] - columns[0] + 1)) / width}%`;
    },
  };
}

/** The numbers of a picture of cells as a table, made when it is asked for; `row` and `column` name its lines. */
export function asTable(label, rows, columns, text, row = (i) => `${i}`, column = (j) => `${j}`) {
  const details = h("details", { ontoggle: fill }, h("summary", {}, `${label} as a table`));
  function fill() {
    if (!details.open || details.children.length > 1) return;
    const across = Array.from({ length: columns }, (_, j) => j);
    details.append(wide(label,
      h("table", { class: "numbers" }, h("thead", {}, h("tr", {}, h("td", {}), across.map((j) => h("th", { scope: "col" }, column(j))))),
        h("tbody", {}, Array.from({ length: rows }, (_, i) => h("tr", {}, h("th", { scope: "row" }, row(i)), across.map((j) => h("td", {}, text(i, j)))))))));
  }
  return details;
}
