// What a page asks the server that it came from; a file has none, and asks nobody.

const here = () => location.pathname; // the token is in it

/** A number opened on each side, or why not, and their difference; throws with the engine's words where no side has it. */
export const numberOf = (key) => answered(`number?key=${encodeURIComponent(key)}`);

/** Set a number on sides, [0] the left, and run the pass again. */
export async function edit(key, value, sides) {
  const headers = { "Content-Type": "application/json" };
  return answered("edit", { method: "POST", headers, body: JSON.stringify({ key, value, sides }) });
}

async function answered(route, options) {
  const response = await fetch(here() + route, options).catch(() => {
    throw new Error("Nobody answers: tinycnn page --serve has ended, or was started again at another address.");
  });
  const found = await response.json();
  if (!response.ok) throw new Error(found.error);
  return found;
}
