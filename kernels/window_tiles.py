"""A tile of a product of windows that stays in registers, written in LLVM's language as `tiles` is.

The rows of a lie where a list says, and its columns in runs: a kernel's cells may be rows, or the outputs of
many images. What a vector of filters multiplies is one number, the same for all; or a vector, as it lies or
spread over the lanes, where each group of filters sees channels of its own; or, where a vector has lanes for
each filter twice, two numbers in turns.
"""

from __future__ import annotations

from functools import partial, reduce
from typing import Any

import numpy as np

from tinycnn.kernels.jit import numba
from tinycnn.kernels.simd import at_least, broadcast, fma, keep_rolled, lanes_of
from tinycnn.kernels.simd_code import (
    READ,
    READ_INT64,
    VECTOR_OF,
    WRITTEN,
    check_array,
    emit_at_least,
    emit_broadcast,
    emit_fma,
    emit_index,
    emit_keep_rolled,
    emit_load,
    emit_maximum,
    emit_store,
    extending,
    types,
)
from tinycnn.kernels.simd_first import emit_load_first, emit_store_first
from tinycnn.kernels.simd_permuted import (
    emit_lanes,
    emit_permuted,
    emit_turns,
    emit_two_in_turns,
)

# What a vector of filters reads of a: one number for all, the vector that begins there, that one spread, or
# two numbers in turns: of two columns, or of two rows.
NUMBER, VECTOR, SPREAD, PAIR, TWO_ROWS = range(5)
# What becomes of the sums: they are written, or added to c's numbers; or the maximum of each POOLED rows is
# written, in tiles of one vector by twice as many rows, or by as many times TWO_ROWS.
WRITE, ADD, POOL, POOL_TWO_ROWS = range(4)
POOLED = 4


def multiply_windows(
    height: int, width: int, read: int, a: Any, a0: int, places: Any, first: int, last: int,
    spread: Any, seen: tuple[int, int, int], b: Any, b0: int, runs: Any, count: int, length: int,
    a_step: int, b_step: int,
    bias: Any, f: int, relu: bool, into: int, c: Any, c0: int, targets: Any, lanes: int,
) -> None:  # fmt: skip
    """Rows ``first`` to ``first + height`` of what `window_products` says, ``width`` vectors of them.

    Of the last of these vectors, ``lanes`` numbers are read and written. Rows beyond ``last`` are row
    ``last`` once more. ``height``, ``width`` and ``read`` are written as numbers. Of a, all filters read the
    one NUMBER at a window's place, or each vector of them some numbers: as they lie, a VECTOR, or SPREAD so
    that lane l takes number ``spread[l]``. ``seen`` (apart, count, last) says how far on the next vector
    reads, and how many numbers it reads, and the last one.

    Or one vector takes a PAIR, two columns of a at once, side by side: lane 2*f + t of b is the weight of
    filter f for column t. Both are added up at the end. A run of odd length ends with a column alone.
    With TWO_ROWS, for POOL_TWO_ROWS, a row of ``places`` is two of a, the second a number further on, and
    lanes 2*f and 2*f + 1 of b are the weight of filter f.
    """
    each, whole = _pooled(read, into), lanes_of(b)
    assert each == 1 or ((height, width) == (2 * POOLED, 1) and (last + 1) % each == 0)
    rows = [min(first + i, last - each + 1 + i % each) for i in range(height)]
    if read == PAIR:
        sums = _sums_of_pairs(rows, a, a0, places, b, b0, runs, count, length, b_step)
        _finish(rows, each, sums[:, :lanes], bias, relu, c, c0, targets)
        return
    columns = whole if read == TWO_ROWS else (width - 1) * whole + lanes
    sums = np.zeros((height, width * whole), b.dtype)
    for i, row in enumerate(rows if into == ADD else []):
        at = c0 + targets[row]
        assert at >= 0 and at + columns <= c.size
        sums[i, :columns] = c[at : at + columns]
    for run in range(count):
        a_at, b_at = a0 + runs[2 * run], b0 + runs[2 * run + 1]
        for step in range(length):
            keep_rolled()
            at = b_at + step * b_step
            assert at >= 0 and at + columns <= b.size
            weights = np.zeros(width * whole, b.dtype)
            weights[:columns] = b[at : at + columns]
            for i, row in enumerate(rows):
                place = a_at + places[row] + step * a_step
                for j in range(width):
                    some = slice(j * whole, (j + 1) * whole)
                    count_of = seen[1] if j < width - 1 else seen[2]
                    x = _read(read, a, place + (j * seen[0] if read else 0), spread, count_of)
                    sums[i, some] = fma(x, weights[some], sums[i, some])
    if read == TWO_ROWS:
        columns, sums = lanes, np.maximum(sums[:, 0::2], sums[:, 1::2])
    _finish(rows, each, sums[:, :columns], bias[f : f + columns], relu, c, c0, targets)


