// Numbers edited, and the pass run again; only a page with the engine behind it can.

import { toNumber } from "addresses";
import { h, put, speak, titles, wide } from "dom";
import { edit } from "server";

/** A form that sets a number, and what was set before; nothing in a file. */
export function editing(data, key = "") {
  if (!data.live) return null;
  const said = h("p", { role: "alert" });
  const pair = data.sides.length === 2;
  const name = h("input", { id: data.id("edit-key"), value: key, required: true, placeholder: "conv1.W[5,5,0,3] or x[10,10,0]" });
  const value = h("input", { id: data.id("edit-value"), type: "number", step: "any", required: true });
  async function apply(event) {
    event.preventDefault();
    put(said, "The pass is run again.");
    try {
      await edit(name.value, Number(value.value), event.submitter.value === "both" ? [0, 1] : [data.side]);
      location.reload();
    } catch (error) {
      put(said, error.message);
      speak(error.message);
    }
  }
  return h("section", { class: "card" }, h("h2", {}, "Edit a number"),
    h("form", { class: "row", onsubmit: apply },
      h("label", { class: "field" }, "number", name), h("label", { class: "field" }, "new value", value),
      h("button", {}, pair ? "Set it on this side" : "Set it, and run the pass again"), pair && h("button", { value: "both" }, "Set it on both sides"),
      h("button", { type: "button", onclick: () => data.go(toNumber(name.value)) }, "Open it")),
    pair && h("p", { class: "soft" }, "Set on this side, the other stays as it is: the difference is what the edit does."),
    said, before(data));
}

function before(data) {
  if (!data.edits.length) return h("p", { class: "soft" }, "A weight's or bias's, or x[row,column,channel] of the picture.");
  const head = ["number", "was", "is", "loss before", "loss after"];
  return wide("Edits", h("table", { class: "numbers", id: data.id("edits") },
    titles(head),
    h("tbody", {}, data.edits.map((one) => h("tr", {}, h("th", { scope: "row" }, one.key),
      [one.old, one.new, one.before, one.after].map((text) => h("td", { class: "mono" }, text)))))));
}
