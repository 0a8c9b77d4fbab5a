import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from op_checks import call_converts_once, call_is_polite, slopes
from strategies import whole

from tinycnn.errors import ArgumentError, DTypeError, ShapeError
from tinycnn.ops import cross_entropy, softmax, softmax_backward
from tinycnn.testing.strategies import dtypes, generators


@st.composite
def batches(draw):
    """Logits and labels, of any number of images and classes."""
    N, F = draw(st.integers(1, 6)), draw(st.integers(1, 9))
    rng = draw(generators)
    return rng.standard_normal((N, F)) * draw(st.sampled_from([1, 20])), rng.integers(0, F, N)


def plain_loss(logits, labels):
    """The mean of log(sum(exp(z - z[label]))), image by image."""
    losses = [
        math.log(math.fsum(math.exp(z - row[label]) for z in row))
        for row, label in zip(logits.tolist(), labels, strict=True)
    ]
    return sum(losses) / len(losses)


@settings(max_examples=80)
@given(batches(), dtypes)
def test_loss_and_gradient_are_the_formula(batch, dtype):
    logits, labels = batch[0].astype(dtype), batch[1]
    loss, dlogits = cross_entropy(logits, labels)
    assert type(loss) is float
    rounding = 8 * float(np.finfo(dtype).eps)
    assert loss == pytest.approx(plain_loss(logits, labels), rel=rounding, abs=rounding)
    assert dlogits.dtype == dtype
    expected = softmax(np.float64(logits))
    expected[np.arange(len(labels)), labels] -= 1
    assert np.abs(dlogits - expected / len(labels)).max() <= 8 * np.finfo(dtype).eps


@settings(max_examples=40)
@given(batches())
def test_in_float64_the_loss_is_exact_to_rounding(batch):
    assert cross_entropy(*batch)[0] == pytest.approx(plain_loss(*batch), rel=1e-13, abs=1e-15)


@settings(max_examples=20)
@given(batches())
def test_every_slope(batch):
    logits, labels = batch[0] / 20, batch[1]
    _, dlogits = cross_entropy(logits, labels)
    numerical = slopes(lambda z: np.array(cross_entropy(z, labels)[0]), logits, np.array(1.0))
    assert np.abs(dlogits - numerical).max() < 1e-9


@settings(max_examples=40)
@given(batches())
def test_it_is_softmax_and_the_logarithm_in_one_step(batch):
    logits, labels = batch[0] / 20, batch[1]
    p, rows = softmax(logits), np.arange(len(labels))
    dp = np.zeros_like(p)
    dp[rows, labels] = -1 / p[rows, labels] / len(labels)
    loss, dlogits = cross_entropy(logits, labels)
    assert loss == pytest.approx(-np.log(p[rows, labels]).mean(), rel=1e-12, abs=1e-15)
    assert np.abs(dlogits - softmax_backward(dp, p)).max() < 1e-12


