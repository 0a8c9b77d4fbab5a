// The addresses of what the page shows: whatever stands in them, names of layers too, is escaped.

const address = (...parts) => `#/${parts.map((part) => encodeURIComponent(part)).join("/")}`;

/** The parts of an address; one that was typed wrong stays as it is. */
export const parted = (to) => to.replace(/^#?\/?/, "").split("/").map((part) => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
});

export const HOME = "#/";
export const BACKWARD = "#//gradients";
export const toExample = (name, stage = 0) => address("example", name, stage);
export const toLayer = (name, side = "maps", channel = 0, at = "") => address("layer", name, side, channel, at);
export const toNumber = (key) => address("open", key);

/** Where a view hangs: below the start. */
export const belowHome = (data) => [{ title: data.title, to: HOME }];
