// Classes by their names, which are somebody's own words in any script.

// What reads from right to left, or says that it does, is kept apart from the words around it.
const apart = (name) => (/^[\x20-\x7e]*$/.test(name) ? name : `\u2068${name}\u2069`);

/** A class: 9 (ankle boot), or its number where it has no name. */
export const classWords = (net, number) => named(net, `${number}`, number);

/** Words for a class, and its name behind them, where it has one. */
export const named = (net, words, number) => (net.class_names[number] ? `${words} (${apart(net.class_names[number])})` : words);

/** Whether a number of a layer, or of the loss, which has none, is that of a class. */
export const isClass = (net, layer, place) => place.length === 1 && (!layer || layer === net.layers.at(-1));
