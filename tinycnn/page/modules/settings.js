// How the page looks and asks, and who wants to know when that changes.

const listeners = new Set();

const system = matchMedia("(prefers-color-scheme: dark)");

export const settings = { predict: false, larger: false, dark: system.matches, letters: true };

/** Turn a setting round; what the system says of dark is followed until then. */
export function turn(name) {
  if (name === "dark") system.removeEventListener("change", follow);
  set(name, !settings[name]);
}

function set(name, value) {
  settings[name] = value;
  apply();
  listeners.forEach((listener) => listener(name));
}

function follow() {
  set("dark", system.matches);
}
system.addEventListener("change", follow);

/** Call `listener(name)` whenever a setting has changed. */
export const onChange = (listener) => listeners.add(listener);

/** Bring the page to the settings. */
export function apply() {
  const root = document.documentElement;
  root.dataset.theme = settings.dark ? "dark" : "light";
  root.classList.toggle("larger", settings.larger);
  for (const [id, name] of [["predict", "predict"], ["larger", "larger"], ["theme", "dark"]])
    document.getElementById(id).setAttribute("aria-pressed", String(settings[name]));
}
