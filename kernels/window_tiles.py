"""A tile of a product of windows that stays in registers, written in LLVM's language as `tiles` is.

The rows of a lie where a list says, and so do its columns: a kernel's cells may be rows, or the outputs of
many images.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import LANES, numba
from tinycnn.kernels.simd import at_least, broadcast, fma, keep_rolled, load, splat, store
from tinycnn.kernels.simd_code import (
    READ,
    READ_INT64,
    VECTOR,
    WRITTEN,
    check_array,
    emit_at_least,
    emit_broadcast,
    emit_fma,
    emit_index,
    emit_keep_rolled,
    emit_load,
    emit_splat,
    emit_store,
    extending,
    types,
)
from tinycnn.kernels.simd_first import emit_load_first, emit_store_first


def multiply_windows(
    height: int, width: int, a: Any, a0: int, places: Any, first: int, last: int, offsets: Any, depth: int,
    b: Any, b0: int, b_row: int, bias: Any, f: int, least: Any, add: bool,
    c: Any, c0: int, targets: Any, lanes: int,
) -> None:  # fmt: skip
    """Rows ``first`` to ``first + height`` of what `window_products` says, ``width`` vectors of them.

    Of the last of these vectors, ``lanes`` numbers are written. Rows beyond ``last`` are row ``last`` once
    more. ``height`` and ``width`` are written as numbers.
    """
    rows = [min(first + i, last) for i in range(height)]
    columns = (width - 1) * LANES + lanes
    tile = [(i, j) for i in range(height) for j in range(width)]
    sums = {(i, j): splat(0.0) for i, j in tile}
    former = np.zeros((height, width * LANES), np.float32)
    for i, row in enumerate(rows):
        at = c0 + targets[row]
        assert at >= 0 and at + columns <= c.size
        former[i, :columns] = c[at : at + columns]
    if add:
        sums = {(i, j): load(former[i], j * LANES) for i, j in tile}
    for k in range(depth):
        keep_rolled()
        for i, j in tile:
            x = broadcast(a, a0 + places[rows[i]] + offsets[k])
            sums[i, j] = fma(x, load(b, b0 + k * b_row + j * LANES), sums[i, j])
    for i, j in tile:
        store(former[i], j * LANES, at_least(sums[i, j] + load(bias, f + j * LANES), least))
    for i, row in enumerate(rows):
        at = c0 + targets[row]
        c[at : at + columns] = former[i, :columns]


if not numba.config.DISABLE_JIT:
    from tinycnn.kernels.tiles import Writer, cgutils

    def _emit(context: Any, builder: Any, kinds: Any, values: Any, height: int, width: int) -> None:
        """What `multiply_windows` compiles to."""
        write = Writer(context, builder)
        a, a0, places, first, last, offsets, depth, b, b0, b_row, bias, f, least, add = values[:14]
        c, c0, targets, lanes = values[14:]
        in_a, in_places, in_offsets, in_b, in_bias, in_c, in_targets = (
            (kinds[place], types.intp) for place in (0, 2, 5, 7, 10, 14, 16)
        )
        index, rows, vectors = a0.type, range(height), range(width)

        def beside(start: Any, j: int) -> Any:
            return builder.add(start, index(j * LANES))

        numbers = [builder.add(first, index(i)) for i in rows]
        numbers = [builder.select(builder.icmp_signed("<", n, last), n, last) for n in numbers]
        windows = [builder.add(a0, write(emit_index, in_places, places, n)) for n in numbers]
        ends = [builder.add(c0, write(emit_index, in_targets, targets, n)) for n in numbers]
        zero = write(emit_splat, (types.float32,), context.get_constant(types.float32, 0.0))
        sums = [[write.variable(zero) for _ in vectors] for _ in rows]
        with builder.if_then(add):
            for i in rows:
                for j in vectors[:-1]:
                    builder.store(write(emit_load, in_c, c, beside(ends[i], j)), sums[i][j])
                some = write(emit_load_first, in_c, c, beside(ends[i], width - 1), lanes)
                builder.store(some, sums[i][-1])
        at = write.variable(b0)
        with cgutils.for_range(builder, depth) as loop:
            write(emit_keep_rolled, ())
            offset = write(emit_index, in_offsets, offsets, loop.index)
            row = [write(emit_load, in_b, b, beside(write.get(at), j)) for j in vectors]
            for i in rows:
                x = write(emit_broadcast, in_a, a, builder.add(windows[i], offset))
                for j in vectors:
                    total = write(emit_fma, (VECTOR,) * 3, x, row[j], write.get(sums[i][j]))
                    builder.store(total, sums[i][j])
            write.add(at, b_row)
        biases = [write(emit_load, in_bias, bias, beside(f, j)) for j in vectors]
        for i in rows:
            for j in vectors:
                total = builder.fadd(write.get(sums[i][j]), biases[j])
                y = write(emit_at_least, (VECTOR,) * 2, total, least)
                if j < width - 1:
                    write(emit_store, (*in_c, VECTOR), c, beside(ends[i], j), y)
                else:
                    write(emit_store_first, in_c, c, beside(ends[i], j), lanes, y)

    @extending.intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
    def multiply_windows(
        context: Any, height: Any, width: Any, a: Any, a0: Any, places: Any, first: Any, last: Any,
        offsets: Any, depth: Any, b: Any, b0: Any, b_row: Any, bias: Any, f: Any, least: Any, add: Any,
        c: Any, c0: Any, targets: Any, lanes: Any,
    ) -> Any:  # fmt: skip
        """See above."""
        for array, access in ((a, READ), (b, READ), (bias, READ), (c, WRITTEN)):
            check_array(array, "multiply_windows", access)
            if array.dtype != types.float32:
                raise numba.core.errors.TypingError("multiply_windows takes float32 arrays")
        for array in (places, offsets, targets):
            check_array(array, "multiply_windows", READ_INT64)
        n = types.intp
        taken = (
            a, n, places, n, n, offsets, n, b, n, n, bias, n, VECTOR, types.boolean, c, n, targets, n,
        )  # fmt: skip

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            sizes = height.literal_value, width.literal_value
            _emit(context, builder, taken, values[2:], *sizes)
            return context.get_dummy_value()

        return types.void(height, width, *taken), generate
