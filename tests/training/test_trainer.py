"""The trainer does what the explicit loop does, bit for bit, and says what it came to."""

from itertools import pairwise

import numpy as np
import pytest
from trained_nets import CLASSES, batches, by_hand, data, net, same, trainer, validation

import tinycnn as tc
from tinycnn.errors import ArgumentError
from tinycnn.training import Callback, EarlyStopping


@pytest.mark.parametrize("options", [{}, {"clip": 0.5}, {"schedule": tc.schedules.Cosine(0.1, 18)}])
def test_it_is_the_explicit_loop_bit_for_bit(options):
    model, losses = by_hand(3, **options)
    run = trainer(**options)
    history = run.fit(batches(), epochs=3)
    assert history.steps == losses
    assert same(run.model, model)
    assert (run.steps, run.epoch, len(history)) == (18, 3, 3)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_bits_do_not_depend_on_threads(threads):
    with tc.use_threads(threads):
        run = trainer()
        run.fit(batches(threads=threads), validation(), epochs=2)
    other = trainer()
    other.fit(batches(threads=2), validation(), epochs=2)
    assert same(run.model, other.model)
    assert run.history["validation_loss"] == other.history["validation_loss"]


def test_the_numbers_of_a_row():
    """Of the first epoch, redone by hand."""
    model = net()
    optimizer = tc.optimizers.SGD(model, 0.05, 0.9, 0.001, nesterov=True)
    rng, losses, right, norms, count = np.random.default_rng(5), 0.0, 0, [], 0
    for x, labels in batches():
        trace = model.trace(x, training=True, rng=rng)
        gradients = trace.backward(labels=labels)
        norms.append(np.linalg.norm(gradients.flat.astype(float)))
        losses, count = losses + trace.loss * len(x), count + len(x)
        right += (trace.y.argmax(axis=1) == labels).sum()
        optimizer.step(gradients)
    (row,) = trainer().fit(batches(), validation(), epochs=1).rows
    assert (row.epoch, row.steps, row.rate) == (1, 6, 0.05)
    assert row.loss == losses / count and row.accuracy == right / count
    assert row.gradient_norm == pytest.approx(np.mean(norms), rel=1e-6)
    assert row.images_per_second == count / row.seconds > 0
    x, labels = zip(*validation(), strict=True)
    trace = model.trace(np.concatenate(x))
    trace.backward(labels=np.concatenate(labels))
    assert row.validation_loss == pytest.approx(trace.loss, rel=1e-5)
    assert row.validation_accuracy == (trace.y.argmax(axis=1) == np.concatenate(labels)).mean()


def test_a_schedule_is_asked_with_steps():
    schedule = tc.schedules.Steps(0.1, at=[3, 9])
    run = trainer(schedule=schedule)
    assert run.fit(batches(), epochs=2)["rate"] == [schedule(5), schedule(11)]


def test_each_step_draws_masks_of_its_own():
    """A key that stays would drop the same cells at each step: the warning of that is an error here."""
    keys = []

    class Keys(Callback):
        def on_step(self, trainer, step):
            keys.append(
                trainer.model.trace(np.ones((1, 6, 6, 2)), training=True, rng=trainer.rng)[
                    "dropout1"
                ].saved
            )

    trainer(callbacks=[Keys()]).fit(batches(), epochs=1)
    assert len({np.asarray(key).tobytes() for key in keys}) == len(keys)


def test_it_learns():
    run = trainer()
    history = run.fit(batches(), validation(), epochs=12)
    assert history["loss"][-1] < history["loss"][0] / 3
    assert max(history["validation_accuracy"]) > 3 / CLASSES


def test_other_labels_have_losses_alone():
    x = np.random.default_rng(0).standard_normal((12, 5)).astype(np.float32)
    pairs = [(x[:8], 2 * x[:8, :2]), (x[8:], 2 * x[8:, :2])]
    model = tc.Sequential([tc.layers.Dense(2)], (5,))
    run = tc.Trainer(model, tc.optimizers.Adam(model, 0.05), loss=tc.losses.MeanSquaredError())
    history = run.fit(pairs, pairs, epochs=60)
    assert history["accuracy"] == history["validation_accuracy"] == [None] * 60
    assert history["validation_loss"][-1] < 0.05 * history["validation_loss"][0]
    y = model.predict(x)
    assert history["validation_loss"][-1] == pytest.approx(
        ((y - 2 * x[:, :2]) ** 2).mean(), rel=1e-5
    )
    assert "accuracy" not in str(history)


def test_what_a_callback_can_look_at():
    norms = []

    class Looking(Callback):
        def on_step(self, run, step):
            norms.append(
                np.linalg.norm(run.gradients["conv1.W"])
                <= np.linalg.norm(run.gradients.flat)
                <= 0.5001
            )

    run = trainer(callbacks=[Looking()], clip=0.5)
    history = run.fit(batches(), validation(), epochs=1)
    assert norms == [True] * 6
    assert run.evaluation.top1 == history["validation_accuracy"][-1]
    assert run.evaluation.classes == tuple("abcdef") and run.evaluation.confusion.sum() == 25


