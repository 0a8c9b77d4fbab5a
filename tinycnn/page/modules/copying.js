// What is copied is the terminal's text: formulas with the signs that typesetting shows in another way.

import { h } from "dom";

/** Copy the selection so. */
export function copied(event) {
  const selection = getSelection();
  if (selection.isCollapsed || event.target.matches?.("input, textarea")) return;
  const box = h("div", { class: "spoken" }, Array.from({ length: selection.rangeCount }, (_, k) => selection.getRangeAt(k).cloneContents()));
  box.querySelectorAll(".formula, math").forEach((one) => one.replaceWith(one.textContent));
  document.body.append(box); // of what is not laid out, lines are not known
  event.clipboardData.setData("text/plain", box.innerText);
  box.remove();
  event.preventDefault();
}
