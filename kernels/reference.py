"""The naive twin of every kernel: same name, same arguments, too plain to be wrong.

One long file, for it is a book of definitions: looked up by a kernel's name, and read one at a time.

Each twin is its kernel's definition in Python loops. It adds up in float64 and rounds once, when
the result is stored, so where a kernel adds up in float32 the two differ by that rounding. Nothing
here is shared with the kernels, and nothing is fast.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def im2col(
    x: Any,
    first: int,
    channel: int,
    size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    cols: Any,
) -> None:
    """Row r of ``cols`` is the window of output cell first + r; zero outside the image."""
    H, W = x.shape[1:3]
    OH, OW = size
    cells, KH, KW, channels = cols.shape
    for r in range(cells):
        n, oh, ow = (first + r) // (OH * OW), (first + r) // OW % OH, (first + r) % OW
        for i in range(KH):
            for j in range(KW):
                h = oh * stride[0] - padding[0] + i * dilation[0]
                w = ow * stride[1] - padding[1] + j * dilation[1]
                inside = 0 <= h < H and 0 <= w < W
                for c in range(channels):
                    cols[r, i, j, c] = x[n, h, w, channel + c] if inside else 0


def col2im(
    cols: Any,
    first: int,
    channel: int,
    size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    dx: Any,
) -> None:
    """Add each cell of ``cols`` to the cell of ``dx`` that it was read from; drop the padding's."""
    H, W = dx.shape[1:3]
    OH, OW = size
    cells, KH, KW, channels = cols.shape
    total = dx.astype(np.float64)
    for r in range(cells):
        n, oh, ow = (first + r) // (OH * OW), (first + r) // OW % OH, (first + r) % OW
        for i in range(KH):
            for j in range(KW):
                h = oh * stride[0] - padding[0] + i * dilation[0]
                w = ow * stride[1] - padding[1] + j * dilation[1]
                inside = 0 <= h < H and 0 <= w < W
                for c in range(channels if inside else 0):
                    total[n, h, w, channel + c] += float(cols[r, i, j, c])
    dx[...] = total


def cells_inside(start: int, length: int, dilation: int, limit: int) -> tuple[int, int]:
    """The first and last (not included) of the window's cells that lie in 0 to ``limit``, where one does."""
    inside = [i for i in range(length) if 0 <= start + i * dilation < limit]
    return inside[0], inside[-1] + 1


def max_pool2d(
    x: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    y: Any,
    argmax: Any,
) -> None:
    """Scan the window's cells inside the image for the first maximum, or the first NaN if any."""
    H, W, C = x.shape[1:]
    OH, OW = y.shape[1:3]
    KH, KW = kernel
    for row in range(first, last):
        n, oh = row // OH, row % OH
        for ow in range(OW):
            for c in range(C):
                best: float | None = None
                index = 0
                for i in range(KH):
                    for j in range(KW):
                        h = oh * stride[0] - padding[0] + i * dilation[0]
                        w = ow * stride[1] - padding[1] + j * dilation[1]
                        if 0 <= h < H and 0 <= w < W:
                            v = float(x[n, h, w, c])
                            if best is None or v > best or (math.isnan(v) and not math.isnan(best)):
                                best, index = v, i * KW + j
                y[n, oh, ow, c] = best
                argmax[n, oh, ow, c] = index


def max_pool2d_backward(
    dy: Any,
    argmax: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    dx: Any,
) -> None:
    """Add each ``dy`` to the one cell that ``argmax`` names."""
    OH, OW, C = dy.shape[1:]
    for n in range(first, last):
        total = np.zeros(dx.shape[1:])
        for oh in range(OH):
            for ow in range(OW):
                for c in range(C):
                    i, j = divmod(int(argmax[n, oh, ow, c]), kernel[1])
                    h = oh * stride[0] - padding[0] + i * dilation[0]
                    w = ow * stride[1] - padding[1] + j * dilation[1]
                    total[h, w, c] += float(dy[n, oh, ow, c])
        dx[n] = total


def max_pool(
    x: Any,
    x_place: tuple[int, int, int, int],
    size: tuple[int, int],
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    channels: int,
    y: Any,
    y_place: tuple[int, int, int, int],
    output: tuple[int, int],
) -> None:
    """The largest of the window's cells inside the image, NaN if one of them is."""
    for row in range(first, last):
        n, oh = row // output[0], row % output[0]
        for ow in range(output[1]):
            for c in range(channels):
                seen = []
                for i in range(kernel[0]):
                    for j in range(kernel[1]):
                        h = oh * stride[0] - padding[0] + i * dilation[0]
                        w = ow * stride[1] - padding[1] + j * dilation[1]
                        if 0 <= h < size[0] and 0 <= w < size[1]:
                            seen.append(float(x[_at(x_place, n, h, w, c)]))
                has_nan = any(math.isnan(v) for v in seen)
                y[_at(y_place, n, oh, ow, c)] = math.nan if has_nan else max(seen)


def max_pool_argmax(
    x: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    y: Any,
    argmax: Any,
) -> None:
    """The same as `max_pool2d`."""
    max_pool2d(x, first, last, kernel, stride, padding, dilation, y, argmax)


def max_pool_argmax_backward(
    dy: Any,
    argmax: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    streamed: bool,
    dx: Any,
) -> None:
    """The same as `max_pool2d_backward`, for some rows."""
    whole = np.empty(dx.shape)
    max_pool2d_backward(dy, argmax, 0, len(dx), kernel, stride, padding, (1, 1), whole)
    rows = dx.reshape(-1, *dx.shape[2:])
    rows[first:last] = whole.reshape(rows.shape)[first:last]


def max_pool_disjoint_backward(
    dy: Any,
    argmax: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    streamed: bool,
    dx: Any,
) -> None:
    """The same again: it makes no difference that windows do not overlap."""
    max_pool_argmax_backward(dy, argmax, first, last, kernel, stride, padding, streamed, dx)


