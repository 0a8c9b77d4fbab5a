// What packing.py wrote, read again: data with typed arrays, (values, shape), in their places.

const TYPES = { f4: Float32Array, f8: Float64Array, i4: Int32Array };

/** The data of base64 `text`. */
export async function unpack(text) {
  const packed = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(stream).arrayBuffer();
  const read = (first, count) => new TextDecoder().decode(new Uint8Array(bytes, first, count));
  const length = Number(read(0, 16));
  const arrays = 16 + length;
  return JSON.parse(read(16, length), (_, value) => {
    const place = value && value.$array;
    if (!place) return value;
    const count = place.shape.reduce((product, size) => product * size, 1);
    return { values: new TYPES[place.type](bytes, arrays + place.first, count), shape: place.shape };
  });
}
