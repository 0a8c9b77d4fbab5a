"""A tile of a matrix product that stays in registers, written in LLVM's language as a whole.

Numba reads each statement of a kernel in Python: a tile of six rows by four vectors, spelled out in a hundred
of them, took it a quarter of a second, for each height and each width. Here it is one operation.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tinycnn.kernels.jit import LANES, numba
from tinycnn.kernels.simd import broadcast, fma, keep_rolled, load, prefetch, splat, store
from tinycnn.kernels.simd_code import (
    READ,
    VECTOR,
    WRITTEN,
    check_array,
    emit_broadcast,
    emit_fma,
    emit_keep_rolled,
    emit_load,
    emit_prefetch,
    emit_splat,
    emit_store,
    extending,
    types,
)


def multiply_tile(
    height: int, width: int, a: Any, a0: int, a_row: int, a_column: int, depth: int,
    b: Any, b0: int, b_row: int, c: Any, c0: int, c_row: int, add: bool,
    a_line: int, a_step: int, b_line: int, b_step: int, b_lines: int,
) -> None:  # fmt: skip
    """c (height, width*LANES) = a (height, depth) b (depth, width*LANES), added to c if ``add``.

    ``height``, ``width`` and ``b_lines`` are written as numbers. a[i, k] is a[a0 + i*a_row + k*a_column],
    row k of b begins at b0 + k*b_row, row i of c at c0 + i*c_row. Sums run over k from 0 up. For each k, a
    line of a at a_line + k*a_step is brought into L2, and as many as ``b_lines`` of b, side by side, from
    b_line + k*b_step on.
    """
    tile = [(i, j) for i in range(height) for j in range(width)]
    sums = {(i, j): load(c, c0 + i * c_row + j * LANES) if add else splat(0.0) for i, j in tile}
    for k in range(depth):
        keep_rolled()
        prefetch(a, a_line + k * a_step)
        for line in range(b_lines):
            prefetch(b, b_line + k * b_step + 16 * line)
        for i, j in tile:
            x = broadcast(a, a0 + i * a_row + k * a_column)
            sums[i, j] = fma(x, load(b, b0 + k * b_row + j * LANES), sums[i, j])
    for i, j in tile:
        store(c, c0 + i * c_row + j * LANES, sums[i, j])


if not numba.config.DISABLE_JIT:
    cgutils: Any = numba.core.cgutils
    _ir: Any = import_module("llvmlite.ir")

    class Writer:
        """Writes the operations of `simd` one after the other."""

        def __init__(self, context: Any, builder: Any) -> None:
            self.context, self.builder = context, builder

        def __call__(self, emit: Any, kinds: Any, *values: Any) -> Any:
            return emit(self.context, self.builder, kinds, values)

        def variable(self, value: Any) -> Any:
            """A variable, which LLVM keeps in a register."""
            return cgutils.alloca_once_value(self.builder, value)

        def add(self, variable: Any, value: Any) -> None:
            self.builder.store(self.builder.add(self.builder.load(variable), value), variable)

        def get(self, variable: Any) -> Any:
            return self.builder.load(variable)

        def opaque(self, number: Any) -> Any:
            """The same number, of which LLVM knows no more; a loop with it stays rolled, too.

            What is read at some bases plus this is read so: LLVM would keep a pointer for each of them,
            worked out anew wherever the loop begins.
            """
            same = _ir.FunctionType(number.type, [number.type])
            return self.builder.asm(same, "", "=r,0", [number], True)

    def _emit(
        context: Any, builder: Any, kinds: Any, values: Any, sizes: tuple[int, int, int]
    ) -> None:
        """What `multiply_tile` compiles to."""
        (height, width, b_lines), write = sizes, Writer(context, builder)
        a, a0, a_row, a_column, depth, b, b0, b_row, c, c0, c_row, add = values[:12]
        in_a, in_b, in_c = ((kinds[place], types.intp) for place in (0, 5, 8))
        index, rows, vectors = a0.type, range(height), range(width)

        def moved(start: Any, by: Any, count: int) -> Any:
            return builder.add(start, builder.mul(by, index(count)))

        def beside(start: Any, j: int) -> Any:
            return builder.add(start, index(j * LANES))

        c_rows = [moved(c0, c_row, i) for i in rows]
        zero = write(emit_splat, (types.float32,), context.get_constant(types.float32, 0.0))
        sums = [[write.variable(zero) for _ in vectors] for _ in rows]
        with builder.if_then(add):
            for i in rows:
                for j in vectors:
                    builder.store(write(emit_load, in_c, c, beside(c_rows[i], j)), sums[i][j])
        places = [write.variable(moved(a0, a_row, i)) for i in rows]
        at, a_line, b_line = map(write.variable, (b0, values[12], values[14]))
        with cgutils.for_range(builder, depth):
            write(emit_keep_rolled, ())
            write(emit_prefetch, in_a, a, write.get(a_line))
            for line in range(b_lines):
                write(emit_prefetch, in_b, b, builder.add(write.get(b_line), index(16 * line)))
            row = [write(emit_load, in_b, b, beside(write.get(at), j)) for j in vectors]
            for i in rows:
                x = write(emit_broadcast, in_a, a, write.get(places[i]))
                for j in vectors:
                    total = write(emit_fma, (VECTOR,) * 3, x, row[j], write.get(sums[i][j]))
                    builder.store(total, sums[i][j])
                write.add(places[i], a_column)
            for variable, step in ((at, b_row), (a_line, values[13]), (b_line, values[15])):
                write.add(variable, step)
        for i in rows:
            for j in vectors:
                total = write.get(sums[i][j])
                write(emit_store, (*in_c, VECTOR), c, beside(c_rows[i], j), total)

    @extending.intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
    def multiply_tile(
        context: Any, height: Any, width: Any, a: Any, a0: Any, a_row: Any, a_column: Any, depth: Any,
        b: Any, b0: Any, b_row: Any, c: Any, c0: Any, c_row: Any, add: Any,
        a_line: Any, a_step: Any, b_line: Any, b_step: Any, b_lines: Any,
    ) -> Any:  # fmt: skip
        """See above."""
        for array, access in ((a, READ), (b, READ), (c, WRITTEN)):
            check_array(array, "multiply_tile", access)
            if array.dtype != types.float32:
                raise numba.core.errors.TypingError("multiply_tile takes float32 arrays")
        sizes = tuple(size.literal_value for size in (height, width, b_lines))
        n = types.intp
        taken = (a, n, n, n, n, b, n, n, c, n, n, types.boolean, n, n, n, n)

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            _emit(context, builder, taken, values[2:18], sizes)
            return context.get_dummy_value()

        return types.void(height, width, *taken, b_lines), generate
