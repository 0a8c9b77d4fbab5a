"""Pages opened in Chromium, and whatever they complained of or asked for."""

import json
from urllib.parse import quote

SIZES = {"phone": (360, 740), "desk": (1280, 900), "projector": (1920, 1080)}
SIZES["zoomed"] = (320, 256)  # a screen of 1280 x 1024 at 400 %

# One of each kind that the small network's page has.
VIEWS = [
    "", "/gradients", "example/conv-pool/0", "example/channels/1", "example/overlap/0", "example/whole/5",
    "uses", "sizes", "slope", "softmax", "learning", "layer/conv1", "layer/conv2/gradients/3", "layer/pool1",
    "layer/fc1", "layer/dropout1", "open/loss", "open/fc3[281]",
    "open/conv1[11,11,0]", "open/conv3[2,2,0]", "open/pool2[2,2,0]", "example/im2col/3",
    "example/learning/40",
]  # fmt: skip


def expect(locator):
    """What playwright waits for; imported here alone, for the extra may be missing."""
    from playwright.sync_api import expect

    return expect(locator)


def texts(page, selector):
    return [text.strip() for text in page.locator(selector).all_text_contents()]


class Opened:
    """A page that is open, and whatever it complained of or asked for."""

    def __init__(self, browser, file, size="desk", *, reduced_motion="reduce", **context):
        width, height = SIZES[size]
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion=reduced_motion, **context
        )
        self.page = self.context.new_page()
        self.place = str(file) if "://" in str(file) else f"file://{file}"
        self.complaints, self.asked = [], []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def go(self, view):
        address = f"#/{quote(view, safe='/&')}"
        self.page.goto(f"{self.place}{address}")
        self.drawn(address)
        return self.page

    def turn(self, view):
        """Go to a view of the page that is open, as a link does."""
        address = f"#/{quote(view, safe='/&')}"
        self.page.evaluate("to => { location.hash = to; }", address)
        self.drawn(address)
        return self.page

    def drawn(self, address):
        """Wait until the view of an address is there."""
        self.page.wait_for_selector(f"html[data-view={json.dumps(address)}]", state="attached")

    def violations(self):
        """The rules of WCAG 2.1 AA that the view breaks: rule, help, and where."""
        if not self.page.evaluate("'axe' in window"):
            from importlib import resources

            axe = resources.files("axe_playwright_python") / "axe.min.js"
            self.page.evaluate(axe.read_text("utf-8"))
        return self.page.evaluate(
            """() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }).then(
                (result) => result.violations.map(
                    (one) => [one.id, one.help, one.nodes.map((node) => node.html).slice(0, 3)]))"""
        )

    def end(self):
        self.context.close()
        assert self.complaints == []
        own = "file:" if self.place.startswith("file:") else self.place
        elsewhere = [url for url in self.asked if not url.startswith((own, "data:", "blob:"))]
        assert elsewhere == []
