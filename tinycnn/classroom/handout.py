"""The usual one-page AlexNet handout, checked line by line: ``docs/handout.md`` comes out of here."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinycnn.networks import alexnet
from tinycnn.summary import Row, Summary


@dataclass(frozen=True)
class Line:
    """A line that handouts print, what is right, and the command that shows it."""

    claim: str
    truth: str
    command: str
    output: str  # what the command prints, with ... for what does not matter here


def lines() -> list[Line]:
    """Every line, its numbers worked out by the engine."""
    net = alexnet().summary()
    rows = {row.name: row for row in net.rows}
    wide = alexnet(10_000).summary()
    paper = alexnet(variant="paper").summary()
    return [
        _total(net),
        _classes(net, wide),
        _output_size(rows),
        _shrinking(rows),
        _filters(rows),
        _dropout(net),
        _padding(),
        _flattening(net, rows),
        _original(net, paper),
        _sharing(rows),
        _input_size(),
        _first_loss(net),
    ]


def page() -> str:
    """The handout as Markdown."""
    parts = [
        "# The AlexNet handout, checked",
        "Most courses hand out one page on AlexNet: a table of layers, a formula, a few sentences. Here "
        "is each of its lines as it is usually printed, what is right, and the command that shows it. "
        "The numbers are the engine's; this page is written by `tinycnn handout`, and a test keeps it "
        "current.",
    ]
    for number, line in enumerate(lines(), start=1):
        parts += [
            f"## {number}. {line.claim}",
            line.truth,
            f"```console\n$ {line.command}\n{line.output}\n```",
        ]
    return "\n\n".join(parts) + "\n"


def _total(net: Summary) -> Line:
    return Line(
        "“62.3 million parameters”",
        f"The table's rows add up to {net.parameters:,}, which is {net.parameters / 1e6:.1f} million.",
        "tinycnn summary",
        f"AlexNet (one-tower): {net.parameters:,} parameters, {net.multiply_adds:,} multiply-adds ...",
    )


def _classes(net: Summary, wide: Summary) -> Line:
    units = net.rows[-1].output_shape[0]
    return Line(
        "“1,000 neurons for 10,000 classes”",
        f"The last layer has one neuron a class: {units:,} neurons go with {units:,} classes. With 10,000 "
        f"classes the network has {wide.parameters:,} parameters, {wide.parameters - net.parameters:,} more.",
        "tinycnn summary --classes 10000",
        f"AlexNet (one-tower): {wide.parameters:,} parameters, ...",
    )


def _output_size(rows: dict[str, Row]) -> Line:
    wrong = [27 - 5 + 1, 13 - 3 + 1]
    right = [rows["conv2"].output_shape[0], rows["conv3"].output_shape[0]]
    return Line(
        "“output = (input - kernel) / stride + 1”",
        f"That is the case without padding. It gives {wrong[0]} for conv2 and {wrong[1]} for conv3, where "
        f"the same table says {right[0]} and {right[1]}. With padding it is "
        f"floor((input + padding - kernel) / stride) + 1, where padding counts both sides: "
        f"(27 + 4 - 5) / 1 + 1 = {right[0]} and (13 + 2 - 3) / 1 + 1 = {right[1]}.",
        "tinycnn step",
        "AlexNet (one-tower): ...\n"
        "conv2     floor((27+4-5)/1)+1 = 27      27 x 27 x 256 ...\n"
        "conv3     floor((13+2-3)/1)+1 = 13      13 x 13 x 384 ...",
    )


def _shrinking(rows: dict[str, Row]) -> Line:
    return Line(
        "“the maps shrink because the kernels get smaller”",
        f"They shrink by stride and pooling. conv1's stride of {rows['conv1'].stride} takes 227 to "
        f"{rows['conv1'].output_shape[0]}, each pool halves: {rows['pool1'].output_shape[0]}, "
        f"{rows['pool2'].output_shape[0]}, {rows['pool3'].output_shape[0]}. The 3 x 3 kernels of conv3, "
        f"conv4 and conv5, the smallest, leave 13 at 13.",
        "tinycnn summary",
        "AlexNet ...\nconv3 ... 13 x 13 x 384 ...\nconv4 ... 13 x 13 x 384 ...\nconv5 ... 13 x 13 x 256 ...",
    )


def _filters(rows: dict[str, Row]) -> Line:
    counts = [rows[f"conv{i}"].filters for i in range(1, 6)]
    return Line(
        "“the number of filters grows from layer to layer”",
        f"Not all the way: {', '.join(counts)}. conv5 falls to {counts[-1]}.",
        "tinycnn summary",
        f"AlexNet ...\nconv4 {counts[3]} ...\nconv5 {counts[4]} ...",
    )


def _dropout(net: Summary) -> Line:
    names = [row.name for row in net.rows]
    order = " ".join(names[names.index("dropout1") :])
    return Line(
        "“dropout after the dense layers”",
        f"In the table that courses print, dropout stands before fc1 and before fc2: {order}. In the paper "
        f"it is on the outputs of the two hidden dense layers. fc3 has none in either.",
        "tinycnn summary one-tower --vs paper",
        "layer ...\ndropout1 after pool3 fc1\n...\ndropout2 after fc1 fc2\n...",
    )


def _padding() -> Line:
    return Line(
        "“padding: -”",
        "A dash in the padding column is a 0: no padding. Only conv2 (2) and conv3 to conv5 (1) pad.",
        "tinycnn summary",
        "AlexNet ...\nconv1 ... 11 x 11 4 0 55 x 55 x 96 ...\nconv2 ... 5 x 5 1 2 27 x 27 x 256 ...",
    )


def _flattening(net: Summary, rows: dict[str, Row]) -> Line:
    cells = math.prod(rows["pool3"].output_shape)
    share = rows["fc1"].parameters / net.parameters
    return Line(
        "“pool3: 6 x 6 x 256, then fc1: 4096”",
        f"Between the two the map is flattened to 6 * 6 * 256 = {cells:,} numbers, a step that is never "
        f"named. It is why fc1 alone has ({cells:,} + 1) * 4,096 = {rows['fc1'].parameters:,} parameters, "
        f"{share:.0%} of the network.",
        "tinycnn step",
        f"AlexNet ...\nfc1       6*6*256 = {cells:,} -> 4,096 ...\n"
        f"          ({cells}+1)*4096 = {rows['fc1'].parameters:,} parameters; ...",
    )


def _original(net: Summary, paper: Summary) -> Line:
    return Line(
        "“AlexNet, Krizhevsky, Sutskever and Hinton 2012”",
        f"The one-tower table is not the paper's network. The paper's has local response normalisation after "
        f"conv1 and conv2, and conv2, conv4 and conv5 in two groups (two graphics cards): "
        f"{paper.parameters:,} parameters instead of {net.parameters:,}, and {paper.multiply_adds:,} "
        f"multiply-adds instead of {net.multiply_adds:,}. And no table names the loss: the mean "
        f"cross-entropy of the softmax.",
        "tinycnn summary one-tower --vs paper",
        f"layer ...\nnorm1 ...\nnorm2 ...\ntotal parameters {net.parameters:,} {paper.parameters:,}\n"
        f"total multiply-adds {net.multiply_adds:,} {paper.multiply_adds:,}",
    )


def _sharing(rows: dict[str, Row]) -> Line:
    cells = math.prod(rows["conv1"].output_shape)
    weights = 11 * 11 * 3 + 1
    return Line(
        "“weight sharing saves parameters”",
        f"How many, is left out. conv1 has 55 * 55 * 96 = {cells:,} cells, each a weighted sum of "
        f"11 * 11 * 3 = {weights - 1} numbers and a bias. Unshared that were {cells:,} * {weights} = "
        f"{cells * weights:,} parameters; shared they are 96 * {weights} = "
        f"{rows['conv1'].parameters:,}.",
        "tinycnn step",
        f"AlexNet ...\n          (11*11*3+1)*96 = {rows['conv1'].parameters:,} parameters; ...",
    )


def _input_size() -> Line:
    return Line(
        "“input 224 x 224”",
        "With an 11 x 11 kernel, stride 4 and no padding, 224 gives floor((224 - 11) / 4) + 1 = 54, not "
        "55. The table's 55 wants 227, or 224 with a padding of 2 as torchvision has it: "
        "floor((224 + 4 - 11) / 4) + 1 = 55.",
        "tinycnn summary torchvision",
        "AlexNet (torchvision): ...\ninput 224 x 224 x 3\nconv1 64 11 x 11 4 2 55 x 55 x 64 ...",
    )


def _first_loss(net: Summary) -> Line:
    classes = net.rows[-1].output_shape[0]
    chance = math.log(classes)
    return Line(
        "“the loss falls from about 7”",
        f"An untrained network guesses, and guessing one of {classes:,} costs ln {classes:,} = "
        f"{chance:.4f}. A first loss far above it means logits that are too wide at the start.",
        "tinycnn step --why loss",
        f"loss ...\nCHANCE  ln {classes:,} = {chance:.4f} ...",
    )
