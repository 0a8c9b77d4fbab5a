"""What every format of a sheet says: its title, its rules, where it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinycnn import __version__
from tinycnn.classroom.quiz.quiz import Quiz

WIDTH = 80
RULES = (
    "Rows, columns, channels, filters and classes count from 0: `z[1,2]` is row 1, column 2; "
    "`x[:,:,1]` is channel 1 of `x`, and `W[:,:,0,1]` has the weights of channel 0 and filter 1. "
    "Sizes are height x width x channels; a stride or padding of 2 x 1 is 2 for the rows, 1 for the "
    "columns. A convolution does not turn its kernel over. `dx` is the gradient of the loss with "
    "respect to `x`."
)


def title(quiz: Quiz) -> str:
    """The sheet's heading."""
    return f"Quiz {quiz.seed}: a convolutional network by hand"


def key_title(quiz: Quiz) -> str:
    """The key's heading."""
    return f"Answers to quiz {quiz.seed}"


def key_origin() -> str:
    """How a sheet of a key of several is made again."""
    return f"tinycnn {__version__}: `tinycnn quiz --seed N` makes sheet N again."


def origin(quiz: Quiz) -> str:
    """How the sheet is made again, and its key."""
    return (
        f"tinycnn {__version__}: `tinycnn quiz --seed {quiz.seed}` makes this sheet again, "
        "`--answers` adds the key."
    )


def pieces(words: str) -> Iterator[tuple[str, bool]]:
    """The pieces of a paragraph, and whether each stood between backticks."""
    for place, piece in enumerate(words.split("`")):
        if piece:
            yield piece, place % 2 == 1


def unbroken(words: str, space: str) -> str:
    """Prose with ``space`` inside its sizes, such as 55 x 55 x 96."""
    return re.sub(r"(?<=\d) x (?=\d)", f"{space}x{space}", words)
