"""What a layer's feature maps hold, against NumPy over the same numbers."""

import json
import re

import numpy as np
import pytest
from small_nets import images, plain_net

import tinycnn as tc
from tinycnn.errors import UnknownNameError
from tinycnn.explain import explain, open_lesson
from tinycnn.explain.lessons import maps
from tinycnn.explain.readers.overview_text import draw_maps
from tinycnn.explain.readers.style import WIDTH, Style
from tinycnn.layers import ReLU


@pytest.fixture(scope="module")
def trace():
    return open_lesson(model="mini").trace


@pytest.mark.parametrize("name", ["conv1", "pool2", "conv5", "dropout1"])
def test_the_liveliest_maps_and_the_most_active_cells(trace, name):
    found = maps.describe(trace, name)
    y = trace[name].y[0].astype(np.float64)
    means = {k: y[..., k].mean() for k in range(y.shape[2])}
    best = sorted(means, key=lambda k: -means[k])[:8]
    assert [each.channel for each in found.maps] == best
    for each in found.maps:
        values = y[..., each.channel]
        assert each.mean == pytest.approx(values.mean(), rel=1e-12)
        assert each.highest == values.max()
        assert each.zeros == pytest.approx((values == 0).mean())
    assert found.silent == sum(not y[..., k].any() for k in range(y.shape[2]))
    assert [value for _, value in found.cells] == sorted(y.ravel().tolist())[::-1][:8]
    assert all(y[place] == value for place, value in found.cells)
    assert found.row.name == name and found.row.highest == y.max()


def test_a_vector_has_cells_and_no_maps(trace):
    found = maps.describe(trace, "fc2")
    assert found.maps == () and len(found.cells) == 8
    assert found.cells[0][0] == (int(trace["fc2"].y[0].argmax()),)


def test_few_channels_equal_cells_and_silent_maps():
    trace = tc.Sequential([ReLU(name="r")], (2, 2, 3)).trace(
        np.array([[-1.0, 2, 0], [-1, 2, 0], [-1, 2, 0], [-1, 3, 0]]).reshape(1, 2, 2, 3)
    )
    found = maps.describe(trace, "r")
    assert [each.channel for each in found.maps] == [1, 0, 2]
    assert found.silent == 2
    assert [place for place, _ in found.cells[:4]] == [(1, 1, 1), (0, 0, 1), (0, 1, 1), (1, 0, 1)]


def test_another_image_of_the_batch():
    trace = plain_net().trace(images(3))
    first, second = (maps.describe(trace, "conv1", sample=n) for n in (0, 2))
    assert second.cells[0][1] == trace["conv1"].y[2].max() != first.cells[0][1]


def test_drawn_in_80_columns_with_commands_that_open_the_cells(trace):
    for name in ("conv2", "fc1", "fc3"):
        found = maps.describe(trace, name)
        text = draw_maps(found, Style.plain(), "tinycnn step --model mini")
        assert max(map(len, text.splitlines())) <= WIDTH
        commands = re.findall(
            r"(\S+)   tinycnn step --model mini --layer (\w+) --at (\S+)$", text, re.M
        )
        assert len(commands) == 8
        for shown, layer, at in commands:
            opened = explain(trace, layer, tuple(map(int, at.split(","))))
            assert opened.value == pytest.approx(float(shown), rel=1e-4)
        assert ("LIVELIEST MAPS" in text) == (name == "conv2")
    assert "\x1b" not in text
    assert "\x1b[1m" in draw_maps(found, Style(colour=True))


def test_as_data(trace):
    data = json.loads(json.dumps(maps.describe(trace, "conv2").to_dict()))
    assert data["row"]["feature_map"] == "11 x 11 x 32" and len(data["maps"]) == 8
    assert data["cells"][0][0] == list(maps.describe(trace, "conv2").cells[0][0])


def test_a_layer_that_is_not_there(trace):
    with pytest.raises(UnknownNameError, match="no layer is named 'conv9'; there are conv1, pool1"):
        maps.describe(trace, "conv9")
