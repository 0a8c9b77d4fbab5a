"""Writes the doors: what `tinycnn.layers` and `tinycnn.ops` offer is what their files offer by ``__all__``.

So a layer, or an op, is entered in one place, its own file.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

LINE = 100  # characters of a line, as setup.cfg's ruff has it


def door(folder: Path, *, lazy: bool) -> str:
    """The text of a folder's ``__init__.py``: its docstring as it is, then what its files offer."""
    offered = _offered(folder)
    docstring = ast.get_docstring(_tree(folder / "__init__.py"), clean=False)
    indent = "    " if lazy else ""
    imports = "\n".join(
        _line(f"{indent}from tinycnn.{folder.name}.{home} import ", "()", names)
        for home, names in offered.items()
    )
    every = _line("__all__ = ", "[]", [f'"{name}"' for name in _sorted(offered)], always=True)
    if lazy:
        homes = [f'"{name}": "{home}"' for home, name in _pairs(offered)]
        imports = _LAZY_IMPORTS + imports
        every = f"{_line('_HOME = ', '{}', homes, always=True)}\n{every}\n{_LAZY}"
    return f'"""{docstring}"""\n\n{_WRITTEN}\n\n{imports}\n\n{every}\n'


_WRITTEN = (
    "# Below the docstring written by `python -m tools`, from the files' __all__; do not edit."
)
_LAZY_IMPORTS = """\
from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
"""
_LAZY = """

def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__"""


def _offered(folder: Path) -> dict[str, list[str]]:
    """{module, such as "convolution.conv2d": what its ``__all__`` lists}."""
    found = {}
    for file in sorted(folder.rglob("[!_]*.py")):
        for node in _tree(file).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                home = ".".join(file.relative_to(folder).with_suffix("").parts)
                found[home] = ast.literal_eval(node.value)
    return found


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _pairs(offered: dict[str, list[str]]) -> Iterable[tuple[str, str]]:
    return ((home, name) for home, names in offered.items() for name in names)


def _sorted(offered: dict[str, list[str]]) -> list[str]:
    """As ruff would have them: constants, classes, functions."""
    names = [name for _, name in _pairs(offered)]
    return sorted(names, key=lambda name: (not name.isupper(), name.islower(), name))


def _line(start: str, brackets: str, items: list[str], *, always: bool = False) -> str:
    """The items behind ``start``, in a line if they fit, else one a line in ``brackets``."""
    line = start + ", ".join(items)
    if len(line) <= LINE and not always:
        return line
    indent = " " * (len(start) - len(start.lstrip()))
    inner = "".join(f"{indent}    {item},\n" for item in items)
    return f"{start}{brackets[0]}\n{inner}{indent}{brackets[1]}"