def space_to_depth(
    x: Any,
    x_place: tuple[int, int, int, int],
    size: tuple[int, int],
    channels: int,
    first: int,
    last: int,
    stride: tuple[int, int],
    padding: tuple[int, int],
    y: Any,
    y_place: tuple[int, int, int, int],
    output: tuple[int, int],
) -> None:
    """Channel d of square (a, b) is that of the cell and channel that d counts, row by row; else 0."""
    for r in range(first, last):
        n, a = r // output[0], r % output[0]
        for b in range(output[1]):
            for d in range(y_place[3]):
                cell, c = d // channels, d % channels
                i, j = cell // stride[1], cell % stride[1]
                h, w = a * stride[0] - padding[0] + i, b * stride[1] - padding[1] + j
                seen = i < stride[0] and 0 <= h < size[0] and 0 <= w < size[1]
                y[_at(y_place, n, a, b, d)] = x[_at(x_place, n, h, w, c)] if seen else 0


def _at(place: tuple[int, int, int, int], n: int, h: int, w: int, c: int) -> int:
    """Where cell (n, h, w, c) lies in a flat buffer."""
    start, image, row, column = place
    return start + n * image + h * row + w * column + c


def windows_at(place: int, length: int, stride: int, count: int) -> tuple[int, int]:
    """Ask each window whether it holds the place."""
    holding = [k for k in range(count) if 0 <= place - k * stride < length]
    before = sum(1 for k in range(place + 1) if k * stride + length <= place)
    return (holding[0], len(holding)) if holding else (before, 0)


def extent(
    cell: int, length: int, stride: int, padding: int, size: int, limit: int, include_pad: bool
) -> tuple[int, int, int]:
    """Look at each cell of the window."""
    seen = [cell * stride - padding + k for k in range(length)]
    inside = [place for place in seen if 0 <= place < size]
    counted = [place for place in seen if place < limit] if include_pad else inside
    return inside[0], inside[-1] + 1, len(counted)


def avg_pool2d(
    x: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    limit: tuple[int, int],
    include_pad: bool,
    y: Any,
) -> None:
    """Divide the sum of the window's cells in the image by their number, or with the padding's."""
    H, W, C = x.shape[1:]
    OH, OW = y.shape[1:3]
    for row in range(first, last):
        n, oh = row // OH, row % OH
        for ow in range(OW):
            for c in range(C):
                total, count = 0.0, 0
                for i in range(kernel[0]):
                    for j in range(kernel[1]):
                        h = oh * stride[0] - padding[0] + i
                        w = ow * stride[1] - padding[1] + j
                        inside = 0 <= h < H and 0 <= w < W
                        if inside:
                            total += float(x[n, h, w, c])
                        if inside or (include_pad and h < limit[0] and w < limit[1]):
                            count += 1
                y[n, oh, ow, c] = total / count


def avg_pool2d_backward(
    dy: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    limit: tuple[int, int],
    include_pad: bool,
    dx: Any,
) -> None:
    """Add dy, over the number that the mean divides by, to each cell that the window sees."""
    H, W, C = dx.shape[1:]
    OH, OW = dy.shape[1:3]
    for n in range(first, last):
        total = np.zeros((H, W, C))
        for oh in range(OH):
            for ow in range(OW):
                seen, count = [], 0
                for i in range(kernel[0]):
                    for j in range(kernel[1]):
                        h = oh * stride[0] - padding[0] + i
                        w = ow * stride[1] - padding[1] + j
                        inside = 0 <= h < H and 0 <= w < W
                        if inside:
                            seen.append((h, w))
                        if inside or (include_pad and h < limit[0] and w < limit[1]):
                            count += 1
                for h, w in seen:
                    for c in range(C):
                        total[h, w, c] += float(dy[n, oh, ow, c]) / count
        dx[n] = total


def avg_pool_rows(
    x: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    limit: tuple[int, int],
    include_pad: bool,
    y: Any,
) -> None:
    """Twin of `tinycnn.kernels.avg_pool_vectors.avg_pool_rows`."""
    avg_pool2d(x, first, last, kernel, stride, padding, limit, include_pad, y)


def avg_pool_rows_backward(
    dy: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    limit: tuple[int, int],
    include_pad: bool,
    dx: Any,
) -> None:
    """All images' gradients, and of these the rows that are asked for."""
    whole = np.empty_like(dx)
    avg_pool2d_backward(dy, 0, len(dx), kernel, stride, padding, limit, include_pad, whole)
    rows = dx.reshape(-1, *dx.shape[2:])
    rows[first:last] = whole.reshape(rows.shape)[first:last]


def local_response_norm(
    x: Any, first: int, last: int, size: int, a: float, beta: float, k: float, y: Any
) -> None:
    """Divide x[c] by (k + a * the sum of squares of the ``size`` channels around c) to the beta."""
    C = x.shape[1]
    for row in range(first, last):
        for c in range(C):
            s = k
            for other in range(C):
                if abs(other - c) <= size // 2:
                    s += a * float(x[row, other]) ** 2
            y[row, c] = float(x[row, c]) * s**-beta


def local_response_norm_backward(
    dy: Any, x: Any, first: int, last: int, size: int, a: float, beta: float, k: float, dx: Any
) -> None:
    """dx[c] is the sum over outputs e of dy[e] times the derivative of y[e] = x[e] * s[e]**-beta.

    By the product rule that derivative is s[e]**-beta, if e = c, plus, for the channels e around c,
    x[e] * -beta * s[e]**(-beta - 1) times the derivative of s[e], which is 2*a*x[c].
    """
    C = x.shape[1]
    for row in range(first, last):
        s = [k] * C
        for e in range(C):
            for c in range(C):
                if abs(e - c) <= size // 2:
                    s[e] += a * float(x[row, c]) ** 2
        for c in range(C):
            total = float(dy[row, c]) * s[c] ** -beta
            for e in range(C):
                if abs(e - c) <= size // 2:
                    slope = -beta * s[e] ** (-beta - 1) * 2 * a * float(x[row, c])
                    total += float(dy[row, e]) * float(x[row, e]) * slope
            dx[row, c] = total


