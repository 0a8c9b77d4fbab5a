import shlex
from tokenize import TokenError

import pytest

from tinycnn import wording


@pytest.mark.parametrize(
    ("noun", "words"),
    [
        ("list", "a list"),
        ("int", "an int"),
        ("uint8", "a uint8"),
        ("ndarray", "an ndarray"),
        ("AveragePool2D", "an AveragePool2D"),
        ("Unpool", "an Unpool"),
    ],
)
def test_articles(noun, words):
    assert wording.a(noun) == words


@pytest.mark.parametrize(
    ("count", "noun", "many", "every"),
    [
        (1, "channel", "1 channel", "the only channel"),
        (3, "channel", "3 channels", "all 3 channels"),
        (1, "class", "1 class", "the only class"),
        (1000, "class", "1,000 classes", "all 1,000 classes"),
        (0, "place", "0 places", "all 0 places"),
    ],
)
def test_counts(count, noun, many, every):
    assert (wording.many(count, noun), wording.every(count, noun)) == (many, every)


def test_sentences_end_once():
    assert [wording.sentence(words) for words in ("so", "so.", "so?", "so!")] == [
        "so.", "so.", "so?", "so!",
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["conv1", "-conv", "a b", "conv1.W[5,5,0,3]", "it's", -1])
def test_options_read_as_they_were_meant(value):
    from tinycnn.commands.parsing import Parser

    parser = Parser()
    parser.add_argument("--layer")
    words = shlex.split(wording.option("--layer", value))
    assert parser.parse_args(words).layer == str(value)


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class OddError(Exception):
    def __str__(self):
        return 3


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("so\n  it is "), "so it is"),
        (ValueError("a", 3), "('a', 3)"),
        (TokenError("EOF in multi-line statement", (2, 0)), "EOF in multi-line statement"),
        (EOFError(), "EOFError"),
        (TokenError(), "TokenError"),
        (MuteError(), "MuteError"),
        (OddError(), "OddError"),
        (ValueError("x" * 300), "x" * 300),
        (ValueError("x" * 200_000), "x" * 300 + " ..."),
    ],
)
def test_what_an_error_of_others_says_is_one_short_line(error, words):
    assert wording.said_or_kind(error) == words
