"""Work of convolutions whose windows are read where they lie: in multiply-adds, and in how many parts.

Vectors hold filters; or what lies side by side in a window, where filters are too few to fill them.
"""

from __future__ import annotations

from tinycnn.kernels.simd import LANES
from tinycnn.kernels.window_products import PACKED, TOGETHER
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.runtime.feature_maps import round_up

# Multiply-adds of a part: some thirty microseconds, which are worth handing over; and of the longest one, a
# tenth of a second on a slow core.
_WORK, _MOST_WORK = 1 << 21, 1 << 28
# Parts that are enough for any number of cores.
_PARTS = 16
# Multiply-adds that take as long as one where groups share a vector, which reads inputs of its own.
_NARROW = 2
# The same of a multiply-add of dot products, for which both factors are read; vectors of these that take as
# long as to add up the lanes of a sum; and filters, each of which is multiplied with all that is read.
_DOTS, _SUM, _LEAST_FILTERS = 1.3, 3, 2
# The same of two columns of a window at once, beside one after the other.
_PAIRS = 0.75
# Multiply-adds that take as long as to turn a weight, while the other threads wait.
TURNED = 80


def by_dots(geometry: Geometry) -> bool:
    """Whether forward works out dot products of windows and filters, along the windows."""
    return saved_by_dots(geometry) > 0


def saved_by_dots(geometry: Geometry) -> int:
    """Multiply-adds that dot products save."""
    return _counted_vectors(geometry) - _counted_dots(geometry)


def input_gradient_by_dots(geometry: Geometry) -> bool:
    """Whether `input_gradient` does, along dz's filters."""
    return _counted_input_dots(geometry) < _counted_input_vectors(geometry)


def weight_gradient_along(geometry: Geometry) -> bool:
    """Whether `weight_gradient` does."""
    return _counted_along_window(geometry) < _counted_weight_vectors(geometry)


def counted_products(geometry: Geometry) -> int:
    """Multiply-adds of the convolution, as many as its time is worth."""
    return min(_counted_vectors(geometry), _counted_dots(geometry))


def counted_weight_gradient(geometry: Geometry) -> int:
    """Those of `weight_gradient`."""
    return min(_counted_weight_vectors(geometry), _counted_along_window(geometry))


def counted_input_gradient(geometry: Geometry) -> int:
    """Those of `input_gradient`."""
    return min(_counted_input_vectors(geometry), _counted_input_dots(geometry))


def _counted_vectors(geometry: Geometry) -> int:
    """Of vectors of filters; a vector that has lanes for all of them twice takes two numbers at once."""
    twice = geometry.groups == 1 and 2 * geometry.F <= LANES and geometry.weights <= PACKED
    return int(_counted_weight_vectors(geometry) * (_PAIRS if twice else 1))


def _counted_dots(geometry: Geometry) -> int:
    """Of vectors along the windows, for which weights of several filters are turned."""
    turned = TURNED * geometry.weights if geometry.F > 1 else 0
    filters = geometry.groups * max(_group(geometry)[1], _LEAST_FILTERS)
    each = int(_DOTS * (_along_window(geometry) + _SUM * LANES))
    return _outputs(geometry) * filters * each + turned


def _along_window(geometry: Geometry) -> int:
    """Numbers of whole vectors for a window: along a row of its cells, or the channels of a cell."""
    win, (Cg, _) = geometry.window, _group(geometry)
    if geometry.groups == 1 and win.dilation[1] == 1:
        return win.kernel[0] * round_up(win.kernel[1] * Cg, LANES)
    return win.cells * round_up(Cg, LANES)


def _counted_weight_vectors(geometry: Geometry) -> int:
    """Of vectors of filters, for dW."""
    Cg, Fg = _group(geometry)
    return _outputs(geometry) * geometry.window.cells * Cg * _lanes(Cg, Fg, geometry.groups)


def _counted_along_window(geometry: Geometry) -> int:
    """Of vectors along the windows, for dW: tiles of some filters."""
    filters = geometry.groups * round_up(_group(geometry)[1], TOGETHER)
    return _outputs(geometry) * _along_window(geometry) * filters


def _counted_input_vectors(geometry: Geometry) -> int:
    """Of vectors of channels."""
    Cg, Fg = _group(geometry)
    return _outputs(geometry) * geometry.window.cells * Fg * _lanes(Fg, Cg, geometry.groups)


def _counted_input_dots(geometry: Geometry) -> int:
    """Of vectors of filters of dz."""
    win, (Cg, Fg) = geometry.window, _group(geometry)
    products = _outputs(geometry) * win.cells * round_up(Fg, LANES)
    sums = geometry.N * win.height.input * win.width.input
    channels = geometry.groups * max(Cg, _LEAST_FILTERS)
    return int(_DOTS * channels * (products + sums * _SUM * LANES))


def _outputs(geometry: Geometry) -> int:
    return geometry.N * geometry.cells_per_image


def _group(geometry: Geometry) -> tuple[int, int]:
    """Channels and filters of a group."""
    return geometry.C // geometry.groups, geometry.F // geometry.groups


def _lanes(channels: int, filters: int, groups: int) -> int:
    """Lanes that a number of each group's windows is multiplied in, as many as its time is worth."""
    together = min(LANES // filters, (LANES - 1) // channels + 1) if groups > 1 else 0
    if together > 1:
        return _NARROW * LANES * -(-groups // together)
    return groups * round_up(filters, LANES)


def parts(work: int) -> int:
    """How many parts the work is cut into, from its size: a power of two, so that cores end together."""
    enough = min(1 << max((work // _WORK).bit_length() - 1, 0), _PARTS)
    return max(enough, work // _MOST_WORK)
