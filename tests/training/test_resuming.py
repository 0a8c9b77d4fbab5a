"""A run that is stopped at any step, and resumed, ends in the same bits."""

import numpy as np
import pytest
from trained_nets import batches, net, same, trainer, validation

import tinycnn as tc
from tinycnn import checkpoints
from tinycnn.errors import ArgumentError, CheckpointError
from tinycnn.training import Callback, EarlyStopping


class StopAt(Callback):
    """Stops once, after a step."""

    def __init__(self, step):
        self.step = step

    def on_step(self, trainer, step):
        if step == self.step:
            trainer.stop()


def settings():
    plateau = tc.schedules.DivideOnPlateau(0.05, by=2, patience=1)
    return {
        "schedule": tc.schedules.WarmUp(4, plateau),
        "early_stopping": EarlyStopping(3, restore_best=True),
        "clip": 1.0,
    }


def without_times(history):
    return [{**row, "seconds": 0, "images_per_second": 0} for row in history.to_dict()["epochs"]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run = trainer(checkpoints=tmp_path_factory.mktemp("whole"), **settings())
    run.fit(batches(), validation(), epochs=9)
    return run


@pytest.mark.parametrize("stops", [[1], [5], [6], [7], [1, 2, 3, 12, 17]])
def test_a_resumed_run_ends_in_the_same_bits(tmp_path, whole, stops):
    for number, stop in enumerate([*stops, None]):
        run = trainer(checkpoints=tmp_path, callbacks=[StopAt(stop)], **settings())
        assert run.resume() == (number > 0)
        run.fit(batches(), validation(), epochs=9)
        assert run.steps == (whole.steps if stop is None else stop)
    assert same(run.model, whole.model)
    assert run.history.steps == whole.history.steps
    assert without_times(run.history) == without_times(whole.history)
    assert run.outcome == whole.outcome
    for name in ("latest", "best"):
        saved, expected = (checkpoints.load(getattr(each.folder, name)) for each in (run, whole))
        assert same(saved.model, expected.model)
        assert saved.parts["position"] == expected.parts["position"]


def test_a_run_that_is_over_stays_as_it_is(tmp_path):
    for _ in range(2):
        run = trainer(checkpoints=tmp_path, **settings())
        run.resume()
        run.fit(batches(), validation(), epochs=9)
        steps = run.steps
    assert run.steps == steps


def test_checkpoints_within_an_epoch(tmp_path):
    seen = []

    class Looking(Callback):
        def on_step(self, run, step):
            there = run.folder.latest.exists()
            seen.append(
                checkpoints.load(run.folder.latest).parts["position"]["batch"] if there else None
            )

    trainer(checkpoints=tmp_path / "steps", checkpoint_steps=2, callbacks=[Looking()]).fit(
        batches(), epochs=1
    )
    assert seen == [None, None, 2, 2, 4, 4]
    seen.clear()
    trainer(checkpoints=tmp_path / "time", checkpoint_minutes=1e-9, callbacks=[Looking()]).fit(
        batches(), epochs=1
    )
    assert seen == [None, 1, 2, 3, 4, 5]


def test_the_best_checkpoint_is_that_of_the_best_epoch(tmp_path):
    run = trainer(
        checkpoints=tmp_path, monitor="validation_loss", parts={"preparation": {"mean": 1.5}}
    )
    history = run.fit(batches(), validation(), epochs=6)
    best = checkpoints.load(run.folder.best)
    losses = history["validation_loss"]
    assert best.parts["position"]["epoch"] == 1 + int(np.argmin(losses))
    assert best.parts["score"] == -min(losses)
    assert best.parts["preparation"] == {"mean": 1.5}
    assert tc.training.evaluate(best.model, validation()).loss == min(losses)


def test_a_folder_with_a_run_is_not_written_over(tmp_path):
    trainer(checkpoints=tmp_path).fit(batches(), epochs=1)
    before = (tmp_path / "latest.npz").read_bytes()
    with pytest.raises(ArgumentError, match="holds a run already"):
        trainer(checkpoints=tmp_path).fit(batches(), epochs=1)
    assert (tmp_path / "latest.npz").read_bytes() == before


def test_an_epoch_is_not_gone_on_with_on_other_data(tmp_path):
    trainer(checkpoints=tmp_path, callbacks=[StopAt(4)]).fit(batches(), epochs=1)
    run = trainer(checkpoints=tmp_path)
    run.resume()
    for other in (batches(size=9), batches(seed=1)):
        with pytest.raises(ArgumentError, match="epoch 1 was begun on other data"):
            run.fit(other, epochs=2)
    run.fit(batches(), epochs=1)
    run.fit(batches(size=9), epochs=2)  # an epoch of its own


def test_another_networks_or_optimizers_checkpoint_is_refused(tmp_path):
    trainer(checkpoints=tmp_path).fit(batches(), epochs=1)
    small = tc.Sequential([tc.layers.Dense(6)], (6, 6, 2))
    run = tc.Trainer(small, tc.optimizers.SGD(small), checkpoints=tmp_path)
    with pytest.raises(CheckpointError):
        run.resume()
    model = net()
    with pytest.raises(ArgumentError, match="the state is not that of an Adam"):
        tc.Trainer(model, tc.optimizers.Adam(model), checkpoints=tmp_path).resume()
    assert same(model, net())


class Fussy(Callback):
    """Takes back nothing but what it had at first."""

    def __init__(self, count):
        self.count = count

    def state_numbers(self):
        return {"count": self.count}

    def load_state(self, arrays, numbers):
        if numbers["count"] != 0:
            raise ArgumentError("that is not mine")


def test_what_is_refused_at_a_resume_changes_nothing(tmp_path):
    """The last to be asked is a callback: all others have taken their state by then."""
    begun = trainer(checkpoints=tmp_path, callbacks=[Fussy(1)], **settings())
    begun.fit(batches(), validation(), epochs=3)
    run = trainer(checkpoints=tmp_path, callbacks=[Fussy(0)], **settings())
    weights, rate = run.model.parameters().flat.copy(), run.optimizer.rate
    version = run.model.version
    with pytest.raises(ArgumentError, match="that is not mine"):
        run.resume()
    np.testing.assert_array_equal(run.model.parameters().flat, weights)
    assert (run.model.version, run.steps, run.epoch) == (version, 0, 0)
    assert (run.optimizer.steps, run.optimizer.rate) == (0, rate)
    assert not any(
        array.any() for name, array in run.optimizer.state_arrays().items() if "velocit" in name
    )
    assert run.schedule.state_numbers() == settings()["schedule"].state_numbers()
    assert run.callbacks[0].state_numbers() == settings()["early_stopping"].state_numbers()


class Counting(Callback):
    """Remembers how many steps it saw."""

    def __init__(self):
        self.count = 0

    def on_step(self, trainer, step):
        self.count += 1

    def state_numbers(self):
        return {"count": self.count}

    def load_state(self, arrays, numbers):
        self.count = numbers["count"]


def test_callbacks_remember_and_new_ones_begin_anew(tmp_path):
    first, second = Counting(), Counting()
    second.count = 100
    trainer(checkpoints=tmp_path, callbacks=[first, second, StopAt(4)]).fit(batches(), epochs=1)
    again = [EarlyStopping(monitor="loss"), *(Counting() for _ in range(3))]
    run = trainer(checkpoints=tmp_path, callbacks=again)
    run.resume()
    run.fit(batches(), epochs=1)
    assert [each.count for each in again[1:]] == [6, 106, 2]


def test_a_list_of_batches_is_gone_on_with_too(tmp_path):
    pairs = list(batches())
    whole = trainer()
    whole.fit(pairs, epochs=3)
    trainer(checkpoints=tmp_path, callbacks=[StopAt(8)]).fit(pairs, epochs=3)
    run = trainer(checkpoints=tmp_path)
    run.resume()
    run.fit(pairs, epochs=3)
    assert same(run.model, whole.model)


def test_damaged_images_change_nothing_in_the_count(tmp_path):
    """Batches that are left out whole: the position is that of the data."""
    images = np.random.default_rng(0).standard_normal((12, 6, 6, 2)).astype(np.float32)
    images[4:8] = np.nan
    data = tc.data.Dataset(images, np.arange(12) % 6)

    def source():
        return tc.data.batches(data, 2, shuffle=False, on_error="skip")

    with pytest.warns(tc.errors.DamagedPictureWarning):
        whole = trainer()
        whole.fit(source(), epochs=2)
    assert whole.steps == 8
    with pytest.warns(tc.errors.DamagedPictureWarning):
        trainer(checkpoints=tmp_path, callbacks=[StopAt(3)]).fit(source(), epochs=2)
        run = trainer(checkpoints=tmp_path)
        run.resume()
        assert run.batch == 5
        run.fit(source(), epochs=2)
    assert same(run.model, whole.model)
