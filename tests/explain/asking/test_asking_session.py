"""Answers as they are typed, which of them are right, and the count at the end."""

import math

import pytest
from asking_sessions import session, verdicts
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.explain.asking.answers import Integers, Number
from tinycnn.explain.asking.prediction import Prediction
from tinycnn.explain.asking.sums import slips
from tinycnn.explain.values.sums import Term
from tinycnn.explain.values.task import Slip


@pytest.mark.parametrize(
    "typed", ["0.375", "3/8", "+0.375", "0.3750", "3.75e-1", " 0.375 ", "0.3752", "37.5e-2"]
)
def test_a_number_may_be_written_in_many_ways(typed):
    answer = Number(0.375, 0.0003, "0.3750")
    assert answer.meets(answer.read(typed), 0.375)


@pytest.mark.parametrize(
    ("value", "typed", "right"),
    [
        (2.682017, "2.68", True),  # three digits, rounded
        (2.682017, "2.69", False),
        (2.682017, "2.7", False),  # two digits say too little
        (2.682017, "2.6820", True),
        (2.682017, "2.6821", True),  # as near as its tolerance
        (2.682017, "2.6824", False),
        (0.00123456, "0.00123", True),
        (0.00123456, "1.23e-3", True),
        (0.00123456, "0.0012", True),  # its tolerance allows that
        (34944.0, "34,944", True),
        (34944.0, "34,848", False),
        (-0.75, "-3/4", True),
        (-0.75, "0.75", False),
    ],
)
def test_a_number_is_right_within_its_tolerance_or_rounded_to_three_digits(value, typed, right):
    answer = Number(value, 1e-4, "")
    assert answer.meets(answer.read(typed), value) is right


@pytest.mark.parametrize("typed", ["", "abc", "1/0", "nan", "inf", "2,68", "1 2/", "--1", "1e999"])
def test_what_is_no_number_is_said_so(typed):
    with pytest.raises(ValueError, match=r"a number such as -0\.25, 3/4"):
        Number(1.0, 0.1, "1").read(typed)


@pytest.mark.parametrize(
    "typed", ["27x27x96", "27 x 27 x 96", "(27, 27, 96)", "27*27*96", "27 27 96"]
)
def test_a_size_may_be_written_in_many_ways(typed):
    answer = Integers((27, 27, 96), ("height", "width", "number of filters"), "27 x 27 x 96")
    assert answer.meets(answer.read(typed), (27, 27, 96))
    assert not answer.meets(answer.read(typed), (27, 26))


@pytest.mark.parametrize("typed", ["", "27", "27x27", "27x27xa", "27.5x27x96", "1x2x3x4"])
def test_what_is_no_size_is_said_so(typed):
    with pytest.raises(
        ValueError, match="3 whole numbers, height, width, number, such as 10x11x12"
    ):
        Integers((27, 27, 96), ("height", "width", "number"), "").read(typed)
    with pytest.raises(ValueError, match="2 whole numbers, row, column, such as 10,11"):
        Integers((3, 4), ("row", "column"), "3,4").read("7")


def plain_question(value=1.0, **options):
    return Prediction("What is shown.", "one = ?", Number(value, 0.0, f"{value:g}"), **options)


def test_a_session_counts_and_shows_the_solution_afterwards():
    questions = [plain_question(k, solution=f"because of {k}") for k in (1, 2, 3, 4)]
    text = session(questions, "1", "7", "2", "nonsense", "?", "8", "q")
    assert text.splitlines()[0] == "Answer each question; ? shows its answer, q ends."
    assert text.index("Right: 1.") < text.index("because of 1") < text.index("Right: 2.")
    assert "No: it is smaller.\n> 2\nRight: 2." in text
    assert "'nonsense' cannot be read: type a number such as" in text and "It is 3." in text
    assert "because of 4" not in text
    assert text.splitlines()[-1] == (
        "1 of 4 right at the first try, 1 later, 1 shown, 1 left open."
    )


def test_the_end_of_the_input_ends_it_with_the_count():
    assert session([plain_question()] * 3, "1", "1").endswith("2 of 2 right at the first try.\n")
    assert session([plain_question()]).endswith("> \n\nNo question was answered.\n")


def test_of_several_explanations_two_are_told():
    found = tuple(Slip(2.0, words) for words in ("a", "b", "a", "c"))
    assert verdicts([plain_question(slips=found)], "2") == ["No: a; or b."]
    assert verdicts([plain_question(rule="the rule")], "2") == ["No: it is smaller; the rule."]


@given(st.lists(st.integers(-50, 50).filter(bool), min_size=3, max_size=8), st.data())
def test_a_part_left_out_is_named(parts, data):
    which = data.draw(st.integers(0, len(parts) - 1))
    named = [Term(f"part {place}", float(part)) for place, part in enumerate(parts)]
    total = math.fsum(parts)
    words = [slip.words for slip in slips(named, total) if slip.answer == total - parts[which]]
    assert f"part {which} is left out" in words
    words = [slip.words for slip in slips(named, total) if slip.answer == total - 2 * parts[which]]
    assert f"part {which} has the wrong sign" in words
