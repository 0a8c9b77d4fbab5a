"""Exercise im2col: a convolution as one product of matrices.

im2col writes the numbers of each window into a row: the windows of the first image first, row of windows
by row of windows; within a window row by row, column by column, and for each cell its channels. Outside the
image x is 0: that is the padding. Then a convolution is cols times the filters, each of them a column.

col2im goes back, as a gradient does: it adds each number of cols to the cell of x that it was read from.
What was read in the padding belongs to no cell.

Formula:

    cols[(n*OH + oh)*OW + ow, (i*KW + j)*C + c] = x[n, oh*SH - PH + i, ow*SW - PW + j, c]

    col2im: x[n, h, w, c] = sum of cols[row, column] over all rows and columns that im2col reads from there

    conv2d: y = cols @ W.reshape(KH*KW*C, F) + b, in the shape (N, OH, OW, F)

Shapes:

    x         (N, H, W, C)            N images of H rows, W columns and C channels
    kernel    (KH, KW)                rows and columns of a window
    stride    (SH, SW)                rows and columns from one window to the next
    padding   (PH, PW)                rows of zeros above and below, columns of zeros left and right
    cols      (N*OH*OW, KH*KW*C)      OH = (H + 2*PH - KH) // SH + 1, OW = (W + 2*PW - KW) // SW + 1
    x_shape   (N, H, W, C)            for col2im, four numbers
    W         (KH, KW, C, F)          F filters
    b         (F,)                    a bias for each filter
    y         (N, OH, OW, F)

Example: an image of 1 x 3, windows of 1 x 2. Two of them read the middle cell.

    x = 1 2 3   cols = 1 2     with W = 10, 1 and b = 0: y = 12, 23
                       2 3     col2im of cols: 1, 2 + 2, 3 = 1, 4, 3

>>> x = np.array([1.0, 2, 3]).reshape(1, 1, 3, 1)
>>> im2col(x, (1, 2), (1, 1), (0, 0))
array([[1., 2.],
       [2., 3.]])
>>> col2im(np.array([[1.0, 2], [2, 3]]), (1, 1, 3, 1), (1, 2), (1, 1), (0, 0)).ravel()
array([1., 4., 3.])
>>> W = np.array([10.0, 1]).reshape(1, 2, 1, 1)
>>> conv2d(x, W, np.array([0.0]), (1, 1), (0, 0)).ravel()
array([12., 23.])

Use plain Python and NumPy: loops, np.zeros, np.pad, reshape and the like. Arrays that come in are float64
and may not be written to. Fill in the three functions, try the example with `python -m doctest FILE`, and
have them graded with `tinycnn gradcheck FILE`.
"""

import numpy as np

EXERCISE = "im2col"  # tells `tinycnn gradcheck` which exercise this is: leave it


def im2col(x, kernel, stride, padding):
    """Give cols (N*OH*OW, KH*KW*C), float64; kernel, stride and padding are pairs (rows, columns)."""
    N, H, width, C = x.shape
    OH = (H + 2 * padding[0] - kernel[0]) // stride[0] + 1
    OW = (width + 2 * padding[1] - kernel[1]) // stride[1] + 1
    cols = np.zeros((N * OH * OW, kernel[0] * kernel[1] * C))
    raise NotImplementedError("fill in im2col")
    return cols


def col2im(cols, x_shape, kernel, stride, padding):
    """Give x, float64, in x_shape: each number of cols added where im2col reads it."""
    x = np.zeros(x_shape)
    raise NotImplementedError("fill in col2im")
    return x


def conv2d(x, W, b, stride, padding):
    """Give y (N, OH, OW, F), float64, by im2col and one product of matrices."""
    raise NotImplementedError("fill in conv2d")
