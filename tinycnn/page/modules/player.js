// Play, pause and one step: what is told piece by piece, at a pace that a class can follow.

import { h } from "dom";

const PACE = 700; // ms a piece

/**
 * Buttons over `count` pieces: `show(k)` shows the first k + 1, or, for -1, how it begins. It stops at the end,
 * and where `host` is no longer on the page.
 */
export function player(count, show, host) {
  const play = h("button", { type: "button", onclick: () => (timer ? stop() : start()) }, "Play");
  const next = h("button", { type: "button", onclick: () => { stop(); step(); } }, "Step");
  let timer = 0, at = -1;

  function step() {
    at = at + 1 < count ? at + 1 : 0;
    show(at);
    if (at === count - 1) stop();
  }
  function start() {
    play.textContent = "Pause";
    timer = setInterval(() => (host().isConnected ? step() : stop()), PACE);
    step();
  }
  function stop() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
  }
  return { element: h("span", { class: "row player unsaved" }, play, next), stop };
}

/** Whether the reader wants things to move. */
export const moves = () => !matchMedia("(prefers-reduced-motion: reduce)").matches;
