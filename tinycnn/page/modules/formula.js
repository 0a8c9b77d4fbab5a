// Arithmetic as the terminal prints it, set as mathematics: MathML whose text is that of the terminal, sign by sign.

import { h } from "dom";

const MATH = "http://www.w3.org/1998/Math/MathML";
const TOKEN = /\s*(?:(\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+)|([A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z]\w*)?)|(\S))/y;

const m = (tag, attributes, ...children) => {
  const element = document.createElementNS(MATH, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat());
  return element;
};
const operator = (sign) => m("mo", { form: "infix" }, sign);
/** Signs that typesetting makes visible in another way: they stay in the text alone. */
const unseen = (text) => m("mtext", { class: "unseen" }, text);
/** Words or a sign that are shown as another sign, and stay in the text. */
const shownAs = (kind, text, sign = null) => m("mtext", {}, h("span", { class: kind, "data-sign": sign }, h("span", { class: "unseen" }, text)));
const times = (space) => shownAs(space ? "times spaced" : "times", "*");
const GREEK = { alpha: "α", beta: "β", gamma: "γ", epsilon: "ε" };

/** The text as tokens: number, name, sign; null where it has something else. */
function tokens(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const start = TOKEN.lastIndex, match = TOKEN.exec(text);
    if (!match || (match[3] && !"()[]+-*/^=>,?".includes(match[3]))) return null;
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
  relation() { return this.chain(["="], () => this.comparison(), operator); }
  comparison() { return this.chain([">"], () => this.sum(), operator); }
  sum() { return this.chain(["+", "-"], () => this.product(), operator); }
  product() {
    let read = this.power();
    while (this.is("*", "/") || this.follows(read)) {
      const { value, space } = this.is("*", "/") ? this.take(this.kind) : { value: "", space: "" };
      if (!value) read = [...read, m("mspace", { width: "0.2em" }), ...this.power()];
      else if (value === "*") read = [...read, space, times(space), ...this.power()];
      else {
        const above = read.pop();
        if (typeof above === "string") throw new NoFormula();
        read.push(m("mfrac", {}, bare(above), m("mrow", {}, unseen(`${space}/`), ...this.power().map((one) => (typeof one === "string" ? unseen(one) : bare(one))))));
      }
    }
    return read;
  }
  /** Whether a factor follows a transposed matrix without a sign: x^T dz. */
  follows(read) { return read.at(-1).lastChild?.textContent === "^T" && this.is("name", "("); }
  power() {
    const base = this.signed();
    if (!this.is("^")) return base;
    const { space } = this.take("^");
    const last = base.pop();
    return [...base, m("msup", {}, last, m("mrow", {}, unseen(`${space}^`), ...this.signed()))];
  }
  signed() {
    if (!this.is("-", "+")) return this.one();
    const { value, space } = this.take(this.kind), [before, ...rest] = this.one();
    return [space, m("mrow", {}, m("mo", { form: "prefix" }, value), before, ...rest)];
  }
  one() {
    const { kind } = this;
    if (kind === "number") {
      const { value, space } = this.take(kind), number = m("mn", {}, value);
      return this.is("name") && !this.found[this.at].space ? [space, m("mrow", {}, number, this.one())] : [space, number]; // 4i
    }
    if (kind === "?") { const { space } = this.take(kind); return [space, m("mo", {}, "?")]; }
    if (kind === "(") return this.bracket();
    if (kind !== "name") throw new NoFormula();
    const { value, space } = this.take("name");
    if (value === "sum" && this.is("name")) return [space, ...this.added()];
    const name = Object.hasOwn(GREEK, value) ? shownAs("greek", value, GREEK[value]) : m("mi", value.length > 1 ? { mathvariant: "normal" } : {}, value);
    if (this.is("[")) return [space, m("msub", {}, name, m("mrow", {}, this.places()))];
    if (this.is("(") && !this.found[this.at].space) return [space, m("mrow", {}, name, m("mrow", {}, this.bracket()))]; // max(..., not x^T (...
    if (["ln", "exp"].includes(value)) return [space, m("mrow", {}, name, m("mspace", { width: "0.17em" }), ...this.signed())];
    return [space, name];
  }
  /** Behind "sum": over what, in words up to "of", and of what. */
  added() {
    let word = this.take("name"), over = "";
    const words = [];
    if (word.value === "over") {
      over = `${word.space}over`;
      for (word = this.take("name"); word.value !== "of"; word = this.take("name")) words.push(word);
    }
    const sign = shownAs("sigma", `sum${over}`), end = unseen(`${word.space}${word.value}`);
    if (word.value !== "of") throw new NoFormula();
    const below = words.map(({ value, space }) => space + value).join("");
    return [over ? m("munder", {}, sign, m("mrow", {}, m("mtext", {}, below), end)) : m("mrow", {}, sign, end), ...this.product()];
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
  list() { return this.chain([","], () => this.comparison(), (sign) => m("mo", { separator: "true" }, sign)); }
}

/** Brackets around all of a numerator or denominator are not needed there. */
function bare(element) {
  if (element.getAttribute("class") !== "bracket") return element;
  const inner = [...element.childNodes], [open, close] = [inner.shift(), inner.pop()];
  return m("mrow", {}, unseen(open.textContent), ...inner, unseen(close.textContent));
}

/** A formula, or where the text is none, the text; behind a comma, another one or words. */
export function formula(text) {
  const all = whole(text);
  if (all) return all;
  for (let comma = text.indexOf(", "); comma > 0; comma = text.indexOf(", ", comma + 1)) {
    const first = whole(text.slice(0, comma));
    if (first) return h("span", {}, first, ", ", formula(text.slice(comma + 2)));
  }
  return text;
}

/** All of the text as a formula; nothing where it is none. */
function whole(text) {
  const found = tokens(text);
  if (!found?.some(({ kind }) => "+-*/^=".includes(kind))) return null;
  try {
    const reader = new Reader(found), read = reader.relation();
    if (reader.kind) return null;
    return h("span", { class: "formula" }, lines(read).map((piece) => set(piece)));
  } catch (error) {
    if (error instanceof NoFormula) return null;
    throw error;
  }
}

const LONGEST = 40; // words of a formula in a sentence

/** A sentence whose formulas are set: of each the words that, read on as far as they make sense, are arithmetic. */
export function sentence(text) {
  const words = text.split(/(?<= )/), made = [];
  for (let from = 0; from < words.length;) {
    const [to, set] = firstFormula(words, from);
    made.push(set);
    from = to;
  }
  return made;
}

/** The longest formula that begins at a word, and where it ends; else that word. */
function firstFormula(words, from) {
  for (let to = Math.min(words.length, from + LONGEST); to > from; to--) {
    const all = words.slice(from, to).join(""), inner = all.replace(/[,;:.]?\s*$/, "");
    const set = SIGNS.test(inner) && isArithmetic(inner) && whole(inner);
    if (set) return [to, [set, all.slice(inner.length)]];
  }
  return [from + 1, words[from]];
}

const SIGNS = /[*^=]| [-+/>] /; // of arithmetic, not of words: a max-pool, and/or
const NAMES = ["alpha", "beta", "dbeta", "dgamma", "exp", "gamma", "loss", "max", "mean", "onehot", "sum", "xhat"];

/** Whether all words of a run are names of numbers, but for those in brackets, which say which. */
const isArithmetic = (text) => (text.replace(/\[.*?\]/g, "").match(/[A-Za-z]{3,}/g) ?? []).every((word) => NAMES.includes(word));

/** How a gradient comes about, "dL/dW = ...": a layer of somebody's own has words in place of a formula. */
export function rule(text) {
  const set = formula(text), at = text.indexOf(" = ");
  return set === text && at > 0 ? h("span", { class: "formula" }, formula(text.slice(0, at)), text.slice(at)) : set;
}

/** A line may break before each operator of the outermost sum, and of its products. */
function lines(read) {
  const pieces = [[]];
  for (const one of read) {
    const isSign = one.localName === "mo" && one.getAttribute("form") === "infix";
    if (isSign) one.setAttribute("lspace", "0"); // the text's own space stands there
    if (isSign || one.firstChild?.classList?.contains("times")) pieces.push([]);
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
