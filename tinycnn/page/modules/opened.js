// One number opened: what it sees, its sum down to the products, and its checks.

import { HOME, toLayer, toNumber } from "addresses";
import { framed } from "cursor";
import { contest } from "contest";
import { command, h, put, speak, wide } from "dom";
import { editing } from "editing";
import { formula, sentence } from "formula";
import { photograph } from "maps";
import { classWords } from "names";
import { settings } from "settings";
import { numberOf } from "server";
import { sum } from "sum";
import { termsMap } from "terms";
import { windows } from "windows";

export function opened(data, [key]) {
  const one = Object.hasOwn(data.opened, key) && data.opened[key];
  if (!one) return { title: key ?? "", up: [{ title: data.title, to: HOME }], content: [data.live ? asking(data, key) : h("p", {}, "This file does not carry that number.")] };
  const up = [{ title: data.title, to: HOME }];
  if (one.layer) up.push({ title: one.layer, to: toLayer(one.layer) });
  const others = Object.keys(listed(data)), at = others.indexOf(key);
  const beside = (step) => others[at + step] && toNumber(others[at + step]);
  const content = h("div", {}, settings.predict ? asked(data, one, reveal) : shown(data, one));
  const spoken = `${one.subject} = ${one.text}${one.ok ? "" : ", and a check disagrees"}`;
  function reveal() {
    put(content, shown(data, one));
    content.querySelector(".result").focus();
    speak(spoken);
  }
  return { title: one.subject, up, next: beside(1), previous: beside(-1), content: [content], spoken: settings.predict ? "Predict the number" : spoken };
}

/** The numbers that are open, and on a live page those that are worth being opened. */
export const listed = (data) => ({ ...data.listed, ...data.opened });

const answers = new Map(); // of the engine, by keys, as they come: one for both sides

/** The engine's answer, once it is there, or why it opens none. */
function asking(data, key) {
  const words = h("p", { role: "status" }, data.refused[key] ?? "The engine opens it.");
  if (!answers.has(key)) answers.set(key, numberOf(key).then((answer) => keep(data, key, answer)));
  answers.get(key).catch((error) => put(words, error.message));
  return words;
}

/** Keep what came for each side, and draw it. */
function keep(data, key, { sides, difference }) {
  sides.forEach((found, k) => Object.entries(found).forEach(([what, one]) => { data.sides[k][what][key] = one; }));
  if (difference) data.differences.opened[key] = difference;
  dispatchEvent(new HashChangeEvent("hashchange"));
}

const shown = (data, one) => [
  one.class !== null && h("p", {}, `${one.layer ? "Class" : "The label is class"} ${classWords(data.network, one.class)}.`),
  h("p", { class: "equation" }, h("span", { class: "result", tabindex: -1, id: data.id("value") }, one.text)),
  one.sections.map((section) => SECTIONS[section.kind]?.(section, data, one)),
  one.editable && editing(data, one.key),
  h("h2", {}, "The same on a terminal"), command(`${data.command} ${one.options}`),
];

/** What a class may know before it answers. */
const asked = (data, one, reveal) => [
  h("p", { class: "equation" }, "? ", h("button", { type: "button", class: "primary", onclick: reveal }, "Show the number")),
  one.sections.filter((section) => section.kind === "sees").map((section) => sees(section, data)),
  one.sections.filter((section) => section.kind === "adds").map((section) => h("p", {}, sentence(section.heading))),
];

const SECTIONS = { sees, adds, compares: contest, step, notes, funnel, check };

function sees(section, data) {
  if (!section.field) return h("section", {}, h("h2", {}, "What it sees"), section.lines.map((line) => h("p", {}, line)));
  const picture = framed(photograph(data.network, { "aria-hidden": "true" }), section.lines.join("; "), ...data.network.shape);
  picture.move(...section.field);
  return h("section", {}, h("h2", {}, "What it sees"), h("div", { class: "row top-aligned" },
    picture.element, h("div", {}, section.lines.map((line) => h("p", {}, line)))));
}

function adds(section, data, one) {
  const window = windows(section, data), map = termsMap(section.tree, one, data);
  return h("section", {}, h("h2", {}, "Its sum"), h("p", {}, sentence(section.heading)),
    window?.element, sum(section.tree, one, data, (window ?? map)?.cellsOf), map?.element);
}

function step(section) {
  return h("p", {}, h("strong", {}, `${section.heading} `), h("span", { class: "mono" }, formula(`${section.arithmetic} = ${section.text}`)), section.remark && ` (${section.remark})`);
}

function notes(section) {
  return h("section", {}, heading(section), section.lines.map((line) => h("p", { class: "mono" }, sentence(line))));
}

const HEADINGS = { PLACES: "What became of its places", BIGGEST: "Its biggest terms", NEXT: "Who reads it", "WHY 0": "Why it is 0", KINK: "Corners nearby",
  EXPECT: "What a step should do", HOW: "How it came about", CHANCE: "Beside guessing", "SAME AS": "The same as", BEGINS: "Where it begins" };

const heading = (section) => h("h2", {}, HEADINGS[section.heading] ?? section.heading.toLowerCase());

/** What became of the places where a weight was used. */
function funnel(section) {
  return h("section", {}, heading(section), h("ol", { class: "funnel" }, section.stages.map(({ text, share }) => {
    const bar = h("span", {});
    bar.style.width = `${Math.max(100 * share, 0.5)}%`;
    return h("li", {}, text, h("div", { class: "bar", "aria-hidden": "true" }, bar));
  })));
}

function check(section) {
  const verdict = !section.finite ? h("span", { class: "verdict-bad" }, "not finite: nothing can be compared")
    : section.ok ? h("span", { class: "verdict-good" }, "agrees") : h("span", { class: "verdict-bad" }, "disagrees");
  return h("section", {}, h("h2", {}, "Check"), wide("Check", h("table", { class: "numbers" }, h("tbody", {},
    h("tr", {}, h("th", { scope: "row" }, "engine"), h("td", { class: "mono" }, section.engine)),
    h("tr", {}, h("th", { scope: "row" }, sentence(section.against)), h("td", { class: "mono" }, section.reference)),
    h("tr", {}, h("th", { scope: "row" }, "they differ by"), h("td", { class: "mono" }, section.difference)),
    h("tr", {}, h("th", { scope: "row" }, "rounding alone explains up to"), h("td", { class: "mono" }, section.bound))))),
    h("p", {}, verdict, " Bound: ", sentence(section.why), "."));
}
