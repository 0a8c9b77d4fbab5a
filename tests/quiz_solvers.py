"""The questions of a printed quiz, solved with fractions and plain loops; and with usual mistakes."""

import copy
import itertools
import math
import re
from fractions import Fraction


class Network:
    """The table of a sheet's first question."""

    def __init__(self, question):
        *self.size, self.channels = question.numbers(r"whose input is (\d+) x (\d+) x (\d+):")
        self.rows = {row[0]: row for row in question.table[1:]}

    def geometry(self, name):
        """Kernel, stride and padding, for rows and for columns."""
        return [both(text) for text in self.rows[name][2:5]]

    def filters(self, name):
        return int(self.rows[name][1])

    def groups(self, name):
        return int(self.rows[name][5] or 1)

    def sides(self, name):
        """The height and width of a layer's output, by counting its windows."""
        names = ["conv1", "pool1", "conv2"]
        before = names.index(name) - 1
        sizes = self.sides(names[before]) if before >= 0 else self.size
        return [
            len(range(-padding, size + padding - kernel + 1, stride))
            for size, kernel, stride, padding in zip(sizes, *self.geometry(name), strict=True)
        ]

    def read_weights(self, name):
        """How many weights a filter has."""
        above = self.channels if name == "conv1" else self.filters("conv1")
        return math.prod(self.geometry(name)[0]) * above // self.groups(name)


def both(text):
    """A number for the rows and one for the columns: "2" is the same for both."""
    numbers = [int(number) for number in text.split(" x ")]
    return numbers if len(numbers) == 2 else numbers * 2


def lined(sizes, filters):
    return " x ".join(map(str, [*sizes, filters]))


def size_with_padding(question, net):
    return [lined(net.sides("conv1"), net.filters("conv1"))]


def size_with_remainder(question, net):
    sides, above = net.sides("pool1"), net.sides("conv1")
    rows, columns = (
        {cell for start in range(side) for cell in range(start * stride, start * stride + kernel)}
        for side, kernel, stride in zip(sides, *net.geometry("pool1")[:2], strict=True)
    )
    assert all(read == set(range(len(read))) for read in (rows, columns))
    cells = set(itertools.product(*map(range, above)))
    unread = len(cells - set(itertools.product(rows, columns)))
    assert unread
    return [f"(a) {lined(sides, net.filters('conv1'))}", f"(b) {unread}"]


def parameters(question, net):
    conv2 = (net.read_weights("conv2") + 1) * net.filters("conv2")
    fc1 = (math.prod(net.sides("conv2")) * net.filters("conv2") + 1) * net.filters("fc1")
    return [f"(a) {conv2:,}", f"(b) {fc1:,}", f"(c) {alexnet_parameters(question):,}"]