def _pooled(read: int, into: int) -> int:
    """Rows of ``places`` of which one maximum is written."""
    return 1 if into in (WRITE, ADD) else POOLED // 2 if read == TWO_ROWS else POOLED


def _finish(
    rows: Any, each: int, sums: Any, bias: Any, relu: bool, c: Any, c0: int, targets: Any
) -> None:
    """Write the sums of some rows, or maxima of ``each`` so many."""
    least = bias.dtype.type(0 if relu else -np.inf)
    for i in range(0, len(rows), each):
        at = c0 + targets[rows[i] // each]
        assert at >= 0 and at + len(bias) <= c.size
        c[at : at + len(bias)] = at_least(sums[i : i + each].max(axis=0) + bias, least)


def _sums_of_pairs(
    rows: Any, a: Any, a0: int, places: Any, b: Any, b0: int, runs: Any, count: int, length: int, b_step: int
) -> Any:  # fmt: skip
    """Each row's, for a PAIR."""
    whole = lanes_of(b)
    sums = np.zeros((len(rows), whole), b.dtype)
    for run in range(count):
        for step in range(-(-length // 2)):
            at, columns = b0 + runs[2 * run + 1] + step * b_step, min(2, length - 2 * step)
            assert 0 <= at <= b.size - whole
            for i, row in enumerate(rows):
                place = a0 + runs[2 * run] + places[row] + 2 * step
                assert 0 <= place <= a.size - columns
                x = np.zeros(2, a.dtype)
                x[:columns] = a[place : place + columns]
                sums[i] = fma(np.tile(x, whole // 2), b[at : at + whole], sums[i])
    return sums[:, 0::2] + sums[:, 1::2]


def _read(read: int, a: Any, at: int, spread: Any, count: int) -> Any:
    """What a vector of filters multiplies, as `multiply_windows` says."""
    if read == NUMBER:
        return broadcast(a, at)
    count = 2 if read == TWO_ROWS else count
    assert 0 <= at <= a.size - count
    x = np.zeros(lanes_of(a), a.dtype)
    x[:count] = a[at : at + count]
    return x if read == VECTOR else x[spread if read == SPREAD else np.arange(len(x)) % 2]


if not numba.config.DISABLE_JIT:
    from tinycnn.kernels.tiles import Writer, cgutils

    def _emit(
        context: Any, builder: Any, kinds: Any, values: Any, height: int, width: int, read: int
    ) -> None:
        """What `multiply_windows` compiles to."""
        write = Writer(context, builder)
        a, a0, places, first, last, spread, seen, b, b0, runs, *others = values
        count, length, a_step, b_step, bias, f, relu, into, c, c0, targets, lanes = others
        arrays = ((kinds[place], types.intp) for place in (0, 2, 5, 7, 9, 14, 18, 20))
        in_a, in_places, in_spread, in_b, in_runs, in_bias, in_c, in_targets = arrays
        vector = VECTOR_OF[in_b[0].dtype]
        index, rows, vectors = a0.type, range(height), range(width)
        paired, in_turns, pools = read == PAIR, read >= PAIR, (height, width) == (2 * POOLED, 1)
        pooled = _pooled(read, POOL)
        apart, each, last_each = cgutils.unpack_tuple(builder, seen)

        is_pooled = builder.icmp_signed(">=", into, index(POOL))

        def beside(start: Any, j: int) -> Any:
            return builder.add(start, index(j * vector.code.count))

        def read_vectors(kind: Any, array: Any, start: Any) -> list[Any]:
            """The vectors from ``array[start]`` on, of the last one the first ``lanes`` numbers."""
            whole = [write(emit_load, kind, array, beside(start, j)) for j in vectors[:-1]]
            return [*whole, write(emit_load_first, kind, array, beside(start, width - 1), lanes)]

        def read_b(start: Any) -> list[Any]:
            return [write(emit_load, in_b, b, start)] if in_turns else read_vectors(in_b, b, start)

        def read_pair(count: int, place: Any) -> list[Any]:
            return [write(emit_two_in_turns, in_a, a, place, count)]

        def read_x(place: Any) -> list[Any]:
            """What each vector of filters multiplies."""
            if read == NUMBER:
                return [write(emit_broadcast, in_a, a, place)] * width
            if in_turns:
                return read_pair(2, place)
            starts = [builder.add(place, builder.mul(apart, index(j))) for j in vectors]
            counts = [each] * (width - 1) + [last_each]
            found = [
                write(emit_load_first, in_a, a, *some) for some in zip(starts, counts, strict=True)
            ]
            return (
                [emit_permuted(builder, x, lane_numbers) for x in found]
                if read == SPREAD
                else found
            )

        def end_of(number: Any) -> Any:
            return builder.add(c0, write(emit_index, in_targets, targets, number))

        latest = [last] * height
        if pools:  # what is done once more are the same rows of a pool
            before = [builder.sub(last, index(pooled - 1 - i % pooled)) for i in rows]
            latest = [builder.select(is_pooled, most, last) for most in before]
        numbers = [builder.add(first, index(i)) for i in rows]
        inside = [builder.icmp_signed("<", *some) for some in zip(numbers, latest, strict=True)]
        numbers = [builder.select(*some) for some in zip(inside, numbers, latest, strict=True)]
        windows = [builder.add(a0, write(emit_index, in_places, places, n)) for n in numbers]
        lane_numbers = write(emit_lanes, in_spread, spread, vector) if read == SPREAD else None
        zero = vector.code([0.0] * vector.code.count)
        sums = [[write.variable(zero) for _ in vectors] for _ in rows]

        def multiply(read_x: Any, weights: list[Any], offset: Any) -> None:
            """Add what a column, or two of a PAIR, gives."""
            for i in rows:
                x = read_x(builder.add(windows[i], offset))
                for j in vectors:
                    total = write(emit_fma, (vector,) * 3, x[j], weights[j], write.get(sums[i][j]))
                    builder.store(total, sums[i][j])

        if not in_turns:
            with builder.if_then(builder.icmp_signed("==", into, index(ADD))):
                for i in rows:
                    for j, former in enumerate(read_vectors(in_c, c, end_of(numbers[i]))):
                        builder.store(former, sums[i][j])
        with cgutils.for_range(builder, count) as outer:
            pair = builder.mul(outer.index, index(2))
            a_at = write.variable(write(emit_index, in_runs, runs, pair))
            b_at = write(emit_index, in_runs, runs, builder.add(pair, index(1)))
            b_at = write.variable(builder.add(b0, b_at))
            steps = builder.ashr(length, index(1)) if paired else length
            with cgutils.for_range(builder, steps):
                offset = write.get(a_at)
                if width == 1 or read == NUMBER:
                    offset = write.opaque(offset)
                else:  # some places a row: more bases than registers
                    write(emit_keep_rolled, ())
                multiply(read_x, read_b(write.get(b_at)), offset)
                write.add(a_at, index(2) if paired else a_step)
                write.add(b_at, b_step)
            if paired:
                odd = builder.trunc(length, cgutils.bool_t)
                with builder.if_then(odd):
                    multiply(partial(read_pair, 1), read_b(write.get(b_at)), write.get(a_at))
        if paired:
            for i in rows:
                builder.store(builder.fadd(*emit_turns(builder, write.get(sums[i][0]))), sums[i][0])
        biases = read_vectors(in_bias, bias, f)
        least = builder.select(relu, zero, vector.code([float("-inf")] * vector.code.count))

        def finish(number: Any, totals: list[Any]) -> None:
            """Write row ``number`` of c."""
            end = end_of(number)
            for j in vectors:
                total = builder.fadd(totals[j], biases[j])
                y = write(emit_at_least, (vector,) * 2, total, least)
                if j < width - 1:
                    write(emit_store, (*in_c, vector), c, beside(end, j), y)
                else:
                    write(emit_store_first, in_c, c, beside(end, j), lanes, y)

        largest = partial(reduce, partial(write, emit_maximum, (vector,) * 2))
        with builder.if_else(is_pooled) as (then, otherwise):
            with then:
                for i in range(0, height if pools else 0, pooled):
                    most = largest([write.get(row[0]) for row in sums[i : i + pooled]])
                    most = largest(emit_turns(builder, most)) if read == TWO_ROWS else most
                    finish(builder.sdiv(numbers[i], index(pooled)), [most])
            with otherwise:
                for i in rows:
                    finish(numbers[i], [write.get(total) for total in sums[i]])

    @extending.intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
    def multiply_windows(
        context: Any, height: Any, width: Any, read: Any, a: Any, a0: Any, places: Any, first: Any,
        last: Any, spread: Any, seen: Any, b: Any, b0: Any, runs: Any, count: Any, length: Any, a_step: Any,
        b_step: Any, bias: Any, f: Any, relu: Any, into: Any, c: Any, c0: Any, targets: Any, lanes: Any,
    ) -> Any:  # fmt: skip
        """See above."""
        for array, access in ((a, READ), (b, READ), (bias, READ), (c, WRITTEN)):
            check_array(array, "multiply_windows", access)
            if array.dtype != a.dtype:
                raise numba.core.errors.TypingError("multiply_windows takes floats of one dtype")
        for array in (places, spread, runs, targets):
            check_array(array, "multiply_windows", READ_INT64)
        n = types.intp
        taken = (
            a, n, places, n, n, spread, types.UniTuple(n, 3), b, n, runs, n, n, n, n, bias, n,
            types.boolean, n, c, n, targets, n,
        )  # fmt: skip

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            sizes = height.literal_value, width.literal_value, read.literal_value
            _emit(context, builder, taken, values[3:], *sizes)
            return context.get_dummy_value()

        return types.void(height, width, read, *taken), generate
