"""Writes kernels/winograd_transforms.py and kernels/microkernels.py: run `python -m tools.winograd_kernels`.

Code for registers is straight-line code: a loop over rows of a matrix would keep its numbers in
memory. So it is written by a program, from the exact fractions of `matrices`, and committed to be
read; a test writes it again and compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from tinycnn import kernels
from tinycnn.ops.convolution.winograd.matrices import (
    Matrix,
    input_matrix,
    points,
    shared_output_matrix,
    transposed,
    weight_matrix,
)

# (r, m, n): m outputs of an r-kernel from the first m + r - 1 of n frequencies.
OUTPUTS = (
    (3, 5, 7), (3, 4, 7), (3, 4, 6), (3, 3, 6), (3, 3, 5), (3, 2, 5), (5, 4, 8), (5, 3, 8),
)  # fmt: skip
INPUTS = (4, 5, 6, 7, 8)
WEIGHTS = ((3, 5), (3, 6), (3, 7), (5, 8))

# Rows of a micro-kernel's tiles, and how many vectors wide they are.
TILE_ROWS = (6, 5, 4, 2, 1)
TILE_WIDTHS = (4, 3, 2)

_ARGUMENTS = """    source: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int,
    count: int,
"""


def transforms() -> str:
    """The text of kernels/winograd_transforms.py."""
    text = '''"""The one-dimensional transforms of Winograd's convolution, as straight-line code on vectors.

Written by `python -m tools.winograd_kernels` from the matrices of
tinycnn/ops/convolution/winograd/matrices.py; do not edit.
Each function multiplies its matrix with ``count`` columns of vectors:

    target[to + t*target_stride + i*target_step] = sum over j of
                                    matrix[i, j] * source[at + t*stride + j*step]     for t < count

Rows (or columns) of the matrix for points p and -p share their even and odd parts. Those that give
outputs add the vector ``add`` (a bias) to each result, and give ``bound`` where it is below that.
"""

# fmt: off
# ruff: noqa: E501

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import at_least, fma, keep_rolled, load, splat, store
'''
    for n in INPUTS:
        lines = _by_rows(input_matrix(n), n)
        text += _transform(f"input_n{n}", f"B^T: {n} inputs to {n} frequencies.", lines, n, n)
    for r, m, n in OUTPUTS:
        used, matrix = m + r - 1, shared_output_matrix(m, r, n)
        shared = "" if used == n else f" of {n}"
        lines = _by_columns(matrix, used)
        about = f"A^T: {used}{shared} frequencies to {m} outputs of a {r}-kernel."
        text += _transform(f"output_k{r}_m{m}_n{n}", about, lines, used, m, finish=True)
    for r, m, n in OUTPUTS:
        used, matrix = m + r - 1, shared_output_matrix(m, r, n)
        shared = "" if used == n else f" of {n}"
        lines = _by_rows(transposed(matrix), used)
        about = f"A: {m} outputs' gradients to {used}{shared} frequencies of a {r}-kernel."
        text += _transform(f"spread_k{r}_m{m}_n{n}", about, lines, m, used)
    for r, n in WEIGHTS:
        lines = _by_columns(transposed(weight_matrix(n - r + 1, r)), n)
        about = f"G^T: {n} frequencies' gradients to {r} weights."
        text += _transform(f"collect_k{r}_n{n}", about, lines, n, r)
    return text


def _transform(
    name: str, about: str, lines: list[str], inputs: int, outputs: int, *, finish: bool = False
) -> str:
    constants = sorted({word for line in lines for word in _words(line) if word in _CONSTANTS})
    text = f"\n\n@kernel\ndef {name}(\n{_ARGUMENTS}"
    text += "    add: Any, bound: Any,\n" if finish else ""
    text += f') -> None:\n    """{about}"""\n'
    text += "".join(f"    {name} = splat({float(_CONSTANTS[name])!r})\n" for name in constants)
    text += "    for _ in range(count):\n        keep_rolled()\n"
    text += "".join(f"        x{j} = load(source, at + {j} * step)\n" for j in range(inputs))
    text += "".join(f"        {line}\n" for line in lines)
    for i in range(outputs):
        y = f"at_least(y{i} + add, bound)" if finish else f"y{i}"
        text += f"        store(target, to + {i} * target_step, {y})\n"
    return text + "        at += stride\n        to += target_stride\n"


def _words(line: str) -> list[str]:
    return line.replace("(", " ").replace(")", " ").replace(",", " ").split()


_CONSTANTS: dict[str, Fraction] = {}


def _constant(value: Fraction) -> str:
    sign = "minus_" if value < 0 else "plus_"
    name = f"{sign}{abs(value.numerator)}" + (
        f"_{value.denominator}" if value.denominator > 1 else ""
    )
    _CONSTANTS[name] = value
    return name


def _sum(terms: Sequence[tuple[Fraction, str]]) -> str:
    """An expression for the sum of coefficient * variable, with as few operations as will do."""
    terms = [term for term in terms if term[0]]
    # Begin with a bare variable if there is one, else with a product.
    terms.sort(key=lambda term: 0 if term[0] == 1 else 2 if term[0] == -1 else 1)
    (first, variable), *others = terms
    text = variable if first == 1 else f"{variable} * {_constant(first)}"
    for c, variable in others:
        if abs(c) == 1:
            text = f"{text} {'+' if c == 1 else '-'} {variable}"
        else:
            text = f"fma({variable}, {_constant(c)}, {text})"
    return text


def _pairs(matrix: Matrix) -> Iterator[tuple[int, int]]:
    """The rows of points p and -p."""
    finite = points(len(matrix))
    for j in range(1, len(finite) - 1, 2):
        yield j + 1, j + 2


def _scale(row: Sequence[Fraction]) -> Fraction:
    """A row's first coefficient that is not zero."""
    return next(c for c in row if c)


