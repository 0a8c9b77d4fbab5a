"""Ctrl-C at the moments of a run: the step is finished and saved, and the run goes on in the same bits."""

import os
import signal
import threading

import pytest
from trained_nets import batches, by_hand, data, same, trainer, validation

import tinycnn as tc
from tinycnn import checkpoints

pytestmark = pytest.mark.usefixtures("ctrl_c")


class PressAt:
    """Presses Ctrl-C once a step is done."""

    def __init__(self, *steps):
        self.steps = steps

    def on_step(self, run, step):
        for _ in range(self.steps.count(step)):
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("step", [1, 4, 6, 7, 12])
def test_the_step_is_finished_and_saved(tmp_path, step):
    run = trainer(checkpoints=tmp_path, callbacks=[PressAt(step)])
    with pytest.raises(KeyboardInterrupt, match=f"stopped after {step} step.*resume.*latest.npz"):
        run.fit(batches(), epochs=2)
    assert run.interrupted and run.steps == step and run.outcome == "stopped: Ctrl-C"
    run = trainer(checkpoints=tmp_path)
    run.resume()
    run.fit(batches(), epochs=2)
    assert not run.interrupted
    model, losses = by_hand(2)
    assert same(run.model, model) and run.history.steps == losses


def test_the_same_trainer_goes_on(tmp_path):
    run = trainer(callbacks=[PressAt(4)])
    with pytest.raises(KeyboardInterrupt):
        run.fit(batches(), epochs=2)
    run.fit(batches(), epochs=2)
    assert same(run.model, by_hand(2)[0])


def test_within_a_validation(tmp_path):
    """It is broken off, and made whole after the resume."""
    pressed = []

    def press(images):
        if not pressed:
            pressed.append(os.kill(os.getpid(), signal.SIGINT))
        return tc.data.CenterCrop(6)(images)

    watched = tc.data.batches(data(1, 25), 3, shuffle=False, augment=press, threads=1)
    run = trainer(checkpoints=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run.fit(batches(), watched, epochs=2)
    assert run.steps == 6 and len(run.history) == 0
    run = trainer(checkpoints=tmp_path)
    run.resume()
    whole = trainer()
    whole.fit(batches(), validation(), epochs=2)
    assert (
        run.fit(batches(), watched, epochs=2)["validation_accuracy"]
        == whole.history["validation_accuracy"]
    )
    assert same(run.model, whole.model)


def test_a_second_one_ends_at_once(tmp_path):
    """Here, inside the callback of a step whose checkpoint is not written any more."""
    run = trainer(checkpoints=tmp_path, callbacks=[PressAt(9, 9)])
    with pytest.raises(KeyboardInterrupt):
        run.fit(batches(), epochs=2)
    assert checkpoints.load(run.folder.latest).parts["position"]["epoch"] == 1
    run = trainer(checkpoints=tmp_path)
    run.resume()
    run.fit(batches(), epochs=2)
    assert same(run.model, by_hand(2)[0])


def test_a_handler_of_somebody_elses_is_left_alone():
    seen = []
    signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    run = trainer(callbacks=[PressAt(3)])
    run.fit(batches(), epochs=1)
    assert seen == [1] and not run.interrupted and run.steps == 6
    signal.signal(signal.SIGINT, lambda *_: run.stop("a signal"))
    run.fit(batches(), epochs=1)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_in_another_thread_no_handler_is_set():
    run = trainer()
    thread = threading.Thread(target=run.fit, args=(batches(),), kwargs={"epochs": 1})
    thread.start()
    thread.join()
    assert same(run.model, by_hand(1)[0])


def test_an_error_in_a_callback_leaves_the_handler_as_it_was():
    class Failing:
        def on_step(self, run, step):
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        trainer(callbacks=[Failing()]).fit(batches(), epochs=1)
