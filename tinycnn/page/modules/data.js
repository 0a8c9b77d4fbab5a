// What packing.py wrote, read again: data with typed arrays, (values, shape), in their places.

const TYPES = { f4: Float32Array, f8: Float64Array, i4: Int32Array };

// Digits of base 85; a comma stands for "<", which would end nothing but might begin something.
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~";

/** The data of `text`. */
export async function unpack(text) {
  const stream = new Blob([bytesOf(text.trim())]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(stream).arrayBuffer();
  const read = (first, count) => new TextDecoder().decode(new Uint8Array(bytes, first, count));
  const length = Number(read(0, 16));
  const arrays = 16 + length;
  const { data, arrays: places } = JSON.parse(read(16, length));
  for (const { at, type, shape, first } of places) {
    const count = shape.reduce((product, size) => product * size, 1);
    const holder = at.slice(0, -1).reduce((inner, key) => inner[key], data);
    holder[at.at(-1)] = { values: new TYPES[type](bytes, arrays + first, count), shape };
  }
  return data;
}

/** Five digits are four bytes; the last group is filled up with the highest digit, and cut. */
function bytesOf(text) {
  const digit = new Uint8Array(128).fill(DIGITS.length - 1), bytes = new Uint8Array(Math.ceil(text.length / 5) * 4);
  for (let k = 0; k < DIGITS.length; k++) digit[DIGITS.charCodeAt(k)] = k;
  for (let from = 0, to = 0; from < text.length; from += 5) {
    let group = 0;
    for (let k = from; k < from + 5; k++) group = group * 85 + digit[text.charCodeAt(k) || 0];
    for (let shift = 24; shift >= 0; shift -= 8) bytes[to++] = group >>> shift;
  }
  return bytes.subarray(0, Math.floor((text.length * 4) / 5));
}