def _by_rows(matrix: Matrix, n: int) -> list[str]:
    """Lines for y = matrix x, whose n rows belong to points: those of p and -p worked out together."""
    lines, done = [], set()
    for j, k in _pairs(matrix):
        a, b = matrix[j], matrix[k]
        # Where the rows are powers of the point times a scale, they are halves' sum and difference
        # before scaling; a scale of one half of the input matrix's rows would gain nothing.
        s, t = (_scale(a), _scale(b)) if a[0] and b[0] else (Fraction(1), Fraction(1))
        even = [(u / s + v / t) / 2 for u, v in zip(a, b, strict=True)]
        odd = [(u / s - v / t) / 2 for u, v in zip(a, b, strict=True)]
        lines.append(f"e = {_sum([(c, f'x{i}') for i, c in enumerate(even)])}")
        lines.append(f"o = {_sum([(c, f'x{i}') for i, c in enumerate(odd)])}")
        lines.append(f"y{j} = {_scaled('e + o', s)}")
        lines.append(f"y{k} = {_scaled('e - o', t)}")
        done |= {j, k}
    for i in sorted(set(range(n)) - done):
        lines.append(f"y{i} = {_sum([(c, f'x{j}') for j, c in enumerate(matrix[i])])}")
    return lines


def _scaled(text: str, scale: Fraction) -> str:
    return text if scale == 1 else f"({text}) * {_constant(scale)}"


def _by_columns(matrix: Matrix, n: int) -> list[str]:
    """Lines for y = matrix x, whose n columns belong to points: of x for p and -p, sum and difference."""
    columns = transposed(matrix)
    lines, done = [], set()
    terms: list[list[tuple[Fraction, str]]] = [[] for _ in matrix]
    for j, k in _pairs(columns):
        s, t = _scale(columns[j]), _scale(columns[k])
        if s == t:
            lines.append(f"e{j} = x{j} + x{k}")
            lines.append(f"o{j} = x{j} - x{k}")
            scale = s
        else:
            lines.append(f"f{j} = {_sum([(s, f'x{j}')])}")
            lines.append(f"e{j} = {_sum([(Fraction(1), f'f{j}'), (t, f'x{k}')])}")
            lines.append(f"o{j} = {_sum([(Fraction(1), f'f{j}'), (-t, f'x{k}')])}")
            scale = Fraction(1)
        for i, (a, b) in enumerate(zip(columns[j], columns[k], strict=True)):
            terms[i].append((scale * (a / s + b / t) / 2, f"e{j}"))
            terms[i].append((scale * (a / s - b / t) / 2, f"o{j}"))
        done |= {j, k}
    for j in sorted(set(range(n)) - done):
        for i, c in enumerate(columns[j]):
            terms[i].append((c, f"x{j}"))
    return lines + [f"y{i} = {_sum(row)}" for i, row in enumerate(terms)]


def microkernels() -> str:
    """The text of kernels/microkernels.py."""
    text = '''"""Products of matrices in the registers, as straight-line code on vectors.

Written by `python -m tools.winograd_kernels`; do not edit. A tile of the result, some rows by some vectors,
stays in registers while k runs: for each k, a row of b is loaded, and each number of a column of a
is multiplied with it. Six rows by four vectors are 24 chains of sums, enough to keep two
multiply-add units busy whatever their latency, and need 29 of 32 registers.
"""

# fmt: off

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import (
    LANES,
    broadcast,
    fma,
    keep_rolled,
    load,
    prefetch,
    read_only,
    splat,
    store,
)
'''
    text += _AHEAD
    for width in TILE_WIDTHS:
        text += _product(width)
    return text


