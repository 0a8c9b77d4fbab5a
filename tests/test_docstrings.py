"""Docstrings of what users may name: there, whole, and true as far as a test can tell."""

import inspect
import re

import pytest
from public_names import documented, everything, text_of

import tinycnn as tc

OPS = {name: getattr(tc.ops, name) for name in tc.ops.__all__}
each_op = pytest.mark.parametrize("name", OPS)


SOURCE = re.compile(r"Source:.{,200}\d{4}", re.DOTALL)


def words(text):
    return set(re.findall(r"\w+", text))


def explained(value):
    """The words of a docstring, of those that it names in backticks, and of a class's bases."""
    texts = [text_of(value)]
    for name in re.findall(r"`(?:\w+\.)*(\w+)`", texts[0]):
        other = everything().get(name) or getattr(tc.Sequential, name, None)
        texts += [text_of(other)] if other is not None else []
    texts += [text_of(base) for base in getattr(value, "__mro__", ())[1:-1]]
    return words(" ".join(texts))


def text_of_class(name):
    owner = everything().get(name.rpartition(".")[0])
    return "" if owner is None else text_of(owner)


def is_error(value):
    return inspect.isclass(value) and issubclass(value, Exception)


def parameters(value):
    return {
        name
        for name in inspect.signature(value).parameters
        if name != "self" and not name.startswith("_")
    }


def test_all_public_names_have_docstrings():
    assert [name for name, value in documented().items() if not text_of(value)] == []


def test_every_parameter_is_explained():
    """By its docstring, one that it names (`conv2d`, say, for a gradient's options), or the class's."""
    lacking = {
        name: parameters(value) - explained(value) - words(text_of_class(name))
        for name, value in documented().items()
        if callable(value) and not is_error(value)
    }
    assert {name: left for name, left in lacking.items() if left} == {}


def test_no_formula_of_a_docstring_turns_into_emphasis():
    """Markdown takes the asterisks of a*b*c away, but not in code, which is indented or in backticks."""
    for name, value in documented().items():
        prose = re.sub(r"^ {4}.*$", "", text_of(value), flags=re.MULTILINE)
        prose = re.sub(r"``[^`]*``|`[^`]*`", "", prose)
        assert not re.search(r"\w\*+\S|\S\*+\w|::$", prose, re.MULTILINE), name


ON_PAPERS = "SGD Adam AdamW Cosine WarmUp DivideOnPlateau Recipe He Glorot gradcheck"


@pytest.mark.parametrize("name", ON_PAPERS.split())
def test_what_rests_on_a_paper_names_it(name):
    assert SOURCE.search(text_of(everything()[name]))


# ------------------------------------------------------------------------------------ the ops


@each_op
def test_an_op_names_its_source_or_the_op_whose_gradient_it_is(name):
    text = text_of(OPS[name])
    forward = name.removesuffix("_backward") if name.endswith("_backward") else "im2col"
    assert SOURCE.search(text) or f"`{forward}`" in text


@each_op
def test_an_op_says_the_shapes_of_what_it_takes(name):
    assert re.search(r"\(N|shape", text_of(OPS[name]))
