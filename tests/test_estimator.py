"""CNNClassifier beside scikit-learn: its own checks, its tools, and answers that others work out too."""

import pickle
import sys
from importlib import import_module

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler
from sklearn.utils.estimator_checks import check_estimator

import tinycnn as tc
from tinycnn.errors import MissingExtraError
from tinycnn.layers import Conv2D, Dense, GlobalAveragePool2D, Layer, MaxPool2D
from tinycnn.runs.networks import open_network

# What scikit-learn itself leaves out where pandas or an environment variable is missing.
ELSEWHERE = {"check_array_api_input", "check_classifier_data_not_an_array"}


def expect_all_checks(estimator):
    outcomes = check_estimator(estimator, on_skip=None)
    passed = {found["check_name"] for found in outcomes if found["status"] == "passed"}
    assert len(passed) > 45
    assert {found["check_name"] for found in outcomes} - passed <= ELSEWHERE


def test_it_passes_the_checks_of_scikit_learn():
    expect_all_checks(tc.CNNClassifier(epochs=30))


@pytest.mark.slow
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"optimizer": "sgd", "class_weight": "balanced"},
        {"optimizer": "adam", "label_smoothing": 0.1},
        {"layers": [Dense(20, activation="relu"), Dense(20, activation="relu")], "epochs": 100},
        {"early_stopping": True, "validation_fraction": 0.2},
    ],
    ids=repr,
)
def test_it_passes_them_in_other_ways_too(given):
    expect_all_checks(tc.CNNClassifier(**given))


# -------------------------------------------------------------------------------- images and rows


@pytest.fixture(scope="module")
def digits():
    """A few hundred digits, images (N, 8, 8) and classes: (train, test, classes of train, of test)."""
    images, classes = load_digits().images[:500], load_digits().target[:500]
    return train_test_split(images, classes, test_size=0.4, random_state=0, stratify=classes)


def quick(**given):
    """A tenth of the default's time, and a rate that so few steps need."""
    layers = [Conv2D(8, 3, activation="relu"), MaxPool2D(2)]
    return tc.CNNClassifier(
        **{
            "layers": layers,
            "epochs": 10,
            "batch_size": 16,
            "rate": 0.02,
            "random_state": 0,
            **given,
        }
    )


def test_images_of_any_layout_and_their_rows_give_the_same_bits(digits):
    train, test, classes, expected = digits
    images = quick().fit(train, classes)
    assert images.image_shape_ == (8, 8, 1) and images.n_features_in_ == 64
    assert images.score(test, expected) > 0.8
    probabilities = images.predict_proba(test)
    others = [
        quick().fit(train[..., None], classes),
        quick(image_shape=(8, 8)).fit(train.reshape(-1, 64), classes),
        quick(image_shape=[8, 8, 1]).fit(train.tolist(), classes.tolist()),
    ]
    for other in others:
        for given in (test, test[..., None], test.reshape(-1, 64)):
            np.testing.assert_array_equal(other.predict_proba(given), probabilities)


def test_channels_are_innermost_in_rows():
    """A fixed filter lets one channel of two through; what the network gives then rises with its mean."""
    images = np.random.default_rng(0).standard_normal((60, 4, 4, 2))
    only_the_second = Conv2D(
        1, 1, weight_initializer=lambda out, rng: np.copyto(out[0, 0, :, 0], [0, 1])
    )
    classifier = tc.CNNClassifier(
        [only_the_second, GlobalAveragePool2D()], image_shape=(4, 4, 2), rate=0.0, epochs=1
    ).fit(images.reshape(60, -1), np.arange(60) % 2)
    first, second = classifier.predict_proba(images.reshape(60, -1)).T
    logits = np.log(second / first)
    correlation = np.corrcoef(logits, images[..., 1].mean(axis=(1, 2)))[0, 1]
    assert abs(correlation) == pytest.approx(1, abs=1e-5)