def _product(width: int) -> str:
    text = f'''

@kernel
def product_{width}(
    rows: int, a: Any, a0: int, a_row: int, a_column: int, depth: int, a_next: int,
    b: Any, b0: int, b_row: int, c: Any, c0: int, c_row: int, add: bool,
) -> None:
    """c (rows, {width}*LANES) = a (rows, depth) b (depth, {width}*LANES), added to c if ``add``.

    a[i, k] is a[a0 + i*a_row + k*a_column]; row k of b begins at b0 + k*b_row, row i of c at
    c0 + i*c_row. Meanwhile what comes next is brought into L2: the a that begins at ``a_next``, if that
    is not this one, and the b that follows this one, or stands beside it if its rows lie apart.
    """
    zero = splat(0.0)
    # 5s and 4s make up for what 6s leave: 25 rows are five 5s, not four 6s and a 1.
    few = rows if rows < 4 else 3 if rows == 7 else 0
    groups = (rows - few + 5) // 6
    missing = groups * 6 - rows + few
    fours = max(missing - groups, 0)
    fives = missing - 2 * fours
    # Each tile asks for a part: of rows that follow each other the same rows, else a line of each row.
    apart = b_row != {width} * LANES
    b_next = b0 + ({width} * LANES if apart else depth * b_row)
    b_forward, b_part = (b_row, 16) if apart else (16, 16 * depth)
    start, tile = a0, 0
'''
    counts = ("groups - fours - fives", "fives", "fours", "few // 2", "few % 2")
    for height, count in zip(TILE_ROWS, counts, strict=True):
        text += _tile(height, width, count)
    return text + _JOBS.format(width=width)


_AHEAD = '''

@kernel
def _a_ahead(
    a_next: int, start: int, a0: int, a_column: int, rows: int, tile: int, height: int
) -> tuple[int, int]:
    """What a tile brings of the next a: the first line, and the step from one k to the next."""
    if a_next == start or (a_column != 1 and 16 * tile >= rows):
        return a0, 0
    return (a_next + a0 - start, height) if a_column == 1 else (a_next + 16 * tile, a_column)
'''


_JOBS = '''

@kernel
def products_{width}(
    jobs: Any, a: Any, a_row: int, a_column: int, b: Any, b0: int, b_row: int, c: Any, c_row: int,
    add: bool,
) -> None:
    """Call `product_{width}` for each row of ``jobs``: (rows, depth, a0, what b0 is more, c0)."""
    a, b = read_only(a), read_only(b)
    for job in range(len(jobs)):
        following = min(job + 1, len(jobs) - 1)
        product_{width}(
            jobs[job, 0], a, jobs[job, 2], a_row, a_column, jobs[job, 1], jobs[following, 2],
            b, b0 + jobs[job, 3], b_row, c, jobs[job, 4], c_row, add,
        )  # fmt: skip
'''


def _tile(height: int, width: int, count: str) -> str:
    """A loop over tiles of ``height`` rows, and on to the next rows."""
    rows, vectors = range(height), range(width)
    # Few rows wait for b to come from memory: they ask for whole rows of what follows.
    whole = height <= 4
    lines = [f"for _ in range({count}):"]
    lines += [f"    a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, {height})"]
    if whole:
        lines += ["    b_line, b_step = (b_next, b_row) if tile == 0 else (b0, 0)"]
    else:
        lines += [
            f"    b_line, b_step = b_next + tile * b_part, b_forward if 16 * tile < {width} * LANES else 0"
        ]
    lines += [f"    p{i} = a0 + {i} * a_row" for i in rows]
    lines += ["    if add:"]
    lines += [
        f"        s{i}{j} = load(c, c0 + {i} * c_row + {j} * LANES)" for i in rows for j in vectors
    ]
    lines += ["    else:"]
    lines += [f"        {' = '.join(f's{i}{j}' for j in vectors)} = zero" for i in rows]
    lines += ["    at = b0", "    for _ in range(depth):"]
    lines += ["        keep_rolled()", "        prefetch(a, a_line)", "        a_line += a_step"]
    asked = range(width) if whole else (0,)
    lines += [f"        prefetch(b, b_line + {16 * line})" for line in asked]
    lines += ["        b_line += b_step"]
    lines += [f"        v{j} = load(b, at + {j} * LANES)" for j in vectors]
    for i in rows:
        lines += [f"        x = broadcast(a, p{i})"]
        lines += [f"        s{i}{j} = fma(x, v{j}, s{i}{j})" for j in vectors]
        lines += [f"        p{i} += a_column"]
    lines += ["        at += b_row"]
    lines += [
        f"    store(c, c0 + {i} * c_row + {j} * LANES, s{i}{j})" for i in rows for j in vectors
    ]
    lines += [f"    a0 += {height} * a_row", f"    c0 += {height} * c_row"]
    lines += ["    tile += 1"]
    return "".join(f"    {line}\n" for line in lines)


def main() -> None:
    """Write both files."""
    folder = Path(kernels.__path__[0])
    for name, text in (
        ("winograd_transforms.py", transforms()),
        ("microkernels.py", microkernels()),
    ):
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
