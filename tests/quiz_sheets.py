"""Printed quizzes read back, as a student reads them, and solved with fractions and plain loops."""

import math
import re
from dataclasses import dataclass, field
from fractions import Fraction
from html.parser import HTMLParser

VOID = {"meta", "br", "hr"}

# ---------------------------------------------------------------------------------------- reading


@dataclass
class Node:
    """An element: its children are elements and texts."""

    tag: str
    attributes: dict
    children: list = field(default_factory=list)

    @property
    def text(self):
        parts = (child if isinstance(child, str) else child.text for child in self.children)
        return "".join(parts).replace("\xa0", " ")

    @property
    def elements(self):
        return [child for child in self.children if isinstance(child, Node)]

    def all(self, tag, name=None):
        """Elements below with that tag and class, in order."""
        found = []
        for child in self.elements:
            if child.tag == tag and name in (None, child.attributes.get("class")):
                found.append(child)
            found += child.all(tag, name)
        return found


class Reader(HTMLParser):
    """Builds the tree, and fails where tags do not match."""

    def __init__(self):
        super().__init__()
        self.root = Node("", {})
        self.open = [self.root]

    def handle_starttag(self, tag, attrs):
        node = Node(tag, dict(attrs))
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag):
        assert tag not in VOID and self.open[-1].tag == tag, f"</{tag}> closes {self.open[-1].tag}"
        self.open.pop()

    def handle_data(self, data):
        self.open[-1].children.append(data)


def read_html(page):
    """The tree of a well-formed page."""
    assert page.startswith("<!DOCTYPE html>\n")
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert len(reader.open) == 1
    return reader.root


@dataclass
class Asked:
    """A question or an answer: its words, matrices of texts by name, its table, its working."""

    topic: str
    words: list
    matrices: dict
    table: list
    working: list
    lines: int

    @property
    def prompt(self):
        return " ".join(self.words)

    def matrix(self, name):
        """A matrix in fractions."""
        return [[Fraction(text) for text in row] for row in self.matrices[name]]

    def row(self, name):
        (row,) = self.matrix(name)
        return row

    def numbers(self, pattern):
        """The whole numbers in the groups of a pattern."""
        found = re.search(pattern, self.prompt)
        assert found, (pattern, self.prompt)
        return [int(group.replace(",", "")) for group in found.groups()]


def read_section(section):
    matrices = {}
    for matrix in section.all("div", "matrix"):
        rows = matrix.all("tr")
        name = matrix.elements[0].text.removesuffix(" =")
        matrices[name] = [[cell.text for cell in row.elements] for row in rows]
    tables = section.all("table", "rows")
    (heading,) = section.all("h3")
    return Asked(
        heading.text,
        [p.text for p in section.all("p")],
        matrices,
        [[cell.text for cell in row.elements] for row in tables[0].all("tr")] if tables else [],
        section.all("pre")[0].text.split("\n") if section.all("pre") else [],
        len(section.all("div", "line")),
    )


def read_sheet(page):
    """The questions and answers of a page."""
    tree = read_html(page)
    keys = tree.all("section", "key")
    answers = [read_section(section) for section in keys[0].all("section")] if keys else []
    (body,) = tree.all("body")
    sections = [node for node in body.elements if node.attributes.get("class") == "question"]
    return [read_section(section) for section in sections], answers


# ---------------------------------------------------------------------------------------- solving


class Network:
    """The table of a sheet's first question."""

    def __init__(self, question):
        (H, W, C) = question.numbers(r"whose input is (\d+) x (\d+) x (\d+):")
        assert H == W
        self.size, self.channels = H, C
        self.rows = {row[0]: row for row in question.table[1:]}

    def geometry(self, name):
        _, _, kernel, stride, padding = self.rows[name]
        KH, KW = kernel.split(" x ")
        assert KH == KW
        return int(KH), int(stride), int(padding)

    def filters(self, name):
        return int(self.rows[name][1])

    def side(self, name):
        """The height of a layer's output, by counting its windows."""
        names = ["conv1", "pool1", "conv2"]
        before = names.index(name) - 1
        size = self.side(names[before]) if before >= 0 else self.size
        kernel, stride, padding = self.geometry(name)
        starts = range(-padding, size + padding - kernel + 1, stride)
        return len(starts)


def size_with_padding(question, net):
    side = net.side("conv1")
    return [f"{side} x {side} x {net.filters('conv1')}"]


