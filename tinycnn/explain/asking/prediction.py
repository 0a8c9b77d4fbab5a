"""A question about a number, and what is said of an answer."""

from __future__ import annotations

from dataclasses import dataclass

from tinycnn.explain.asking.answers import Integers, Number, Typed
from tinycnn.explain.values.task import Slip

_MOST = 2  # ways in which one wrong answer may have come about, that are told


@dataclass(frozen=True)
class Prediction:
    """What a reader is asked to predict.

    ``shown`` is what there is to go by, ``prompt`` asks, ``solution`` is shown once the answer is known.
    ``slips`` are likely wrong answers, the likeliest first; ``rule`` is recalled where none of them fits.
    """

    shown: str
    prompt: str
    answer: Number | Integers
    slips: tuple[Slip, ...] = ()
    rule: str = ""
    solution: str = ""

    def wrong(self, typed: Typed) -> str:
        """Where an answer went wrong, in words; "" if it is right."""
        if self.answer.meets(typed, self.answer.value):
            return ""
        found = [
            slip.words
            for slip in self.slips
            if self.answer.is_wrong(slip.answer) and self.answer.meets(typed, slip.answer)
        ]
        if found:  # small whole numbers come about in several ways
            return "; or ".join(list(dict.fromkeys(found))[:_MOST])
        return "; ".join(words for words in (self.answer.hint(typed), self.rule) if words)