@pytest.mark.parametrize("classes", [1, 2, 10, 1000])
@pytest.mark.parametrize("logit", [0.0, 1e4, -3e38])
def test_equal_logits_cost_the_logarithm_of_the_classes_exactly(classes, logit):
    logits = np.full((3, classes), logit, np.float32)
    assert cross_entropy(logits, [0, classes - 1, classes // 2])[0] == math.log(classes)


def test_huge_logits_lose_nothing():
    loss, dlogits = cross_entropy([[1e4, 0.0, -1e4], [-1e4, 1e4, 0]], [2, 1])
    assert loss == 1e4  # (2e4 + 0) / 2
    np.testing.assert_array_equal(dlogits, [[0.5, 0, -0.5], [0, 0, 0]])
    # The probability of the label rounds to 0, its logarithm would be infinite.
    assert cross_entropy(np.array([[0, 800.0]]), [0])[0] == 800
    assert cross_entropy(np.array([[0, 200]], np.float32), [0])[0] == 200
    largest = float(np.finfo(np.float32).max)
    assert cross_entropy(np.array([[-largest, largest]], np.float32), [0])[0] == 2 * largest


def test_infinite_and_nan_logits():
    loss, dlogits = cross_entropy([[0.0, -np.inf], [0, -np.inf]], [0, 1])
    assert loss == np.inf
    np.testing.assert_array_equal(dlogits, [[0, 0], [0.5, -0.5]])
    for row in ([np.nan, 0], [np.inf, 0], [-np.inf, -np.inf]):
        loss, dlogits = cross_entropy([row, [0.0, 0.0]], [0, 0])
        assert np.isnan(loss)
        assert np.isnan(dlogits[0]).any()
        np.testing.assert_array_equal(dlogits[1], [-0.25, 0.25])


@pytest.mark.parametrize("labels", [[], (), np.empty(0), np.empty(0, np.int8)])
def test_no_images(labels):
    for dtype in (np.float32, np.float64):
        loss, dlogits = cross_entropy(np.empty((0, 7), dtype), labels)
        assert loss == 0.0
        assert type(loss) is float
        assert (dlogits.shape, dlogits.dtype) == ((0, 7), dtype)


@pytest.mark.parametrize(
    "labels",
    [
        [2, 0],
        (2, 0),
        np.array([2, 0], np.uint8),
        np.array([2, 0], np.uint64),
        np.array([2, 0], ">i4"),
        np.array([0, 1, 2])[::-2],
    ],
    ids=str,
)
def test_any_integer_labels(labels):
    logits = np.arange(6.0).reshape(2, 3)
    assert cross_entropy(logits, labels)[0] == cross_entropy(logits, np.array([2, 0]))[0]


@settings(max_examples=20)
@given(batches(), dtypes)
def test_any_memory_order_and_type_is_accepted_and_left_alone(batch, dtype):
    logits, labels = whole(np.random.default_rng(0), batch[0].shape, dtype), batch[1]
    kept = labels.copy()
    call_is_polite(lambda z: cross_entropy(z, labels), logits)
    call_converts_once(lambda z: cross_entropy(z, labels), logits)
    np.testing.assert_array_equal(labels, kept)
    assert np.abs(cross_entropy(logits, labels)[1].sum(axis=1)).max() <= 1e-6


LOGITS = np.zeros((2, 3))


@pytest.mark.parametrize(
    ("kind", "message", "arguments"),
    [
        (
            ArgumentError,
            r"^labels must lie in 0 \.\. 2 for 3 classes, got 3 at index 1$",
            (LOGITS, [0, 3]),
        ),
        (ArgumentError, "^labels must lie in 0 .* got -1 at index 0$", (LOGITS, [-1, 2])),
        (
            DTypeError,
            r"^labels must be integers, class numbers, got dtype float64$",
            (LOGITS, [0.0, 1.0]),
        ),
        (DTypeError, "^labels must be integers, .* dtype bool$", (LOGITS, [True, False])),
        (DTypeError, "^labels must be integers, .* dtype <U3$", (LOGITS, ["cat", "dog"])),
        (DTypeError, "^labels must be integers, .* dtype object$", (LOGITS, None)),
        (
            ShapeError,
            r"^labels must have shape \(2,\), one for each image, got \(3,\)$",
            (LOGITS, [0, 1, 2]),
        ),
        (ShapeError, r"^labels must have shape \(2,\), .* got \(0,\)$", (LOGITS, [])),
        (
            ShapeError,
            r"^labels must have shape \(2,\), .* got \(2, 3\)$",
            (LOGITS, [[0, 0, 1]] * 2),
        ),
        (ShapeError, r"^labels must have shape \(2,\), .* got \(\)$", (LOGITS, 1)),
        (ShapeError, "^labels must be an array or lists of equal len", (LOGITS, [[0], [1, 2]])),
        (ShapeError, r"^logits must have the axes \(N, F\), got shape \(3,\)", (LOGITS[0], [0])),
        (ShapeError, "^logits's axis F must not be empty, got shape", (LOGITS[:, :0], [0, 0])),
        (DTypeError, "^logits must hold real numbers, got dtype complex128", (1j * LOGITS, [0, 0])),
    ],
)
def test_bad_input(kind, message, arguments):
    with pytest.raises(kind, match=message):
        cross_entropy(*arguments)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("gap", [5.0, 20.0, 60.0])
def test_a_sure_answer_keeps_its_small_loss(dtype, gap):
    loss, _ = cross_entropy(np.array([[0, -gap]], dtype), [0])
    assert loss == pytest.approx(math.log1p(math.exp(-gap)), rel=1e-6, abs=0)


# ------------------------------------------------------------------ smoothed labels, weighted classes


def plain_weighted_loss(logits, labels, smoothing, weights):
    """PyTorch's definition, image by image and class by class, in Python's own floats."""
    terms, total = [], 0.0
    for row, label in zip(logits.tolist(), labels, strict=True):
        surprises = [math.log(math.fsum(math.exp(z - own) for z in row)) for own in row]
        terms.append((1 - smoothing) * weights[label] * surprises[label])
        terms += [
            smoothing / len(row) * w * surprise
            for w, surprise in zip(weights, surprises, strict=True)
        ]
        total += weights[label]
    return math.fsum(terms) / total


smoothings = st.sampled_from([0.0, 0.1, 0.5, 0.9])


@settings(max_examples=60)
@given(batches(), smoothings, dtypes, generators)
def test_smoothing_and_weights_are_the_definition(batch, smoothing, dtype, rng):
    logits, labels = batch[0].astype(dtype), batch[1]
    weights = rng.uniform(0.5, 3, logits.shape[1])
    loss, dlogits = cross_entropy(logits, labels, label_smoothing=smoothing, class_weights=weights)
    rounding = 16 * float(np.finfo(dtype).eps)
    expected = plain_weighted_loss(logits, labels, smoothing, weights)
    assert loss == pytest.approx(expected, rel=rounding, abs=rounding)
    assert dlogits.dtype == dtype
    # A shift of all logits changes nothing.
    assert np.abs(dlogits.sum(axis=1)).max() <= 8 * rounding


@settings(max_examples=20)
@given(batches(), smoothings, generators)
def test_every_slope_with_smoothing_and_weights(batch, smoothing, rng):
    logits, labels = batch[0] / 20, batch[1]
    options = {"label_smoothing": smoothing, "class_weights": rng.uniform(0.1, 3, logits.shape[1])}
    _, dlogits = cross_entropy(logits, labels, **options)
    numerical = slopes(
        lambda z: np.array(cross_entropy(z, labels, **options)[0]), logits, np.array(1.0)
    )
    assert np.abs(dlogits - numerical).max() < 1e-9


@settings(max_examples=20)
@given(batches(), dtypes)
def test_no_smoothing_and_equal_weights_are_the_plain_loss_bit_for_bit(batch, dtype):
    logits, labels = batch[0].astype(dtype), batch[1]
    plain = cross_entropy(logits, labels)
    given = cross_entropy(
        logits, labels, label_smoothing=0, class_weights=np.ones(logits.shape[1], np.float32)
    )
    assert given[0] == plain[0]
    np.testing.assert_array_equal(given[1], plain[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_smoothing_and_weights_by_hand(dtype):
    """Logits ln 1, ln 2, ln 5: p is 1/8, 2/8, 5/8. Label 2, of weight 2, smoothed by 3/10."""
    z = np.log(np.array([[1, 2, 5]], dtype))
    loss, dz = cross_entropy(z, [2], label_smoothing=0.3, class_weights=[1, 1, 2])
    # q = 0.1, 0.1, 1.4 + 0.2 = 1.6; their sum is 1.8, and the label's weight is 2.
    expected = (0.1 * math.log(8) + 0.1 * math.log(4) + 1.6 * math.log(8 / 5)) / 2
    assert loss == pytest.approx(expected, rel=4 * float(np.finfo(dtype).eps))
    np.testing.assert_allclose(
        dz, [[(1.8 / 8 - 0.1) / 2, (1.8 / 4 - 0.1) / 2, (1.8 * 5 / 8 - 1.6) / 2]], rtol=1e-6
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_logits_stay_finite_when_smoothed(dtype):
    loss, dlogits = cross_entropy(np.array([[1e4, 0, -1e4]], dtype), [0], label_smoothing=0.3)
    assert loss == pytest.approx(0.1 * (1e4 + 2e4))
    np.testing.assert_allclose(dlogits, [[0.2, -0.1, -0.1]], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_images_of_no_weight_teach_nothing(dtype):
    logits = np.array([[0, 1], [3, 1]], dtype)
    loss, dlogits = cross_entropy(logits, [1, 1], class_weights=[1, 0])
    assert loss == 0
    assert not dlogits.any()
    both, slopes_ = cross_entropy(logits, [1, 0], class_weights=[1, 0])
    alone, slope = cross_entropy(logits[1:], [0])
    assert both == alone
    np.testing.assert_array_equal(slopes_, [[0, 0], slope[0]])


@pytest.mark.parametrize(
    ("kind", "message", "options"),
    [
        (ArgumentError, "^label_smoothing must be .* from 0 up and below 1, got 1$", {"label_smoothing": 1}),
        (ArgumentError, "^label_smoothing must be .* got -0.1$", {"label_smoothing": -0.1}),
        (
            ShapeError,
            r"^class_weights must have shape \(3,\) \(one for each of 3 classes\), got shape \(2,\)$",
            {"class_weights": [1, 2]},
        ),
        (ArgumentError, "^class_weights must be finite .* got -2.0 at", {"class_weights": [1, -2, 3]}),
        (ArgumentError, "^class_weights .* got nan at index 0$", {"class_weights": [math.nan, 2, 3]}),
        (DTypeError, "^class_weights must hold real numbers", {"class_weights": [1j, 2, 3]}),
    ],
)  # fmt: skip
def test_bad_smoothing_and_weights(kind, message, options):
    with pytest.raises(kind, match=message):
        cross_entropy(LOGITS, [0, 1], **options)
