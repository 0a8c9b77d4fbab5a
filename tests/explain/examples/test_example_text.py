"""Hand-sized examples as they are printed: each equation adds up, each cell is there, errors show."""

import copy
import json
import re
import shlex

import numpy as np
import pytest
from equations import check_equation, evaluate
from hypothesis import given
from hypothesis import strategies as st
from public_names import public

import tinycnn as tc
from tinycnn import cli, ops
from tinycnn.explain.examples import calculation, example, example_text
from tinycnn.explain.examples.arithmetic import Value, fraction, text
from tinycnn.explain.examples.example_text import draw_example
from tinycnn.explain.readers.style import Style
from tinycnn.ops.convolution.winograd import one_line

DATA = example.load()
each_example = pytest.mark.parametrize("name", DATA)


@pytest.fixture(scope="module")
def drawn():
    return {
        name: draw_example(example.open_example(name), Style.plain()) for name in example.load()
    }


def equations(drawing):
    """The printed equations of cells; columns stand three spaces apart, long ones go on below."""
    joined = re.sub(r"\n +(?== )", " ", drawing)
    chunks = [chunk.strip() for line in joined.splitlines() for chunk in re.split(r" {3,}", line)]
    calls = "|".join(f"{op}\\(" for op in (*ops.__all__, *public(one_line), "sgd"))
    pattern = re.compile(rf"\w+(\[[\d,]+\])? = (?!{calls})")
    return [chunk for chunk in chunks if pattern.match(chunk)]


def idle(drawing):
    """The cells that are said to be 0, and whether a list ends in "all others"."""
    listed = re.sub(r"\n {6}(?=\S)", " ", drawing)
    lines = re.findall(r"^  0 \([^)]*\): (.*)$", listed, flags=re.MULTILINE)
    return [name for line in lines for name in re.findall(r"\w+\[[\d,]+\]", line)], [
        line for line in lines if line in ("all others", "every cell")
    ]


def worked_out(name):
    """Shapes of the results that are drawn cell by cell; of a repeated pass the loss alone."""
    data = DATA[name]
    calls = [call for way in ("forward", "backward", "update") for call in data.get(way, ())]
    again = [f"_{number}" for number in range(2, data.get("steps", 0) + 2)]
    names = [given for call in calls for given in call["gives"]]
    if "of" in data:
        names = ["loss", *(f"{parameter}{number}" for parameter in "Wb" for number in again)]
    names += [f"loss{number}" for number in again]
    values = data["values"]
    return {
        name: np.shape((values.get(name) or values[name.partition("_")[0]])["data"])
        for name in names
        if name not in ("mask", "cols")
    }


def leaves(data):
    return [leaf for row in data for leaf in leaves(row)] if isinstance(data, list) else [data]


@each_example
def test_an_example_fits_eighty_columns_and_agrees(drawn, name):
    lines = drawn[name].splitlines()
    assert max(map(len, lines)) <= 80
    assert all(line == line.rstrip() for line in lines)
    checks = [line for line in lines if "CHECK" in line]
    data, steps = DATA[name], DATA[name].get("steps", 0)
    update = len(data.get("update", ()))
    once = 1 + update if "of" in data else len(data["forward"]) + len(data["backward"]) + update
    assert len(checks) == once * max(steps, 1) + bool(steps)
    assert all("CHECK agrees" in line for line in checks)


@each_example
def test_every_printed_equation_adds_up(drawn, name):
    found = [check_equation(equation) for equation in equations(drawn[name])]
    assert len(found) >= 5
    assert len({cell for cell, _ in found}) == len(found)


@each_example
def test_every_cell_of_every_result_is_worked_out(drawn, name):
    printed = {cell for cell, _ in map(check_equation, equations(drawn[name]))}
    zeros, others = idle(drawn[name])
    expected = []
    for key, shape in worked_out(name).items():
        for place in np.ndindex(shape):
            expected.append(f"{key}[{','.join(map(str, place))}]" if place else key)
    missing = set(expected) - printed - set(zeros)
    assert not missing or others
    assert printed | set(zeros) <= set(expected)
    assert not printed & set(zeros)


