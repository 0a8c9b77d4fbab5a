"""A tile of dot products, of windows with filters, that stays in registers, written in LLVM's language.

A vector holds numbers that lie side by side in a window, not filters: where these are few, most of their
vectors would be empty. The lanes of all sums of a tile are added up together, at its end.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinycnn.kernels.jit import numba
from tinycnn.kernels.simd import at_least, fma, lanes_of, load_first
from tinycnn.kernels.simd_code import (
    READ,
    READ_INT64,
    VECTOR_OF,
    WRITTEN,
    check_array,
    emit_at_least,
    emit_fma,
    emit_index,
    emit_load,
    extending,
    types,
)
from tinycnn.kernels.simd_first import emit_load_few, emit_load_first, emit_store_few
from tinycnn.kernels.simd_permuted import shuffled
from tinycnn.kernels.simd_reduced import emit_sums_of


def multiply_dots(
    height: int, width: int, a: Any, a0: int, places: Any, first: int, last: int, b: Any, b0: int,
    b_filter: int, runs: Any, count: int, length: int, bias: Any, f: int, relu: bool, c: Any, c0: int,
    targets: Any,
) -> None:  # fmt: skip
    """Rows ``first`` to ``first + height`` of what `dot_products` says, ``width`` filters from ``f`` on.

    Rows beyond ``last`` are row ``last`` once more. ``height`` and ``width`` are written as numbers, powers
    of two, the latter at most a vector's lanes.
    """
    rows, whole = [min(first + i, last) for i in range(height)], lanes_of(b)
    sums = np.zeros((height, width, whole), b.dtype)
    for run in range(count):
        a_at, b_at = a0 + runs[2 * run], b0 + runs[2 * run + 1]
        for s in range(0, length, whole):
            some = min(length - s, whole)
            weights = [load_first(b, b_at + j * b_filter + s, some) for j in range(width)]
            for i, row in enumerate(rows):
                x = load_first(a, a_at + places[row] + s, some)
                for j in range(width):
                    sums[i, j] = fma(x, weights[j], sums[i, j])
    while sums.shape[2] > 1:
        sums = sums[:, :, : sums.shape[2] // 2] + sums[:, :, sums.shape[2] // 2 :]
    for i, row in enumerate(rows):
        at, total = c0 + targets[row], sums[i, :, 0] + bias[f : f + width]
        assert at >= 0 and at + width <= c.size
        c[at : at + width] = at_least(total, b.dtype.type(0 if relu else -np.inf))


if not numba.config.DISABLE_JIT:
    from tinycnn.kernels.tiles import Writer, cgutils

    def _emit(context: Any, builder: Any, kinds: Any, values: Any, height: int, width: int) -> None:
        """What `multiply_dots` compiles to."""
        write = Writer(context, builder)
        a, a0, places, first, last, b, b0, b_filter, runs, count, length = values[:11]
        bias, f, relu, c, c0, targets = values[11:]
        in_a, in_places, in_b, in_runs, in_bias, in_c, in_targets = (
            (kinds[place], types.intp) for place in (0, 2, 5, 8, 11, 14, 16)
        )
        vector, index, rows, filters = (
            VECTOR_OF[in_b[0].dtype],
            a0.type,
            range(height),
            range(width),
        )
        lanes = vector.code.count
        numbers = [builder.add(first, index(i)) for i in rows]
        numbers = [builder.select(builder.icmp_signed("<", n, last), n, last) for n in numbers]
        windows = [builder.add(a0, write(emit_index, in_places, places, n)) for n in numbers]
        weights = [builder.add(b0, builder.mul(b_filter, index(j))) for j in filters]
        zero = vector.code([0.0] * lanes)
        sums = [[write.variable(zero) for _ in filters] for _ in rows]
        whole = builder.sdiv(length, index(lanes))
        rest = builder.sub(length, builder.mul(whole, index(lanes)))

        def multiply(load: Any, a_at: Any, b_at: Any, *some: Any) -> None:
            """Add what a vector of each window gives."""
            w = [write(load, in_b, b, builder.add(start, b_at), *some) for start in weights]
            for i in rows:
                x = write(load, in_a, a, builder.add(windows[i], a_at), *some)
                for j in filters:
                    total = write(emit_fma, (vector,) * 3, x, w[j], write.get(sums[i][j]))
                    builder.store(total, sums[i][j])

        with cgutils.for_range(builder, count) as outer:
            pair = builder.mul(outer.index, index(2))
            a_at = write.variable(write(emit_index, in_runs, runs, pair))
            b_at = write.variable(write(emit_index, in_runs, runs, builder.add(pair, index(1))))
            with cgutils.for_range(builder, whole):
                multiply(emit_load, write.opaque(write.get(a_at)), write.opaque(write.get(b_at)))
                write.add(a_at, index(lanes))
                write.add(b_at, index(lanes))
            with builder.if_then(builder.icmp_signed(">", rest, index(0))):
                multiply(emit_load_first, write.get(a_at), write.get(b_at), rest)
        totals = emit_sums_of(builder, [write.get(total) for row in sums for total in row])
        code = totals[0].type
        each = write(emit_load_few, in_bias, bias, f, width)
        each = shuffled(builder, each, each, [lane % width for lane in range(code.count)])
        least = builder.select(relu, code([0.0] * code.count), code([-math.inf] * code.count))
        totals = [write(emit_at_least, (), builder.fadd(total, each), least) for total in totals]
        for i, n in enumerate(numbers):
            at = builder.add(c0, write(emit_index, in_targets, targets, n))
            which, lane = divmod(i * width, code.count)
            y = shuffled(builder, totals[which], totals[which], list(range(lane, lane + width)))
            write(emit_store_few, in_c, c, at, y)

    @extending.intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
    def multiply_dots(
        context: Any, height: Any, width: Any, a: Any, a0: Any, places: Any, first: Any, last: Any,
        b: Any, b0: Any, b_filter: Any, runs: Any, count: Any, length: Any, bias: Any, f: Any, relu: Any,
        c: Any, c0: Any, targets: Any,
    ) -> Any:  # fmt: skip
        """See above."""
        for array, access in ((a, READ), (b, READ), (bias, READ), (c, WRITTEN)):
            check_array(array, "multiply_dots", access)
            if array.dtype != a.dtype:
                raise numba.core.errors.TypingError("multiply_dots takes floats of one dtype")
        for array in (places, runs, targets):
            check_array(array, "multiply_dots", READ_INT64)
        n = types.intp
        taken = (
            a, n, places, n, n, b, n, n, runs, n, n, bias, n, types.boolean, c, n, targets,
        )  # fmt: skip

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            _emit(context, builder, taken, values[2:], height.literal_value, width.literal_value)
            return context.get_dummy_value()

        return types.void(height, width, *taken), generate