def alexnet_parameters(question):
    if "units" in question.prompt:
        units, *sizes = map(
            int,
            re.findall(
                r"\d+", re.search(r": ([\d,]+ units .*)\?", question.prompt)[1].replace(",", "")
            ),
        )
        return (math.prod(sizes) + 1) * units
    filters, KH, KW, groups, C = convolution(question)
    return (KH * KW * C // groups + 1) * filters


def convolution(question):
    """AlexNet's row as the prompt has it: filters, KH, KW, groups, channels."""
    found = re.search(
        r"(\d+) filters of (\d+) x (\d+)(?: in (\d+) groups)? over an input of \d+ x \d+ x (\d+)",
        question.prompt,
    )
    return [int(group or 1) for group in found.groups()]


def multiply_adds(question, net):
    (name,) = re.search(r"\(a\) for one image in (\w+) of the same", question.prompt).groups()
    ours = math.prod(net.sides(name)) * net.filters(name) * net.read_weights(name)
    filters, KH, KW, groups, C = convolution(question)
    (images,) = question.numbers(r"batch of (\d+) images")
    OH, OW, F = question.numbers(r"output (\d+) x (\d+) x (\d+)\?")
    assert filters == F
    return [f"(a) {ours:,}", f"(b) {images * OH * OW * F * KH * KW * C // groups:,}"]


def receptive_field(question, net):
    texts = []
    places = question.numbers(r"row (\d+), column (\d+)")
    for axis, (name, start) in enumerate(zip(("rows", "columns"), places, strict=True)):
        cells = {start}
        for layer, above in (("conv2", "pool1"), ("pool1", "conv1"), ("conv1", None)):
            kernel, stride, padding = (sizes[axis] for sizes in net.geometry(layer))
            size = net.sides(above)[axis] if above else net.size[axis]
            cells = {cell * stride - padding + k for cell in cells for k in range(kernel)}
            cells &= set(range(size))
        assert cells == set(range(min(cells), max(cells) + 1))
        texts.append(f"{name} {min(cells)} to {max(cells)}")
    return [", ".join(texts)]


class Convolution:
    """The windows that a question describes, and the kernels that it gives, cell by cell."""

    def __init__(self, question, image, kernel):
        self.image, self.kernel = image, kernel
        found = re.search(r"stride (\d(?: x \d)?), padding (\d(?: x \d)?)", question.prompt)
        self.stride, self.padding = map(both, found.groups())

    def altered(self, **changed):
        other = copy.copy(self)
        vars(other).update(changed)
        return other

    @property
    def output(self):
        return [
            len(range(-padding, size + padding - kernel + 1, stride))
            for size, kernel, stride, padding in zip(
                self.image, self.kernel, self.stride, self.padding, strict=True
            )
        ]

    def reads(self):
        """(output cell, weight, input cell), but for what lies in the padding."""
        for i, j in itertools.product(*map(range, self.output)):
            for p, q in itertools.product(*map(range, self.kernel)):
                r = i * self.stride[0] + p - self.padding[0]
                c = j * self.stride[1] + q - self.padding[1]
                if 0 <= r < self.image[0] and 0 <= c < self.image[1]:
                    yield (i, j), (p, q), (r, c)


def shape(matrix):
    return [len(matrix), len(matrix[0])]


def cell_asked(question):
    """The convolution, its x, W and b by channel and filter, and the place (i, j, filter)."""
    (asked,) = re.findall(r"out z\[([\d,]+)\]", question.prompt)
    *place, f = [*map(int, asked.split(",")), 0][:3]
    names = ["x"] if "x" in question.matrices else ["x[:,:,0]", "x[:,:,1]"]
    x = [question.matrix(name) for name in names]
    b = question.row("b")
    W = [
        [
            question.matrix("W" if len(x) == 1 else f"W[:,:,{c},{filter}]")
            for filter in range(len(b))
        ]
        for c in range(len(x))
    ]
    return Convolution(question, shape(x[0]), shape(W[0][0])), x, W, b, (*place, f)


def cell_of(conv, x, W, b, place):
    """z at a place; None where it has no such cell."""
    *window, f = place
    if any(index >= size for index, size in zip(window, conv.output, strict=True)):
        return None
    return b[f] + sum(
        x[c][row][column] * W[c][f][p][q]
        for out, (p, q), (row, column) in conv.reads()
        if list(out) == window
        for c in range(len(x))
    )


def convolution_cell(question, net):
    conv, x, W, b, place = cell_asked(question)
    assert f"is {lined(conv.output[:1], conv.output[1])}." in question.prompt
    return [f"z[{place[0]},{place[1]}] = {cell_of(conv, x, W, b, place)}"]


def channels_cell(question, net):
    conv, x, W, b, place = cell_asked(question)
    assert f"is {lined(conv.output, 2)}." in question.prompt
    return [f"z[{place[0]},{place[1]},{place[2]}] = {cell_of(conv, x, W, b, place)}"]


def turned(kernel):
    return [row[::-1] for row in kernel[::-1]]


def mistaken_cell(question):
    """What mistakes make of the cell of a convolution that is asked for, after their words."""
    conv, x, W, b, place = cell_asked(question)
    wrong = {
        "the kernel is turned over": (conv, x, [list(map(turned, of)) for of in W], b, place),
        "the bias is left out": (conv, x, W, [0] * len(b), place),
    }
    if conv.stride != [1, 1]:
        wrong["the stride is left out"] = conv.altered(stride=[1, 1]), x, W, b, place
    if conv.stride[0] != conv.stride[1]:
        swapped = conv.altered(stride=conv.stride[::-1])
        wrong["rows and columns of the stride are swapped"] = swapped, x, W, b, place
    if conv.padding != [0, 0]:
        wrong["the padding is left out"] = conv.altered(padding=[0, 0]), x, W, b, place
    if len(x) == 2:
        wrong["channel 0 alone is read"] = conv, x[:1], W[:1], b, place
        wrong["the other filter is taken"] = conv, x, W, b, (*place[:2], 1 - place[2])
    cells = {words: cell_of(*arguments) for words, arguments in wrong.items()}
    return {words: cell for words, cell in cells.items() if cell is not None}


def pointwise(question, net):
    x = [question.matrix(f"x[:,:,{c}]") for c in range(3)]
    W, b = question.matrix("W"), question.row("b")
    i, j, f = question.numbers(r"out z\[(\d+),(\d+),(\d+)\]")
    assert question.numbers(r"^(\d) filters of 1 x 1") == [len(b)]
    z = b[f] + sum(x[c][i][j] * W[c][f] for c in range(3))
    cells = sum(len(row) for row in x[0]) * len(b)
    return [f"(a) z[{i},{j},{f}] = {z}", f"(b) {cells * 3}"]


def im2col_row(question, net):
    x = question.matrix("x")
    found = re.search(r"kernel is (\d x \d), the stride (\d(?: x \d)?)\.", question.prompt)
    (KH, KW), (down, across) = map(both, found.groups())
    i, j = question.numbers(r"output cell in row (\d+), column (\d+)")
    width, same, u, v = question.numbers(r"output is (\d+) x (\d+): .* row (\d+), column (\d+)")
    assert width == same == 55 and max(u, v) < 55
    window = [x[i * down + p][j * across + q] for p in range(KH) for q in range(KW)]
    starts = itertools.product(
        range(0, len(x) - KH + 1, down), range(0, len(x[0]) - KW + 1, across)
    )
    cells = [(r // down, c // across) for r, c in starts]
    return [
        f"(a) {len(cells)} x {KH * KW}",
        f"(b) row {cells.index((i, j))} holds {' '.join(map(str, window))}",
        f"(c) row {u * 55 + v}",
    ]


def relu(question, net):
    z, dy = question.matrix("z"), question.matrix("dy")
    a = [[cell if cell > 0 else 0 for cell in row] for row in z]
    dz = [
        [grad if cell > 0 else 0 for cell, grad in zip(*rows, strict=True)]
        for rows in zip(z, dy, strict=True)
    ]
    flat = [cell for row in z for cell in row]
    assert min(flat) < 0 in flat and max(flat) > 0
    return [("a", a), ("dz", dz)]


def windows(question, x):
    """Each window's cells, by its place."""
    found = re.search(r"Windows of (\d x \d), stride (\d(?: x \d)?)[.:]", question.prompt)
    (KH, KW), (down, across) = map(both, found.groups())
    return [
        [
            [(r + p, c + q) for p in range(KH) for q in range(KW)]
            for c in range(0, len(x[0]) - KW + 1, across)
        ]
        for r in range(0, len(x) - KH + 1, down)
    ]


def winner(x, cells):
    best = cells[0]
    for r, c in cells:
        if x[r][c] > x[best[0]][best[1]]:
            best = (r, c)
    return best


def max_pool(question, net):
    x = question.matrix("x")
    won = [[winner(x, cells) for cells in row] for row in windows(question, x)]
    listed = ", ".join(f"x[{r},{c}]" for row in won for r, c in row)
    assert len({cell for row in won for cell in row}) > 1
    return [
        f"Winners, in the order of y: {listed}",
        ("y", [[x[r][c] for r, c in row] for row in won]),
    ]


def average_and_dense(question, net):
    maps = [
        rows for name in question.matrices if name[0] == "x" for rows in [question.matrix(name)]
    ]
    W, b, dz = question.matrix("W"), question.row("b"), question.row("dz")
    channels, units = question.numbers(r"the (\d) channels of x, and z a dense layer of (\d) units")
    assert (len(maps), len(W), len(W[0])) == (channels, channels, units)
    means = [sum(map(sum, rows)) / Fraction(sum(map(len, rows))) for rows in maps]
    (unit,), (channel,) = question.numbers(r"z\[(\d)\]"), question.numbers(r"x\[:,:,(\d)\]\.$")
    z = b[unit] + sum(mean * row[unit] for mean, row in zip(means, W, strict=True))
    dy = sum(sent * weight for sent, weight in zip(dz, W[channel], strict=True))
    back = dy / sum(map(len, maps[channel]))
    return ["(a)", f"(b) z[{unit}] = {decimal(z)}", f"(c) {decimal(back)}", ("y", [means])]


def decimal(number):
    """A fraction as a decimal number, which must end."""
    text = f"{float(number):.10g}"
    assert Fraction(text) == number
    return text


def lrn(question, net):
    x = question.row("x")
    k, alpha, size = question.numbers(r"k = (\d+), alpha = (\d+), beta = 0.\d+, size = (\d)")
    beta = Fraction(re.search(r"beta = (0\.\d+)", question.prompt)[1])
    (c,) = question.numbers(r"Give y\[(\d+)\]")
    near = [number for place, number in enumerate(x) if abs(place - c) <= size // 2]
    assert {3: "one neighbour", 5: "two neighbours"}[size] in question.prompt
    squares = sum(number**2 for number in near)
    s, shared = k + alpha * squares, k + Fraction(alpha * squares, size)
    root = round(s ** (1 / beta.denominator))
    assert root**beta.denominator == s
    base = shared if shared.denominator == 1 else f"({shared})"
    return [
        f"(a) y[{c}] = {x[c] / root**beta.numerator}",
        f"(b) y[{c}] = {x[c]}/{base}^{float(beta)}, about {float(x[c]) / float(shared) ** beta:.4f}",
    ]


def dropout(question, net):
    x, mask, dy = (question.row(name) for name in ("x", "mask", "dy"))
    rate = Fraction(re.search(r"at rate (0\.\d+)", question.prompt)[1])
    (k,) = question.numbers(r"What is y\[(\d)\] at prediction")
    assert 1 < sum(mask) < len(mask) and mask[k] == 0
    scaled = [[[a * kept / (1 - rate) for a, kept in zip(of, mask, strict=True)]] for of in (x, dy)]
    return ["(a), (b)", f"(c) {x[k]}", ("y", scaled[0]), ("dx", scaled[1])]


def shares(question):
    """The softmax of logits such as ln(5)."""
    (row,) = question.matrices["z"]
    numbers = [int(re.fullmatch(r"ln\((\d+)\)", text)[1]) for text in row]
    (classes,) = question.numbers(r"logits of (\d) classes")
    assert classes == len(numbers)
    return [Fraction(number, sum(numbers)) for number in numbers]


def softmax(question, net):
    p = shares(question)
    (k,), (classes,) = (
        question.numbers(r"p\[(\d)\] now"),
        question.numbers(r"of ([\d,]+) classes gives"),
    )
    rest, loss = classes, 0.0
    given = re.findall(r"ln (\d+) = (\d\.\d{4})", question.prompt)
    for base, logarithm in sorted(((int(base), float(log)) for base, log in given), reverse=True):
        while rest % base == 0:
            rest, loss = rest // base, loss + logarithm
    assert rest == 1 and abs(loss - math.log(classes)) < 5e-4
    return [
        f"(a) p = {', '.join(map(str, p))}",
        f"(b) {p[k]}, as before",
        f"(c) ln({classes:,}), about {math.log(classes):.3f}",
    ]


def softmax_gradient(question, net):
    p = shares(question)
    (label,) = question.numbers(r"label is class (\d+)")
    listed = ", ".join(str(share - (k == label)) for k, share in enumerate(p))
    loss = 1 / p[label]
    return [f"(a) loss = ln({loss}), about {math.log(loss):.4f}", f"(b) dz = {listed}"]


def pool_gradient(question, net):
    x, dy = question.matrix("x"), question.matrix("dy")
    dx = [[Fraction(0)] * len(x[0]) for _ in x]
    won = []
    for row, grads in zip(windows(question, x), dy, strict=True):
        for cells, grad in zip(row, grads, strict=True):
            r, c = winner(x, cells)
            won.append((r, c))
            dx[r][c] += grad
    assert len(set(won)) < len(won), "no cell wins two windows"
    return [("dx", dx)]


def weight_gradient(question, net):
    x, dz = question.matrix("x"), question.matrix("dz")
    kernel = question.numbers(r"A (\d) x (\d) kernel")
    conv = Convolution(question, shape(x), kernel)
    assert conv.output == shape(dz)
    dW = [[Fraction(0)] * kernel[1] for _ in range(kernel[0])]
    for (i, j), (p, q), (r, c) in conv.reads():
        dW[p][q] += dz[i][j] * x[r][c]
    return ["(a)", f"(b) db[0] = {sum(map(sum, dz))}", ("dW", dW)]


def input_cell(question):
    """W and dz of two filters, the place of dx asked for, and the uses of it: (output cell, weight)."""
    W = [question.matrix(f"W[:,:,0,{f}]") for f in range(2)]
    dz = [question.matrix(f"dz[:,:,{f}]") for f in range(2)]
    conv = Convolution(question, question.numbers(r"over a (\d) x (\d) image"), shape(W[0]))
    assert conv.output == shape(dz[0])
    place = tuple(question.numbers(r"Give dx\[(\d+),(\d+)\]"))
    return W, dz, place, [(out, weight) for out, weight, read in conv.reads() if read == place]


def gradient_of(W, dz, uses):
    return sum(
        sent[i][j] * kernel[p][q]
        for kernel, sent in zip(W, dz, strict=True)
        for (i, j), (p, q) in uses
    )


def input_gradient(question, net):
    W, dz, place, uses = input_cell(question)
    assert len(uses) > 1, "one window alone reads the cell"
    biases = ", ".join(f"db[{f}] = {sum(map(sum, dz[f]))}" for f in range(2))
    return [f"(a) dx[{place[0]},{place[1]}] = {gradient_of(W, dz, uses)}", f"(b) {biases}"]


def mistaken_gradient(question):
    """What mistakes make of the cell of dx that is asked for, after their words."""
    W, dz, _, uses = input_cell(question)
    return {"the kernel is turned over": gradient_of(list(map(turned, W)), dz, uses)} | {
        f"filter {f} alone is counted": gradient_of(W[f : f + 1], dz[f : f + 1], uses)
        for f in range(2)
    }


def descent_asked(question):
    """The weight and velocity, both gradients, and the rate, momentum and decay."""
    names = ("w", "v", "g", "rate", "momentum", "decay")
    w, v, g, *settings = (
        Fraction(re.search(rf"\b{name} = (-?[\d.]+)", question.prompt)[1].rstrip("."))
        for name in names
    )
    (following,) = re.findall(r"next gradient is (-?\d+)\.", question.prompt)
    return w, v, (g, Fraction(following)), settings


def step(w, v, g, rate, momentum, decay):
    v = momentum * v - rate * (g + decay * w)
    return w + v, v


def sgd(question, net):
    w, v, (first, second), settings = descent_asked(question)
    w, v = step(w, v, first, *settings)
    last, _ = step(w, v, second, *settings)
    return [f"(a) v = {decimal(v)}", f"(b) w = {decimal(w)}", f"(c) w = {decimal(last)}"]


def mistaken_descent(question):
    """What mistakes make of the weight after both steps, after their words."""
    start, v, (first, second), (rate, momentum, decay) = descent_asked(question)

    def both(*settings):
        return step(*step(start, v, first, *settings), second, *settings)[0]

    moved, _ = step(start, v, first, rate, momentum, decay)
    return {
        "momentum is left out": both(rate, 0, decay),
        "decay is left out": both(rate, momentum, 0),
        "the second step begins with the old v": step(moved, v, second, rate, momentum, decay)[0],
    }


# In the order of the sheet.
SOLVERS = {
    "Output size, with padding": size_with_padding,
    "Output size, with a remainder": size_with_remainder,
    "Parameters": parameters,
    "Multiply-adds": multiply_adds,
    "Receptive field": receptive_field,
    "A cell of a convolution": convolution_cell,
    "A cell over two channels": channels_cell,
    "A 1 x 1 convolution": pointwise,
    "A row of im2col": im2col_row,
    "ReLU, forward and backward": relu,
    "Max-pool, and who wins": max_pool,
    "Global average pooling, and a dense layer": average_and_dense,
    "Local response normalisation, two dialects": lrn,
    "Dropout": dropout,
    "Softmax, and the loss of chance": softmax,
    "Softmax and cross-entropy, backward": softmax_gradient,
    "A max-pool's gradient": pool_gradient,
    "A convolution's gradient: the weights": weight_gradient,
    "A convolution's gradient: a cell of the input": input_gradient,
    "Two steps of SGD": sgd,
}

# What the key says of mistakes, by the topic.
MISTAKEN = {
    "A cell of a convolution": mistaken_cell,
    "A cell over two channels": mistaken_cell,
    "A convolution's gradient: a cell of the input": mistaken_gradient,
    "Two steps of SGD": mistaken_descent,
}
