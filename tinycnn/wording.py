"""Words that depend on what they stand beside: articles, counts, full stops."""

from __future__ import annotations

import re
import shlex


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