def size_with_remainder(question, net):
    side, above = net.side("pool1"), net.side("conv1")
    kernel, stride, _ = net.geometry("pool1")
    read = {row for start in range(side) for row in range(start * stride, start * stride + kernel)}
    unread = len(set(range(above)) - read)
    assert read == set(range(above - unread)) and unread > 0
    return [f"(a) {side} x {side} x {net.filters('conv1')}", f"(b) {unread}"]


def parameters(question, net):
    (name,) = re.search(r"\(a\) in (\w+) of the same", question.prompt).groups()
    side = net.side("conv2")
    if name == "fc1":
        ours = (side * side * net.filters("conv2") + 1) * net.filters("fc1")
    else:
        kernel = net.geometry("conv2")[0]
        ours = (kernel * kernel * net.filters("conv1") + 1) * net.filters("conv2")
    return [f"(a) {ours:,}", f"(b) {alexnet_parameters(question):,}"]


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
    side, kernel = net.side("conv1"), net.geometry("conv1")[0]
    ours = side * side * net.filters("conv1") * kernel * kernel * net.channels
    filters, KH, KW, groups, C = convolution(question)
    OH, OW, F = question.numbers(r"output (\d+) x (\d+) x (\d+)\?")
    assert filters == F
    return [f"(a) {ours:,}", f"(b) {OH * OW * F * KH * KW * C // groups:,}"]


def receptive_field(question, net):
    texts = []
    for axis, start in zip(
        ("rows", "columns"), question.numbers(r"row (\d+), column (\d+)"), strict=True
    ):
        cells = {start}
        for name, above in (("conv2", "pool1"), ("pool1", "conv1"), ("conv1", None)):
            kernel, stride, padding = net.geometry(name)
            size = net.side(above) if above else net.size
            cells = {cell * stride - padding + k for cell in cells for k in range(kernel)}
            cells &= set(range(size))
        assert cells == set(range(min(cells), max(cells) + 1))
        texts.append(f"{axis} {min(cells)} to {max(cells)}")
    return [", ".join(texts)]


def conv_cell(question, net):
    x, W, (b,) = question.matrix("x"), question.matrix("W"), question.row("b")
    stride, padding = question.numbers(r"Stride (\d+), padding (\d+)")
    i, j = question.numbers(r"z\[(\d+),(\d+)\]")
    side = len(range(-padding, len(x) + padding - len(W) + 1, stride))
    assert f"is {side} x {side}." in question.prompt and max(i, j) < side
    total = b
    for p, row in enumerate(W):
        for q, weight in enumerate(row):
            r, c = i * stride + p - padding, j * stride + q - padding
            total += weight * (x[r][c] if 0 <= r < len(x) and 0 <= c < len(x[0]) else 0)
    return [f"z[{i},{j}] = {total}"]


