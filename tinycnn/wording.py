"""Words that depend on what they stand beside: articles, counts, full stops."""

from __future__ import annotations

import re
import shlex
import traceback
from collections.abc import Container
from pathlib import Path
from tokenize import TokenError

_LONGEST = 300  # characters of what others say


def a(noun: str) -> str:
    """With its article, by its sound: ``a list``, ``an int``, ``a uint8``, ``an ndarray``."""
    vowel = re.match("[aeio]|un(?!i)|nd", noun, re.IGNORECASE)
    return f"{'an' if vowel else 'a'} {noun}"


def many(count: int, noun: str) -> str:
    """Count things: ``1 place``, ``3,025 places``, ``2 classes``."""
    return f"{count:,} {noun if count == 1 else plural(noun)}"


def every(count: int, noun: str) -> str:
    """All of them: ``all 96 channels``, ``the only channel``."""
    return f"the only {noun}" if count == 1 else f"all {many(count, noun)}"


def plural(noun: str) -> str:
    """More than one: ``rows``, ``classes``."""
    return f"{noun}es" if noun.endswith("s") else f"{noun}s"


def sentence(words: str) -> str:
    """End with a full stop, unless a question or a sentence has ended already."""
    return words if words.endswith((".", "?", "!")) else f"{words}."


def option(name: str, value: object) -> str:
    """An option and its value as they are typed in a shell: ``--layer conv1``, ``--layer=-conv``."""
    between = "=" if str(value).startswith("-") else " "
    return f"{name}{between}{shlex.quote(str(value))}"


def said(error: BaseException) -> str:
    """What an error of others says, in one line of some 300 characters; "" where it says nothing.

    Code that users wrote may say anything, and its ``__str__`` may fail itself; zipfile repeats
    whatever a damaged file holds.
    """
    try:
        # The tokenizer's place is one in a header's text, which nobody sees.
        text = str(error.args[0] if isinstance(error, TokenError) and error.args else error)
    except (Exception, SystemExit):
        return ""
    words = " ".join(text[: 20 * _LONGEST].split())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]} ..."


def said_or_kind(error: BaseException) -> str:
    """The same, and where it says nothing its kind: ``EOFError``."""
    return said(error) or type(error).__name__


def format_user_error(error: BaseException, files: Container[str]) -> str:
    """An error in one line, with the last place in ``files`` that it passed through."""
    words = said(error)
    frames = traceback.extract_tb(error.__traceback__)
    places = [
        f" ({Path(frame.filename).name}, line {frame.lineno})"
        for frame in frames
        if frame.filename in files
    ]
    name = type(error).__name__
    return (
        f"{name}: {words}{places[-1] if places else ''}"
        if words
        else f"{name}{''.join(places[-1:])}"
    )
