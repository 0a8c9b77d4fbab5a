"""IDX files as their format says, written with struct alone."""

import gzip
import struct

CODES = {"u1": 8, "i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}


def idx_bytes(array, dtype="u1"):
    """An array as the content of an IDX file."""
    head = struct.pack(">HBB", 0, CODES[dtype], array.ndim)
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return head + sizes + array.astype(dtype).tobytes()


def write_mnist(folder, images, labels, *, part="train", between="-", packed=True):
    """The two files of a part, named as MNIST's are."""
    for what, array in (("images", images), ("labels", labels)):
        axes = 3 if what == "images" else 1
        path = folder / f"{part}-{what}{between}idx{axes}-ubyte{'.gz' * packed}"
        content = idx_bytes(array)
        path.write_bytes(gzip.compress(content, 1) if packed else content)
