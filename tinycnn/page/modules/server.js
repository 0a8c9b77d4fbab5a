// What a page asks the server that it came from; a file has none, and asks nobody.

const here = () => location.pathname; // the token is in it

/** A number opened; throws with the engine's words where there is none. */
export async function numberOf(key) {
  return answered(await fetch(`${here()}number?key=${encodeURIComponent(key)}`));
}

/** Set a number, and run the pass again. */
export async function edit(key, value) {
  const headers = { "Content-Type": "application/json" };
  return answered(await fetch(`${here()}edit`, { method: "POST", headers, body: JSON.stringify({ key, value }) }));
}

async function answered(response) {
  const found = await response.json();
  if (!response.ok) throw new Error(found.error);
  return found;
}
