// Where the page begins: the data, the views, and which of them the address asks for.

import { parted } from "addresses";
import { beside, isPair } from "beside";
import { copied } from "copying";
import { unpack } from "data";
import { h, put, speak } from "dom";
import { saving } from "saving";
import { apply, onChange, settings, turn } from "settings";
import { start } from "start";
import { example } from "example";
import { sizes } from "sizes";
import { slope } from "slope";
import { softmax } from "softmax";
import { learning } from "learning";
import { moves } from "player";
import { uses } from "uses";
import { layer } from "layer";
import { opened } from "opened";

// A view is a function of the data and the rest of its address; it gives title, up, content, and perhaps
// next and previous, the addresses of a lecture's steps, turned, that of its gradients, and below, which stands
// once below two sides.
const NETWORK = { "": start, layer, open: opened };
const BY_HAND = { example, sizes, slope, softmax, learning, uses };

const DEPTH = { "": 0, layer: 1, open: 2 }; // of the levels; what is by hand lies below the start, too

let data, view, depth = 0;

/** The view that an address asks for. */
function viewed(address) {
  const [name, ...rest] = parted(address);
  if (Object.hasOwn(BY_HAND, name)) return BY_HAND[name](data, rest);
  const known = address.split("&").every((one) => Object.hasOwn(NETWORK, parted(one)[0]));
  if (data.sides.length === 2) return beside(data, NETWORK, known ? address : "");
  const side = { ...data, ...data.sides[0], side: 0, id: (id) => id, go: (to) => { location.hash = to; } };
  return known && !isPair(address) ? NETWORK[name](side, rest) : start(side, []);
}

/** Draw the view that the address asks for. */
function draw(focus = true) {
  view = viewed(location.hash);
  const main = document.getElementById("main");
  const show = () => {
    document.title = view.title === data.title ? view.title : `${view.title} - ${data.title}`;
    put(document.getElementById("crumbs"), crumbs());
    const heading = h("h1", { tabindex: -1 }, view.title);
    const shown = h("div", { class: "shown" }, heading, view.content, view.below);
    put(main, shown, lecture(), saving(() => shown, view.title));
    if (focus) heading.focus({ preventScroll: true });
    if (focus) scrollTo(0, 0);
    if (focus && view.spoken) speak(view.spoken);
    document.documentElement.dataset.view = location.hash; // drawn: whoever drives the page may go on
  };
  const before = depth;
  depth = DEPTH[parted(location.hash)[0]] ?? 1;
  document.documentElement.dataset.way = depth > before ? "in" : depth < before ? "out" : "";
  if (document.startViewTransition && moves() && focus) document.startViewTransition(show).ready.catch(() => {}); // overtaken by the next
  else show();
}

function crumbs() {
  const links = [...(view.up ?? [])].map(({ title, to }) => h("li", {}, h("a", { href: to }, title)));
  return [...links, h("li", {}, h("span", { "aria-current": "page" }, view.title))];
}

/** The buttons to the step before and to the next. */
function lecture() {
  if (!view.next && !view.previous) return null;
  return h("nav", { class: "row", "aria-label": "Steps" },
    view.previous && h("a", { class: "button", href: view.previous }, "← Back"),
    view.next && h("a", { class: "button primary", href: view.next }, "Next →"));
}

function pressed(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
  if (event.target.matches?.("input, select") && event.key !== "Escape") return; // sliders have such keys of their own
  const letter = settings.letters ? event.key : "";
  let to;
  if (event.key === "PageDown" || letter === "n") to = view.next;
  else if (event.key === "PageUp" || letter === "p") to = view.previous;
  else if (letter === "g") to = view.turned;
  else if (event.key === "Escape") to = view.up?.at(-1)?.to;
  if (!to) return;
  event.preventDefault();
  location.hash = to;
}

data = await unpack(document.getElementById("data").textContent);
for (const [id, name] of [["predict", "predict"], ["larger", "larger"], ["theme", "dark"]])
  document.getElementById(id).addEventListener("click", () => turn(name));
document.getElementById("keys").addEventListener("click", () => document.getElementById("key-list").showModal());
document.getElementById("letters").addEventListener("change", (event) => { settings.letters = event.target.checked; });
onChange(() => draw(false));
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); document.getElementById("main").focus(); });
addEventListener("hashchange", () => draw());
addEventListener("keydown", pressed);
addEventListener("copy", copied);
apply();
draw(false);
document.documentElement.dataset.ready = "yes";