def moments_of_rows(x: Any, first: int, last: int, parts: Any) -> None:
    """Twin of `tinycnn.kernels.batch_norm.moments_of_rows`: two passes, with exact sums."""
    count, part = last - first, parts[_number_of(first, len(x), len(parts))]
    for c in range(x.shape[1]):
        numbers = [float(number) for number in x[first:last, c]]
        mean = math.fsum(numbers) / count
        part[:, c] = count, mean, math.fsum((number - mean) ** 2 for number in numbers)


def _number_of(first: int, total: int, count: int) -> int:
    """Which of ``count`` near-equal ranges of range(``total``) begins at ``first``."""
    return next(i for i in range(count) if total * i // count == first)


def join_moments(parts: Any, mean: Any, variance: Any) -> None:
    """Mean and variance by the sums of numbers and of their squares, exactly: of whole numbers."""
    for c in range(mean.size):
        counts, means, squares = parts[:, :, c].T
        rows = math.fsum(counts) or 1
        mean[c] = math.fsum(n * m for n, m in zip(counts, means, strict=True)) / rows
        total = math.fsum(s + n * m * m for n, m, s in zip(counts, means, squares, strict=True))
        variance[c] = total / rows - mean[c] ** 2


def channel_scales(gamma: Any, variance: Any, epsilon: float, inverse: Any, scale: Any) -> bool:
    """Twin of `tinycnn.kernels.batch_norm.channel_scales`."""
    inverse[:] = (variance + epsilon) ** -0.5
    scale[:] = gamma * inverse
    return bool((variance >= 0).all())


def gradient_factors(
    sums: Any,
    inverse: Any,
    scale: Any,
    rows: int,
    dgamma: Any,
    dbeta: Any,
    dy_mean: Any,
    slope: Any,
) -> None:
    """Twin of `tinycnn.kernels.batch_norm.gradient_factors`."""
    total, products = (np.array([math.fsum(column) for column in sums[:, k].T]) for k in (0, 1))
    dgamma[:], dbeta[:], dy_mean[:] = inverse * products, total, total / rows
    slope[:] = scale * inverse**2 * products / rows


def add_gradients(dy: Any, x: Any, mean: Any, first: int, last: int, parts: Any) -> None:
    """dy, and dy * (x - mean), added up for each channel."""
    part = parts[_number_of(first, len(x), len(parts))]
    for row in range(first, last):
        part[0] += dy[row]
        part[1] += dy[row].astype(np.float64) * (x[row] - mean)


def scale_deviations(
    x: Any, mean: Any, scale: Any, shift: Any, first: int, last: int, y: Any
) -> None:
    """How far each cell is from its channel's mean, times the channel's scale, plus its shift."""
    for c in range(x.shape[1]):
        for row in range(first, last):
            y[row, c] = (float(x[row, c]) - mean[c]) * scale[c] + shift[c]


def scale_deviations_backward(
    dy: Any,
    x: Any,
    dy_mean: Any,
    mean: Any,
    scale: Any,
    slope: Any,
    first: int,
    last: int,
    dx: Any,
) -> None:
    """The deviation of each gradient, scaled, less that of its cell, times the channel's slope."""
    for c in range(x.shape[1]):
        for row in range(first, last):
            own = (float(dy[row, c]) - dy_mean[c]) * scale[c]
            dx[row, c] = own - (float(x[row, c]) - mean[c]) * slope[c]


def dropout_mask(
    key: Any, layer: int, first_sample: int, first: int, last: int, threshold: int, mask: Any
) -> None:
    """Keep cell d of a sample where word d % 4 of Philox block d // 4 reaches ``threshold``."""
    keys = int(key) % 2**32, int(key) // 2**32
    for row in range(first, last):
        sample = first_sample + row
        for d in range(mask.shape[1]):
            counter = d // 4, sample % 2**32, sample // 2**32, layer
            mask[row, d] = philox(counter, keys)[d % 4] >= threshold


def scale_kept(x: Any, mask: Any, scale: Any, first: int, last: int, y: Any) -> None:
    """x times ``scale`` where the mask says so, 0 elsewhere."""
    for e in range(first, last):
        y[e] = float(x[e]) * float(scale) if mask[e] else 0.0


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Philox-4x32-10: four random 32-bit words for four counter words and two key words.

    Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * c0, 2**32)
        high1, low1 = divmod(0xCD9E8D57 * c2, 2**32)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return c0, c1, c2, c3


def sgd_momentum(
    weights: Any,
    gradients: Any,
    velocities: Any,
    first: int,
    last: int,
    momentum: float,
    nesterov: bool,
    ends: Any,
    rates: Any,
    decays: Any,
    keeps: Any,
) -> None:
    """v = momentum * v - rate * s with s = g + decay * w, then w = keep * w + the v that was stored.

    With ``nesterov``, one more such step is taken from there: w = keep * w + momentum * v - rate * s.
    """
    for e in range(first, last):
        p = [e < end for end in ends].index(True)
        w, rate = float(weights[e]), float(rates[p])
        slope = float(gradients[e]) + decays[p] * w
        velocities[e] = momentum * float(velocities[e]) - rate * slope
        speed = float(velocities[e])
        weights[e] = keeps[p] * w + (momentum * speed - rate * slope if nesterov else speed)


def adam(
    weights: Any,
    gradients: Any,
    means: Any,
    squares: Any,
    first: int,
    last: int,
    beta1: float,
    beta2: float,
    scale: float,
    epsilon: float,
    ends: Any,
    rates: Any,
    decays: Any,
    keeps: Any,
) -> None:
    """Twin of `tinycnn.kernels.adam.adam`: the moments as they were stored go into the step."""
    for e in range(first, last):
        p = [e < end for end in ends].index(True)
        w = float(weights[e])
        slope = float(gradients[e]) + decays[p] * w
        means[e] = beta1 * float(means[e]) + (1 - beta1) * slope
        squares[e] = beta2 * float(squares[e]) + (1 - beta2) * slope**2
        width = scale * math.sqrt(float(squares[e])) + epsilon
        weights[e] = keeps[p] * w - rates[p] * float(means[e]) / width