@each_example
def test_what_is_printed_is_what_the_file_works_out_by_hand(drawn, name):
    printed = dict(map(check_equation, equations(drawn[name])))
    zeros, others = idle(drawn[name])
    near = 1e-5 if "of" in DATA[name] else 1e-12  # six digits are carried on, or all of them
    for cell, arithmetic in DATA[name]["by_hand"].items():
        cell = cell.replace("][", ",")
        if cell.partition("[")[0] not in worked_out(name):
            continue
        value = printed.get(cell, 0.0)
        assert cell in printed or cell in zeros or others
        assert value == pytest.approx(evaluate(arithmetic.replace("**", "^")), rel=near, abs=1e-12)


@each_example
def test_the_matrices_of_all_values_are_drawn(drawn, name):
    for value in DATA[name]["values"].values():
        numbers = np.array(value["data"])
        rows = numbers.reshape(-1, numbers.shape[-1] if numbers.ndim else 1).tolist()
        shown = value.get("text")
        for row in [leaves(shown)] if shown else rows:
            cells = [str(cell).replace("**", "^") if shown else text(float(cell)) for cell in row]
            pattern = r"(?<!\S)" + r"\s+".join(map(re.escape, cells)) + r"(?!\S)"
            assert re.search(pattern, drawn[name]), row


@each_example
def test_the_output_sizes_are_shown(drawn, name):
    for step in DATA[name]["forward"] if "of" not in DATA[name] else ():
        for side, formula in step.get("output_size", {}).items():
            assert f"{formula} {'high' if side == 'height' else 'wide'}" in drawn[name]


def test_conv_pool_shows_what_a_class_looks_for(drawn):
    for line in (
        "z[0,0] = 1*1 + 2*0 + 0*(-1) + 1*2 - 1 = 2",
        "a[1,0] = max(0, -3) = 0",
        "y[0,0] = max(2, 6, 0, 2) = 6   a[0,1] wins",
        "da[0,1] = 1 + 2 = 3   from dy[0,0], dy[0,1]",
        "dz[0,1] = 3   passes: a[0,1] > 0",
        "dW[1,1] = 3*3 + 3*3 + 4*2 = 26",
        "db[0] = 3 + 3 + 4 = 10",
        "dx[1,1] = 3*(-1) = -3",
        "W_new[0,0] = 1 - 0.1*16 = -0.6",
        "b_new[0] = -1 - 0.1*10 = -2",
    ):
        assert line in drawn["conv-pool"]


def test_whole_goes_from_an_image_to_a_loss_and_back(drawn):
    for line in (
        "logits[1] = 6*1 + 6*1 + 6*(-1) + 4*0 + ln(3) - 2 = 4 + ln(3)",
        "p[0] = exp(4)/(exp(4) + exp(4 + ln(3))) = 1/4 = 0.25",
        "dlogits[0] = exp(4)/(exp(4) + exp(4 + ln(3))) - 1 = 1/4 - 1 = -0.75",
        "da[0,1] = 0.75 + 0.75 = 1.5   from dy[0,0], dy[0,1]",
        "db[0] = 1.5 - 0.75 - 0.75 = 0",
        "W_2[0,0] = 1 - 0.1*0.75 = 0.925",
    ):
        assert line in drawn["whole"]
    words = " ".join(drawn["whole"].split())
    assert "about -0.1*(0.75^2 + (-0.75)^2 + 0.75^2 + 0.75^2) = -0.225. It does" in words
    assert "does change by 1.17014 - 1.38629 = -0.216151." in words


def test_learning_shows_each_step_s_prediction_beside_what_came(drawn):
    _, _, table = drawn["learning"].partition("predicted change  real change\n")
    rows = re.findall(r"^  ([123])((?: +-?[\d.]+){5})$", table, flags=re.MULTILINE)
    assert [step for step, _ in rows] == ["1", "2", "3"]
    for _, numbers in rows:
        *_, predicted, real = map(float, numbers.split())
        assert predicted < real < 0


def test_images_of_a_batch_stand_apart(drawn):
    _, _, after = drawn["channels"].partition("given:\n")
    assert [line[:9].rstrip() for line in after.splitlines()[:8]] == [
        "  x", "  1  2", "  0  1", "  3  1", "", "  2  0", "  1  3", "  0  2",
    ]  # fmt: skip


