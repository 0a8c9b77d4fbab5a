import json
import math

import pytest

from tinycnn.errors import ArgumentError
from tinycnn.schedules import Cosine, DivideOnPlateau, Schedule, Steps, WarmUp


def rates(schedule, steps):
    return [schedule(step) for step in steps]


def test_steps_by_hand():
    schedule = Steps(8, at=[2, 5], factor=0.5)
    assert rates(schedule, range(7)) == [8, 8, 4, 4, 4, 2, 2]
    assert schedule(1.99) == 8
    assert rates(Steps(8, at=()), [0, 100]) == [8, 8]
    assert Steps(1, at=[1])(1) == 0.1


def test_a_cosine_by_hand():
    schedule = Cosine(3.0, steps=6, least=1.0)
    # 1 + 2 * (1 + cos(30 degrees * step)) / 2
    expected = [3, 2 + math.sqrt(3) / 2, 2.5, 2, 1.5, 2 - math.sqrt(3) / 2, 1, 1, 1]
    assert rates(schedule, range(9)) == pytest.approx(expected)
    assert Cosine(1.0, 10)(10) == pytest.approx(0, abs=1e-16)
    assert Cosine(1.0, 10)(2.5) == pytest.approx((1 + math.sqrt(0.5)) / 2)


def test_a_warm_up_rises_to_where_the_next_one_begins():
    schedule = WarmUp(3, Steps(8, at=[2], factor=0.5))
    assert rates(schedule, range(7)) == [2, 4, 6, 8, 8, 4, 4]
    assert rates(WarmUp(1, 0.5), range(3)) == [0.25, 0.5, 0.5]
    assert rates(WarmUp(0, 0.5), range(2)) == [0.5, 0.5]
    both = WarmUp(4, Cosine(1.0, 10))
    assert both(14) == pytest.approx(0, abs=1e-16)
    assert max(rates(both, range(20))) == both(4) == 1


def test_a_plateau_divides_when_nothing_improves():
    schedule = DivideOnPlateau(8, 2, patience=2, times=2)
    errors = [0.9, 0.8, 0.85, 0.7, 0.7, 0.7, 0.69, 0.7, 0.71, 0.7, 0.7, 0.7]
    expected = [8, 8, 8, 8, 8, 4, 4, 4, 2, 2, 2, 2]
    found, ended = [], []
    for epoch, error in enumerate(errors):
        found.append(schedule.update(error))
        ended.append(schedule.ended)
        assert schedule(epoch) == found[-1]
    assert found == expected
    # Two stalls divided; the third, at the tenth and eleventh validation, ends it.
    assert ended == [False] * 10 + [True] * 2


def test_a_plateau_asks_for_some_progress():
    schedule = DivideOnPlateau(1, 10, patience=1, least=0.1)
    assert schedule.update(1.0) == 1
    assert schedule.update(0.95) == 0.1
    assert schedule.update(0.85) == 0.1
    assert schedule.update(0.7649) == 0.1
    assert schedule.update(0.76) == pytest.approx(0.01)


def test_without_a_number_of_times_it_goes_on():
    schedule = DivideOnPlateau(1, 2, patience=1)
    schedule.update(1)
    assert [schedule.update(1) for _ in range(5)] == [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32]
    assert not schedule.ended


def test_nan_is_no_improvement():
    schedule = DivideOnPlateau(1, 2, patience=2)
    assert [schedule.update(error) for error in (math.nan, math.nan, 0.5, math.nan)] == [
        1,
        0.5,
        0.5,
        0.5,
    ]
    assert schedule.best == 0.5


ERRORS = [0.9, 0.8, 0.8, 0.8, 0.7, 0.75, 0.71, 0.7, 0.72, 0.73]


@pytest.mark.parametrize("done", range(len(ERRORS)))
@pytest.mark.parametrize("warm", [False, True])
def test_a_plateau_taken_up_again_goes_on_as_before(done, warm):
    def make():
        plateau = DivideOnPlateau(1, 2, patience=2, times=1)
        return plateau, (WarmUp(2, plateau) if warm else plateau)

    (plateau, schedule), (resumed_plateau, resumed) = make(), make()
    for error in ERRORS[:done]:
        plateau.update(error)
    resumed.load_state(json.loads(json.dumps(schedule.state_numbers())))
    for error in ERRORS[done:]:
        assert plateau.update(error) == resumed_plateau.update(error)
        assert schedule(5) == resumed(5)
    assert resumed.state_numbers() == schedule.state_numbers()


def test_most_schedules_remember_nothing():
    for schedule in (Steps(1, at=[2]), Cosine(1, 2), WarmUp(1, 0.5), Schedule()):
        assert schedule.state_numbers() == {}
        schedule.load_state({})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Steps(-1, at=[1]), "rate must be a finite number from 0 up, got -1"),
        (lambda: Steps(1, at=[2, 2]), r"at must be steps that rise, such as \[30, 60\], got \[2, 2\]"),
        (lambda: Steps(1, at=3), "at must be a list of steps, got 3"),
        (lambda: Steps(1, at=["x"]), "at must be a finite number from 0 up, got 'x'"),
        (lambda: Steps(1, at=[1])(-1), "step must be a finite number from 0 up, got -1"),
        (lambda: Cosine(1, 0), "steps must be a finite number above 0, got 0"),
        (lambda: Cosine(1, 5)("x"), "step must be a finite number from 0 up, got 'x'"),
        (lambda: WarmUp(-1, 1), "steps must be a finite number from 0 up, got -1"),
        (lambda: WarmUp(1, "x"), "then must be a finite number from 0 up, got 'x'"),
        (lambda: DivideOnPlateau(1, 1), "by must be a finite number above 1, got 1"),
        (lambda: DivideOnPlateau(1, patience=0), "patience must be at least 1, got 0"),
        (lambda: DivideOnPlateau(1, times=-1), "times must be at least 0, got -1"),
        (lambda: DivideOnPlateau(1, least=1), "least must be a finite number from 0 up and below 1"),
        (lambda: DivideOnPlateau(1).update("x"), "error must be a number, got 'x'"),
        (lambda: DivideOnPlateau(1).load_state({}), "has best, stalled, divisions, ended, got none"),
        (lambda: Cosine(1, 5).load_state({"best": 1}), "the state of Cosine has no numbers, got best"),
        (
            lambda: DivideOnPlateau(1).load_state(
                {"best": "x", "stalled": 0, "divisions": 0, "ended": False}
            ),
            "best must be a number, got 'x'",
        ),
    ],
)  # fmt: skip
def test_bad_input(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
