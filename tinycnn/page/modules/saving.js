// What is shown as a picture in a file: SVG that holds the page's own markup, and PNG drawn from it.

import { h, speak } from "dom";

const SHARPNESS = 2; // pixels of a PNG to one of the screen

/** Buttons that save `shown()` in files called `name`. */
export function saving(shown, name) {
  const file = name.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "page";
  const button = (kind, made) => h("button", { type: "button", onclick: async () => {
    download(await made(shown()), `${file}.${kind}`);
    speak(`${file}.${kind} is saved`);
  } }, `Save as ${kind.toUpperCase()}`);
  return h("div", { class: "row unsaved" }, button("svg", async (element) => new Blob([asSVG(element).text], { type: "image/svg+xml" })), button("png", asPNG));
}

/** An element as SVG: its size, and its text. */
function asSVG(element) {
  const { width, height } = element.getBoundingClientRect();
  const copy = element.cloneNode(true), canvases = copy.querySelectorAll("canvas");
  element.querySelectorAll("canvas").forEach((canvas, k) => {
    const image = h("img", { src: canvas.toDataURL(), alt: "" });
    image.style.cssText = `${canvases[k].style.cssText}; image-rendering: pixelated; display: block`;
    canvases[k].replaceWith(image);
  });
  copy.querySelectorAll(".unsaved").forEach((part) => part.remove());
  const root = h("div", { "data-theme": document.documentElement.dataset.theme }, copy);
  // The page's variables stand on :root, which is the SVG there.
  const style = h("style", {}, document.querySelector("style").textContent.replaceAll(":root", ":root, [data-theme]").replaceAll(":root, [data-theme][data-theme", "[data-theme"));
  root.prepend(style);
  root.style.cssText = `background: var(--ground); color: var(--ink); width: ${width}px; font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif`;
  const markup = new XMLSerializer().serializeToString(root);
  const [w, H] = [Math.ceil(width), Math.ceil(height)];
  return { w, height: H, text: `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${H}"><foreignObject width="100%" height="100%">${markup}</foreignObject></svg>` };
}

async function asPNG(element) {
  const { w, height, text } = asSVG(element);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = h("canvas", { width: w * SHARPNESS, height: height * SHARPNESS });
  const context = canvas.getContext("2d");
  context.scale(SHARPNESS, SHARPNESS);
  context.drawImage(image, 0, 0);
  return new Promise((done) => { canvas.toBlob(done, "image/png"); });
}

function download(blob, name) {
  const address = URL.createObjectURL(blob);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
