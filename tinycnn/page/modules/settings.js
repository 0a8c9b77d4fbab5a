// How the page looks and asks, and who wants to know when that changes.

const listeners = new Set();

export const settings = { predict: false, larger: false, dark: matchMedia("(prefers-color-scheme: dark)").matches, letters: true };

/** Turn a setting round. */
export function turn(name) {
  settings[name] = !settings[name];
  apply();
  listeners.forEach((listener) => listener(name));
}

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