def test_the_others_show_what_they_are_for(drawn):
    for name, line in {
        "im2col": "cols[1] copies x[0,1], x[0,2], x[1,1], x[1,2]",
        "winograd": "y[0] = 1*(-2) + 1*15 + 1*1 = 14",
        "softmax": "dz[2] = 5/(1 + 2 + 5) - 1 = 5/8 - 1 = -0.375",
        "lrn": "y[1] = 2/(2 + 1*(1^2 + 2^2 + 3^2))^0.75 = 2/16^0.75 = 0.25",
        "dropout": "The mean of y over 10,000 masks is x again, nearly: 0.99  2.01",
        "stride": "0 (lies in no window): dx[2], dx[5], dx[6]",
        "padding": "  y[0] reads       0   1   2\n",
        "dilation": "  y[0] reads       1       3       5\n",
        "groups": "y[0,1] = 3*3 + 4*4 = 25",
        "overlap": "x[0,4] wins, the first of 2",
    }.items():
        assert line in drawn[name]


@each_example
def test_what_a_window_reads_stands_under_the_cells(drawn, name):
    lines = drawn[name].splitlines()
    reading = [i for i, line in enumerate(lines) if re.match(r"  \w+\[\d+\] reads ", line)]
    assert bool(reading) == (name in ("winograd", "stride", "padding", "dilation"))
    for i in reading:
        head = next(lines[j] for j in range(i, 0, -1) if lines[j].startswith("  x "))
        for cell in re.finditer(r"\S+", lines[i].partition("reads")[2]):
            end = lines[i].index("reads") + len("reads") + cell.end()
            assert head[:end].endswith(f" {cell[0]}") and head[end : end + 1] in ("", " ")


# -------------------------------------------------------------------------------- what goes wrong


def spoiled(name, key):
    """The example with one stored number off by one."""
    data = copy.deepcopy(DATA[name])
    value = data["values"][key]
    array = np.array(value["data"], value.get("dtype", "float64"))
    place = (0,) * array.ndim
    array[place] = array[place] + 1 if array.dtype != bool else not array[place]
    value["data"] = array.tolist()
    return example.work_out(name, data), f"{key}[{','.join('0' * array.ndim)}]".removesuffix("[]")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        (name, key)
        for name in DATA
        for key in DATA[name]["values"]
        if key not in DATA[name]["given"]
    ],
)
def test_a_wrong_stored_number_is_shown_as_a_disagreement(name, key):
    example, cell = spoiled(name, key)
    drawing = draw_example(example, Style.plain())
    assert not example.ok
    assert f"CHECK DISAGREES: {cell}: the engine gives" in drawing
    assert drawing.count("CHECK DISAGREES") == 1
    assert max(map(len, drawing.splitlines())) <= 80
    assert [entry["ok"] for entry in example.to_dict()["worked"]].count(False) == 1


def test_a_wrong_size_a_wrong_shape_and_nan_are_shown():
    data = copy.deepcopy(DATA["stride"])
    data["forward"][0]["output_size"]["width"] = "floor((7+0-2)/3)+1 = 3"
    data["values"]["y"] = {"shape": [1, 1, 3, 1], "data": [4, 13, 9]}
    data["values"]["db"]["data"] = [float("nan")]
    drawing = " ".join(draw_example(example.work_out("stride", data), Style.plain()).split())
    assert "output size: floor((7+0-2)/3)+1 = 2, stored is floor((7+0-2)/3)+1 = 3" in drawing
    assert "y: the engine gives shape (1, 1, 2, 1), stored is (1, 1, 3, 1)" in drawing
    assert "db[0]: the engine gives 3, stored is nan" in drawing


def test_an_engine_that_errs_is_found_by_hand(monkeypatch):
    right = ops.relu
    monkeypatch.setattr(ops, "relu", lambda z: right(z) + (z < 0))
    drawing = draw_example(example.open_example("conv-pool"), Style.plain())
    assert "CHECK DISAGREES: a[1,0]: the engine gives 1, by hand is 0" in drawing
    assert "CHECK DISAGREES: a[1,0]: the engine gives 1, stored is 0" in drawing


# ------------------------------------------------------------------------------------ command line


def test_the_command_draws_an_example(capsys, monkeypatch, drawn):
    monkeypatch.setenv("NO_COLOR", "1")
    assert cli.main(["step", "--example", "softmax"]) == 0
    assert capsys.readouterr().out == drawn["softmax"] + "\nIn a browser: tinycnn page\n"


