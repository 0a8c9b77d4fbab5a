"""Benchmarks within the test's own process, on networks small enough for kernels in plain Python."""

import pytest

from tinycnn.bench import team, work, worker
from tinycnn.layers import Conv2D, Dense, Dropout, MaxPool2D
from tinycnn.model import Sequential


class Inline:
    """A member of a team without a process: it answers when it is asked for its answer."""

    def __init__(self, engine, threads, folder, environment):
        self.worker = worker.Worker(engine, threads, folder)

    def send(self, request):
        self.request = request

    def receive(self):
        return self.worker.answer(self.request)

    def end(self):
        pass


def tiny_alexnet(variant="one-tower", dtype="float32", trained=False):
    """AlexNet's names, hardly any of its numbers."""
    return Sequential(
        [
            Conv2D(4, 3, padding=1, activation="relu", name="conv1"),
            MaxPool2D(3, stride=2, name="pool1"),
            Conv2D(4, 3, padding=1, activation="relu", name="conv2"),
            Conv2D(4, 3, padding=1, activation="relu", name="conv3"),
            MaxPool2D(3, stride=2, name="pool2"),
            Dropout(0.5, name="dropout1"),
            Dense(8, activation="relu", name="fc1"),
            Dense(5, activation="softmax", name="fc3"),
        ],
        (11, 11, 3),
        dtype=dtype,
    )


@pytest.fixture
def small(monkeypatch):
    """No processes, tiny networks, and nothing remembered of larger ones."""
    from tinycnn.bench import reference
    from tinycnn.bench.engines import limits

    monkeypatch.setattr(team, "Member", Inline)
    monkeypatch.setattr(work, "alexnet", tiny_alexnet)
    monkeypatch.setattr(limits, "REPEATS", 2)
    monkeypatch.setattr(limits, "STREAM", 1 << 17)
    forget(reference)
    yield
    forget(reference)


def forget(reference):
    reference.double.cache_clear()
    reference._expected_step.cache_clear()
