"""Questions asked one after the other, answers read line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TextIO

from tinycnn.explain.asking.prediction import Prediction
from tinycnn.explain.readers.style import paragraph
from tinycnn.wording import sentence

HELP = "Answer each question; ? shows its answer, q ends."
_PROMPT = "> "


@dataclass
class Score:
    """How many questions were answered, or shown, and how."""

    first: int = 0  # right at the first try
    later: int = 0
    shown: int = 0
    left: int = 0  # answered wrongly, and then no more

    @property
    def words(self) -> str:
        """Such as ``2 of 4 right at the first try, 1 later, 1 shown.``"""
        asked = self.first + self.later + self.shown + self.left
        others = ((self.later, "later"), (self.shown, "shown"), (self.left, "left open"))
        more = [f"{count} {how}" for count, how in others if count]
        if not asked:
            return "No question was answered."
        return f"{', '.join([f'{self.first} of {asked} right at the first try', *more])}."


def ask(questions: Iterable[Prediction], answers: TextIO, say: Callable[[str], None]) -> Score:
    """Ask each until it is answered; ``say`` prints. Ends at "q", or where ``answers`` end."""
    score = Score()
    say(HELP)
    for question in questions:
        say(
            f"\n{question.shown}\n\n{question.prompt}" if question.shown else f"\n{question.prompt}"
        )
        if not _answered(question, answers, say, score):
            break
        if question.solution:
            say(f"\n{question.solution}")
    say(f"\n{score.words}")
    return score


def _answered(
    question: Prediction, answers: TextIO, say: Callable[[str], None], score: Score
) -> bool:
    """Ask until the answer is right or given up; False if the reader has had enough."""
    tries = 0
    while (words := _read(answers)) not in ("q", "quit", None):
        if words == "?":
            score.shown += 1
            say(f"It is {question.answer.shown}.")
            return True
        try:
            typed = question.answer.read(words or "")
        except ValueError as error:
            _wrapped(f"{words!r} cannot be read: type {error}; ? shows the answer, q ends.", say)
            continue
        if not (wrong := question.wrong(typed)):
            score.first += not tries
            score.later += bool(tries)
            say(f"Right: {question.answer.shown}.")
            return True
        tries += 1
        _wrapped(f"No: {sentence(wrong)}", say)
    score.left += bool(tries)
    return False


def _wrapped(words: str, say: Callable[[str], None]) -> None:
    say("\n".join(paragraph(words)))


def _read(answers: TextIO) -> str | None:
    """The next line, None at the end; repeated where the reader's own typing is not seen."""
    print(_PROMPT, end="", flush=True)
    line = answers.readline()
    if not line:
        print(flush=True)
        return None
    words = line.strip()
    if not answers.isatty():
        print(words, flush=True)
    return words
