// Elements, made of data: text is always text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element; `on...` attributes are listeners, null and false ones are left out. */
export function h(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An element of SVG. */
export function s(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...there(children));
  return element;
}

const there = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

/** Put children in the place of those that an element has; null and false ones are left out. */
export const put = (element, ...children) => element.replaceChildren(...there(children));

/** What is scrolled where it is wider than the screen: by keys as well, so it has a name. */
export const wide = (label, ...children) => h("div", { class: "wide", tabindex: 0, role: "group", "aria-label": label }, children);

/** The head of a table. */
export const titles = (texts) => h("thead", {}, h("tr", {}, texts.map((text) => h("th", { scope: "col" }, text))));

/** Say something to those who do not see it. */
export function speak(words) {
  const place = document.getElementById("spoken");
  if (place.textContent !== words) place.textContent = words;
}

/** A command with a button that copies it. */
export function command(text) {
  const button = h("button", { type: "button", "aria-label": `Copy the command ${text}`, onclick: copy }, "Copy");
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(shown);
      button.textContent = "Selected";
    }
    speak(button.textContent);
  }
  const words = text.split(/(?<= )/).map((word) => (word.startsWith("--") ? h("span", { class: "option" }, word) : word)); // no line ends within --at
  const shown = h("code", {}, words);
  return h("p", { class: "row" }, shown, button);
}
