"""Each kind of layer on the page, forward and backward: numbers read out of it are those of the trace."""

import pytest
from opened_pages import Opened, texts

from tinycnn import cli
from tinycnn.explain import open_lesson
from tinycnn.explain.lessons import overview
from tinycnn.explain.values.printing import number

pytestmark = pytest.mark.browser

NET = """
import tinycnn as tc
from tinycnn.layers import *

net = tc.Sequential([
    Conv2D(4, (3, 2), stride=(1, 2), padding=1, activation="relu"), LocalResponseNorm(size=3),
    MaxPool2D(3, stride=2, padding=1), BatchNormalization(), ReLU(),
    Conv2D(4, 3, padding=2, dilation=2, groups=2),
    AveragePool2D(2, stride=1), Conv2D(6, 1), GlobalAveragePool2D(), Flatten(), Dense(5, activation="relu"),
    Dropout(0.5), Dense(3), Softmax()], (20, 22, 3), name="every kind")
"""


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    """The page of a network with all kinds of layers in training, and its lesson."""
    folder = tmp_path_factory.mktemp("every")
    (folder / "every.py").write_text(NET)
    model, target = f"{folder / 'every.py'}:net", folder / "every.html"
    assert cli.main(["page", "--model", model, "--train", "--label", "1", "-o", str(target)]) == 0
    return target, open_lesson(model=model, training=True, label=1)


@pytest.fixture(scope="module")
def shown(browser, every):
    one = Opened(browser, every[0])
    yield one
    one.end()


def records():
    scope = {}
    exec(NET, scope)
    return [layer.name for layer in scope["net"].layers]


@pytest.mark.parametrize("name", records())
def test_its_numbers_and_gradients_are_the_traces(shown, every, name):
    record = every[1].backward[name]
    for side, array, words in (("maps", record.y, ""), ("gradients", record.dy, "dL/dy of ")):
        if array is None:  # the loss and its softmax are one step
            continue
        middle = [size // 2 for size in array.shape[1:]]
        row_column, channel = middle[:2], middle[2] if len(middle) == 3 else 0
        page = shown.go(f"layer/{name}/{side}/{channel}/{','.join(map(str, row_column))}")
        value = number(float(array[(0, *middle)]))
        assert page.locator("#cell").text_content() == (
            f"{words}{name}[{','.join(map(str, middle))}] = {value}"
        )


@pytest.mark.parametrize("name", records())
def test_the_rule_of_its_gradient_is_set_as_mathematics(shown, every, name):
    (row,) = (row for row in overview.backward_rows(every[1]) if row.name == name)
    fact = shown.go(f"layer/{name}").locator("dt:text-is('gradient') + dd")
    assert fact.text_content().startswith(f"{row.rule}; largest ")
    formula = fact.locator(".formula").first
    assert formula.text_content() == row.rule.partition(", ")[0]  # behind a comma stand words
    assert formula.locator("mfrac").first.text_content() == row.gradient
    as_mathematics = "".join(formula.locator("math").all_text_contents())
    assert "".join(as_mathematics.split()) == "".join(formula.text_content().split())


@pytest.mark.parametrize("name", records())
def test_its_opened_numbers_are_the_traces(shown, every, name):
    """Cells, gradients of parameters and of its input, as many as the file has of it."""
    record = every[1].backward[name]
    links = texts(shown.go(f"layer/{name}"), "ul.links a")
    arrays = {"": record.y, ".x": record.dx} | {
        f".{key}": gradient[None] for key, gradient in record.grads.items()
    }
    met = set()
    for link in links:
        key, _, text = link.partition(" = ")
        part, _, place = key.removeprefix(name).rstrip("]").partition("[")
        value = number(float(arrays[part][(0, *map(int, place.split(",")))]))
        page = shown.go(f"open/{key}")
        assert text == value == page.locator("#value").text_content(), key
        words = page.locator("main").inner_text()
        assert "disagrees" not in words and "undefined" not in words and "NaN" not in words, key
        met.add(part)
    assert met == set(arrays)