def sum_of_squares(x: Any, first: int, last: int) -> float:
    """x**2, added up."""
    return math.fsum(float(number) ** 2 for number in x[first:last])


def squared_errors(y: Any, targets: Any, first: int, last: int, count: int, dy: Any) -> float:
    """(y - targets)**2, added up; its derivative over ``count`` goes to ``dy``."""
    errors = []
    for e in range(first, last):
        errors.append(float(y[e]) - float(targets[e]))
        dy[e] = 2 * errors[-1] / count
    return math.fsum(error**2 for error in errors)


def add_bias(y: Any, b: Any, relu: bool) -> None:
    """z = y + b, then max(0, z) if ``relu`` (so NaN stays)."""
    rows, F = y.shape
    for row in range(rows):
        for f in range(F):
            z = float(y[row, f]) + float(b[f])
            y[row, f] = 0.0 if relu and z <= 0 else z


def bias_gradient(dy: Any, first: int, last: int, sums: Any, block: int) -> None:
    """Add up dy, a filter after the other."""
    for f in range(dy.shape[1]):
        sums[block, f] = sum(float(dy[row, f]) for row in range(first, last))


def relu_bias_gradient(
    dy: Any, y: Any, first: int, last: int, dz: Any, sums: Any, block: int
) -> None:
    """dz is ``dy`` where ``y`` is not zero or less (so NaN lets it pass), else zero; add it up."""
    for f in range(dy.shape[1]):
        for row in range(first, last):
            dz[row, f] = 0 if y[row, f] <= 0 else dy[row, f]
        sums[block, f] = sum(float(dz[row, f]) for row in range(first, last))


def add_sums(sums: Any, db: Any) -> None:
    """The same of float64, row by row."""
    for f in range(len(db)):
        db[f] = sum(float(row[f]) for row in sums)


def softmax(x: Any, first: int, last: int, F: int, y: Any) -> None:
    """Twin of `tinycnn.kernels.softmax.softmax`."""
    for n in range(first, last):
        z = np.asarray(x[n * F : n * F + F], np.float64)
        terms = [math.exp(number - max(z)) for number in z]
        y[n * F : n * F + F] = [term / math.fsum(terms) for term in terms]


def softmax_backward(dy: Any, y: Any, first: int, last: int, F: int, dx: Any) -> None:
    """Twin of `tinycnn.kernels.softmax.softmax_backward`."""
    for n in range(first, last):
        row = slice(n * F, (n + 1) * F)
        mean = math.fsum(float(a) * float(b) for a, b in zip(dy[row], y[row], strict=True))
        dx[row] = [float(b) * (float(a) - mean) for a, b in zip(dy[row], y[row], strict=True)]


def cross_entropy(
    x: Any,
    labels: Any,
    class_weights: Any,
    smoothing: float,
    first: int,
    last: int,
    total: float,
    losses: Any,
    dx: Any,
) -> None:
    """Twin of `tinycnn.kernels.softmax.cross_entropy`."""
    for n in range(first, last):
        z, F = np.asarray(x[n], np.float64), len(x[n])
        exponentials = [math.exp(number - max(z)) for number in z]
        whole = math.fsum(exponentials)
        wanted = [smoothing * class_weights[f] / F for f in range(F)]
        wanted[labels[n]] += (1 - smoothing) * class_weights[labels[n]]
        surprise = [math.log(whole) + max(z) - z[f] for f in range(F)]
        losses[n] = math.fsum(q * s for q, s in zip(wanted, surprise, strict=True))
        for f in range(F):
            dx[n, f] = (math.fsum(wanted) * exponentials[f] / whole - wanted[f]) / total


def relu(x: Any, first: int, last: int, y: Any) -> None:
    """max(0, x), where NaN stays."""
    for e in range(first, last):
        y[e] = 0 if x[e] <= 0 else x[e]


def relu_backward(dy: Any, y: Any, first: int, last: int, dz: Any) -> None:
    """``dy`` where ``y`` is not zero or less (so NaN lets it pass), else zero."""
    for e in range(first, last):
        dz[e] = 0 if y[e] <= 0 else dy[e]


def pack_weights(W: Any, first: int, last: int, panels: Any) -> None:
    """Column c of panel p is column p*(a panel's columns) + c of ``W``, or zero beyond the last."""
    K, F = W.shape
    for p in range(first, last):
        for k in range(K):
            for c in range(panels.shape[2]):
                f = p * panels.shape[2] + c
                panels[p, k, c] = W[k, f] if f < F else 0


