"""Answers as readers type them, and which of them are right: a number, or a place or size."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from tinycnn.explain.values.task import Answer
from tinycnn.wording import many

_ENOUGH = 3  # significant digits from which on an answer may be rounded
_ROUNDING = 1e-9  # relative; of the comparison itself
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")


@dataclass(frozen=True)
class Typed:
    """An answer as understood; a number written in enough digits may be off by ``half`` of its last."""

    answer: Answer
    half: float = 0.0


@dataclass(frozen=True)
class Number:
    """A number: right within ``tolerance``, or correctly rounded to three digits or more."""

    value: float
    tolerance: float
    shown: str

    def read(self, words: str) -> Typed:
        """Understand what was typed; ValueError says what is expected."""
        words = words.replace(" ", "")
        if _THOUSANDS.fullmatch(words):
            words = words.replace(",", "")
        over = re.fullmatch(r"([-+]?[\d.]+)/([\d.]+)", words)
        try:
            value = float(over[1]) / float(over[2]) if over else float(words)
        except (ValueError, ZeroDivisionError):
            value = math.nan
        if not math.isfinite(value):
            raise ValueError("a number such as -0.25, 3/4 or 1.5e-3")
        return Typed(value, 0.0 if over else _half_of_the_last_digit(words))

    def meets(self, typed: Typed, value: Answer) -> bool:
        """Whether that is what was typed, the right answer or another ``value``."""
        assert isinstance(typed.answer, float) and not isinstance(value, tuple)
        allowed = max(self.tolerance, typed.half) + _ROUNDING * abs(value)
        return abs(typed.answer - value) <= allowed

    def is_wrong(self, value: Answer) -> bool:
        """Whether ``value`` lies so far away that it cannot be taken for the right answer."""
        assert not isinstance(value, tuple)
        return abs(value - self.value) > 2 * self.tolerance

    def hint(self, typed: Typed) -> str:
        """Where the right answer lies, for one of which no more is known."""
        assert isinstance(typed.answer, float)
        return f"it is {'larger' if self.value > typed.answer else 'smaller'}"


def _half_of_the_last_digit(words: str) -> float:
    mantissa, _, exponent = words.lower().partition("e")
    whole, _, decimals = mantissa.lstrip("+-").partition(".")
    if len((whole + decimals).lstrip("0")) < _ENOUGH:
        return 0.0
    return 0.5 * 10.0 ** (int(exponent or 0) - len(decimals))


@dataclass(frozen=True)
class Integers:
    """Some whole numbers, ``names`` in words: a place, or a size such as 27 x 27 x 96."""

    value: tuple[int, ...]
    names: tuple[str, ...]
    shown: str

    def read(self, words: str) -> Typed:
        """Understand what was typed; ValueError says what is expected."""
        words = words.strip().strip("()[]")
        parts = re.split(r"\s*(?:[x*,\u00d7]|\s)\s*", words.lower())
        if len(parts) != len(self.value) or not all(re.fullmatch(r"-?\d+", part) for part in parts):
            between = "," if self.names[0] == "row" else "x"
            example = between.join(str(10 + number) for number in range(len(self.value)))
            count = many(len(self.value), "whole number")
            raise ValueError(f"{count}, {', '.join(self.names)}, such as {example}")
        return Typed(tuple(map(int, parts)))

    def meets(self, typed: Typed, value: Answer) -> bool:
        """Whether that is what was typed, the right answer or the beginning of another ``value``."""
        assert isinstance(typed.answer, tuple) and isinstance(value, tuple)
        return typed.answer[: len(value)] == value

    def is_wrong(self, value: Answer) -> bool:
        """Whether ``value``, which may be a beginning, differs from the right answer."""
        assert isinstance(value, tuple)
        return self.value[: len(value)] != value

    def hint(self, typed: Typed) -> str:
        """Which of its numbers are right."""
        assert isinstance(typed.answer, tuple)
        pairs = zip(self.names, self.value, typed.answer, strict=True)
        wrong = [name for name, right, given in pairs if right != given]
        right = [name for name in self.names if name not in wrong]
        return f"{' and '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} wrong" + (
            f", {' and '.join(right)} {'is' if len(right) == 1 else 'are'} right" if right else ""
        )