def test_the_command_gives_the_data(capsys):
    assert cli.main(["step", "--example", "conv-pool", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (
        data["name"] == "conv-pool" and data["ok"] and data["values"] == DATA["conv-pool"]["values"]
    )
    z = next(entry for entry in data["worked"] if entry["result"] == "z")
    assert z["computed"] == [[2, 6, 0], [-3, 2, 3], [6, -4, 4]]
    assert z["cells"][1]["arithmetic"] == "2*1 + 0*0 + 1*(-1) + 3*2 - 1"


def test_a_disagreement_is_exit_code_1(capsys, monkeypatch):
    data = copy.deepcopy(DATA)
    data["stride"]["values"]["y"]["data"][1] = 14
    monkeypatch.setattr(example, "load", lambda: data)
    assert cli.main(["step", "--example", "stride"]) == 1
    assert "y[1]: the engine gives 13, stored is 14" in capsys.readouterr().out


def test_an_unknown_name_lists_the_examples(capsys):
    assert cli.main(["step", "--example", "nonsense"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert f"there is no example 'nonsense'; there are {', '.join(DATA)}" in err


@pytest.mark.parametrize("stray", [["cat.png"], ["--at", "1,2"], ["--train"], ["--model", "mini"]])
def test_an_example_brings_its_own_numbers(capsys, stray):
    assert cli.main(["step", "--example", "stride", *stray]) == 2
    assert "--example brings its own numbers; leave out" in capsys.readouterr().err


def test_colour_marks_headings_and_checks_alone(drawn):
    coloured = draw_example(example.open_example("stride"), Style(True))
    assert "\x1b[1m" in coloured and "\x1b[32m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == drawn["stride"]


@each_example
def test_the_way_on_to_alexnet_is_a_command_that_exists(drawn, name):
    command = re.search(r"^In AlexNet: (.*)$", drawn[name], flags=re.MULTILINE)
    if command is None:
        assert name == "dilation"
        return
    arguments = cli._parser().parse_args(shlex.split(command[1])[1:])
    assert arguments.run
    if name == "winograd":  # how a whole network is carried out: no cell shows it
        return
    layer = arguments.layer or (arguments.grad or "").partition(".")[0]
    if layer:
        [variant] = arguments.model or ["one-tower"]
        model = tc.alexnet(variant=variant)
        position = next(i for i, found in enumerate(model.layers) if found.name == layer)
        shape = model.shapes[position + 1] if arguments.layer else model.shapes[position]
        assert all(i < size for i, size in zip(arguments.at, shape, strict=False))
        assert len(arguments.at) == (2 if arguments.im2col else len(shape))


# -------------------------------------------------------------------------------- the arithmetic


def integers(draw, *shape):
    cells = draw(
        st.lists(st.integers(-4, 4), min_size=int(np.prod(shape)), max_size=int(np.prod(shape)))
    )
    return np.array(cells, np.float64).reshape(shape)


def assert_worked(results):
    """Engine and arithmetic agree, and each text gives its number."""
    for result in results:
        assert result.disagreements == ()
        for place, cell in enumerate(result.cells):
            if cell.arithmetic:
                name, value = check_equation(cell.equation(result.value.cell(place)))
                assert name == result.value.cell(place)
                assert value == pytest.approx(result.value.flat[place], rel=1e-9, abs=1e-12)
            else:
                assert result.value.flat[place] == 0 and cell.note


@given(st.data())
def test_any_convolution_is_worked_out(data):
    draw = data.draw
    groups, per_group, filters = (
        draw(st.integers(1, 2)),
        draw(st.integers(1, 2)),
        draw(st.integers(1, 2)),
    )
    H, W, KH, KW = (draw(st.integers(1, most)) for most in (4, 4, 2, 2))
    geometry = {
        "stride": (draw(st.integers(1, 2)), draw(st.integers(1, 3))),
        "padding": ((draw(st.integers(0, 1)), 1), (1, draw(st.integers(0, 2)))),
        "dilation": (1, draw(st.integers(1, 2))),
        "groups": groups,
    }
    x = Value.of("x", integers(draw, draw(st.integers(1, 2)), H, W, groups * per_group))
    weights = Value.of("W", integers(draw, KH, KW, per_group, groups * filters))
    b = Value.of("b", integers(draw, groups * filters))
    (z,) = calculation.engine("conv2d", [x, weights, b], ["z"], geometry)
    dz = Value.of("dz", integers(draw, *z.value.array.shape))
    assert_worked([z])
    assert_worked(
        calculation.engine("conv2d_backward", [dz, x, weights], ["dx", "dW", "db"], geometry)
    )


@given(st.data())
def test_any_pool_and_any_unrolling_is_worked_out(data):
    draw = data.draw
    shape = (
        draw(st.integers(1, 2)),
        draw(st.integers(2, 5)),
        draw(st.integers(2, 5)),
        draw(st.integers(1, 2)),
    )
    options = {
        "kernel": (2, draw(st.integers(1, 2))),
        "stride": (draw(st.integers(1, 3)), draw(st.integers(1, 2))),
        "padding": draw(st.sampled_from([0, ((1, 0), (0, 0)), ((0, 1), (0, 0))])),
    }
    x = Value.of("x", integers(draw, *shape))
    pooled = calculation.engine("max_pool2d", [x], ["y", "winner"], options)
    dy = Value.of("dy", integers(draw, *pooled[0].value.array.shape))
    back = {"x_shape": shape, **options}
    assert_worked(pooled)
    assert_worked(calculation.engine("max_pool2d_backward", [dy, pooled[1].value], ["dx"], back))
    (cols,) = calculation.engine("im2col", [x], ["cols"], options)
    assert_worked([cols])
    assert_worked(calculation.engine("col2im", [cols.value], ["sum"], back))


@given(st.data())
def test_any_row_is_worked_out(data):
    draw = data.draw
    N, D, F = (draw(st.integers(1, 3)) for _ in range(3))
    x, weights = Value.of("x", integers(draw, N, D)), Value.of("W", integers(draw, D, F))
    (z,) = calculation.engine("dense", [x, weights, Value.of("b", integers(draw, F))], ["z"], {})
    dz = Value.of("dz", integers(draw, N, F))
    (y,) = calculation.engine("relu", [z.value], ["y"], {})
    dropped = calculation.engine(
        "dropout", [x], ["y", "mask"], {"rate": 0.25, "rng": draw(st.integers(0, 99))}
    )
    assert_worked([z, y, *dropped])
    assert_worked(calculation.engine("dense_backward", [dz, x, weights], ["dx", "dW", "db"], {}))
    assert_worked(calculation.engine("relu_backward", [dz, y.value], ["dx"], {}))
    assert_worked(
        calculation.engine("dropout_backward", [x, dropped[1].value], ["dx"], {"rate": 0.25})
    )


@given(st.data())
def test_any_softmax_and_any_normalization_is_worked_out(data):
    draw = data.draw
    logits = Value.of("z", integers(draw, 1, 4))
    label = Value.of("label", np.array([draw(st.integers(0, 3))]))
    (p,) = calculation.engine("softmax", [logits], ["p"], {})
    assert_worked([p, *calculation.engine("cross_entropy", [logits, label], ["loss", "dz"], {})])
    channels = Value.of("x", integers(draw, 1, 1, 1, 5))
    dy = Value.of("dy", integers(draw, 1, 1, 1, 5))
    options = {"size": 3, "k": 2, "alpha": draw(st.sampled_from([1, 3])), "beta": 0.5,
               "alpha_over_size": draw(st.booleans())}  # fmt: skip
    for op, takes, name in (("local_response_norm", [channels], "y"),
                            ("local_response_norm_backward", [dy, channels], "dx")):  # fmt: skip
        (result,) = calculation.engine(op, takes, [name], options)
        assert result.disagreements == ()


def test_numbers_are_printed_whole_or_said_to_be_rounded():
    assert [text(number) for number in (2.0, -0.0, 1 - 0.1 * 16, 0.125, 1 / 3, 1e-7)] == [
        "2", "0", "-0.6", "0.125", "0.333333", "1e-07",
    ]  # fmt: skip
    assert fraction(1 / 3) == "1/3" and fraction(-2.0) == "-2"
    with pytest.raises(ValueError, match="no fraction"):
        fraction(2**0.5)


def test_an_equation_too_long_for_a_line_goes_on_at_an_equals_sign():
    lines = example_text._broken("y[0] = " + " + ".join(["1000*1000"] * 9) + " = 9000000")
    assert lines[0] == "  y[0]" and lines[1].startswith("      = 1000*1000")
    assert max(map(len, lines)) <= 80 and lines[-1].endswith(" = 9000000")