def test_one_layer_over_rows_is_logistic_regression():
    """Without hidden layers the loss is convex: scikit-learn's solver finds the same minimum."""
    rows, classes = load_iris(return_X_y=True)
    mean, deviation = rows.mean(0), rows.std(0)
    decay = 0.05
    ours = tc.CNNClassifier(
        [],
        optimizer="sgd",
        rate=0.2,
        weight_decay=decay,
        epochs=300,
        batch_size=150,
        random_state=0,
    ).fit(rows, classes)
    # sum of losses * C + |W|^2 / 2, where ours is mean of losses + decay * |W|^2 / 2
    solver = LogisticRegression(C=1 / (decay * len(rows)), tol=1e-8, max_iter=1000)
    theirs = solver.fit((rows - mean) / deviation, classes)
    W = ours.model_.parameters()["dense1.W"].T
    np.testing.assert_allclose(W, theirs.coef_, atol=1e-3)
    standard = (rows - mean) / deviation
    np.testing.assert_allclose(ours.predict_proba(rows), theirs.predict_proba(standard), atol=1e-3)
    assert ours.image_shape_ == (1, 1, 4) and ours.predict_proba(rows).dtype == np.float64


def test_classes_of_any_kind_come_back(digits):
    train, _, numbers, _ = digits
    names = np.array(["zero", "one", "two", "three"], object)
    few, seen = train[numbers < 4], names[numbers[numbers < 4]]
    classifier = quick().fit(few, seen)
    assert classifier.classes_.tolist() == ["one", "three", "two", "zero"]
    proba, predicted = classifier.predict_proba(few), classifier.predict(few)
    assert (predicted == classifier.classes_[proba.argmax(axis=1)]).all()
    assert (predicted == seen).mean() > 0.95
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)


def test_a_class_that_weighs_nothing_is_not_learned(digits):
    train, _, classes, _ = digits
    weights = {number: float(number != 3) for number in range(10)}
    predicted = quick(class_weight=weights).fit(train, classes).predict(train)
    assert (predicted != 3).all() and (quick().fit(train, classes).predict(train) == 3).any()


# ----------------------------------------------------------------------------------------- training


class Watched(Layer):
    """Hands on what it is given; ``Watched.seen`` gets it in training."""

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        if context.training:
            self.seen.append(x)
        return x, None

    def backward(self, params, dz, saved, context):
        return dz, {}


