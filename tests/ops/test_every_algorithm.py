"""Every algorithm, and "auto", over convolutions drawn in all arguments: op and model, with counts."""

import pytest
from drawn_convolutions import check_both, check_op, count, expect
from hypothesis import Phase, settings
from strategies import examples

from tinycnn.ops.convolution.winograd.space_to_depth import SpaceToDepth


def test_drawn_convolutions_are_the_formula():
    few = examples(600)
    for took in count(check_both, few):
        expect(took, least=few.max_examples // 10)


@pytest.mark.slow
def test_five_thousand_drawn_convolutions_are_the_formula():
    for took in count(check_both, settings(max_examples=5000)):
        assert took.total() >= 5000
        expect(took, least=400)


def test_the_drawn_convolutions_find_weights_in_the_wrong_order(monkeypatch):
    """One channel and a stride along one axis: these alone were wrong once."""
    weights = SpaceToDepth.weights

    def planted(squares, W):
        result = weights(squares, W)
        return result[::-1] if squares.C == 1 and squares.window.stride[1] == 1 else result

    monkeypatch.setattr(SpaceToDepth, "weights", planted)
    until_found = settings(max_examples=2000, print_blob=False, phases=[Phase.generate])
    with pytest.raises(AssertionError):
        count(check_op, until_found)
