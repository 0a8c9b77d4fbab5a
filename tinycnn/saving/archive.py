"""Files of arrays by name, written whole or not at all and read with suspicion.

A file of ours holds a text beside its arrays: a description in JSON, which says what the file is for, and
of each array its shape, dtype and SHA-256. The SHA-256 of the description is a text of its own. So a
flipped bit anywhere in the content is found, whichever arrays are read. Files that others have written,
such as ``np.savez``, have arrays alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn import strict_json
from tinycnn.arrays import Array
from tinycnn.errors import CheckpointError, FileError, TinyCNNError, TooLargeError
from tinycnn.files import MODEL_ENDINGS, beside, expect_ending, expect_regular
from tinycnn.saving import npz, safe_tensors
from tinycnn.saving.claim import KINDS, MOST_TEXT, Claim
from tinycnn.wording import said_or_kind

_Source = npz.NpzFile | safe_tensors.SafeTensorsFile

_DESCRIPTION, _DIGEST = "tinycnn.json", "tinycnn.sha256"  # the texts
_FORMAT = {"format": "tinycnn", "version": 1}
_WRITERS = {".npz": npz.write, ".safetensors": safe_tensors.write}
_READERS: dict[str, Callable[[Path], _Source]] = {
    ".npz": npz.NpzFile,
    ".safetensors": safe_tensors.SafeTensorsFile,
}


def write(
    target: str | Path,
    arrays: Mapping[str, Array],
    facts: Mapping[str, Any],
    *,
    before_replacing: Callable[[], None] = lambda: None,
) -> None:
    """Write ``arrays`` and ``facts``, plain data, to an .npz or .safetensors file, by its ending.

    Raises CheckpointError where that fails, or what ``before_replacing`` raises once all is written; an old
    file of that name is then as it was.
    """
    with _checkpoint_errors():
        expect_ending("a file of arrays", target, MODEL_ENDINGS)
        kept = {name: _plain(array) for name, array in arrays.items()}
        listed = {name: _description(array) for name, array in kept.items()}
        described = strict_json.dumps({**_FORMAT, **facts, "arrays": listed})
        if len(described) > MOST_TEXT:
            raise CheckpointError(
                f"all but the arrays takes {len(described):,} bytes as JSON, and at most {MOST_TEXT:,} are "
                f"read again: keep long lists of numbers as arrays"
            )
        texts = {_DESCRIPTION: described, _DIGEST: sha256(described.encode()).hexdigest()}
        with beside(target) as path:
            _WRITERS[path.suffix.lower()](path, kept, texts)
            before_replacing()


def _plain(array: Array) -> Array:
    """C-contiguous and little-endian; itself where it is."""
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def _description(array: Array) -> dict[str, Any]:
    return {"shape": [*array.shape], "dtype": array.dtype.str, "sha256": _digest(array)}


def _digest(array: Array) -> str:
    return sha256(np.asarray(array, order="C").reshape(-1).view(np.uint8).data).hexdigest()


@contextmanager
def _checkpoint_errors() -> Iterator[None]:
    try:
        yield
    except CheckpointError:
        raise
    except (FileError, TooLargeError) as error:
        raise CheckpointError(str(error)) from error


class Archive:
    """A file opened by `opened`: ``names`` of its arrays, and ``facts``, empty in a file of others."""

    def __init__(self, source: _Source, file: str, size: int) -> None:
        self.file = file
        self._source = source
        self.names = source.names
        self.facts = self._described() if _DESCRIPTION in self._source.texts else {}
        self._listed: dict[str, Any] = self.facts.pop("arrays", {})
        if self.facts:
            self._expect_listed(size)

    def claim(self, name: str) -> Claim:
        """What the file claims of an array, before any of it is read."""
        return self._source.claim(name)

    def read(self, name: str) -> Array:
        """The array, once what its `claim` claims has been found to be what is wanted.

        Raises CheckpointError where it is damaged.
        """
        self.claim(name).expect_whole(name, self.file)
        array = self._source.array(name)
        if name in self._listed and _digest(array) != self._listed[name]["sha256"]:
            raise CheckpointError(f"{name} in {self.file} is damaged: its SHA-256 is another")
        return array

    def _described(self) -> dict[str, Any]:
        """The description, if it is as it was written."""
        text = self._source.text(_DESCRIPTION)
        if self._source.text(_DIGEST) != sha256(text.encode()).hexdigest():
            raise CheckpointError(f"{self.file} is damaged: its description's SHA-256 is another")
        facts = json.loads(text)
        if not isinstance(facts, dict) or facts.pop("format", None) != _FORMAT["format"]:
            raise CheckpointError(f"{self.file} is no file of tinycnn's")
        if (version := facts.pop("version", None)) != _FORMAT["version"]:
            raise CheckpointError(
                f"{self.file} is written in version {version!r} of the format, and this tinycnn reads "
                f"version {_FORMAT['version']}: install a newer one"
            )
        return facts

    def _expect_listed(self, size: int) -> None:
        """Refuse arrays other than the description says, or larger together than a file of ``size``."""
        if self.names != set(self._listed):
            raise CheckpointError(f"{self.file} is damaged: it lacks arrays, or has others as well")
        total = 0
        for name, listed in self._listed.items():
            claim = self.claim(name)
            if [*claim.shape] != listed["shape"] or claim.dtype.str != listed["dtype"]:
                raise CheckpointError(f"{name} in {self.file} is not as the description says")
            if claim.dtype.kind not in KINDS:
                raise CheckpointError(f"{name} in {self.file} has dtype {claim.dtype}")
            claim.expect_whole(name, self.file)
            total += claim.size
        if total > size:
            raise CheckpointError(
                f"{self.file} unpacks to {total:,} bytes and has {size:,}: it was compressed, which "
                f"model.save does not do"
            )


@contextmanager
def opened(source: str | Path, what: str = "model file") -> Iterator[Archive]:
    """Open a file of arrays, to be closed at the end; ``what`` it is stands in the errors.

    Raises CheckpointError for whatever is wrong with the file, also with what is read in the block.
    """
    path = Path(source)
    with _checkpoint_errors():
        try:
            size = expect_regular(path, what)
            expect_ending(f"a {what}", path, MODEL_ENDINGS)
            with closing(_READERS[path.suffix.lower()](path)) as content:
                yield Archive(content, path.name, size)
        except TinyCNNError:
            raise
        except Exception as error:  # whatever damaged data make zipfile and others raise
            kind = path.suffix.lower()
            raise CheckpointError(
                f"{path.name} is not an undamaged {kind} file: {said_or_kind(error)}"
            ) from error