# ------------------------------------------------------------------------------- ending before the end


def test_a_callback_sees_steps_and_epochs_and_stops():
    seen = []

    class Watching:  # any object will do, with any of the methods
        def on_step(self, run, step):
            seen.append(step)

        def on_epoch(self, run, row):
            seen.append(row.epoch / 10)
            if row.epoch == 2:
                run.stop("enough")

    run = trainer(callbacks=[Watching()])
    assert len(run.fit(batches(), epochs=5)) == 2
    assert seen == [1, 2, 3, 4, 5, 6, 0.1, 7, 8, 9, 10, 11, 12, 0.2]
    assert run.outcome == "stopped: enough"
    run.callbacks.clear()
    assert len(run.fit(batches(), epochs=3)) == 3
    assert run.history.steps == by_hand(3)[1]


def epochs_of(losses, **options):
    """How many epochs early stopping lets pass, where validation has these losses."""
    stopping = EarlyStopping(**options)
    run = trainer(early_stopping=stopping)
    arrays = []
    for number, loss in enumerate(losses, 1):
        row = tc.training.Epoch(number, number, 0.1, 1.0, None, 1.0, loss, None, 1.0, 1.0)
        with run.model.edit() as parameters:
            parameters.flat[0] = number
        arrays.append(run.model.parameters().flat[0])
        stopping.on_epoch(run, row)
        if run.outcome:
            break
    stopping.on_end(run)
    return number, int(run.model.parameters().flat[0]), stopping


def test_early_stopping_waits_for_its_patience():
    losses = [3, 2, 2.5, 2, 1.9, 2, 2, 2, 1]
    assert epochs_of(losses, patience=3)[:2] == (8, 8)
    assert epochs_of(losses, patience=2)[0] == 4  # as good as the best is not better
    assert epochs_of(losses, patience=3, least=0.2)[0] == 5
    assert epochs_of(losses, patience=3, restore_best=True)[:2] == (8, 5)
    assert epochs_of(losses, patience=9)[0] == 9
    stopping = epochs_of(losses, patience=3)[2]
    assert (stopping.best, stopping.best_epoch, stopping.waited) == (1.9, 5, 3)


def test_early_stopping_of_an_accuracy_waits_for_it_to_rise():
    run = trainer(early_stopping=EarlyStopping(1, "accuracy"))
    rows = run.fit(batches(), epochs=50).rows
    accuracies = [row.accuracy for row in rows]
    assert len(rows) < 50
    assert all(b > a for a, b in pairwise(accuracies[:-1]))
    assert accuracies[-1] <= accuracies[-2]
    assert run.fit(batches(), epochs=50).rows == rows  # it has ended


def test_a_plateau_divides_the_rate_and_ends():
    schedule = tc.schedules.DivideOnPlateau(0.05, patience=1, times=1, least=0.9)
    run = trainer(schedule=tc.schedules.WarmUp(0, schedule))
    history = run.fit(batches(), validation(), epochs=50)
    assert run.outcome == "the schedule has ended" and len(history) < 50
    assert set(history["rate"]) == {0.05, 0.005}
    assert schedule.best >= 1 - max(history["validation_accuracy"])


# -------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda: tc.Trainer(net(), tc.optimizers.SGD(net())), "must be one of this model"),
        (lambda: tc.Trainer(net(), "sgd"), "must be one of this model, such as tc.optimizers.SGD"),
        (lambda: trainer(clip=0), "clip must be a finite number above 0, got 0"),
        (lambda: trainer(monitor="f1"), "monitor must be one of 'validation_accuracy'"),
        (lambda: trainer(rng=-1), "rng must be None"),
        (lambda: trainer(parts={"history": 1}), "parts may not be called history"),
        (lambda: trainer(checkpoint_steps=0), "checkpoint_steps must be at least 1"),
        (lambda: trainer(callbacks=3), "callbacks must be objects with any of the methods"),
        (lambda: trainer(schedule=0.1), "schedule must be called with the number of steps"),
        (lambda: trainer().fit(batches(), epochs=0), "epochs must be at least 1"),
        (lambda: trainer().fit(iter([]), epochs=1), "batches must be what tinycnn.data.batches"),
        (lambda: trainer().fit([], epochs=1), "batches must be what tinycnn.data.batches"),
        (lambda: trainer().fit(data(), epochs=1), "tinycnn.data.batches"),
        (lambda: trainer().resume(), "nothing to resume from"),
        (
            lambda: trainer(early_stopping=EarlyStopping()).fit(batches(), epochs=1),
            "validation_loss is monitored: give fit",
        ),
        (lambda: EarlyStopping(0), "patience must be at least 1"),
        (lambda: EarlyStopping(monitor="top"), "monitor must be one of"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(work, words):
    with pytest.raises(ArgumentError, match=words):
        work()
