"""Write the pictures of Fashion-MNIST that the package brings: the first so many of each class.

The first of each class for tests is written once more, as a PNG file with the name of its class.

    python -m tools.bundled_fashion_mnist FOLDER

FOLDER holds the full set's four IDX files. What is written keeps their order, names and format.
"""

from __future__ import annotations

import gzip
import struct
import sys
import zlib
from pathlib import Path

import numpy as np

from tinycnn.arrays import Array
from tinycnn.data.idx import read_idx
from tinycnn.pictures import bundled

TARGET = Path(__file__).parents[1] / "tinycnn/data/fashion-mnist"
PICTURES = Path(__file__).parents[1] / "tinycnn/pictures/fashion"
EACH = {"train": 240, "t10k": 100}  # of each class


def first_of_each(labels: Array, count: int) -> Array:
    """The places of the first ``count`` of each class, in the order in which they stand."""
    return np.sort(np.concatenate([np.flatnonzero(labels == c)[:count] for c in range(10)]))


def packed(array: Array) -> bytes:
    """An array of bytes as IDX, compressed, the same on every day."""
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(head + array.tobytes(), 9, mtime=0)


def png(image: Array) -> bytes:
    """A grey image (H, W) uint8 as a PNG file, the same on every day."""
    H, W = image.shape
    rows = np.concatenate([np.zeros((H, 1), np.uint8), image], axis=1)  # no filter
    head = struct.pack(">IIBBBBB", W, H, 8, 0, 0, 0, 0)
    chunks = {b"IHDR": head, b"IDAT": zlib.compress(rows.tobytes(), 9), b"IEND": b""}
    parts = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks.items()
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def main(source: Path) -> None:
    """Write the four files from those of the full set, and the pictures."""
    for part, count in EACH.items():
        names = f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz"
        images, labels = (read_idx(source / name) for name in names)
        chosen = first_of_each(labels, count)
        for name, array in zip(names, (images, labels), strict=True):
            (TARGET / name).write_bytes(packed(array[chosen]))
    for image, label in zip(images[(each := first_of_each(labels, 1))], labels[each], strict=True):
        (PICTURES / f"{bundled.NAMES[label]}.png").write_bytes(png(image))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
