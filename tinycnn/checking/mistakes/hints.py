"""What each kind of mistake teaches: a sentence that is always true, and a question that leads on."""

from __future__ import annotations

from typing import NamedTuple


class Hint(NamedTuple):
    """What to know, and what to ask oneself next."""

    teaches: str
    asks: str


# The keys are the kinds of `Mistake`, of `MistakenArray` and of the diagnosis of a gradient check.
HINTS: dict[str, Hint] = {
    # ------------------------------------------------------------------ places in windows and images
    "flipped kernel": Hint(
        "The kernel lies on its window as it is: W[i, j] meets the cell i rows below and j columns right "
        "of the window's corner, forward and backward.",
        "Which cell of x did W[0, 0] meet when y[0, 0] was made?",
    ),
    "flipped image": Hint(
        "An index counts from the same end forward and backward.",
        "Which cell of x did the first cell of y come from?",
    ),
    "height and width swapped": Hint(
        "The first axis counts rows downwards, the second columns to the right: of images, kernels, "
        "windows, strides and padding alike.",
        "In a window of 2 rows and 3 columns, which index ends at 1, and which at 2?",
    ),
    "transposed": Hint(
        "An axis keeps its meaning in every array: a product of matrices sums over the axis that both "
        "share, and the other two remain.",
        "Which axis is summed over, and what do the two that remain count?",
    ),
    "order": Hint(
        "A reshape reads numbers row by row, the last axis fastest; it never exchanges axes, which "
        "transpose alone does.",
        "Which axis runs fastest before the reshape, and which should run fastest after it?",
    ),
    "channel order": Hint(
        "Channel c of what comes out belongs to channel c of what went in, in all places.",
        "Which index of the array is the channel, and is it the same one in both arrays?",
    ),
    "stride": Hint(
        "Window (oh, ow) begins at row oh * stride and column ow * stride: the stride moves the window, "
        "whatever the kernel's size.",
        "At which row and column does the second window begin?",
    ),
    "padding": Hint(
        "Padding puts zeros on all four sides, so the first window begins `padding` cells outside the image.",
        "Which cell of x does W[0, 0] meet for y[0, 0], if any?",
    ),
    "off by padding": Hint(
        "Cell (0, 0) of the image is cell (padding, padding) of the padded one: going in adds the padding "
        "to an index, coming back takes it off.",
        "Where in the padded image does cell (0, 0) of x lie, and which windows read it?",
    ),
    "negative indices": Hint(
        "In Python index -1 is the last element and no error: what lies outside has to be tested for.",
        "Which cell is x[-1], and which was meant?",
    ),
    "bounds": Hint(
        "A range and a slice end before their last number: where that belongs to them it takes + 1.",
        "Which is the first index that belongs to it, and which the last?",
    ),
    # --------------------------------------------------------------------------------- what is summed
    "overwritten": Hint(
        "A number that is used several times has a share in its gradient from every use, and these add up.",
        "Where was this cell used, and times what?",
    ),
    "one image": Hint(
        "All images of a batch go through the same weights: each has a y and a dx of its own, and all of "
        "them add to dW and db.",
        "What would have to change in the result if the second image were another?",
    ),
    "bias": Hint(
        "The bias is added once to each cell of y, after the sum of the products.",
        "What should y be where all of x is 0?",
    ),
    "bias axes": Hint(
        "b[f] is added to every cell of its own channel, in all images and places: db[f] is the sum of dy "
        "over all axes but the last.",
        "In which cells of y does b[0] stand, and times what?",
    ),
    "channels": Hint(
        "A filter is as deep as the image: its sum runs over all channels, and every filter has weights of "
        "its own.",
        "How many products does one cell of y add up?",
    ),
    "average": Hint(
        "Only the largest cell of a window has a part in y: if another changes a little, y does not.",
        "Which cells of this window does y hang on?",
    ),
    "divisor": Hint(
        "A mean is divided by the number of its terms, and so is each share of its gradient.",
        "How many cells had a part in this mean?",
    ),
    "mean": Hint(
        "1/N stands in the loss, once: where the loss is a mean, each image has a part of 1/N, and a dy that "
        "comes from there brings it along.",
        "Where does 1/N come in, and is it in dy already?",
    ),
    "neighbours": Hint(
        "Channel c stands in the middle of its window: size // 2 channels on each side, fewer at the ends.",
        "Which channels are in the window of channel 0, and which in that of the last one?",
    ),
    # ------------------------------------------------------------------------------------ derivatives
    "zero": Hint(
        "A gradient of 0 says that the loss does not hang on the array at all.",
        "Is what is returned the array that was filled in?",
    ),
    "dy ignored": Hint(
        "dy says how much the loss hangs on each output: every share of a gradient is multiplied by it.",
        "What should this gradient be if dy were 0 everywhere?",
    ),
    "sign": Hint(
        "A gradient says by how much the loss grows if a number grows.",
        "If this number grows a little, does the loss grow or fall?",
    ),
    "factor": Hint(
        "A factor of a whole gradient comes from one place: a mean for a sum, the 2 of a square, a share "
        "that is added twice.",
        "Which size of an array, or which number in the formula, is this factor?",
    ),
    "added": Hint(
        "The gradient of a loss has the weights themselves in it only if the loss has a term for them; "
        "weight decay is the optimizer's.",
        "Does the loss that is differentiated have such a term?",
    ),
    "no derivative": Hint(
        "The chain rule: dy, times the function's own derivative.",
        "If x grows by a little, by how much does y grow?",
    ),
    "mask": Hint(
        "Where the output does not hang on the input, as at ReLU's zeros, the gradient is 0; elsewhere dy "
        "passes.",
        "If x changes a little in this cell, does y change?",
    ),
    "diagonal alone": Hint(
        "Where an output hangs on several inputs the derivative is a matrix, and what stands beside its "
        "diagonal counts too.",
        "Which other outputs change if this input grows a little?",
    ),
    "taken for a constant": Hint(
        "What a number is divided by hangs on the input too: a product has a term in its derivative for "
        "each of its factors.",
        "Where else in the formula does this input stand?",
    ),
    "derivative at y": Hint(
        "A derivative is taken at what went in, unless its formula is written for what came out.",
        "Is the number in your formula what went in, or what came out?",
    ),
    "normalization": Hint(
        "Mean and variance are made of x, so every cell acts through them on all the others as well.",
        "If one cell grows, what becomes of the mean, and of the other cells' results?",
    ),
    "neighbours' shares": Hint(
        "x[c] stands in the sums of all its neighbours, and each of them gives it a share.",
        "In which s does x[c] stand, and what is the derivative of that s by it?",
    ),
    "another array's": Hint(
        "Results are told apart by their order alone.",
        "In which order are the gradients returned, and in which are they asked for?",
    ),
    "part": Hint(
        "What is right nearly everywhere goes wrong at an edge: the first one, the last one, or where "
        "something runs out.",
        "What is special about this place?",
    ),
    "rearranged": Hint(
        "The numbers are right, and their places are not.",
        "With which index was each number written, and which one was meant?",
    ),
    # ---------------------------------------------------------------------------------------- maxima
    "ties": Hint(
        "Where several cells are equally large, a rule says which of them is the maximum: a window pays its "
        "dy once.",
        "What do the shares of one window add up to?",
    ),
    "maximum": Hint(
        "The largest of a window is found among its own cells, their signs counted.",
        "What is the largest of -3 and -5, and what does a search find that begins with 0?",
    ),
    # ------------------------------------------------------------------------------ softmax, the loss
    "softmax axis": Hint(
        "Each row is a distribution of its own: its maximum, its sum and its gradient know no other row.",
        "Which numbers of p have to add up to 1?",
    ),
    "softmax": Hint(
        "Softmax is exp(z) divided by its sum: only so are the numbers of a row probabilities.",
        "What do the numbers of a row add up to?",
    ),
    "labels": Hint(
        "By the logits, the gradient of the cross-entropy is p - onehot: at the label 1 is taken off, and "
        "nowhere else.",
        "What should the numbers of a row of dz add up to?",
    ),
    "logarithm": Hint(
        "Losses are measured with the natural logarithm, np.log.",
        "What is the loss of two classes that are equally likely: ln 2, or 1?",
    ),
    # ------------------------------------------------------------------------------ other operations
    "ReLU": Hint(
        "ReLU passes what is above zero as it is, and gives 0 for all else.",
        "What is ReLU of -2, of 0 and of 3?",
    ),
    "dropout's scale": Hint(
        "A cell is kept with the probability 1 - rate, so its mean stays the same only if what is kept is "
        "divided by 1 - rate, forward and backward.",
        "At rate 0.75 one cell in four is kept: times what, for the mean to stay?",
    ),
    "dropout's mask": Hint(
        "The mask is a part of what forward did: backward goes through the very cells that were kept.",
        "Which cells of x had any part in y?",
    ),
    "coefficient": Hint(
        "A formula comes in several dialects: what counts is where each coefficient stands in the one above.",
        "What does the formula give for the file's example, worked out on paper?",
    ),
    "velocity": Hint(
        "The velocity is the sum of all steps so far, faded by the momentum once a step: it comes in, "
        "changes, and is handed on.",
        "What is v after two steps with the same gradient, v being 0 before?",
    ),
    "weight decay": Hint(
        "Weight decay pulls every weight towards 0; here it is a part of the step, so it is multiplied by "
        "the rate and goes through the velocity.",
        "Where does a weight of 1 go if the gradient is 0?",
    ),
}
