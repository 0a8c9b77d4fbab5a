"""Two sides of a page: two pictures, two networks, two moments of training, and how they differ."""

import re
import shlex

import numpy as np
import pytest
from opened_pages import Opened, expect, texts
from PIL import Image

from tinycnn import cli
from tinycnn.explain import open_lesson
from tinycnn.explain.lessons import differences as compared
from tinycnn.explain.values.printing import number
from tinycnn.page import channels, differences, sides
from tinycnn.page.choosing import chosen
from tinycnn.page.sides import Side


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Two pictures of noise, of another brightness each."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for name, most in (("dark.png", 90), ("bright.png", 256)):
        Image.fromarray(rng.integers(0, most, (99, 99, 3), np.uint8)).save(folder / name)
    return folder / "dark.png", folder / "bright.png"


@pytest.fixture(scope="module")
def lessons(pictures):
    return [open_lesson(picture, model="mini", label=3) for picture in pictures]


@pytest.fixture(scope="module")
def pair(pictures, tmp_path_factory):
    target = tmp_path_factory.mktemp("pair") / "pair.html"
    words = [*map(str, pictures), "--model", "mini", "--label", "3", "-o", str(target)]
    assert cli.main(["page", *words]) == 0
    return target


@pytest.fixture
def beside(browser, pair):
    one = Opened(browser, pair)
    yield one
    one.end()


# --------------------------------------------------------------------------- what the file carries


def test_what_tells_the_sides_apart(lessons):
    assert compared.names(lessons) == [lesson.picture.title for lesson in lessons]
    assert compared.names(lessons[:1] * 2) == ["left", "right"]
    assert sides.title([Side(lesson, "") for lesson in lessons]) == lessons[0].name


def test_the_same_numbers_are_opened_on_both_sides(lessons):
    left, right = sides.opened([Side(lesson, "") for lesson in lessons])
    assert [one.key for one in left] == [one.key for one in right]
    assert {one.layer for one in left} == {"", *(layer.name for layer in lessons[0].model.layers)}
    alone = sides.opened([Side(lessons[0], "")])
    assert [one.key for one in alone[0]] == [one.key for one in chosen(lessons[0])]


def test_sides_of_different_networks_open_their_own(lessons):
    other = open_lesson(model="fashion")
    shown = [Side(lessons[0], ""), Side(other, "")]
    for side, opened in zip(shown, sides.opened(shown), strict=True):
        assert {one.name for one in opened} <= set(sides.shapes(side.lesson))
        assert {one.layer for one in opened} >= {layer.name for layer in side.lesson.model.layers}


def test_differences_are_texts_of_what_the_terminal_prints(lessons):
    shown = differences.drawn(lessons, [{}, {}])
    pair = compared.loss(*lessons)
    assert shown["loss"] == ["loss", *map(number, (pair.left, pair.right, pair.right - pair.left))]
    for row, layer in zip(shown["layers"], compared.layers(*lessons), strict=True):
        assert row["largest"] == number(layer.numbers.difference)
        if layer.gradients:
            assert row["gradient_where"] == ",".join(map(str, layer.gradients.where))
    other = differences.drawn([lessons[0], open_lesson(model="fashion")], [{}, {}])["layers"]
    assert other[0] == {
        "name": "conv1",
        "remark": "23 x 23 x 12 on the left, 28 x 28 x 32 on the right",
    }


