"""The pictures that come with the package, by name: the first of each class of Fashion-MNIST's test part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

NAMES = (
    "t-shirt-top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot",
)  # fmt: skip
NOTE = "of Fashion-MNIST's test pictures, by Zalando SE, MIT licence; bundled"


def name_of(class_name: str) -> str:
    """How a class is called here: "ankle-boot" of "ankle boot"."""
    return re.sub(r"\W+", "-", class_name).lower()


@contextmanager
def file_of(path: Path) -> Iterator[Path | None]:
    """The file of a bundled picture, where ``path`` is its name and no file; else None."""
    if str(path) not in NAMES or path.exists():
        yield None
        return
    place = resources.files("tinycnn.pictures") / "fashion" / f"{path}.png"
    with resources.as_file(place) as file:
        yield file
