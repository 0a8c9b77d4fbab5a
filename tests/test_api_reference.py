"""The reference in docs/reference names all that users may name, each once."""

import re
from functools import reduce
from importlib import import_module
from pathlib import Path

from public_names import everything

PAGES = sorted(Path(__file__).parents[1].glob("docs/reference/*.md"))
# "::: tinycnn.ops.conv2d" stands for the docstring of that name.
NAMED = re.findall(r"^::: (\S+)$", "\n".join(page.read_text() for page in PAGES), re.MULTILINE)


def found(path):
    """The object that a dotted path leads to, through submodules that nobody has imported yet."""

    def step(value, name):
        return getattr(value, name, None) or import_module(f"{value.__name__}.{name}")

    first, *names = path.split(".")
    return reduce(step, names, import_module(first))


def test_all_public_names_stand_in_the_reference():
    there = {id(found(path)) for path in NAMED}
    assert [name for name, value in everything().items() if id(value) not in there] == []


def test_each_name_stands_there_once():
    assert len(set(NAMED)) == len(NAMED)
