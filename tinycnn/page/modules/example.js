// A hand-sized example, stage by stage: forward, backward, a step.

import { belowHome, toExample } from "addresses";
import { calculation } from "calculation";
import { command, h, wide } from "dom";
import { still } from "matrix";
import { settings } from "settings";
import { exampleOf, stagesOf } from "stages";

export function example(data, [name, at]) {
  const one = exampleOf(data, name), stages = stagesOf(one);
  const number = Math.min(Math.max(Number(at) || 0, 0), stages.length - 1);
  const { stage } = stages[number];
  const isLast = number === stages.length - 1;
  return {
    title: one.title,
    up: belowHome(data),
    previous: number > 0 && toExample(one.name, number - 1),
    next: !isLast && toExample(one.name, number + 1),
    turned: other(one, stages, number),
    content: [
      h("p", {}, one.teaches),
      h("nav", { "aria-label": "Stages" }, h("ol", { class: "steps" }, links(one, stages, number))),
      h("h2", {}, `${stages[number].heading.toLowerCase()}: ${stage.results.map((result) => result.name).join(", ")}`),
      calculation(one, stage).element,
      number > 0 && soFar(one, stages.slice(0, number + 1)),
      isLast && one.changes.length > 0 && h("div", { class: "card" }, one.changes.map((words) => h("p", {}, words))),
      h("p", {}, "The same on a terminal:"), command(one.command),
    ],
  };
}

/** Everything that is known at a stage, in the order in which it came to be. */
function soFar(one, stages) {
  const names = new Set(stages.flatMap(({ stage }) => [...stage.takes, ...stage.results.map((result) => result.name)]));
  const last = new Set(stages.at(-1).stage.results.map((result) => result.name));
  const rows = (value) => value.planes.flatMap((plane) => plane.rows.map((row) => row.map((flat) => value.texts[flat])));
  return h("details", { class: "card", open: true }, h("summary", {}, "All numbers so far"),
    wide("All numbers so far",
      [...names].map((name) => still(name, settings.predict && last.has(name) ? [["?"]] : rows(one.values[name])))));
}

function links(one, stages, number) {
  return stages.map(({ heading, stage }, at) => h("li", {},
    (at === 0 || stages[at - 1].heading !== heading) && h("span", { class: "way" }, `${heading} `),
    h("a", { class: "button", href: toExample(one.name, at), "aria-current": at === number ? "step" : null },
      stage.results.map((result) => result.name).join(", "))));
}

/** The first stage of the other way: backward from forward, forward from backward. */
function other(one, stages, number) {
  const wanted = stages[number].heading === "FORWARD" ? "BACKWARD" : "FORWARD";
  const found = stages.findIndex(({ heading }) => heading === wanted);
  return found < 0 ? null : toExample(one.name, found);
}
