// Numbers as the terminal prints them (values/printing.py), ties to even as Python rounds them.

/** Five significant digits, in plain decimals where they stay short. */
export function number(value, digits = 5) {
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e6) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    const [sign, power] = [exponent[0], exponent.slice(1)];
    return `${mantissa}e${sign}${power.padStart(2, "0")}`;
  }
  const places = Math.max(digits - 1 - Math.floor(Math.log10(size)), 0);
  return fixed(value, places);
}

/** toFixed, but halves go to the even neighbour. */
function fixed(value, places) {
  const text = value.toFixed(places);
  const exact = value.toFixed(Math.min(places + 60, 100)); // toFixed is exact
  const rest = exact.slice(exact.indexOf(".") + 1 + places);
  const last = Number(text.at(-1));
  if (!/^50*$/.test(rest) || last % 2 === 0) return text;
  return (Number(text) - Math.sign(value) * 10 ** -places).toFixed(places);
}

/** Thousands apart: 37,752,832. */
export const whole = (value) => value.toLocaleString("en-US");
