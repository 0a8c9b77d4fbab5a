"""A run that goes wrong is stopped before the step, with what to try; the last good checkpoint is kept."""

import math

import numpy as np
import pytest
from trained_nets import batches, same, trainer

import tinycnn as tc
from tinycnn import checkpoints
from tinycnn.errors import TrainingError
from tinycnn.losses import CrossEntropy
from tinycnn.training import Callback


class Told(CrossEntropy):
    """A cross-entropy whose values are told from call to call; one of logits that are all 0 is ln 6."""

    def __init__(self, values):
        super().__init__()
        self.values = iter(values)

    def __call__(self, outputs, labels):
        value, gradient = super().__call__(outputs, labels)
        return next(self.values, value) if outputs.any() else value, gradient


def losses(run):
    """The error that ends a run, and how many steps were made."""
    with pytest.raises(TrainingError) as caught:
        run.fit(batches(), epochs=9)
    return caught.value, run.steps


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_stops_before_anything_changes(bad):
    kept = []

    class Keeping(Callback):
        def on_step(self, run, step):
            kept.append(run.model.parameters().flat.copy())

    run = trainer(loss=Told([1, 2, 3, bad]), callbacks=[Keeping()])
    error, steps = losses(run)
    assert steps == error.step == 3 and error.rate == 0.05 and error.gradient_norm > 0
    assert str(error.loss) == str(float(bad))
    np.testing.assert_array_equal(run.model.parameters().flat, kept[-1])
    assert f"the loss is {float(bad)} in step 4" in str(error)
    assert "the loss was 1 at first, 3 before" in str(error)


def test_a_gradient_that_is_no_number_stops_as_well():
    class Infinite(CrossEntropy):
        def __call__(self, outputs, labels):
            value, gradient = super().__call__(outputs, labels)
            return value, np.full_like(gradient, np.inf)

    error, steps = losses(trainer(loss=Infinite()))
    assert steps == 0 and "the gradient's norm is " in str(error)


def test_a_rate_far_too_large():
    error, _ = losses(trainer(rate=1e25))
    assert "half the rate, 5e+24" in str(error)


LIMIT = 10 * math.log(6)  # the first losses below are smaller than ln 6


@pytest.mark.parametrize(
    ("values", "stops"),
    [
        ([1] * 5 + [LIMIT * 1.01] * 20, 24),
        ([1] * 5 + [LIMIT * 1.01] * 19 + [1] + [LIMIT * 1.01] * 20, 44),
        ([1] * 5 + [LIMIT * 0.99] * 49, None),
        ([1, 1000] * 27, None),
        ([100] * 5 + [999] * 49, None),  # ten times where it began is 1000
        ([100] * 5 + [1001] * 20, 24),
    ],
)
def test_a_loss_that_stays_far_above_its_beginning(values, stops):
    run = trainer(loss=Told(values))
    if stops is None:
        run.fit(batches(), epochs=9)
    else:
        error, steps = losses(run)
        assert steps == stops and "for 20 steps" in str(error)


def test_the_last_good_checkpoint_is_kept_and_resumed(tmp_path):
    good = trainer(checkpoints=tmp_path / "good")
    good.fit(batches(), epochs=1)
    run = trainer(loss=Told([1] * 8 + [1e4] * 30), checkpoints=tmp_path / "bad", checkpoint_steps=3)
    error, steps = losses(run)
    assert steps == 27
    latest = checkpoints.load(run.folder.latest)
    assert len(latest.parts["history"]["arrays"]["steps"]) == 6
    assert same(latest.model, good.model)
    assert f"The last good checkpoint is {str(run.folder.latest)!r}: trainer.resume()" in str(error)
    assert run.resume() and run.steps == 6 and same(run.model, good.model)
    run.optimizer.rate = 0.01
    run.loss = CrossEntropy()
    assert run.fit(batches(), epochs=2)["rate"] == [0.05, 0.01]


def test_a_run_that_is_resumed_and_diverges_again_is_stopped_again(tmp_path):
    run = trainer(loss=Told([1] * 8 + [1e4] * 60), checkpoints=tmp_path)
    assert losses(run)[1] == 27 and run.resume()
    assert losses(run)[1] == 6 + 19


def test_parameters_that_are_no_numbers_are_not_kept(tmp_path):
    class Spoiling(Callback):
        def on_step(self, run, step):
            with run.model.edit() as parameters:
                parameters.flat[0] = np.inf
            run.stop()

    run = trainer(checkpoints=tmp_path, callbacks=[Spoiling()])
    run.fit(batches(), epochs=1)
    assert not run.folder.latest.exists()


@pytest.mark.parametrize(
    ("options", "scale", "words"),
    [
        ({}, 1, ["half the rate, 0.025;", "Trainer(..., clip=1.0)", "WarmUp(100, 0.025)"]),
        (
            {},
            255,
            ["(1) inputs of mean 0 and deviation 1, tc.data.Standardize.of(train)", "(2) half"],
        ),
        ({"clip": 3}, 1, ["a lower clip than 3"]),
        ({"schedule": tc.schedules.Steps(0.2, [])}, 1, ["half the rate, 0.1 (of the schedule)"]),
        (
            {},
            math.nan,
            ["Try (1) to find where the NaN or infinity comes from that this batch holds."],
        ),
    ],
)
def test_what_to_try(options, scale, words):
    x, labels = next(iter(batches()))
    with pytest.raises(TrainingError) as caught:
        trainer(loss=Told([math.nan]), **options).fit([(scale * x, labels)], epochs=1)
    for each in words:
        assert each in str(caught.value)
    assert ("WarmUp" in str(caught.value)) == ("schedule" not in options and not math.isnan(scale))
