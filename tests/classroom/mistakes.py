"""Each exercise solved, in three styles, and solved with one of the usual mistakes planted."""

from dataclasses import dataclass
from pathlib import Path

from tinycnn.classroom.exercises import skeleton

SOLUTIONS = Path(__file__).parent / "solutions"
STYLES = ("loops", "vectorised", "einsum")
_VECTORISED = (
    "dropout",
    "lrn",
    "softmax-cross-entropy",
)  # mistakes are planted there; else in loops


@dataclass(frozen=True)
class Planted:
    """``old`` replaced by ``new`` in a solution; the first failing case, and words of the report.

    ``cells``: how many numbers the arrays of the smallest failing input hold at most.
    """

    exercise: str
    old: str
    new: str
    case: str
    cells: int
    words: str

    @property
    def source(self):
        return changed(self.exercise, "", self.old, self.new)


def changed(exercise, style, old, new):
    """A solved exercise, ``old`` replaced by ``new`` in it."""
    code = solution(exercise, style)
    assert code.count(old) == 1, f"{old!r} stands {code.count(old)} times"
    return f"{skeleton(exercise)}\n\n{code.replace(old, new)}"


def solution(exercise, style=""):
    style = style or ("vectorised" if exercise in _VECTORISED else "loops")
    file = SOLUTIONS / style / f"{exercise.replace('-', '_')}.py"
    return file.read_text(encoding="utf-8")


def solved(exercise, style=""):
    return f"{skeleton(exercise)}\n\n{solution(exercise, style)}"


def _conv(old, new, case, cells, words):
    return Planted("conv-forward", old, new, case, cells, words)


def _conv_backward(old, new, case, cells, words):
    return Planted("conv-backward", old, new, case, cells, words)


def _pool(old, new, case, cells, words):
    return Planted("max-pool-backward", old, new, case, cells, words)


def _softmax(old, new, case, cells, words):
    return Planted("softmax-cross-entropy", old, new, case, cells, words)


def _dropout(old, new, case, cells, words):
    return Planted("dropout", old, new, case, cells, words)


def _lrn(old, new, case, cells, words):
    return Planted("lrn", old, new, case, cells, words)


def _relu(old, new, case, cells, words):
    return Planted("relu", old, new, case, cells, words)


def _dense(old, new, case, cells, words):
    return Planted("dense", old, new, case, cells, words)


def _sgd(old, new, case, cells, words):
    return Planted("sgd-momentum", old, new, case, cells, words)


def _im2col(old, new, case, cells, words):
    return Planted("im2col", old, new, case, cells, words)


def _tiny(old, new, case, cells, words):
    return Planted("tiny-net", old, new, case, cells, words)


_TEST = "0 <= h < x.shape[1] and 0 <= w < x.shape[2]"

