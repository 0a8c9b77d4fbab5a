"""Convolution: the function, its geometry, the choice, and a ladder of algorithms to read upwards.

- `conv2d`: the function, forward and backward: arguments checked, the formula, dz and db worked out;
- `geometry`: the sizes of one convolution, as every algorithm gets them;
- `choice`: what an algorithm offers (`choice.Algorithm`), where each applies, and which one is fastest.

Then the rungs, each the same sum in less time, and with more to explain:

1. `naive`: the formula, one output cell after the other, in float64. What the others are tested against.
2. `im2col`: windows unrolled into rows, so that BLAS multiplies. Every stride, dilation, group and dtype.
3. `direct`: the windows multiplied where they lie, in registers. Float32, without groups.
4. `grouped`: the same from weights as they are, with filters of several groups in a vector where they fit;
   where filters are few, vectors lie along the windows. `window_work` counts which takes less.
5. `winograd`: fewer multiplications, of transformed tiles. Its folder reads from `matrices` (the algebra) by
   `one_line`, `tiling`, `weights`, `convolution` and `blocking` to `gradient`; `space_to_depth` brings
   strided kernels there, `setup` chooses tiles, `accuracy` bounds what is lost, `operation` is the rung.
"""
