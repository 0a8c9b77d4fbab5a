// What packing.py wrote, read again: data with typed arrays, (values, shape), in their places.

const TYPES = { f4: Float32Array, f8: Float64Array, i4: Int32Array };

/** The data of base64 `text`. */
export async function unpack(text) {
  const letters = atob(text.trim()), packed = new Uint8Array(letters.length);
  for (let k = 0; k < letters.length; k++) packed[k] = letters.charCodeAt(k);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
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
