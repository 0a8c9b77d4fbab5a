"""Pages of a reader's own run, picture and network, whatever these are called; and what is refused."""

import re

import numpy as np
import pytest
from opened_pages import Opened, expect, texts
from PIL import Image
from small_runs import write_data, write_networks

from tinycnn import cli
from tinycnn.explain import open_lesson
from tinycnn.explain.values.printing import number

HOSTILE = (
    "</script><script>alert(1)</script> & \"quoted\" 'names' {{data}}",
    "\u202eמשהו\nאחר <img src=x onerror=alert(2)>",
    "long" * 60,
)


def page(*words):
    return cli.main(["page", *map(str, words)])


@pytest.fixture
def run(tmp_path, monkeypatch, ctrl_c):
    """A run of one epoch, in a folder of its own; its classes are called by hostile names."""
    monkeypatch.chdir(tmp_path)
    write_networks(tmp_path / "nets.py")
    write_data(tmp_path / "data.npz")
    with np.load(tmp_path / "data.npz") as data:
        np.savez(tmp_path / "data.npz", **{**data, "classes": np.array(HOSTILE)})
    words = ["--model", "nets.py:net", "--out", "run", "--epochs", "1", "--batch", "9"]
    assert cli.main(["train", "data.npz", *words]) == 0
    return tmp_path / "run"


@pytest.fixture
def look(browser):
    """Opens a file, and afterwards asks whether it complained, called, or let a name act."""
    pages, alerts = [], []

    def opened(file, size="desk", **context):
        one = Opened(browser, file, size, **context)
        one.page.on("dialog", lambda dialog: alerts.append(dialog.message))
        pages.append(one)
        return one

    yield opened
    for one in pages:
        assert one.page.locator("img, main script").count() == 0
        one.end()
    assert alerts == []


@pytest.mark.browser
def test_classes_are_called_by_their_names_wherever_one_is_shown(run, look):
    target = run.parent / "page.html"
    assert page(run, "-o", target) == 0
    lesson = open_lesson(model=str(run))
    shown = [" ".join(name.split()) for name in HOSTILE]
    one = look(target)

    def words():
        return " ".join(
            one.page.locator("main")
            .inner_text()
            .replace("\u2068", "")
            .replace("\u2069", "")
            .split()
        )

    one.go("")
    assert f"The label is {lesson.label} ({shown[lesson.label]})" in words()
    for number_, p in enumerate(lesson.trace.y[0]):
        assert f"{number_} ({shown[number_]}) ({number(float(p))})" in words()
    one.go("open/loss")
    assert f"The label is class {lesson.label} ({shown[lesson.label]})" in words()
    for number_, name in enumerate(shown):  # its exponentials
        assert f"class {number_} ({name})" in words()
    for key in (f"d1[{lesson.label}]", f"d1.b[{lesson.label}]"):
        one.go(f"open/{key}")
        assert f"Class {lesson.label} ({shown[lesson.label]})" in words()
    one.go("layer/d1/maps/0/1")
    assert f"d1[1] = {number(float(lesson.trace.y[0, 1]))} ({shown[1]})" in words()
    one.page.locator("details summary").first.click()
    table = one.page.locator("details table.numbers tbody tr")
    expect(table).to_have_count(3)
    for number_, name in enumerate(shown):
        row = (
            " ".join(table.nth(number_).inner_text().split())
            .replace("\u2068", "")
            .replace("\u2069", "")
        )
        assert row == f"{number_} ({name}) {number(float(lesson.trace.y[0, number_]))}"
    assert "run has them." in texts(one.go(""), "main p")[0]


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 360, 1280])
def test_hostile_names_do_not_widen_the_page(run, look, width):
    target = run.parent / f"{'long' * 30}.html"
    assert page(run, "-o", target) == 0
    one = look(target)
    one.page.set_viewport_size({"width": width, "height": 700})
    for view in (
        "",
        "/gradients",
        "layer/d1",
        "layer/d1/gradients",
        "open/loss",
        "open/d1[0]",
        "open/d1.W[0,0]",
    ):
        assert one.go(view).evaluate("document.documentElement.scrollWidth") <= width, view
        assert one.violations() == [], view


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_network_and_a_picture_of_ones_own(tmp_path, look, theme):
    hostile = tmp_path / "a<img src=x onerror=alert(1)>.py"
    hostile.write_text(
        "import tinycnn as tc\n"
        "net = tc.Sequential([\n"
        "    tc.layers.Conv2D(2, 3, activation='relu', name='<b onmouseover=alert(2)>/#?%'),\n"
        "    tc.layers.MaxPool2D(2, name='\u202e\u05d0 \u0022pool'),\n"
        "    tc.layers.Dense(3, activation='softmax', name='\"><script>alert(3)</script>')],\n"
        f"    (16, 16, 3), name='</script><script>alert(4)</script> {'long' * 40}')\n",
        "utf-8",
    )
    picture = tmp_path / "a&amp;\u202e<script>alert(5)<.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)).save(picture)
    target = tmp_path / "page.html"
    assert page(picture, "--model", f"{hostile}:net", "--label", "2", "-o", target) == 0
    one = look(target, "phone", color_scheme=theme)
    one.go("")
    assert (
        one.page.locator("h1").text_content() == f"</script><script>alert(4)</script> {'long' * 40}"
    )
    assert picture.name in one.page.locator("main").text_content()
    assert "Weights: random, as " in one.page.locator("main").text_content()
    assert "the class it names means nothing" in one.page.locator("main").text_content()
    layers = addresses(one.page, "ol.flow a")
    numbers = {to for layer in layers for to in addresses(at(one.page, layer), "ul.links a")}
    assert len(layers) == 4 and len(numbers) >= 12
    for to in numbers:
        shown = at(one.page, to)
        assert "disagrees" not in shown.locator("main").text_content()
        assert shown.evaluate("document.documentElement.scrollWidth") <= 360