def im2col_row(question, net):
    x = question.matrix("x")
    out = len(x) - 1
    i, j = question.numbers(r"output cell in row (\d+), column (\d+)")
    width, same, u, v = question.numbers(r"output is (\d+) x (\d+): .* row (\d+), column (\d+)")
    assert width == same == 55 and max(u, v) < 55
    window = [x[i][j], x[i][j + 1], x[i + 1][j], x[i + 1][j + 1]]
    cells = [(r, c) for r in range(out) for c in range(out)]
    return [
        f"(a) {len(cells)} x 4",
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
    kernel, stride = question.numbers(r"Windows of (\d+) x \d+, stride (\d+)")
    starts = range(0, len(x) - kernel + 1, stride)
    return [
        [[(r + p, c + q) for p in range(kernel) for q in range(kernel)] for c in starts]
        for r in starts
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


def lrn(question, net):
    x = question.row("x")
    k, alpha = question.numbers(r"k = (\d+), alpha = (\d+), beta = 0.75, size = 3")
    (c,) = question.numbers(r"Give y\[(\d+)\]")
    squares = sum(number**2 for number in x[max(c - 1, 0) : c + 2])
    s, shared = k + alpha * squares, k + Fraction(alpha * squares, 3)
    root = round(s**0.25)
    assert root**4 == s
    base = shared if shared.denominator == 1 else f"({shared})"
    return [
        f"(a) y[{c}] = {x[c] / root**3}",
        f"(b) y[{c}] = {x[c]}/{base}^0.75, about {float(x[c]) / float(shared) ** 0.75:.4f}",
    ]


def dropout(question, net):
    x, mask, dy = (question.row(name) for name in ("x", "mask", "dy"))
    rate = Fraction(re.search(r"at rate (0\.\d+)", question.prompt)[1])
    assert 0 < sum(mask) < len(mask)
    scaled = [[[a * kept / (1 - rate) for a, kept in zip(of, mask, strict=True)]] for of in (x, dy)]
    nothing = "(c) 1: dropout is off, and nothing is left to do"
    return ["(a), (b)", nothing, ("y", scaled[0]), ("dx", scaled[1])]


def dense(question, net):
    x, W, b = question.row("x"), question.matrix("W"), question.row("b")
    (unit,) = question.numbers(r"z\[(\d+)\]")
    z = sum(number * row[unit] for number, row in zip(x, W, strict=True)) + b[unit]
    return [f"(a) z[{unit}] = {z}", f"(b) y[{unit}] = {max(z, 0)}"]


def shares(question):
    """The softmax of logits such as ln(5)."""
    (row,) = question.matrices["z"]
    numbers = [int(re.fullmatch(r"ln\((\d+)\)", text)[1]) for text in row]
    return [Fraction(number, sum(numbers)) for number in numbers]


def softmax(question, net):
    listed = ", ".join(map(str, shares(question)))
    return [f"(a) p = {listed}", f"(b) {listed}: the same"]


def chance_loss(question, net):
    (classes,) = question.numbers(r"network of ([\d,]+) classes")
    return [
        f"(a) ln({classes}) = {math.log(classes):.4f}",
        f"(b) {Fraction(1, classes) - 1}",
    ]


def softmax_gradient(question, net):
    p = shares(question)
    (label,) = question.numbers(r"label is class (\d+)")
    listed = ", ".join(str(share - (k == label)) for k, share in enumerate(p))
    loss = 1 / p[label]
    return [f"(a) loss = ln({loss}), about {math.log(loss):.4f}", f"(b) dz = {listed}"]


def pool_gradient(question, net):
    x, dy = question.matrix("x"), question.matrix("dy")
    dx = [[Fraction(0)] * len(x) for _ in x]
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
    places = [(i, j) for i in range(2) for j in range(2)]
    dW = [[sum(dz[i][j] * x[i + p][j + q] for i, j in places) for q in range(2)] for p in range(2)]
    return [("dW", dW)]


def bias_gradient(question, net):
    maps = [question.matrix(f"dz of filter {f}") for f in range(2)]
    return [f"db[{f}] = {sum(map(sum, dz))}" for f, dz in enumerate(maps)]


def input_gradient(question, net):
    W, dz = question.matrix("W"), question.matrix("dz")
    r, c = question.numbers(r"Give dx\[(\d+),(\d+)\]")
    total = sum(
        dz[i][j] * W[r - i][c - j]
        for i in range(2)
        for j in range(2)
        if 0 <= r - i < 2 and 0 <= c - j < 2
    )
    return [f"dx[{r},{c}] = {total}"]


def sgd(question, net):
    names = ("w", "g", "v", "rate", "momentum", "decay")
    w, g, v, rate, momentum, decay = (
        Fraction(re.search(rf"\b{name} = (-?[\d.]+)", question.prompt)[1].rstrip("."))
        for name in names
    )
    v = momentum * v - rate * (g + decay * w)
    return [f"(a) v = {float(v):g}", f"(b) w = {float(w + v):g}"]


# In the order of the sheet.
SOLVERS = {
    "Output size, with padding": size_with_padding,
    "Output size, with a remainder": size_with_remainder,
    "Parameters": parameters,
    "Multiply-adds": multiply_adds,
    "Receptive field": receptive_field,
    "A cell of a convolution": conv_cell,
    "A row of im2col": im2col_row,
    "ReLU, forward and backward": relu,
    "Max-pool, and who wins": max_pool,
    "Local response normalisation, two dialects": lrn,
    "Dropout": dropout,
    "A dense cell": dense,
    "Softmax": softmax,
    "The loss of chance": chance_loss,
    "Softmax and cross-entropy, backward": softmax_gradient,
    "A max-pool's gradient": pool_gradient,
    "A convolution's gradient: the weights": weight_gradient,
    "A convolution's gradient: the biases": bias_gradient,
    "A convolution's gradient: a cell of the input": input_gradient,
    "A step of SGD": sgd,
}