def test_where_there_is_no_room_the_liveliest_channels_are_carried(lessons, monkeypatch):
    assert channels.carried(lessons, []) == [{}, {}]
    records = lessons[0].backward.records
    numbers = sum(each.y[0].size * (1 if each.dy is None else 2) for each in records)
    monkeypatch.setattr(channels, "_ROOM", {1: numbers // 2, 2: numbers})
    opened = [one for one in chosen(lessons[0]) if one.layer == "conv2"]
    left, right = channels.carried(lessons, opened)
    assert left == right
    for name, some in left.items():
        y = [lesson.trace[name].y[0] for lesson in lessons]
        assert some == sorted(set(some)) and len(some) == y[0].shape[-1] // 2
        liveliest = int(np.argmax(sum(np.abs(each).sum((0, 1)) for each in y)))
        assert liveliest in some or name == "conv2"  # which has those that are opened
    assert {one.place[2] for one in opened if not one.part} <= set(left["conv2"])


@pytest.mark.parametrize(
    "argv, words",
    [
        (
            ["a.png", "b.png", "c.png"],
            "two stand side by side, not 3: give the picture at most twice",
        ),
        (["--model", "mini", "--model", "mini", "--model", "mini"], "give --model at most twice"),
        (["--serve", "--model", "mini", *["--label", "1"] * 3], "give --label at most twice"),
    ],
)
def test_a_third_side_is_refused(capsys, tmp_path, monkeypatch, argv, words):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["page", *argv]) == 2
    assert words in capsys.readouterr().err


# --------------------------------------------------------------------------- in a browser


@pytest.mark.browser
def test_both_sides_and_their_difference_are_the_traces(beside, lessons):
    page = beside.go("layer/conv2/maps/7/5,6")
    a, b = (lesson.trace["conv2"].y[0, 5, 6, 7] for lesson in lessons)
    assert page.locator("#cell").text_content() == f"conv2[5,6,7] = {number(float(a))}"
    assert page.locator("#cell-right").text_content() == f"conv2[5,6,7] = {number(float(b))}"
    difference = page.locator(".difference .equation").text_content()
    assert difference == (
        f"conv2[5,6,7]: {number(float(b))} - {number(float(a))} = {number(float(b) - float(a))}"
    )


@pytest.mark.browser
@pytest.mark.parametrize(
    "view, row",
    [
        ("layer/conv2/maps/7/5,6", "conv2, row 5, column 6, filter 7"),
        ("layer/conv2/gradients/7/5,6", "dL/dy of conv2, row 5, column 6, filter 7"),
        ("layer/fc3/maps/0/5", "fc3, unit 5"),
        ("open/loss", "loss"),
    ],
)
def test_what_the_page_says_of_two_sides_the_terminal_prints(beside, capsys, view, row):
    """The command that stands there gives the same numbers, and the same difference."""
    page = beside.go(view)
    command = page.locator(".difference code").text_content()
    assert cli.main(shlex.split(command)[1:]) == 0
    printed = next(line for line in capsys.readouterr().out.split("\n") if line.startswith(row))
    shown = page.locator(".difference").inner_text()
    left, right, difference = printed.removeprefix(row).split()
    if "layer" in view:
        taken = f"({left})" if left.startswith("-") else left
        assert f": {right} - {taken} = {difference}" in shown
    else:
        assert [left, right, difference] == texts(page, ".difference tbody tr:first-of-type td")


@pytest.mark.browser
def test_a_cell_that_is_walked_to_on_one_side_is_shown_on_both(beside, lessons):
    page = beside.go("layer/conv2/maps/7/5,6")
    page.locator(".side").nth(1).locator("[data-linked=cells]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    a, b = (float(lesson.trace["conv2"].y[0, 4, 7, 7]) for lesson in lessons)
    assert texts(page, "#cell, #cell-right") == [
        f"conv2[4,7,7] = {number(a)}", f"conv2[4,7,7] = {number(b)}"
    ]  # fmt: skip
    said = f"conv2[4,7,7]: {number(b)} - {number(a)} = {number(b - a)}"
    expect(page.locator("#spoken")).to_have_text(said)


@pytest.mark.browser
def test_a_press_on_one_side_opens_on_both(beside, lessons):
    page = beside.go("")
    page.locator(".side").nth(1).locator("ol.flow a", has_text="conv3").click()
    beside.drawn("#/layer/conv3/maps/0/")
    assert texts(page, ".side dl dd:first-of-type") == ["Conv2D", "Conv2D"]
    page.locator(".side").first.locator("ul.links a:has-text('conv3.W[')").first.click()
    page.wait_for_selector("#value-right")
    name = re.search(r"\[(.*)\]", page.evaluate("decodeURIComponent(location.hash)"))[1]
    at = tuple(map(int, name.split(",")))
    a, b = (float(lesson.backward["conv3"].grads["W"][at]) for lesson in lessons)
    assert texts(page, "#value, #value-right") == [number(a), number(b)]
    row = page.locator(".difference tbody tr").first.locator("td")
    expect(row).to_have_text([number(a), number(b), number(b - a)])


@pytest.mark.browser
def test_sides_of_another_shape_move_on_their_own(browser, tmp_path):
    target = tmp_path / "two.html"
    assert cli.main(["page", "--model", "mini", "--model", "fashion", "-o", str(target)]) == 0
    one = Opened(browser, target)
    page = one.go("")
    page.locator(".side").first.locator("ol.flow a", has_text="conv2").click()
    page.wait_for_selector("#cell")
    assert page.locator("#cell-right").count() == 0  # the other still shows its network
    assert page.locator(".side").nth(1).locator("ol.flow").count() == 1
    page.locator(".side").nth(1).locator("ol.flow a").last.click()
    page.wait_for_selector("#cell-right")
    assert "conv2[" in page.locator("#cell").text_content()
    address = page.evaluate("location.hash")
    page.reload()
    one.drawn(address)  # the address brings both places back
    assert "conv2[" in page.locator("#cell").text_content()
    one.end()


@pytest.mark.browser
@pytest.mark.parametrize("size", ["phone", "desk", "projector"])
def test_two_sides_fit_the_screen_and_keep_the_rules(browser, pair, size):
    one = Opened(browser, pair, size)
    for view in ("", "layer/conv1", "layer/fc1/gradients", "open/loss", "open/fc3[3]"):
        page = one.go(view)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"], view
        assert one.violations() == [], view
        left, right = (page.locator(".side").nth(k).bounding_box() for k in (0, 1))
        assert (left["x"] == right["x"]) == (size == "phone")
    one.end()


@pytest.mark.browser
def test_a_channel_that_is_not_carried_is_named_with_its_command(browser, tmp_path, monkeypatch):
    monkeypatch.setattr(channels, "_ROOM", {1: 20_000, 2: 40_000})
    target = tmp_path / "some.html"
    assert cli.main(["page", "--model", "mini", "-o", str(target)]) == 0
    one = Opened(browser, target)
    page = one.go("layer/conv2")
    heading = page.locator("h2", has_text="of 32 filters")
    carried = int(heading.text_content().split()[0])
    assert 1 <= carried < 32
    shown = page.locator("#channel").input_value()
    gone = next(c for c in range(1, 32) if f"{c}" != shown and not has(page, c))
    page = one.go(f"layer/conv2/maps/{gone}")
    assert f"filter {gone} is not in this file" in page.locator("main").inner_text()
    command = page.locator("code", has_text="--layer conv2").first.text_content()
    assert command.startswith("tinycnn step --model mini --layer conv2 --at ")
    assert command.endswith(f",{gone}")
    one.end()


def has(page, channel):
    """Whether the file carries a channel of conv2, as the page's own data say."""
    return page.evaluate(
        """async channel => {
            const { unpack } = await import('data');
            const data = await unpack(document.getElementById('data').textContent);
            const conv2 = data.sides[0].network.layers.find((one) => one.name === 'conv2');
            return conv2.channels.includes(channel);
        }""",
        channel,
    )
