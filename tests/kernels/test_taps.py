from hypothesis import given
from hypothesis import strategies as st
from strategies import examples
from twins import against_twin

from tinycnn.kernels.taps import phase_taps, taps_inside

small = st.integers(1, 5)


@examples(150)
@given(st.integers(0, 5), st.integers(1, 9), small, st.integers(-9, 9), small, small, small)
def test_taps_inside_are_their_twin(output, more, size, begin, stride, taps, dilation):
    against_twin(taps_inside, output, output + more, size, begin, stride, taps, dilation)


@examples(150)
@given(st.integers(0, 9), small, small, small)
def test_phase_taps_are_their_twin(start, taps, stride, dilation):
    against_twin(phase_taps, start, taps, stride, dilation)