def addresses(page, selector):
    return [link.get_attribute("href") for link in page.locator(selector).all()]


def at(page, address):
    page.evaluate("to => { location.hash = to; }", address)
    page.wait_for_function("to => document.documentElement.dataset.view === to", arg=address)
    return page


@pytest.mark.browser
def test_the_bundled_network_names_its_clothes(tmp_path, look):
    target = tmp_path / "fashion.html"
    assert page("--model", "fashion", "-o", target) == 0
    lesson = open_lesson(model="fashion")
    one = look(target)
    words = one.go("").locator("main").inner_text()
    assert (
        f"The label is {lesson.class_words(lesson.label)}" in words and "means nothing" not in words
    )
    assert "Weights: trained, from the package" in words
    for record in lesson.trace.records:  # every channel is in the file
        one.go(f"layer/{record.name}")
        if record.y.ndim == 4:
            assert f"All {record.y.shape[3]} " in one.page.locator("main h2").first.text_content()


def test_random_weights_are_called_so(tmp_path, capsys):
    target = tmp_path / "mini.html"
    assert page("--model", "mini", "-o", target) == 0
    err = capsys.readouterr().err
    assert re.fullmatch(r"tinycnn: wrote .*mini\.html, 0\.\d MB\n", err)


def test_a_picture_that_is_none(tmp_path, capsys):
    broken = tmp_path / "broken.png"
    Image.new("RGB", (50, 50)).save(broken)
    content = broken.read_bytes()
    huge = content[:16] + (200_000).to_bytes(4, "big") + (200_000).to_bytes(4, "big") + content[24:]
    for bytes_ in (b"", b"not a picture", content[:60], huge):
        broken.write_bytes(bytes_)
        assert page(broken, "--model", "mini", "-o", tmp_path / "page.html") == 2
        out, err = capsys.readouterr()
        assert (
            out == ""
            and "broken.png" in err
            and err.startswith("tinycnn: ")
            and "Traceback" not in err
        )
    assert [path.name for path in tmp_path.iterdir()] == ["broken.png"]


def test_a_run_that_is_broken(run, capsys):
    capsys.readouterr()
    for damage in (
        lambda: (run / "latest.npz").write_bytes(b"no archive"),
        lambda: (run / "best.npz").write_bytes(b"no archive"),
        lambda: (run / "settings.json").write_text("{"),
        lambda: (run / "settings.json").unlink(),
        lambda: (run / "latest.npz").unlink(),
    ):
        damage()
        code = page(run, "-o", run.parent / "page.html")
        out, err = capsys.readouterr()
        assert out == "" and "Traceback" not in err and err.startswith("tinycnn: ")
        assert code == 2 or (run.parent / "page.html").exists(), err


def test_an_output_that_cannot_be_written(tmp_path, capsys):
    folder = tmp_path / "folder.html"
    folder.mkdir()
    for target in (
        folder,
        tmp_path / "file.txt" / "page.html",
        tmp_path / ("long" * 100 + ".html"),
    ):
        assert page("--model", "mini", "-o", target) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("tinycnn: ") and "Traceback" not in err
