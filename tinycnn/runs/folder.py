"""A run's folder: the names of what is in it, begun once and never written over."""

from __future__ import annotations

import json
from pathlib import Path

from tinycnn import strict_json
from tinycnn.errors import FileError
from tinycnn.files import expect_regular, make_folder, reason, write_text
from tinycnn.runs.settings import RunSettings


class RunFolder:
    """The folder ``path`` of a run: settings, history and its curves, first filters, checkpoints."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.settings_file = self.path / "settings.json"
        self.history_file = self.path / "history.json"
        self.test_file = self.path / "test.json"
        self.curves_file = self.path / "curves.png"
        self.latest, self.best = self.path / "latest.npz", self.path / "best.npz"

    @property
    def is_there(self) -> bool:
        """Whether a run was begun here."""
        try:
            return self.settings_file.is_file()
        except OSError:  # of a name that is too long, say
            return False

    @property
    def checkpoint(self) -> Path:
        """The best checkpoint, or the latest where nothing was validated.

        Raises FileError where there is none yet.
        """
        for path in (self.best, self.latest):
            if path.is_file():
                return path
        raise FileError(
            f"the run {str(self.path)!r} has no checkpoint yet: go on with it by tinycnn train --resume "
            f"--out {self.path}"
        )

    def filters_file(self, layer: str, when: str) -> Path:
        """The picture of a layer's filters "before" or "after" training."""
        return self.path / f"{layer}-{when}.png"

    def settings(self) -> RunSettings:
        """What the run was begun with; raises FileError for no run, or damaged settings."""
        expect_regular(self.settings_file, "run's settings file")
        try:
            values = json.loads(self.settings_file.read_text(encoding="utf-8"))
            return RunSettings.from_dict(values)
        except (OSError, ValueError, TypeError) as error:
            raise FileError(
                f"{str(self.settings_file)!r} is damaged: {reason(error)}; put back what was there, or begin "
                f"another run"
            ) from error

    def begin(self, settings: RunSettings) -> None:
        """Make the folder and write the settings; raises FileError where a run, or anything, is in it."""
        self.expect_new()
        make_folder(self.path)
        self.write(settings)

    def write(self, settings: RunSettings) -> None:
        """Write the settings."""
        write_text(self.settings_file, strict_json.dumps(settings.to_dict(), indent=2) + "\n")

    def expect_new(self) -> None:
        """Raise FileError where the folder is there and is not empty."""
        if self.is_there:
            raise FileError(
                f"there is a run in {str(self.path)!r} already: go on with it by --resume, or give another "
                f"folder by --out"
            )
        try:
            taken = self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir()))
        except (OSError, ValueError) as error:
            raise FileError(
                f"the folder {str(self.path)!r} cannot be read: {reason(error)}"
            ) from error
        if taken:
            raise FileError(
                f"{str(self.path)!r} is there already and is no run: give another folder by --out"
            )
