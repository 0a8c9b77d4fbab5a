"""All that decides what a run learns: written into its folder, read again when it is gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from tinycnn.errors import ArgumentError
from tinycnn.recipes.usual import OPTIMIZERS, SCHEDULES, USUAL_RATES, usual_epochs
from tinycnn.small_networks import SMALL
from tinycnn.validation import check_choice, check_int, check_items, check_number

AUGMENTATIONS = ("shift", "mirror", "colour")
DAMAGED = ("stop", "skip")


@dataclass(frozen=True)
class RunSettings:
    """What a run is made of; `settings_for` has the usual values of a model.

    ``data``, ``full``, ``model``, ``seed``: see `data.read` and `open_network`; `SMALL` is the model that
    fits any images, of the side ``size`` (0: as they are stored). ``epochs`` (None: 30, and more where these
    are less than 600 steps) over batches of ``batch`` images; ``optimizer`` with ``rate``, ``momentum`` (of
    "sgd" and "nesterov", see `OPTIMIZERS`) and ``decay``. ``schedule`` of the rate over all epochs, after
    ``warm_up`` epochs in which it rises: "cosine" down to 0, "constant", "steps" divides it by 10 after a
    half and three quarters of the epochs, "plateau" where validation stalls, as in the paper. ``smoothing``
    of labels, ``clip`` of the gradient's norm (0: none). ``augment`` are some of `AUGMENTATIONS` (None: what
    suits the data). ``validation`` is the share of the training part that is held out (0: none); after
    ``patience`` epochs in which it does not get better the run ends (0: never). ``damaged`` pictures "stop"
    the run, or it "skip"s them.

    Raises ArgumentError, with the option's name, for what is outside its range.
    """

    data: str
    model: str
    full: bool = False
    size: int = 0
    epochs: int | None = None
    batch: int = 64
    rate: float = USUAL_RATES["nesterov"]
    optimizer: str = "nesterov"
    momentum: float = 0.9
    decay: float = 0.0005
    schedule: str = "cosine"
    warm_up: float = 1.0
    smoothing: float = 0.0
    clip: float = 0.0
    augment: tuple[str, ...] | None = None
    validation: float = 0.1
    patience: int = 0
    damaged: str = "stop"
    seed: int = 0

    def __post_init__(self) -> None:
        check_int(self.size, "--size", least=0)
        if self.epochs is not None:
            check_int(self.epochs, "--epochs")
        check_int(self.batch, "--batch")
        check_number(self.rate, "--rate", above=0)
        check_number(self.momentum, "--momentum", below=1)
        for name in ("decay", "warm_up", "clip"):
            check_number(getattr(self, name), f"--{name.replace('_', '-')}")
        for name in ("smoothing", "validation"):
            check_number(getattr(self, name), f"--{name}", below=1)
        check_int(self.patience, "--patience", least=0)
        check_int(self.seed, "--seed", least=0, most=2**63 - 1)
        check_choice(self.optimizer, tuple(OPTIMIZERS), "--optimizer")
        check_choice(self.schedule, tuple(SCHEDULES), "--schedule")
        check_choice(self.damaged, DAMAGED, "--damaged")
        if self.augment is not None:
            chosen = check_items(self.augment, "--augment", "names")
            for each in chosen:
                check_choice(each, AUGMENTATIONS, "--augment")
            object.__setattr__(self, "augment", chosen)
        if self.size and self.model != SMALL:
            raise ArgumentError(f"--size is for --model {SMALL}: {self.model} takes one size only")
        if not self.validation and (self.patience or self.schedule == "plateau"):
            what = "--patience" if self.patience else "--schedule plateau"
            raise ArgumentError(
                f"{what} looks at the validation part: give --validation a share above 0"
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunSettings:
        """What `to_dict` gave; raises ArgumentError for anything else."""
        try:
            return cls(**values)
        except TypeError as error:
            raise ArgumentError(f"these are no settings of a run: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


_FULL_SIZE = {
    "epochs": 4, "batch": 128, "rate": 0.01, "optimizer": "sgd", "warm_up": 0.1, "clip": 5.0,
}  # fmt: skip
_OF_MODELS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("one-tower", "paper", "caffe", "caffenet", "torchvision"), _FULL_SIZE),
    "fashion": {
        "epochs": 30, "batch": 128, "rate": 0.05, "warm_up": 2.0, "smoothing": 0.05, "validation": 0.05,
    },
    SMALL: {
        "batch": 32, "rate": USUAL_RATES["adamw"], "optimizer": "adamw", "decay": 0.01, "warm_up": 1.5,
    },
}  # fmt: skip
_OF_OPTIMIZERS: dict[str, dict[str, Any]] = {
    "adam": {"rate": 0.001, "decay": 0.0},
    "adamw": {"rate": 0.001, "decay": 0.01},
}


def settings_for(data: str, model: str, given: Mapping[str, Any]) -> RunSettings:
    """The usual settings of ``model``, with those that are ``given`` (None: not given) in their place.

    Raises ArgumentError as `RunSettings` does.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    return RunSettings(data, model, **{**_usual(model, chosen.get("optimizer")), **chosen})


def _usual(model: str, optimizer: str | None) -> dict[str, Any]:
    """The settings of a model; rate and decay are those of its own optimizer, or of one that is chosen."""
    usual = dict(_OF_MODELS.get(model, {}))
    own = usual.get("optimizer")
    if optimizer not in (None, own) and {optimizer, own} & set(_OF_OPTIMIZERS):
        usual = {name: value for name, value in usual.items() if name not in ("rate", "decay")}
        usual |= _OF_OPTIMIZERS.get(str(optimizer), {})
    return usual


def settings_to_resume(old: RunSettings, given: Mapping[str, Any]) -> RunSettings:
    """The ``old`` settings, for more epochs where so many are ``given``.

    Raises ArgumentError for fewer epochs, and where others are given: then the run would not be the same one.
    """
    asked = {name: value for name, value in given.items() if value not in (None, False)}
    for name, value in asked.items():
        was = getattr(old, name)
        if name != "epochs" and value != was:
            raise ArgumentError(
                f"the run was begun with --{name.replace('_', '-')} {was}, got {value}: leave it out to go "
                f"on as it was begun, or begin another run"
            )
    epochs = asked.get("epochs", old.epochs)
    if epochs is not None and epochs < (old.epochs or 0):
        raise ArgumentError(
            f"the run was begun with --epochs {old.epochs}, which may only be raised, got {epochs}: leave it "
            f"out to go on as it was begun, or begin another run"
        )
    return replace(old, epochs=epochs)


def settled(settings: RunSettings, images: int, mirrors: bool) -> RunSettings:
    """The settings with what depends on the data: epochs, of so many training images, and augmentation.

    ``mirrors`` says whether a mirror image is of the same class.
    """
    epochs, augment = settings.epochs, settings.augment
    if epochs is None:
        epochs = usual_epochs(-(-images // settings.batch))
    if augment is None:
        augment = ("shift", "mirror") if mirrors else ("shift",)
    return replace(settings, epochs=epochs, augment=augment)
