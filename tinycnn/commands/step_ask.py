"""``tinycnn step --ask``: the result hidden, the reader's answers read from stdin."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinycnn.explain import Explanation, Lesson
    from tinycnn.explain.asking.prediction import Prediction
    from tinycnn.explain.examples.example import Example


def sizes(lesson: Lesson, layer: str | None, say: Callable[[str], None]) -> int:
    """Ask for the output sizes and the parameters of all layers, or of one."""
    from tinycnn.explain.asking import sizes

    return _ask(sizes.questions(lesson.model, layer), say)


def number(opened: Explanation, say: Callable[[str], None]) -> int:
    """Ask for an opened number."""
    from tinycnn.explain.asking import numbers
    from tinycnn.explain.readers.style import Style

    return _ask(numbers.questions(opened, Style.of(sys.stdout)), say)


def example(opened: Example, say: Callable[[str], None]) -> int:
    """Ask for numbers of a hand-sized example."""
    from tinycnn.explain.asking import by_hand
    from tinycnn.explain.readers.style import Style

    return _ask(by_hand.questions(opened, Style.of(sys.stdout)), say)


def _ask(questions: Iterable[Prediction], say: Callable[[str], None]) -> int:
    from tinycnn.explain.asking.session import ask

    ask(questions, sys.stdin, say)
    return 0
