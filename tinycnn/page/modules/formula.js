// Arithmetic as the terminal prints it, set as mathematics: MathML whose text is that of the terminal, sign by sign.

import { h } from "dom";

const MATH = "http://www.w3.org/1998/Math/MathML";
const TOKEN = /\s*(?:(\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+)|([A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z]\w*)?)|(\S))/y;
const LONG = 28; // characters from which on a formula breaks into lines between its terms

const m = (tag, attributes, ...children) => {
  const element = document.createElementNS(MATH, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat());
  return element;
};
const operator = (sign) => m("mo", { form: "infix" }, sign);
/** Signs that typesetting makes visible in another way: they stay in the text alone. */
const unseen = (text) => m("mtext", { class: "unseen" }, text);
/** A sign that is shown as another one, and stays in the text. */
const times = () => m("mtext", {}, h("span", { class: "times" }, h("span", { class: "unseen" }, "*")));

/** The text as tokens: number, name, sign; null where it has something else. */
function tokens(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const start = TOKEN.lastIndex, match = TOKEN.exec(text);
    if (!match || (match[3] && !"()[]+-*/^=,?".includes(match[3]))) return null;
    const value = match[1] ?? match[2] ?? match[3];
    found.push({ kind: match[1] ? "number" : match[2] ? "name" : value, value, space: match[0].slice(0, -value.length), start });
  }
  return found;
}

class NoFormula extends Error {}

/** Reads tokens from left to right; each method gives elements whose text is what it has read. */
class Reader {
  constructor(found) { [this.found, this.at] = [found, 0]; }
  get kind() { return this.found[this.at]?.kind; }
  is(...kinds) { return kinds.includes(this.kind); }
  /** The text of a token that must be of this kind, with the space before it. */
  take(kind) {
    if (this.kind !== kind) throw new NoFormula();
    const { value, space } = this.found[this.at++];
    return { value, space };
  }
  /** Operator and operand in turns. */
  chain(signs, next, drawn) {
    const read = [...next()];
    while (this.is(...signs)) {
      const { value, space } = this.take(this.kind);
      read.push(space, drawn(value), ...next());
    }
    return read;
  }
  relation() { return this.chain(["="], () => this.sum(), operator); }
  sum() { return this.chain(["+", "-"], () => this.product(), operator); }
  product() {
    let read = this.power();
    while (this.is("*", "/")) {
      const { value, space } = this.take(this.kind);
      if (value === "*") read = [...read, space, times(), ...this.power()];
      else {
        const above = read.pop(), spaces = [];
        if (typeof above === "string") throw new NoFormula();
        read.push(m("mfrac", {}, bare(above), m("mrow", {}, unseen(`${space}/`), ...this.power().map((one) => (typeof one === "string" ? unseen(one) : bare(one))))), ...spaces);
      }
    }
    return read;
  }
  power() {
    const base = this.signed();
    if (!this.is("^")) return base;
    const { space } = this.take("^");
    const last = base.pop();
    return [...base, m("msup", {}, last, m("mrow", {}, unseen(`${space}^`), ...this.signed()))];
  }
  signed() {
    if (!this.is("-")) return this.one();
    const { space } = this.take("-"), [before, ...rest] = this.one();
    return [space, m("mrow", {}, m("mo", { form: "prefix" }, "-"), before, ...rest)];
  }
  one() {
    const { kind } = this;
    if (kind === "number") { const { value, space } = this.take(kind); return [space, m("mn", {}, value)]; }
    if (kind === "?") { const { space } = this.take(kind); return [space, m("mo", {}, "?")]; }
    if (kind === "(") return this.bracket();
    if (kind !== "name") throw new NoFormula();
    const { value, space } = this.take("name");
    const name = m("mi", value.length > 1 ? { mathvariant: "normal" } : {}, value);
    if (this.is("[")) return [space, m("msub", {}, name, m("mrow", {}, this.places()))];
    if (this.is("(")) return [space, m("mrow", {}, name, m("mrow", {}, this.bracket()))];
    if (["ln", "exp"].includes(value)) return [space, m("mrow", {}, name, m("mspace", { width: "0.17em" }), ...this.signed())];
    return [space, name];
  }
  /** What stands in brackets: a list, whose commas are kept. */
  bracket() {
    const { space } = this.take("("), inner = this.list();
    const closing = this.take(")");
    return [space, m("mrow", { class: "bracket" }, m("mo", { fence: "true" }, "("), inner, closing.space, m("mo", { fence: "true" }, ")"))];
  }
  places() {
    this.take("[");
    const inner = this.list();
    this.take("]");
    return [unseen("["), ...inner, unseen("]")];
  }
  list() { return this.chain([","], () => this.sum(), (sign) => m("mo", { separator: "true" }, sign)); }
}

/** Brackets around all of a numerator or denominator are not needed there. */
function bare(element) {
  if (element.getAttribute("class") !== "bracket") return element;
  const inner = [...element.childNodes], [open, close] = [inner.shift(), inner.pop()];
  return m("mrow", {}, unseen(open.textContent), ...inner, unseen(close.textContent));
}

/** A formula, or where the text is none, the text. */
export function formula(text) {
  const found = tokens(text);
  if (!found?.some(({ kind }) => "+-*/^=".includes(kind))) return text;
  try {
    const reader = new Reader(found), read = reader.relation();
    if (reader.kind && !reader.is(",")) return text;
    const rest = text.slice(found[reader.at]?.start ?? text.length); // words behind a comma
    const pieces = text.length < LONG ? [read] : lines(read);
    return h("span", { class: "formula" }, pieces.map((piece) => set(piece)), rest);
  } catch (error) {
    if (error instanceof NoFormula) return text;
    throw error;
  }
}

/** A line may break before each operator of the outermost sum. */
function lines(read) {
  const pieces = [[]];
  for (const one of read) {
    if (one.localName === "mo" && one.getAttribute("form") === "infix") pieces.push([]);
    pieces.at(-1).push(one);
  }
  return pieces;
}

/** A piece as MathML of its own; the space around it stands outside, where lines break. */
function set(piece) {
  const before = typeof piece[0] === "string" ? piece[0] : "", after = typeof piece.at(-1) === "string" ? piece.at(-1) : "";
  const inner = piece.slice(before ? 1 : 0, after ? -1 : undefined);
  return [before, m("math", { displaystyle: "true" }, m("mrow", {}, inner)), after];
}