@pytest.mark.parametrize(
    ("augment", "moves"),
    [(None, 9), ((), 1), (tc.data.RandomCrop(8, padding=2), 25), ([tc.data.CenterCrop(8)], 1)],
)
def test_images_are_standardised_and_moved(augment, moves):
    """One white pixel on black: where it is found, and what is white and black."""
    images = np.zeros((400, 8, 8), np.uint8)
    images[:, 3, 4] = 255
    Watched.seen = []
    quick(layers=[Watched()], augment=augment, epochs=2).fit(images, np.arange(400) % 2)
    x = np.concatenate(Watched.seen)[..., 0]
    places = x.reshape(len(x), -1).argmax(axis=1)
    rows, columns = np.unique(places // 8), np.unique(places % 8)
    assert len(rows) * len(columns) == moves and {3} <= set(rows) and {4} <= set(columns)
    mean, deviation = images.mean(), images.std()
    assert x.max() == pytest.approx((255 - mean) / deviation, rel=1e-5)
    assert x.min() == pytest.approx((0 - mean) / deviation, rel=1e-5)


def test_early_stopping_ends_where_nothing_is_left_to_learn():
    """The classes are noise, so the loss of what is held out rises sooner or later."""
    rng = np.random.default_rng(0)
    rows, classes = rng.standard_normal((200, 6)), rng.integers(0, 2, 200)
    given = {"early_stopping": True, "patience": 3, "validation_fraction": 0.25, "random_state": 0}
    stopped = tc.CNNClassifier(epochs=200, rate=0.01, **given).fit(rows, classes)
    losses = stopped.history_["validation_loss"]
    assert len(losses) == stopped.n_iter_ == np.argmin(losses) + 1 + 3 < 200
    assert stopped.history_.rows[-1].steps == stopped.n_iter_ * 5  # of 150 rows in batches of 32


def test_small_sets_get_more_epochs():
    rows, classes = load_iris(return_X_y=True)
    trained = tc.CNNClassifier(random_state=0).fit(rows, classes)
    assert trained.n_iter_ == 120 and trained.history_.rows[-1].steps == 600  # in batches of 32
    assert trained.score(rows, classes) > 0.95


def test_a_bar_is_shown_if_it_is_asked_for(digits, capsys):
    train, _, classes, _ = digits
    whole = quick(epochs=2).fit(train, classes)
    assert capsys.readouterr() == ("", "")
    assert whole.history_["validation_loss"] == [None, None]
    quick(epochs=2, verbose=True).fit(train, classes)
    printed = capsys.readouterr()
    assert printed.out == "" and "epoch 2: loss" in printed.err


def test_classes_weigh_as_in_scikit_learn():
    """One layer is convex, and its minimum known; batches of 4, of which many lack the heavy class."""
    rng = np.random.default_rng(0)
    rows, classes = rng.standard_normal((60, 3)), np.arange(60) % 6 // 2
    rows[np.arange(60), classes] += 1
    classes[::5] = 0
    decay, weights = 0.1, {0: 1.0, 1: 0.2, 2: 5.0}
    ours = tc.CNNClassifier(
        [], optimizer="sgd", rate=0.01, weight_decay=decay, epochs=200, batch_size=4, class_weight=weights,
        random_state=0,
    ).fit(rows, classes)  # fmt: skip
    total = sum(weights[number] for number in classes)
    theirs = LogisticRegression(C=1 / (decay * total), class_weight=weights, tol=1e-8)
    standard = (rows - rows.mean(0)) / rows.std(0)
    expected = theirs.fit(standard, classes).predict_proba(standard)
    np.testing.assert_allclose(ours.predict_proba(rows), expected, atol=0.01)


# ------------------------------------------------------------------------------ scikit-learn's tools


def test_it_works_in_pipelines_and_searches(digits):
    train, test, classes, expected = digits
    as_rows = FunctionTransformer(lambda images: images.reshape(len(images), -1))
    pipeline = make_pipeline(as_rows, MinMaxScaler(), quick(image_shape=(8, 8)))
    search = GridSearchCV(pipeline, {"cnnclassifier__rate": [1e-9, 0.02]}, cv=2)
    assert search.fit(train, classes).best_params_ == {"cnnclassifier__rate": 0.02}
    assert search.score(test, expected) > 0.8
    scores = cross_val_score(quick(), train, classes, cv=2)  # folds of images
    assert scores.min() > 0.7


@pytest.mark.process
def test_processes_come_to_the_same(digits):
    train, _, classes, _ = digits
    alone, shared = (cross_val_score(quick(), train, classes, cv=2, n_jobs=n) for n in (1, 2))
    np.testing.assert_array_equal(shared, alone)


def test_a_clone_is_untrained_and_a_pickle_is_trained(digits):
    train, test, classes, _ = digits
    trained = quick().fit(train, classes)
    copy = clone(trained)
    assert not hasattr(copy, "model_") and copy.get_params().keys() == trained.get_params().keys()
    expected = trained.predict_proba(test)
    np.testing.assert_array_equal(copy.fit(train, classes).predict_proba(test), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(trained)).predict_proba(test), expected)


def test_the_trained_network_is_one_of_ours(digits, tmp_path):
    """Saved with its preparation it is opened by name, as `tinycnn predict` does."""
    train, test, classes, _ = digits
    trained = quick().fit(train, classes)
    file, preparation = tmp_path / "digits.npz", trained.preparation_.to_dict()
    tc.checkpoints.save(file, trained.model_, preparation=preparation)
    network = open_network(str(file))
    assert network.classes == tuple("0123456789") and network.preparation.white == 16
    x = network.preparation(test[..., None])
    np.testing.assert_array_equal(network.model.predict(x), trained.predict_proba(test))