def dense(
    x: Any,
    K: int,
    first_row: int,
    last_row: int,
    panels: Any,
    panel_row: int,
    bias: Any,
    relu: bool,
    first: int,
    last: int,
    y: Any,
    F: int,
) -> None:
    """The sum of x[row, k] * weight[k] for each of those columns, plus its bias.

    Weights as they lie are (K, F) here, packed ones (panels, K, a panel's columns).
    """
    width = panels.shape[-1]
    for row in range(first_row, last_row):
        for f in range(first, last):
            weights = panels[:, f] if panels.ndim == 2 else panels[f // width, :, f % width]
            z = float(bias[f])
            for k in range(K):
                z += float(x[row * K + k]) * float(weights[k])
            y[row * F + f] = 0.0 if relu and z <= 0 else z


def direct_convolution(
    x: Any,
    x_place: tuple[int, int, int, int],
    channels: int,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    panels: Any,
    bias: Any,
    relu: bool,
    first_filter: int,
    last_filter: int,
    y: Any,
    y_place: tuple[int, int, int, int],
    output: tuple[int, int],
    filters: int,
) -> None:
    """Those rows and filters of y: the sum over the window, plus the bias."""
    for row in range(first, last):
        n, oh = row // output[0], row % output[0]
        for ow in range(output[1]):
            for f in range(first_filter, last_filter):
                z, k = float(bias[f]), 0
                for i in range(kernel[0]):
                    for j in range(kernel[1]):
                        for c in range(channels):
                            h, w = (
                                oh * stride[0] + i * dilation[0],
                                ow * stride[1] + j * dilation[1],
                            )
                            weight = panels[f // panels.shape[2], k, f % panels.shape[2]]
                            z += float(x[_at(x_place, n, h, w, c)]) * float(weight)
                            k += 1
                y[_at(y_place, n, oh, ow, f)] = 0.0 if relu and z <= 0 else z


def direct_input_gradient(
    dz: Any,
    outputs: tuple[int, int, int],
    panels: Any,
    first: int,
    last: int,
    channel: int,
    channels: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    dx: Any,
    image: tuple[int, int, int],
) -> None:
    """Those images and channels of dx: for each cell, the sum of dz times the weight that saw it."""
    (H, W, C), (OH, OW, F), width = image, outputs, panels.shape[2]
    images, slopes = dx.reshape(-1, H, W, C), dz.reshape(-1, OH, OW, F)
    for n in range(first, last):
        total = np.zeros((H, W, channels))
        for oh, ow, i, j, c in np.ndindex(OH, OW, *kernel, channels):
            h = oh * stride[0] - padding[0] + i * dilation[0]
            w = ow * stride[1] - padding[1] + j * dilation[1]
            if 0 <= h < H and 0 <= w < W:
                k = (i * kernel[1] + j) * channels + c
                for f in range(F):
                    weight = float(panels[k // width, f, k % width])
                    total[h, w, c] += float(slopes[n, oh, ow, f]) * weight
        images[n, :, :, channel : channel + channels] = total


def _cell_of(
    image: tuple[int, int], pad_top_left: tuple[int, int], h: int, w: int
) -> tuple[int, int] | None:
    """The image's cell that becomes (h, w) of a map with a border; None outside."""
    h, w = h - pad_top_left[0], w - pad_top_left[1]
    return (h, w) if 0 <= h < image[0] and 0 <= w < image[1] else None


def _winograd_points(n: int) -> list[float]:
    return [0, 1, -1, 0.5, -0.5, 2, -2][: n - 1]


def _winograd_inputs(n: int) -> Any:
    """B^T: row of a point p, the coefficients of the product of (x - q) over the other points q."""
    points = _winograd_points(n)
    rows = [np.poly(points)] + [
        np.append(0, np.poly([q for q in points if q != p])) for p in points
    ]
    return np.array([row[::-1] for row in rows])


def _winograd_divisor(p: float, m: int) -> float:
    """What balances the powers of 2 and -2, for big tiles of m outputs."""
    return 2.0 ** ((m - 1) // 2) if p in (2, -2) else 1.0


def _winograd_outputs(m: int, r: int, n: int) -> Any:
    """A^T: column of a point p, its powers times the product of (p - q) over the further points q."""
    points, further = _winograd_points(m + r - 1), _winograd_points(n)[m + r - 2 :]
    columns = [[float(i == m - 1) for i in range(m)]]
    for p in points:
        scale = math.prod(p - q for q in further) / _winograd_divisor(p, n - r + 1)
        columns.append([p**i * scale for i in range(m)])
    return np.array(columns).T


def _winograd_tiles(tiles: tuple[int, ...]) -> list[tuple[int, int, int, int, int]]:
    """Each tile's (number, outputs down, outputs across, first row, first column of its outputs)."""
    _, *axes = tiles
    axis_tiles = []
    for m, big, small in (axes[:3], axes[3:]):
        sizes = [m] * big + [m - 1] * small
        axis_tiles.append([(size, sum(sizes[:t]), size == m) for t, size in enumerate(sizes)])
    found: list[tuple[int, int, int, int, int]] = []
    for rows_big, columns_big in ((True, False), (True, True), (False, True), (False, False)):
        for down, top, big in axis_tiles[0]:
            for across, left, wide in axis_tiles[1]:
                if (big, wide) == (rows_big, columns_big):
                    found.append((len(found), down, across, top, left))
    return found


def input_transform(
    x: Any,
    origin: int,
    image: int,
    row: int,
    column: int,
    tiles: tuple[int, ...],
    images: int,
    channels: int,
    first: int,
    last: int,
    first_channel: int,
    last_channel: int,
    V: Any,
    step: int,
    scratch: Any,
    streamed: bool,
) -> None:
    """V = B^T d B for the window d of every tile, in those rows of tiles and channels."""
    r, n = tiles[0], tiles[4] + tiles[0] - 1
    placed = _winograd_tiles(tiles)
    tops = sorted({top for _, _, _, top, _ in placed})
    for t, down, across, top, left in placed:
        for g in range(images):
            for c in range(first_channel, last_channel):
                if not first <= g * len(tops) + tops.index(top) < last:
                    continue
                d = np.zeros((down + r - 1, across + r - 1))
                for h in range(down + r - 1):
                    for w in range(across + r - 1):
                        d[h, w] = x[origin + g * image + (top + h) * row + (left + w) * column + c]
                factors = _winograd_inputs(down + r - 1) @ d @ _winograd_inputs(across + r - 1).T
                for i in range(down + r - 1):
                    for j in range(across + r - 1):
                        V[(i * n + j) * step + (t * images + g) * channels + c] = factors[i, j]


def output_transform(
    M: Any,
    step: int,
    tiles: tuple[int, ...],
    images: int,
    width: int,
    bias: Any,
    relu: bool,
    y: Any,
    origin: int,
    image: int,
    row: int,
    column: int,
    filter: int,
    filters: int,
    scratch: Any,
) -> None:
    """y = A^T M A + bias, rectified if ``relu`` (NaN stays NaN), for every tile."""
    r, m_rows, m_columns = tiles[0], tiles[1], tiles[4]
    n_rows, n = m_rows + r - 1, m_columns + r - 1
    for t, down, across, top, left in _winograd_tiles(tiles):
        A, B = _winograd_outputs(down, r, n_rows), _winograd_outputs(across, r, n)
        for g in range(images):
            for f in range(filter, min(filter + width, filters)):
                products = np.zeros((down + r - 1, across + r - 1))
                for i in range(down + r - 1):
                    for j in range(across + r - 1):
                        at = (i * n + j) * step + (t * images + g) * width + f - filter
                        products[i, j] = M[at]
                cells = A @ products @ B.T + float(bias[f])
                for i in range(down):
                    for j in range(across):
                        at = origin + g * image + (top + i) * row + (left + j) * column + f
                        y[at] = 0.0 if relu and cells[i, j] < 0 else cells[i, j]


def weight_transform(
    W: Any,
    origin: int,
    row: int,
    column: int,
    channel: int,
    filter: int,
    C: int,
    F: int,
    G_rows: Any,
    G_columns: Any,
    first: int,
    last: int,
    U: Any,
    channels: int,
    width: int,
) -> None:
    """U = G w G^T, zeros beyond C channels and F filters."""
    r, n = G_rows.shape[1], len(G_columns)
    for f in range(first, last):
        for c in range(channels):
            w = np.zeros((r, r))
            for i in range(r if f < F and c < C else 0):
                for j in range(r):
                    w[i, j] = W[origin + i * row + j * column + c * channel + f * filter]
            factors = G_rows @ w @ G_columns.T
            for i in range(len(G_rows)):
                for j in range(n):
                    panel = (f // width) * len(G_rows) * n + i * n + j
                    U[(panel * channels + c) * width + f % width] = factors[i, j]


def output_gradient_transform(
    dz: Any,
    size: tuple[int, int, int],
    begin: int,
    first: int,
    last: int,
    tiles: tuple[int, ...],
    images: int,
    Z: Any,
    step: int,
    panel_step: int,
    width: int,
    line: int,
    scratch: Any,
) -> None:
    """Z = A dz A^T for every tile in those rows of tiles, with zeros for filters from F to ``line``."""
    r, m_rows, m_columns = tiles[0], tiles[1], tiles[4]
    n_rows, n = m_rows + r - 1, m_columns + r - 1
    OH, OW, F = size
    slopes = dz[begin * OH * OW * F : (begin + images) * OH * OW * F].reshape(images, OH, OW, F)
    placed = _winograd_tiles(tiles)
    tops = sorted({top for _, _, _, top, _ in placed})
    for g in range(images):
        for t, down, across, top, left in placed:
            if not first <= g * len(tops) + tops.index(top) < last:
                continue
            A, B = _winograd_outputs(down, r, n_rows), _winograd_outputs(across, r, n)
            for f in range(line):
                d = np.zeros((down, across))
                if f < F:
                    d[:] = slopes[g, top : top + down, left : left + across, f]
                factors = A.T @ d @ B
                for i in range(down + r - 1):
                    for j in range(across + r - 1):
                        at = (i * n + j) * step + (t * images + g) * width
                        Z[f // width * panel_step + at + f % width] = factors[i, j]


def first_output(tile: int, outputs: int, big: int) -> int:
    """The tiles before it have so many outputs: the first ``big`` of them ``outputs``, others one less."""
    return sum(outputs if before < big else outputs - 1 for before in range(tile))


def tile_number(a: int, b: int, tiles: tuple[int, ...]) -> int:
    """The number of the tile in row ``a`` and column ``b`` of tiles."""
    _, rows, columns = tiles[0], tiles[1:4], tiles[4:7]
    top, left = first_output(a, *rows[:2]), first_output(b, *columns[:2])
    placed = {(top, left): number for number, _, _, top, left in _winograd_tiles(tiles)}
    return placed[top, left]


def stream_frequencies(
    x: Any,
    at: int,
    n_rows: int,
    n_columns: int,
    n: int,
    width: int,
    count: int,
    target: Any,
    to: int,
    step: int,
) -> None:
    """Number c of frequency (i, j) is copied, for c < ``count``."""
    for i in range(n_rows):
        for j in range(n_columns):
            for c in range(count):
                target[to + (i * n + j) * step + c] = x[at + (i * n + j) * width + c]


def weight_gradient_transform(
    dU: Any,
    step: int,
    line: int,
    G_rows: Any,
    G_columns: Any,
    size: tuple[int, int, int],
    first: int,
    last: int,
    dW: Any,
    scratch: Any,
) -> None:
    """dW = G^T dU G for those channels."""
    r, C, F = size
    n_rows, n = len(G_rows) // r, len(G_columns) // r
    G_down, G_across = G_rows.reshape(n_rows, r).astype(np.float64), G_columns.reshape(n, r)
    for c in range(first, last):
        for f in range(F):
            d = np.zeros((n_rows, n))
            for i in range(n_rows):
                for j in range(n):
                    d[i, j] = dU[(i * n + j) * step + c * line + f]
            slopes = G_down.T @ d @ G_across
            for i in range(r):
                for j in range(r):
                    dW[((i * r + j) * C + c) * F + f] = slopes[i, j]


def dense_product(
    x: Any, W: Any, b: Any, relu: bool, first_row: int, last_row: int, first: int, last: int, y: Any
) -> None:
    """Each of those numbers: the sum of x[n, k] * W[k, f] over k, and the bias."""
    for n in range(first_row, last_row):
        for f in range(first, last):
            y[n, f] = sum(float(x[n, k]) * float(W[k, f]) for k in range(len(W)))
            if b.size:
                y[n, f] += b[f]
                y[n, f] = 0 if relu and y[n, f] <= 0 else y[n, f]


def dense_weight_gradient(x: Any, panels: Any, first: int, last: int, dW: Any) -> None:
    """Each of those rows: the sum of x[n, k] * dz[n, f] over n; dz[n, f] lies in a panel."""
    width = panels.shape[2]
    for k in range(first, last):
        for f in range(dW.shape[1]):
            dz = panels[f // width, :, f % width]
            dW[k, f] = sum(float(x[n, k]) * float(dz[n]) for n in range(len(x)))


def rows_product(x: Any, W: Any, y: Any) -> None:
    """Twin of `tinycnn.kernels.dense_rows.rows_product`."""
    y[...] = np.einsum("nd,df->nf", x.astype(float), W.astype(float))


def dense_gradients(dz: Any, x: Any, W: Any, first: int, last: int, dW: Any, dx: Any) -> None:
    """Those rows of dW and columns of dx: for each cell, the sum of the products."""
    for d in range(first, last):
        for f in range(W.shape[1]):
            dW[d, f] = sum(float(x[n, d]) * float(dz[n, f]) for n in range(len(x)))
        for n in range(len(dx)):
            dx[n, d] = sum(float(dz[n, f]) * float(W[d, f]) for f in range(W.shape[1]))


def pack_images(dz: Any, panels: Any) -> None:
    """Number m of panel p's rows is image p*(a panel's images) + m of ``dz``, or zero."""
    for p in range(panels.shape[0]):
        for f in range(panels.shape[1]):
            for m in range(panels.shape[2]):
                n = p * panels.shape[2] + m
                panels[p, f, m] = dz[n, f] if n < len(dz) else 0


def dense_input_gradient(panels: Any, W: Any, first: int, last: int, dx: Any) -> None:
    """Each of those columns: the sum of dz[n, f] * W[k, f] over f, dz read from its panels."""
    for n in range(len(dx)):
        p, m = divmod(n, panels.shape[2])
        for k in range(first, last):
            dx[n, k] = sum(float(panels[p, f, m]) * float(W[k, f]) for f in range(W.shape[1]))


def add_products(count: int, a: Any, b: Any, sums: Any) -> None:
    """See `kernels.peak`."""
    for i in range(len(sums)):
        sums[i] += count * np.float64(a[i % len(a)]) * np.float64(b[i % len(b)])


def copy_with_border(
    x: Any,
    image: tuple[int, int, int],
    first: int,
    last: int,
    pad_top_left: tuple[int, int],
    size: tuple[int, int],
    column: int,
    target: Any,
) -> None:
    """Each cell of the maps is that of the image, or zero where there is none."""
    H, W, C = image
    images = x.reshape(-1, H, W, C)
    maps = np.zeros((last - first, *size, column))
    for n in range(first, last):
        for h in range(max(-pad_top_left[0], 0), min(size[0] - pad_top_left[0], H)):
            for w in range(max(-pad_top_left[1], 0), min(size[1] - pad_top_left[1], W)):
                for c in range(C):
                    maps[n - first, h + pad_top_left[0], w + pad_top_left[1], c] = images[
                        n, h, w, c
                    ]
    target[: maps.size] = maps.reshape(-1)


def begin_helping(state: Any, helper: int) -> bool:
    """An asked helper (0) becomes a working one (1); any other comes too late."""
    if state[helper] != 0:
        return False
    state[helper] = 1
    return True


def wait_for_helpers(state: Any, stop: bool, spins: int) -> bool:
    """Who is asked (0) has left (2); in the one thread of a twin, nobody leaves while it waits."""
    if stop:
        state[-1] = 1
    for helper in range(len(state) - 1):
        if state[helper] == 0:
            state[helper] = 2
    return all(where == 2 for where in state[:-1])


def offer(rows: Any, tickets: Any, board: Any) -> int:
    """Helpers that look (1) get a ticket and where their row is; the others nothing."""
    looking = [at for at in range(0, len(board), 16) if board[at] == 1][: len(rows)]
    for row, at in zip(rows, looking, strict=False):
        tickets[0] += 1
        row[1:5] = 0, tickets[0], at // 16, 0
        board[at : at + 3] = tickets[0], row.ctypes.data, row.size
    return len(looking)


def withdraw(board: Any, rows: Any, stop: bool, spins: int) -> bool:
    """Whose ticket still stands looks again (1); in one thread nobody leaves while it waits."""
    for row in rows:
        if row[2] and board[row[3] * 16] == row[2]:
            board[row[3] * 16] = 1
        elif row[2]:
            row[1] = row[1] or stop
            if not row[4]:
                return False
        row[2] = 0
    return True


def look_for_work(board: Any, helper: int, calls: Any, seen: int, spins: int) -> bool:
    """Whether there was a call beyond those seen; in one thread nothing comes while it looks."""
    return bool(calls[0] > seen)


def taps_inside(
    output: int, end: int, size: int, begin: int, stride: int, taps: int, dilation: int
) -> tuple[int, int, int]:
    """Each output's cells one by one, until they are others."""

    def inside(o: int) -> list[int]:
        return [i for i in range(taps) if 0 <= begin + o * stride + i * dilation < size]

    last = output
    while last < end and inside(last) == inside(output):
        last += 1
    found = inside(output)
    return (last, found[0], found[-1] + 1) if found else (last, 0, 0)


def phase_taps(start: int, taps: int, stride: int, dilation: int) -> tuple[int, int, int, int, int]:
    """The cells that met the input, the last one first, and the one that a longer kernel has before it."""
    met = [i for i in reversed(range(-stride, taps)) if (start - i * dilation) % stride == 0]
    count = sum(i >= 0 for i in met)
    if count == 0:
        return 0, 0, 0, 0, 1
    cell, before = met[:2]
    outputs = [(start - i * dilation) // stride for i in (cell, before)]
    return cell, before - cell, count, outputs[0], outputs[1] - outputs[0]


def window_products(
    a: Any, a0: int, places: Any, b: Any, runs: Any, count: int, run: tuple[int, int, int], F: int,
    group: tuple[int, int], bias: Any, relu: bool, into: int, c: Any, c0: int, targets: Any,
) -> None:  # fmt: skip
    """Each number of c by itself, from its rows of windows and its column of weights."""
    (length, a_step, b_step), (Cg, Fg) = run, group
    add, pooled = into == 1, 4 if into >= 2 else 1
    if into == 3:
        places = [place + t for place in places for t in (0, 1)]
    for row, target in enumerate(targets):
        for f in range(F):
            at, channel = c0 + target + f, f // Fg * Cg
            sums = []
            for place in places[row * pooled : (row + 1) * pooled]:
                z = (float(c[at]) if add else 0.0) + float(bias[f])
                for k, s in np.ndindex(count, length):
                    x = a[a0 + place + runs[2 * k] + s * a_step + channel]
                    z += float(x) * float(b[runs[2 * k + 1] + s * b_step + f])
                sums.append(z)
            z = max(sums)
            c[at] = 0.0 if relu and z <= 0 else z


def dot_products(
    a: Any, a0: int, places: Any, b: Any, runs: Any, count: int, length: int, F: int,
    group: tuple[int, int], step: tuple[int, int], bias: Any, relu: bool, c: Any, c0: int, targets: Any,
) -> None:  # fmt: skip
    """Each number of c by itself, from its row of windows and its filter's weights."""
    (Cg, Fg), (b_filter, b_group) = group, step
    for place, target in zip(places, targets, strict=True):
        for f in range(F):
            (g, number), z = divmod(f, Fg), float(bias[f])
            for k, s in np.ndindex(count, length):
                x = a[a0 + place + runs[2 * k] + s + g * Cg]
                z += float(x) * float(b[runs[2 * k + 1] + s + g * b_group + number * b_filter])
            c[c0 + target + f] = 0.0 if relu and z <= 0 else z


def window_convolution(
    x: Any,
    size: tuple[int, int, int],
    W: Any,
    b: Any,
    groups: int,
    relu: bool,
    dots: bool,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    y: Any,
    y_place: tuple[int, int, int, int],
    output: tuple[int, int],
    pool: int,
) -> None:
    """Those rows of y: the largest of some outputs, the bias plus the sum over the window's cells inside."""
    (H, width, C), (KH, KW), (OH, OW), F = size, kernel, output, b.size
    Cg, Fg = C // groups, F // groups
    x = x.reshape(-1, H, width, C)
    W = W.reshape(KH, F, KW, Cg).transpose(0, 2, 3, 1) if dots else W.reshape(KH, KW, Cg, F)
    for row, ow, f in np.ndindex(last - first, OW, F):
        n, oh = divmod(first + row, OH)
        outputs = []
        for down, right in np.ndindex(pool, pool):
            z = float(b[f])
            for i, j, c in np.ndindex(KH, KW, Cg):
                h = (oh * pool + down) * stride[0] - padding[0] + i * dilation[0]
                w = (ow * pool + right) * stride[1] - padding[1] + j * dilation[1]
                if 0 <= h < H and 0 <= w < width:
                    z += float(x[n, h, w, f // Fg * Cg + c]) * float(W[i, j, c, f])
            outputs.append(0.0 if relu and z <= 0 else z)
        y[_at(y_place, n, oh, ow, f)] = max(outputs)


def exchange_channels(W: Any, cells: int, size: tuple[int, int], groups: int, turned: Any) -> None:
    """Channel c of filter f, of each group, becomes channel f of filter c."""
    (Cg, F), Fg = size, size[1] // groups
    for k in range(cells):
        for c in range(Cg):
            for f in range(F):
                g = f // Fg
                turned[(k * Fg + f - g * Fg) * groups * Cg + g * Cg + c] = W[(k * Cg + c) * F + f]


def pack_channels(W: Any, first: int, last: int, panels: Any) -> None:
    """The weights of those channels, cell by cell, are columns of panels."""
    columns = [W[k, c] for k in range(len(W)) for c in range(first, last)]
    count, F, width = panels.shape
    for column in range(count * width):
        for f in range(F):
            weight = columns[column][f] if column < len(columns) else 0
            panels[column // width, f, column % width] = weight


def add_parts(parts: Any, size: int, count: int, first: int, last: int, total: Any) -> None:
    """Number by number, in the parts' order."""
    for e in range(first, last):
        result = parts[e]
        for part in range(1, count):
            result = result + parts[part * size + e]
        total[e] = result


def window_weight_gradient(
    x: Any,
    image: tuple[int, int, int],
    dz: Any,
    outputs: tuple[int, int, int],
    groups: int,
    along: bool,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    first_row: int,
    last_row: int,
    dW: Any,
    start: int,
) -> None:
    """Those rows of dW (KH*KW*Cg, F): for each weight, the sum of dz times the cell that it saw."""
    (H, W, C), (OH, OW, F) = image, outputs
    Cg, Fg = C // groups, F // groups
    x, dz = x.reshape(-1, H, W, C), dz.reshape(-1, OH, OW, F)
    for row, f in np.ndindex(last_row - first_row, F):
        i, j, c = np.unravel_index(first_row + row, (*kernel, Cg))
        total = 0.0
        for n, oh, ow in np.ndindex(last - first, OH, OW):
            h = oh * stride[0] - padding[0] + i * dilation[0]
            w = ow * stride[1] - padding[1] + j * dilation[1]
            if 0 <= h < H and 0 <= w < W:
                cell = x[first + n, h, w, f // Fg * Cg + c]
                total += float(cell) * float(dz[first + n, oh, ow, f])
        dW[start + (first_row + row) * F + f] = total


def window_input_gradient(
    dz: Any,
    size: tuple[int, int, int],
    W: Any,
    groups: int,
    dots: bool,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    dx: Any,
    image: tuple[int, int, int],
) -> None:
    """Every product of dz and a weight added to its cell of dx, and those rows of the sums written."""
    (OH, OW, F), (H, width, C) = size, image
    Cg, Fg = C // groups, F // groups
    dz, target = dz.reshape(-1, OH, OW, F), dx.reshape(-1, H, width, C)
    W = W.reshape(*kernel, Cg, F) if dots else W.reshape(*kernel, Fg, C)
    sums = np.zeros(target.shape)
    for n, oh, ow, i, j, c, f in np.ndindex(len(dz), OH, OW, *kernel, C, Fg):
        h = oh * stride[0] - padding[0] + i * dilation[0]
        w = ow * stride[1] - padding[1] + j * dilation[1]
        if 0 <= h < H and 0 <= w < width:
            filter = c // Cg * Fg + f
            weight = W[i, j, c % Cg, filter] if dots else W[i, j, f, c]
            sums[n, h, w, c] += float(weight) * float(dz[n, oh, ow, filter])
    for r in range(first, last):
        n, t = divmod(r, math.ceil(H / stride[0]))
        rows = slice(t * stride[0], (t + 1) * stride[0])
        target[n, rows] = sums[n, rows]
