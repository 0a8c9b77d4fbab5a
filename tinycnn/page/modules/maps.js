// Arrays as pictures: one colour for what is above 0, one for what is below, the ground for 0.

import { h } from "dom";
import { settings } from "settings";

const SCHEMES = {
  light: { ground: [251, 250, 246], up: [[222, 122, 40], [96, 34, 0]], down: [[70, 140, 210], [6, 36, 96]] },
  dark: { ground: [22, 25, 30], up: [[214, 110, 30], [255, 226, 190]], down: [[50, 120, 200], [205, 232, 255]] },
};

/** The colour of a share -1 .. 1, as [r, g, b]; square roots show what is small too. */
export function colour(share) {
  const level = Math.round(Math.max(Math.min(share, 1), -1) * LEVELS), theme = settings.dark ? "dark" : "light";
  return (KNOWN[theme][level] ??= mixed(level / LEVELS, theme));
}

const LEVELS = 512, KNOWN = { light: {}, dark: {} }; // colours are asked for by hundreds of thousands

function mixed(share, theme) {
  const { ground, up, down } = SCHEMES[theme];
  const [middle, end] = share < 0 ? down : up;
  const size = Math.sqrt(Math.min(Math.abs(share), 1));
  const [from, to, part] = size < 0.5 ? [ground, middle, size * 2] : [middle, end, size * 2 - 1];
  return from.map((level, k) => Math.round(level + (to[k] - level) * part));
}

/** The number of largest size. */
export function largest(values) {
  let most = 0;
  for (const value of values) if (Math.abs(value) > most) most = Math.abs(value);
  return most;
}

/** A canvas of `height` x `width` pixels, `at(i, j)` the colour of each. */
export function drawn(height, width, at, attributes = { "aria-hidden": "true" }) {
  const canvas = h("canvas", { width, height, ...attributes });
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  for (let i = 0, k = 0; i < height; i++)
    for (let j = 0; j < width; j++, k += 4) {
      const [red, green, blue] = at(i, j);
      [image.data[k], image.data[k + 1], image.data[k + 2], image.data[k + 3]] = [red, green, blue, 255];
    }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** The picture (H, W, C) in its colours. */
export function photograph(net, attributes) {
  const { values, shape: [H, W, C] } = net.pixels;
  return drawn(H, W, (i, j) => [0, 1, 2].map((k) => values[(i * W + j) * C + (C === 3 ? k : 0)]), attributes);
}

/** Rows and columns in which `count` numbers or maps without a shape of their own are laid out. */
export function laidOut(count) {
  const columns = Math.ceil(Math.sqrt(count));
  return [Math.ceil(count / columns), columns];
}

/** One channel of a map (C, H, W), or a row of numbers (C,) laid out. */
export function mapOf(array, channel, most, attributes) {
  if (array.shape.length === 3) {
    const [, H, W] = array.shape;
    return drawn(H, W, (i, j) => colour(array.values[(channel * H + i) * W + j] / most), attributes);
  }
  const [rows, columns] = laidOut(array.shape[0]);
  return drawn(rows, columns, (i, j) => colour((array.values[i * columns + j] ?? 0) / most), attributes);
}

/** All channels of a map beside each other, a pixel apart. */
export function sheetOf(array, most, columns, attributes) {
  const [C, H, W] = array.shape, rows = Math.ceil(C / columns), gap = colour(0).map((level) => (level + 128) >> 1);
  return drawn(rows * (H + 1) - 1, columns * (W + 1) - 1, (y, x) => {
    const [i, j] = [y % (H + 1), x % (W + 1)], c = Math.floor(y / (H + 1)) * columns + Math.floor(x / (W + 1));
    return i === H || j === W || c >= C ? gap : colour(array.values[(c * H + i) * W + j] / most);
  }, attributes);
}

/** The channel with the largest sum of sizes. */
export function liveliest(array) {
  if (array.shape.length !== 3) return 0;
  const [C, H, W] = array.shape;
  let best = 0, highest = -1;
  for (let c = 0; c < C; c++) {
    let sum = 0;
    for (let k = c * H * W; k < (c + 1) * H * W; k++) sum += Math.abs(array.values[k]);
    if (sum > highest) [best, highest] = [c, sum];
  }
  return best;
}

/** A layer's liveliest map (of the picture itself without a layer), as high as it is beside the others. */
export function thumbnail(net, layer, backward) {
  const array = layer && (backward ? layer.dy : layer.y);
  if (layer && !array) return h("span", { class: "soft" }, "-");
  const canvas = layer ? mapOf(array, liveliest(array), largest(array.values) || 1) : photograph(net, { "aria-hidden": "true" });
  const scale = (size) => 26 + 94 * Math.sqrt(size / Math.max(...net.shape.slice(0, 2)));
  const isMap = !layer || array.shape.length === 3;
  canvas.style.height = `${isMap ? scale(layer ? array.shape[1] : net.shape[0]) : 40}px`;
  canvas.style.width = isMap ? "auto" : "40px";
  const depth = layer && isMap ? Math.min(Math.round(Math.sqrt(array.shape[0]) / 3), 7) : 0;
  canvas.style.boxShadow = Array.from({ length: depth }, (_, k) => `${(k + 1) * 3}px ${-(k + 1) * 3}px 0 -1px var(--card), ${(k + 1) * 3}px ${-(k + 1) * 3}px 0 0 var(--soft)`).join(", ");
  return canvas;
}