MISTAKES = [
    _conv("W[:, :, :, f]", "W[::-1, ::-1, :, f]", "one window", 9, "the kernel flipped"),
    _conv("W[:, :, :, f]", "W.transpose(1, 0, 2, 3)[:, :, :, f]", "one window", 9,
          "height and width of the kernel swapped"),
    _conv("return y", "return y.transpose(0, 2, 1, 3)", "a square kernel that slides", 9,
          "height and width of y swapped"),
    _conv(" + b[f]", "", "a bias", 3, "the bias missing"),
    _conv(".sum() + b[f]", ".sum() + b[f] * window.size", "a bias", 9, "once for each product"),
    _conv("oh * stride, ow * stride", "oh, ow", "a stride", 9, "the stride left out"),
    _conv("padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))",
          "padded = np.pad(x, ((0, 0), (0, 2 * padding), (0, 2 * padding), (0, 0)))",
          "padding", 3, "the padding on the wrong side"),
    _conv("(0, 0)))", "(0, 0)), mode='edge')", "padding", 4, "np.pad(mode='edge')"),
    _conv("np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))",
          "np.pad(np.pad(x, ((0, 0), (padding, 0), (padding, 0), (0, 0)), mode='wrap'), "
          "((0, 0), (0, padding), (0, padding), (0, 0)))",
          "padding", 3, "negative indices that wrap around"),
    _conv("padded[n, h : h + KH, w : w + KW]", "np.roll(padded, 1, (1, 2))[n, h : h + KH, w : w + KW]",
          "one window", 9, "y[0, 0, 0, 0] should be"),
    _conv("- KH) // stride + 1", "- KH) // stride", "one number", 3, "y should have shape"),
    _conv("for n in range(N)", "for n in range(1)", "a batch", 4, "only the first image"),
    _conv("padded[n, ", "padded[0, ", "a batch", 4, "every image has the first image's y"),
    _conv("(window * W[:, :, :, f])", "(window * W[:, :, :, f])[:, :, 0]", "several channels", 6,
          "y is that of channel 0 alone"),
    _conv("W[:, :, :, f]", "W[:, :, :, 0]", "several filters", 5, "filter 0 used for all"),
    _conv("np.zeros((N, OH, OW, F))", "np.zeros((N, OH, OW, F), int)", "one number", 3,
          "int64 came (an array made of integers cuts off"),
    _conv("range(OW)", "range(OH)", "height and width differ", 9, "y[0, 0, 1, 0] should be 1, came 0"),
    _conv("+ b[f]", "+ b[f] / 0.0", "one number", 3, "y holds nan"),
    # -------------------------------------------------------------------------- conv-backward
    _conv_backward("dy[n, oh, ow, f] * W[i, j, :, f]", "dy[n, oh, ow, f] * W[::-1, ::-1][i, j, :, f]",
                   "one window", 9, "dx looks like the flipped kernel"),
    _conv_backward("* W[i, j, :, f]", "* W.transpose(1, 0, 2, 3)[i, j, :, f]", "one window", 9,
                   "height and width of the kernel swapped"),
    _conv_backward("dW[i, j, :, f]", "dW[KH - 1 - i, KW - 1 - j, :, f]", "one window", 9,
                   "dW looks like the flipped kernel"),
    _conv_backward("dW[i, j, :, f] +=", "dW[i, j, :, f] =", "a square kernel that slides", 9,
                   "dW is that of the last window alone"),
    _conv_backward("dx[n, h, w] +=", "dx[n, h, w] =", "a square kernel that slides", 17,
                   "overlapping windows overwritten instead of added"),
    _conv_backward("stride - padding + i, ow * stride - padding + j",
                   "stride - padding + i + 1, ow * stride - padding + j + 1",
                   "one number", 3, "the padding off by one"),
    _conv_backward(_TEST, "h < x.shape[1] and w < x.shape[2]", "padding", 11,
                   "negative indices that wrap around"),
    _conv_backward("dW[i, j, :, f] += dy[n, oh, ow, f]", "dW[i, j, :, f] += dy[0, oh, ow, f]",
                   "a batch", 5, "dW[0, 0, 0, 0] should be 1, came 0"),
    _conv_backward("dW, db\n", "dW / N, db\n", "a batch", 5, "dW is divided by N"),
    _conv_backward("dW, db\n", "dW, db / N\n", "a batch", 5, "db is divided by N"),
    _conv_backward("db[f] += dy[n, oh, ow, f]", "db[f] = dy[n, oh, ow, f]",
                   "a square kernel that slides", 9, "db"),
    _conv_backward("dW, db\n", "dW, dy.sum((0, 1))\n", "one number", 4, "db should have shape"),
    _conv_backward("dW, db\n", "dW, 0 * db + dy.sum()\n", "several filters", 6,
                   "every db[f] is the sum of the whole of dy"),
    _conv_backward("dW, db\n", "dW, dy.mean((0, 1, 2))\n", "a square kernel that slides", 9,
                   "db is divided by N*OH*OW"),
    _conv_backward("for n in range(N)", "for n in range(1)", "a batch", 5, "the batch left out"),
    _conv_backward("dx[n, h, w] += dy[n, oh, ow, f]", "dx[n, h, w] += 1.001 * dy[n, oh, ow, f]",
                   "one number", 3, "the right gradient times 1.001"),
    # ----------------------------------------------------------------------------------- pool
    _pool("winner[1], c] +=", "winner[1], c] =", "overlapping windows", 5,
          "overlapping windows overwritten instead of added"),
    _pool("x[n, top + i, left + j, c] > best",
          "best == -np.inf or abs(x[n, top + i, left + j, c]) > abs(best)",
          "numbers below zero", 5, "the largest without its sign"),
    _pool("> best", ">= best", "equal maxima", 3, "the last of several equal maxima paid"),
    _pool("dx[n, winner[0], winner[1], c] += dy[n, oh, ow, c]",
          "dx[n, top:top + kernel[0], left:left + kernel[1], c] += dy[n, oh, ow, c] * ("
          "x[n, top:top + kernel[0], left:left + kernel[1], c] == best)",
          "equal maxima", 3, "every tied maximum paid"),
    _pool("best = -np.inf", "best, winner = 0, (top, left)", "numbers below zero", 5,
          "a maximum that starts at 0"),
    _pool("oh * stride[0], ow * stride[1]", "oh * stride[1], ow * stride[0]",
          "height and width differ", 6, "IndexError: index 2 is out of bounds"),
    _pool("oh * stride[0], ow * stride[1]", "oh * kernel[0], ow * kernel[1]",
          "cells that no window reads", 5, "the kernel's size taken for the stride"),
    _pool("winner[1], c] += dy[n, oh, ow, c]", "winner[1], c] += 1", "one window", 5, "dy left out"),
    _pool("dx[n, winner[0]", "dx[0, winner[0]", "a batch", 4,
          "the dx of all images were added to the first"),
    _pool("for n in range(N)", "for n in range(1)", "a batch", 4, "only the first image"),
    _pool("return dx", "return dx / kernel[0]", "one window", 5, "the right gradient times"),
    # -------------------------------------------------------------------------------- softmax
    _softmax("return p * (dy - inner)", "return dy * p * (1 - p)", "one row", 4,
             "softmax's diagonal alone"),
    _softmax("return p * (dy - inner)", "return dy * p", "one row", 2, "the sum left out"),
    _softmax("inner = (dy * p).sum(axis=1, keepdims=True)", "inner = (dy * p).sum()",
             "several rows", 4, "the sum over the whole batch"),
    _softmax("p / p.sum(axis=1, keepdims=True)", "p / p.sum()", "several rows", 2,
             "the sum over the whole batch"),
    _softmax("p / p.sum(axis=1, keepdims=True)", "p / p.sum(axis=0)", "one row", 2,
             "the columns of p add up to 1"),
    _softmax("np.exp(z - z.max(axis=1, keepdims=True))", "np.exp(z)", "logits of 1000", 1,
             "p holds nan (not a number): something overflows"),
    _softmax("z - z.max(axis=1, keepdims=True)", "z - z.max()", "rows of very different size", 4,
             "p holds nan (not a number): something overflows, or 0 is divided by 0"),
    _softmax("z - z.max(axis=1, keepdims=True)", "(z - z.max())", "rows of very different size", 4,
             "p looks like one largest logit for all rows"),
    _softmax("largest = z.max(axis=1)", "largest = z.max() + np.zeros(len(z))",
             "rows of very different size", 8, "loss holds infinity"),
    _softmax("dz / len(z)", "dz", "a batch", 6, "a factor of N missing"),
    _softmax(".mean()", ".sum()", "a batch", 6, "a factor of N missing"),
    _softmax("dz[rows, labels] -= 1", "pass", "one image", 2, "the label's 1 not taken off"),
    _softmax("return loss, dz / len(z)", "return loss, -dz / len(z)", "one image", 3, "the sign"),
    _softmax("(log_sums - z[rows, labels]).mean()",
             "-np.log(softmax(z)[rows, labels]).mean()", "logits of 1000", 3,
             "loss holds infinity"),
    _softmax("return loss, ", "return loss / np.log(2), ", "one image", 3, "base 2"),
    # -------------------------------------------------------------------------------- dropout
    _dropout("x * mask / (1 - rate)", "x * mask", "what is kept is scaled up", 1,
             "the scale left out"),
    _dropout("x * mask / (1 - rate)", "x * mask * (1 - rate)", "what is kept is scaled up", 1,
             "the scale upside down"),
    _dropout("rng.random(x.shape) >= rate", "rng.random(x.shape) < rate", "a rate of 0", 1,
             "at rate 0 nothing is dropped"),
    _dropout(">= rate", ">= rate if rate == 0 else rng.random(x.shape) < rate",
             "the share that is dropped", 10_000, "rate is the share that is dropped"),
    _dropout("rng.random(x.shape)", "rng.random((1, x.shape[1])).repeat(len(x), 0)",
             "a mask for every image", 400, "all images have the same mask"),
    _dropout("x * mask / (1 - rate), mask", "x * mask / (1 - rate), ~mask", "a rate of 0", 1,
             "the mask the wrong way round"),
    _dropout("x * mask / (1 - rate), mask", "x * mask / (1 - rate), mask / (1 - rate)",
             "a rate of 0", 1, "mask should hold True and False, float64 came"),
    _dropout("rng.random(x.shape)", "np.random.default_rng(7).random(x.shape)",
             "the mask comes from rng", 400, "the mask does not depend on rng"),
    _dropout("rng.random(x.shape)", "rng.random((len(x), 1)).repeat(x.shape[1], 1)",
             "a mask for every image", 400, "dropped or kept together"),
    _dropout("return dy * mask / (1 - rate)", "return dy * mask", "the mask and the scale", 2,
             "the scale left out"),
    _dropout("return dy * mask / (1 - rate)", "return dy / (1 - rate)", "the mask and the scale", 2,
             "the mask left out"),
    _dropout("return dy * mask / (1 - rate)",
             "return dropout(dy, rate, np.random.default_rng(0))[0]", "the mask and the scale", 2,
             "a mask drawn anew"),
    _dropout("return dy * mask / (1 - rate)",
             "return dropout(dy, rate, RNG)[0]\n\n\nRNG = np.random.default_rng(0)",
             "the mask and the scale", 32, "is something drawn at random in it"),
    # ------------------------------------------------------------------------------------ lrn
    _lrn("max(0, c - half) : c + half + 1]\n        s", "max(0, c - half) : c + half]\n        s",
         "one channel", 1, "the window clipped by one"),
    _lrn("max(0, c - half) : c + half + 1]\n        s", "c - half : c + half + 1]\n        s",
         "a window of 3 channels", 2, "a window that is not clipped"),
    _lrn("max(0, c - half) : c + half + 1]\n        s", "c : c + 1]\n        s",
         "a window of 3 channels", 2, "channel c's own square alone"),
    _lrn("max(0, c - half) : c + half + 1]\n        s", "c : c + size]\n        s",
         "a window of 3 channels", 2, "a window that begins at c"),
    _lrn("(window**2).sum(axis=-1)", "(window**2).sum(axis=-1) / size", "a window of 3 channels", 1,
         "alpha is divided by size"),
    _lrn("return x / energy(x, size, alpha, k) ** beta", "return x / energy(x, size, alpha, k)",
         "one channel, other coefficients", 1, "beta left out"),
    _lrn("max(0, c - half) : c + half + 1].sum(axis=-1)", "c : c + 1].sum(axis=-1)",
         "a window of 3 channels", 4, "the own term only"),
    _lrn("dx[..., c] -= 2 *", "dx[..., c] -= 0 *", "one channel", 2, "the first term alone"),
    _lrn("dx[..., c] -= 2 *", "dx[..., c] -= 1 *", "one channel", 2, "a factor of 2 missing"),
    _lrn("dx[..., c] -= 2", "dx[..., c] += 2", "one channel", 2, "the sign of the second term"),
    _lrn("max(0, c - half) : c + half + 1].sum", "max(0, c - half) : c + half].sum",
         "one channel", 2, "the window clipped by one"),
    _lrn("s = energy(x, size, alpha, k)", "s = energy(dy, size, alpha, k)", "one channel", 2,
         "dx[0, 0, 0, 0] should be 1, came 0.5"),
    # ----------------------------------------------------------------------------------- relu
    _relu("if x[place] > 0:\n            y[place] = x[place]", "y[place] = abs(x[place])",
          "one number", 1, "the absolute value"),
    _relu("y[place] = x[place]", "y[place] = 1", "one number", 1, "the mask alone, because y is 1"),
    _relu("if x[place] > 0:\n            y[place] = x[place]", "y[place] = max(x[place], 0.01 * x[place])",
          "one number", 1, "a leaky ReLU"),
    _relu("if x[place] > 0:\n            dx", "if True:\n            dx", "one number", 2,
          "no mask, because dx is dy"),
    _relu("if x[place] > 0:\n            dx", "if dy[place] > 0:\n            dx", "one number", 2,
          "a mask made of dy"),
    _relu("if x[place] > 0:\n            dx", "if dy[place] > 0 and x[place] > 0:\n            dx",
          "one number", 2, "two masks"),
    _relu("if x[place] > 0:\n            dx", "if x[place] <= 0:\n            dx", "one number", 2,
          "the mask turned round"),
    _relu("if x[place] > 0:\n            dx", "if x[place] >= 0:\n            dx", "one number", 2,
          "zeros that pass"),
    _relu("dx[place] = dy[place]", "dx[place] = 1", "one number", 2, "dy left out"),
    _relu("dx[place] = dy[place]", "dx[place] = dy[place] * x[place]", "one number", 2,
          "the output instead of its slope"),
    # ---------------------------------------------------------------------------------- dense
    _dense("x[n, d] * W[d, f]", "x[n, d] * W[f, d]", "several inputs", 5, "IndexError"),
    _dense("y[n, f] = b[f]\n", "y[n, f] = 0\n", "a bias", 3, "the bias missing"),
    _dense("y[n, f] = b[f]\n            for d in range(D):\n                y[n, f] += x[n, d] * W[d, f]",
           "for d in range(D):\n                y[n, f] += x[n, d] * W[d, f] + b[f]",
           "a bias", 5, "the bias added once for each product"),
    _dense("for d in range(D)", "for d in range(1)", "several inputs", 5,
           "the sum over the inputs left out"),
    _dense("x[n, d] * W[d, f]", "x[n, d] * W[d, 0]", "several outputs", 5,
           "the weights of output 0 used for all"),
    _dense("x[n, d] * W[d, f]", "x[0, d] * W[d, f]", "a batch of images", 4,
           "every image has the first image's y"),
    _dense("dx[n, d] += dy[n, f] * W[d, f]", "dx[n, d] = dy[n, f] * W[d, f]", "several outputs", 5,
           "the outputs overwritten instead of added"),
    _dense("dW[d, f] += dy", "dW[d, f] = dy", "a batch of images", 5,
           "the images overwritten instead of added"),
    _dense("db[f] += dy[n, f]", "db[f] = dy[n, f]", "a batch of images", 5, "db is the last dy alone"),
    _dense("return dx, dW, db", "return dx, dW / N, db", "a batch of images", 5, "dW is divided by N"),
    _dense("return dx, dW, db", "return dx, dW, dy.sum(1)", "several outputs", 6, "db should have shape"),
    _dense("return dx, dW, db", "return dx, dy.T @ x, db", "several inputs", 5,
           "dW should have shape (2, 1), shape (1, 2) came"),
    _dense("return dx, dW, db", "return dx, (dy.T @ x).reshape(W.shape), db", "as many outputs as inputs", 8,
           "dW transposed"),
    _dense("return dx, dW, db", "return dx, dW, dy", "one number", 3, "no sum over the images"),
    # ----------------------------------------------------------------------------------- sgd
    _sgd("- rate *", "+ rate *", "the gradient alone", 3, "a step uphill"),
    _sgd("w[place] += v[place]", "w[place] -= v[place]", "the gradient alone", 3, "the velocity taken off"),
    _sgd("(g[place] + weight_decay * w[place])", "g[place]", "weight decay", 3, "weight decay left out"),
    _sgd("(g[place] + weight_decay * w[place])\n",
         "g[place]\n        w[place] -= rate * weight_decay * w[place]\n",
         "weight decay", 3, "made smaller before the step"),
    _sgd("- rate * (g[place] + weight_decay * w[place])\n        w[place] +=",
         "+ g[place] + weight_decay * w[place]\n        w[place] -= rate *", "the gradient alone", 3,
         "the rate outside of the velocity"),
    _sgd("momentum * v[place]", "v[place]", "the gradient alone", 3, "a velocity that never fades"),
    _sgd("- rate *", "- (1 - momentum) * rate *", "momentum", 3,
         "new_w looks like a mean of gradients"),
    _sgd("w, v = sgd_step(w, v, g", "w, _ = sgd_step(w, v, g", "several steps", 5, "momentum left out"),
    _sgd("rates[t], momentum", "rates[0], momentum", "several steps", 6, "the first rate at every step"),
    _sgd("        ws[t] = w\n", "        ws[:] = w\n", "several steps", 5, "the last weights everywhere"),
    # --------------------------------------------------------------------------------- im2col
    _im2col("cols[(n * OH + oh) * OW + ow, (i * kernel[1] + j) * C + c] = x",
            "cols[(n * OH + oh) * OW + ow, (c * kernel[0] + i) * kernel[1] + j] = x",
            "several channels", 8, "the channels first"),
    _im2col("cols[(n * OH + oh) * OW + ow, (i * kernel[1] + j) * C + c] = x",
            "cols[(n * OH + oh) * OW + ow, (j * kernel[0] + i) * C + c] = x",
            "one window", 4, "the windows read column by column"),
    _im2col("cols[(n * OH + oh) * OW + ow, (i * kernel[1] + j) * C + c] = x",
            "cols[(n * OW + ow) * OH + oh, (i * kernel[1] + j) * C + c] = x",
            "a square window that slides", 4, "oh runs faster than ow"),
    _im2col("cols[(n * OH + oh) * OW + ow, (i * kernel[1] + j) * C + c] = x",
            "cols[(oh * OW + ow) * N + n, (i * kernel[1] + j) * C + c] = x",
            "a batch of images", 8, "the images mixed"),
    _im2col("] += cols", "] = cols", "a square window that slides", 16,
            "overlapping windows overwritten instead of added"),
    _im2col("return x\n", "return x[::-1]\n", "a batch of images", 4, "x[0, 0, 0, 0] should be"),
    _im2col("y[row, f] = b[f] + sum(", "y[row, f] = sum(", "one window", 9, "the bias missing"),
    _im2col("W.reshape(KH * KW * C, F)", "W.reshape(F, KH * KW * C).T", "one window", 20,
            "the filters read in the wrong order"),
    _im2col("return y.reshape(N, OH, OW, F)", "return y.T.reshape(N, OH, OW, F)",
            "a square window that slides", 9, "the filters first"),
    # ------------------------------------------------------------------------------- tiny-net
    _tiny("pooled.reshape(N, -1) @ W2 + b2", "pooled.transpose(0, 3, 1, 2).reshape(N, -1) @ W2 + b2",
          "all of it at once", 60, "the features flattened channels first"),
    _tiny(" @ filters + b1", " @ filters", "one image, one filter", 12, "b1 missing"),
    _tiny(".max(axis=(0, 1))", ".mean(axis=(0, 1))", "one image, one filter", 12,
          "means instead of maxima"),
    _tiny("dz[n, labels[n]] -= 1 / N", "pass", "one image, one filter", 12, "the label's 1 not taken off"),
    _tiny("powers / powers.sum() / N\n        dz[n, labels[n]] -= 1 / N",
          "powers / powers.sum()\n        dz[n, labels[n]] -= 1", "a batch of images", 20,
          "a factor of N missing"),
    _tiny("if z1[n, 2 * h + i, 2 * w + j, f] > 0:", "if True:", "one image, one filter", 20,
          "ReLU's mask left out"),
    _tiny("dW1[i, j] = cells", "dW1[-1 - i, -1 - j] = cells", "one image, one filter", 20,
          "the flipped kernel"),
    _tiny("0.9 * v - 0.05 * g", "0.9 * v + 0.05 * g", "the loss falls", 10_000,
          "does each step go downhill"),
    _tiny("range(7)", "range(0)", "the loss falls", 10_000, "the weights came back as they went in"),
    _tiny("0.9 * v - 0.05 * g", "-0.0005 * g", "90 % of digits", 100_000, "more steps, or larger ones?"),
    _tiny("batch = order[start : start + 20]", "batch = np.arange(20)", "the loss falls", 10_000,
          "after training the loss on the images it has learnt from is"),
    _tiny("0.9 * v - 0.05 * g", "0.9 * v - 500 * g", "the loss falls", 10_000,
          "is the rate small enough?"),
]  # fmt: skip
