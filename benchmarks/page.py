"""How fast does the page open, and how many frames a second does it move?

    python benchmarks/page.py [one-tower mini fashion | FILE.html ...] [--frames 180]

Each network's page is written (or is a file that `tinycnn page` has written), and opened in Chromium (extra
browser) on a projector's 1920 x 1080. Loading is timed from the navigation until everything is unpacked and
drawn, the best of three. Then a pointer moves over maps, a cell each frame, and by hand the window slides. A
browser draws at most 60 frames a second; what a frame costs says how much of its 16.7 ms is used: work of the
page, styles and layout.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tinycnn import cli
from tinycnn.tables import text_table

SCREEN = {"width": 1920, "height": 1080}
MODELS = ("one-tower", "mini", "fashion")
LOADS = 3
HEAD = ["moving", "frames / a second", "one in 20 / takes ms", "work / a frame, ms"]

# Moves over the cells of what `selector` finds, one each frame; gives ms between frames, and of work.
MOVES = """async ([selector, frames]) => {
    const target = document.querySelector(selector);
    target.scrollIntoView({ block: "center" });
    const cells = [...target.querySelectorAll("button")];
    const box = (target.querySelector("canvas") ?? target).getBoundingClientRect();
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const moved = (k) => {
        if (cells.length) return cells[k % cells.length].focus();
        const [x, y] = [0.5 + 0.49 * Math.sin(k / 7), 0.5 + 0.49 * Math.cos(k / 11)];
        const at = { clientX: box.left + x * box.width, clientY: box.top + y * box.height };
        const event = { ...at, bubbles: true, pointerType: "mouse" };
        return target.dispatchEvent(new PointerEvent("pointermove", event));
    };
    const between = [], work = [];
    let last = await frame();
    for (let k = 0; k < frames; k++) {
        const began = performance.now();
        moved(k);
        document.body.getBoundingClientRect();
        work.push(performance.now() - began);
        const now = await frame();
        between.push(now - last);
        last = now;
    }
    return [between, work];
}"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("page", nargs="*", default=MODELS)
    parser.add_argument("--frames", type=int, default=180)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        files = [written(Path(folder), page) for page in options.page]
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for file in files:
            print(
                f"{file.stem}: {file.stat().st_size / 1e6:.1f} MB, opens in {loaded(browser, file):.2f} s"
            )
            print(text_table(HEAD, list(rows(browser, file, options.frames)), right=len(HEAD) - 1))
        browser.close()
    return 0


def written(folder: Path, model: str) -> Path:
    """The page of a network; one that is a file is there."""
    if model.endswith(".html"):
        return Path(model).resolve()
    file = folder / f"{model}.html"
    if cli.main(["page", "--model", model, "-o", str(file)]):
        sys.exit(1)
    return file


def opened(browser: Browser, file: Path, view: str) -> Page:
    page = browser.new_page(viewport=SCREEN)
    page.goto(f"file://{file}#/{view}")
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


def loaded(browser: Browser, file: Path) -> float:
    """Seconds until everything is drawn, the best of three."""
    seconds = []
    for _ in range(LOADS):
        page = opened(browser, file, "")
        drawn = "() => new Promise((done) => requestAnimationFrame(() => done(performance.now())))"
        seconds.append(page.evaluate(drawn) / 1000)
        page.close()
    return min(seconds)


def rows(browser: Browser, file: Path, frames: int) -> Iterator[list[str]]:
    """Each place of the page: frames a second, and milliseconds that a frame costs."""
    page = opened(browser, file, "layer/conv1")
    weight = page.locator("ul.links a:has-text('conv1.W[')").first.get_attribute("href")
    page.close()
    for words, view, selector in (
        ("over a map of conv1", "layer/conv1", "[data-linked=cells]"),
        ("over all its maps", "layer/conv1", "[data-linked=sheet]"),
        ("over the gradients of conv2", "layer/conv2/gradients", "[data-linked=cells]"),
        ("over the terms of a weight", weight.removeprefix("#/"), "[data-linked=terms]"),
        ("the window by hand", "example/conv-pool/0", ".results .matrix"),
        ("both ways to dx by hand", "uses", "[aria-label=dx]"),
    ):
        page = opened(browser, file, view)
        between, work = page.evaluate(MOVES, [selector, frames])
        slow = statistics.quantiles(between, n=20)[-1]
        rate = 1000 / statistics.fmean(between)
        yield [words, f"{rate:.0f}", f"{slow:.1f}", f"{statistics.median(work):.2f}"]
        page.close()


if __name__ == "__main__":
    sys.exit(main())