def test_layers_that_are_given_stay_free(digits):
    train, _, classes, _ = digits
    classifier = quick()
    first = classifier.fit(train, classes).model_
    second = classifier.fit(train, classes).model_
    assert first is not second
    tc.Sequential(classifier.layers, (8, 8, 1))  # which a layer of another model would refuse


@pytest.mark.parametrize("state", [3, np.random.RandomState], ids=["int", "RandomState"])
def test_a_random_state_fixes_the_bits(digits, state):
    train, test, classes, _ = digits

    def probabilities():
        fixed = state if isinstance(state, int) else state(3)
        return quick(random_state=fixed, epochs=2).fit(train, classes).predict_proba(test)

    with tc.use_threads(1):
        alone = probabilities()
    np.testing.assert_array_equal(probabilities(), alone)
    other = quick(random_state=4, epochs=2).fit(train, classes).predict_proba(test)
    assert not np.array_equal(other, alone)


# ------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("given", "shape", "text"),
    [
        ({"image_shape": (8, 9)}, (20, 64), r"image_shape 8 x 9 x 1 takes rows of 72 numbers, got 64"),
        ({"image_shape": (4, 4)}, (20, 8, 8), r"\(N, 4, 4, 1\) or rows \(N, D\), got shape \(20, 8, 8\)"),
        ({"image_shape": 64}, (20, 64), r"image_shape must be a shape such as \(H, W, C\)"),
        ({"image_shape": (64,)}, (20, 64), r"image_shape must be \(H, W\) or \(H, W, C\), got 64"),
        ({"image_shape": (8, 0)}, (20, 64), r"each size of image_shape must be at least 1"),
        ({}, (20, 8, 8, 1, 1), r"images \(N, H, W, C\) or rows"),
        ({}, (20, 1, 8, 8), r"channels last"),
        ({"early_stopping": True, "validation_fraction": 1}, (20, 8, 8), r"validation_fraction must be a"),
        ({"early_stopping": True, "patience": 0}, (20, 8, 8), r"patience must be at least 1"),
        ({"epochs": 0}, (20, 8, 8), r"epochs must be at least 1"),
        ({"batch_size": 2.5}, (20, 8, 8), r"batch_size must be an int"),
        ({"optimizer": "lbfgs"}, (20, 8, 8), r"optimizer must be one of 'sgd', .*, got 'lbfgs'"),
        ({"rate": -1}, (20, 8, 8), r"rate must be a finite number"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_words(given, shape, text):
    with pytest.raises(ValueError, match=text):
        quick(**given).fit(np.zeros(shape), np.arange(20) % 2)


def test_images_of_another_shape_are_refused_later_on(digits):
    train, _, classes, _ = digits
    trained = quick(epochs=1).fit(train, classes)
    with pytest.raises(
        ValueError, match=r"\(N, 8, 8, 1\) or rows \(N, D\), got shape \(5, 4, 16\)"
    ):
        trained.predict(np.zeros((5, 4, 16)))


def test_without_scikit_learn_it_says_what_is_missing(monkeypatch):
    monkeypatch.delitem(sys.modules, "tinycnn.estimator")
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tinycnn\[sklearn\]'"):
        import_module("tinycnn.estimator")


# ----------------------------------------------------------------------------------------- digits


def test_a_few_epochs_read_most_digits(digits):
    train, test, classes, expected = digits
    assert (
        tc.CNNClassifier(epochs=6, random_state=0).fit(train, classes).score(test, expected) > 0.9
    )


@pytest.mark.slow
def test_it_reads_a_held_out_fifth_of_all_digits():
    """As its page says: the median over splits and seeds, not the best of them."""
    images, classes = load_digits().images, load_digits().target
    shares = []
    for seed in range(5):
        train, test, learned, expected = train_test_split(
            images, classes, test_size=0.2, stratify=classes, random_state=seed
        )
        trained = tc.CNNClassifier(random_state=seed).fit(train, learned)
        shares.append(trained.score(test, expected))
    assert np.median(shares) >= 0.985
