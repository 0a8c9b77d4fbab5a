"""A quiz as it is printed: read back, solved without the engine, and compared with its key."""

import itertools
import os
import re
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from equations import check_equation
from hypothesis import given, settings
from hypothesis import strategies as st
from quiz_sheets import read_html, read_sheet
from quiz_solvers import MISTAKEN, SOLVERS, Network

import tinycnn as tc
from tinycnn import cli, ops
from tinycnn.classroom.quiz import (
    Question,
    Quiz,
    draw,
    draw_html,
    draw_html_key,
    draw_key,
    draw_markdown,
    draw_text,
    make_quiz,
)
from tinycnn.classroom.quiz.markdown import inline
from tinycnn.classroom.quiz.question import LayerTable
from tinycnn.classroom.quiz.quiz import QuizPart
from tinycnn.commands.quiz import read_seeds
from tinycnn.errors import ArgumentError
from tinycnn.explain.examples.arithmetic import Value

# A hundred, whose sheets are made and read once for all tests: that takes longer than what these ask.
SEEDS = [0, 2**64 - 1, *np.random.default_rng(0).integers(2**64, size=98, dtype=np.uint64).tolist()]
seeds = st.sampled_from(SEEDS)
quiz_of = cache(make_quiz)
FORMATS = ("text", "markdown", "html")
FEW = settings(max_examples=25)


@cache
def sheet(seed):
    """The questions and answers of a page, read back."""
    return read_sheet(draw_html(quiz_of(seed), answers=True))


# --------------------------------------------------------------------------------------- the key


@settings(max_examples=100)
@given(seeds)
def test_every_answer_is_what_a_student_finds_without_the_engine(seed):
    questions, answers = sheet(seed)
    topics = [f"{number}. {topic}" for number, topic in enumerate(SOLVERS, start=1)]
    assert [question.topic for question in questions] == topics
    assert [answer.topic for answer in answers] == topics
    net = Network(questions[0])
    for solve, question, answer in zip(SOLVERS.values(), questions, answers, strict=True):
        expected = solve(question, net)
        found = [*answer.words, *((name, answer.matrix(name)) for name in answer.matrices)]
        assert found == expected, question.topic


@FEW
@given(seeds)
def test_every_equation_of_the_working_adds_up(seed):
    _, answers = sheet(seed)
    for answer in answers:
        assert answer.working and all(line.strip() for line in answer.working)
        lines = [re.sub(r"^\([abc]\) |  \(from [^)]*\)$", "", line) for line in answer.working]
        found = dict(check_equation(line) for line in lines if " = " in line)
        said = dict(re.findall(r"(\w+\[[\d,]+\]) = (-?\d+)$", "\n".join(answer.words), flags=re.M))
        for cell, number in said.items():
            assert found[cell] == int(number), answer.topic


@FEW
@given(seeds)
def test_the_key_has_what_mistakes_give_and_none_gives_the_right_number(seed):
    told = []
    for question, answer in zip(*sheet(seed), strict=True):
        for line in (line for line in answer.working if "wrong: " in line):
            told.append(question.topic.partition(". ")[2])
            found = re.findall(r" (-?[\d.]+) if ([^;]+)", line)
            expected = MISTAKEN[told[-1]](question)
            assert {words: Fraction(number) for number, words in found} == expected
            (right,) = (words for words in answer.words if words[:3] == line[:3] or line[0] == "w")
            assert not any(right.endswith(f" = {number}") for number, _ in found)
    assert told == list(MISTAKEN)


@FEW
@given(seeds)
def test_the_numbers_can_be_worked_out_by_hand(seed):
    questions, answers = sheet(seed)
    for asked in (*questions, *answers):
        for rows in asked.matrices.values():
            for text in (text for row in rows for text in row):
                assert re.fullmatch(r"-?\d{1,2}|\d\.5|ln\([1-9]\)", text), (asked.topic, text)
    for answer in answers:
        for text in re.findall(r"-?\d+/\d+", " ".join(answer.words)):
            assert max(map(len, re.findall(r"\d+", text))) <= 4, (answer.topic, text)
    assert all(question.lines >= 2 for question in questions)


def test_the_rows_of_alexnet_are_those_of_its_table():
    rows = {
        (variant, row.name): row
        for variant in ("one-tower", "paper", "torchvision")
        for row in tc.alexnet(variant=variant).summary().rows
    }
    seen = set()
    for seed in range(1, 41):
        questions, answers = sheet(seed)
        for place, column in ((2, "parameters"), (3, "multiply_adds")):
            name, variant = re.search(
                r"(\w+) of AlexNet \(([\w-]+)\)", questions[place].prompt
            ).groups()
            batch = re.search(r"batch of (\d) images", questions[place].prompt)
            count = getattr(rows[variant, name], column) * (int(batch[1]) if batch else 1)
            assert answers[place].words[-1].endswith(f") {count:,}")
            seen.add((variant, name, column))
    assert len(seen) > 20


def drawn(seeds):
    """Each question of the sheets of some seeds: what is asked, the table of part A with it; the key."""
    sheets = [sheet(seed) for seed in seeds]
    for place, topic in enumerate(SOLVERS):
        asked = [
            (
                questions[place].prompt,
                str(questions[place].matrices),
                str(questions[0].table) * (place < 5),
            )
            for questions, _ in sheets
        ]
        yield topic, asked, [answers[place] for _, answers in sheets]


def expect_variety(seeds, versions):
    """So many versions of each question, and no part of an answer on more than a third of the sheets."""
    for topic, asked, answers in drawn(seeds):
        assert len(set(asked)) >= versions, topic
        parts = zip(
            *([*answer.words, *map(str, answer.matrices.values())] for answer in answers),
            strict=True,
        )
        for part in parts:
            if any(re.search(r"\d", re.sub(r"^\(\w\)", "", line)) for line in part):
                line, times = Counter(part).most_common(1)[0]
                assert times <= len(asked) / 3, (topic, line, times)


def test_a_class_of_forty_cannot_share():
    expect_variety(range(1, 41), 38)


@pytest.mark.slow
def test_two_hundred_sheets_vary_in_every_part():
    expect_variety(range(200), 190)


def test_windows_vary_along_each_axis():
    prompts = {topic: [prompt for prompt, _, _ in asked] for topic, asked, _ in drawn(range(1, 41))}
    for topic in ("A cell of a convolution", "A cell over two channels", *list(SOLVERS)[17:19]):
        windows = {
            re.search(r"stride [\dx ]+, padding \d( x \d)?", prompt)[0] for prompt in prompts[topic]
        }
        assert len(windows) >= 8 and "stride 1, padding 0" not in windows, topic
    places = [
        re.search(r"over a (\d) x (\d) .* dx\[(\d),(\d)\]:", prompt)
        for prompt in prompts[list(SOLVERS)[18]]
    ]
    corners = [
        int(r) in (0, int(H) - 1) and int(c) in (0, int(W) - 1)
        for H, W, r, c in map(re.Match.groups, places)
    ]
    assert sum(corners) <= len(corners) / 3


# ------------------------------------------------------------------------------------- the sheets


@FEW
@given(seeds, seeds, st.booleans(), st.sampled_from(FORMATS))
def test_one_seed_gives_one_sheet_and_two_give_two(a, b, answers, kind):
    first = draw(make_quiz(a), kind, answers=answers)
    assert draw(quiz_of(a), kind, answers=answers) == first
    assert (draw(quiz_of(b), kind, answers=answers) == first) == (a == b)


def test_a_hundred_sheets_differ_in_more_than_their_number():
    sheets = {draw_text(quiz_of(seed)).replace(str(seed), "") for seed in SEEDS}
    assert len(sheets) == 100


@pytest.mark.process
def test_the_same_sheet_in_another_process():
    command = [
        sys.executable,
        "-m",
        "tinycnn",
        "quiz",
        "--seed",
        "11",
        "--answers",
        "--format",
        "html",
    ]
    for hashes in ("1", "2"):
        done = subprocess.run(
            command, capture_output=True, check=True, env=os.environ | {"PYTHONHASHSEED": hashes}
        )
        assert done.stdout.decode() == draw_html(make_quiz(11), answers=True)


@FEW
@given(seeds)
def test_a_sheet_of_text_fits_eighty_columns_and_has_twenty_questions(seed):
    quiz = quiz_of(seed)
    assert len(quiz.questions) == 20
    sheet, key = draw_text(quiz), draw_text(quiz, answers=True)
    origin = sheet.rindex("\n\n\n")
    assert key.startswith(sheet[:origin]) and key.endswith(sheet[origin:])
    for text in (sheet, key):
        assert text.isascii() and text.endswith("\n") and "`" not in text.replace("`tinycnn", "")
        assert max(map(len, text.splitlines())) <= 80
        assert all(line == line.rstrip() for line in text.splitlines())
    assert [int(n) for n in re.findall(r"^ ?(\d+)\. ", sheet, flags=re.M)] == list(range(1, 21))
    assert [int(n) for n in re.findall(r"^ ?(\d+)\. ", key, flags=re.M)] == [*range(1, 21)] * 2
    assert sheet.count("Answer: ___") == 20


@FEW
@given(seeds)
def test_all_formats_say_the_same(seed):
    quiz = quiz_of(seed)
    texts = [re.sub(r"\s+", " ", draw(quiz, kind, answers=True)) for kind in ("text", "markdown")]
    texts[1] = texts[1].replace("\\", "").replace("`", "")
    for asked in itertools.chain(*sheet(seed)):
        for words in asked.words:
            assert all(" ".join(words.split()) in text for text in texts), words
        rows = [row for rows in asked.matrices.values() for row in rows]
        for row in rows:
            assert all(re.search(r"\s+".join(map(re.escape, row)), text) for text in texts), row
        for line in asked.working:
            assert all(" ".join(line.split()) in text for text in texts), line


@FEW
@given(seeds)
def test_markdown_has_its_headings_and_its_fences_close(seed):
    text = draw_markdown(quiz_of(seed), answers=True)
    assert text.isascii()
    lines = text.splitlines()
    assert sum(line.startswith("### ") for line in lines) == 40
    assert [line for line in lines if line.startswith("## ")] == [
        "## A. Sizes and counts", "## B. Forward", "## C. Backward", f"## Answers to quiz {seed}",
    ]  # fmt: skip
    fences = [line for line in lines if line.startswith("```")]
    assert fences == ["```text", "```"] * (len(fences) // 2)
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 6 and {line.count("|") for line in table} == {7}


@FEW
@given(seeds)
def test_a_page_stands_alone_and_prints_its_key_on_pages_of_its_own(seed):
    quiz = quiz_of(seed)
    sheet, key = draw_html(quiz), draw_html(quiz, answers=True)
    assert "<pre>" not in sheet and 'class="key"' not in sheet
    for page in (sheet, key):
        tree = read_html(page)
        (head,) = tree.all("head")
        assert [node.tag for node in head.elements] == ["meta", "meta", "title", "style"]
        assert not re.search(r"(?i)<script|<link|<img|https?:|url\(|@import|src=|href=", page)
        style = head.elements[-1].text
        assert style.count("{") == style.count("}")
        assert f'"quiz {seed}, page "' in style and "FOOTING" not in style
        assert "break-inside: avoid" in style and ".key { break-before: page; }" in style
        nodes = [node for tag in ("div", "section", "table") for node in tree.all(tag)]
        classes = {node.attributes.get("class") for node in nodes}
        assert all(f".{name} " in style for name in classes - {None})
    assert [heading.text for heading in read_html(key).all("h2")][
        -1
    ] == f"Answers to quiz {quiz.seed}"


# ---------------------------------------------------------------------------- what goes wrong


HOSTILE = '</p><script>alert("1 & 2")</script> | *a* _b_ [c](d) # $e$ ~f~ \\ <!--'


def hostile_quiz():
    value = Value("</span><b>", np.zeros(1), (1,), ("<td>&amp;",))
    question = Question(
        HOSTILE,
        (
            HOSTILE,
            f"in code: `{HOSTILE}`",
            LayerTable((HOSTILE, "b"), ((HOSTILE, "</table>"),)),
            (value,),
        ),
        (HOSTILE, (value,)),
        (HOSTILE, "``` not a fence"),
    )
    return Quiz(5, tuple(QuizPart(HOSTILE, (question,)) for _ in "ABC"))


def test_a_page_escapes_whatever_it_is_given():
    page = draw_html(hostile_quiz(), answers=True)
    tree = read_html(page)
    assert not tree.all("script") and not tree.all("b") and "<!--" not in page
    (question, *_), (answer, *_) = read_sheet(page)
    assert question.topic == f"1. {HOSTILE}"
    assert question.words == [HOSTILE, f"in code: {HOSTILE}"]
    assert question.table == [[HOSTILE, "b"], [HOSTILE, "</table>"]]
    assert question.matrices == {"</span><b>": [["<td>&amp;"]]}
    assert answer.working == [HOSTILE, "``` not a fence"]


def test_markdown_escapes_whatever_it_is_given():
    text = draw_markdown(hostile_quiz(), answers=True)
    outside = re.sub(r"^(````+).*?^\1$", "", text, flags=re.M | re.S)
    outside = re.sub(r"^```text\n.*?^```$", "", outside, flags=re.M | re.S)
    outside = re.sub(r"`[^`]*`", "", outside)
    bare = re.sub(r"\\[^a-z0-9\s]", "", outside)
    assert not re.search(r"[*_\[\]<>~$\\]", bare)
    assert "````text\n</p>" in text  # a longer fence around what holds one
    assert all(line.count("|") == 3 for line in bare.splitlines() if line.startswith("| "))


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters="`")))
def test_prose_comes_out_of_markdown_as_it_went_in(prose):
    marked = inline(prose)
    assert not re.match(r"\s*(#|[-+](\s|$)|\d+[.)])", marked)
    plain = re.sub(
        r"&#(\d+);", lambda code: chr(int(code[1])), re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", marked)
    )
    assert plain.replace("\u200b", "") == prose


def test_an_engine_that_errs_makes_no_key(monkeypatch):
    right = ops.dense
    monkeypatch.setattr(ops, "dense", lambda *arrays: right(*arrays) + 1)
    with pytest.raises(ArithmeticError, match=r"dense: z\[0\]: the engine gives"):
        make_quiz(3)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "7", None, True])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ArgumentError, match="seed must be"):
        make_quiz(seed)


# ------------------------------------------------------------------------------------ command line


def run(capsys, *argv):
    try:
        code = cli.main(["quiz", *argv])
    except SystemExit as stop:  # argparse
        code = stop.code
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_prints_a_sheet(capsys):
    assert run(capsys, "--seed", "7") == (0, draw_text(make_quiz(7)), "")
    assert run(capsys) == (0, draw_text(make_quiz(0)), "")
    for kind in FORMATS:
        expected = draw(make_quiz(7), kind, answers=True)
        assert run(capsys, "--seed", "7", "--answers", "--format", kind) == (0, expected, "")


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [("a.html", [], "html"), ("a.HTM", [], "html"), ("a.md", [], "markdown"), ("a.txt", [], "text"),
     ("a", [], "text"), ("a.html", ["--format", "markdown"], "markdown")],
)  # fmt: skip
def test_the_name_of_the_file_says_the_format(capsys, tmp_path, name, options, kind):
    target = tmp_path / name
    target.write_text("old")
    code, out, err = run(capsys, "--seed", "4", "-o", str(target), *options)
    assert (code, out, err) == (0, "", f"tinycnn: wrote {target}\n")
    assert target.read_text(encoding="utf-8") == draw(make_quiz(4), kind)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert target.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_folder_of_a_class_is_no_file(capsys, tmp_path):
    (tmp_path / "a.html").write_text("kept")
    code, out, err = run(capsys, "--seeds", "1-3", "-o", str(tmp_path / "a.html"))
    assert (code, out) == (2, "") and "is a file: give the name of a folder" in err
    assert (tmp_path / "a.html").read_text() == "kept"


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(capsys, tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    code, out, err = run(capsys, "-o", str(taken))
    assert (code, out) == (2, "") and "cannot be written" in err and err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize("kind", [None, *FORMATS])
def test_a_class_gets_a_sheet_each_and_its_teacher_one_key(capsys, tmp_path, kind):
    folder, suffix = (
        tmp_path / "new" / "class",
        {"text": ".txt", "markdown": ".md"}.get(kind, ".html"),
    )
    options = ["--format", kind] if kind else []
    code, out, err = run(capsys, "--seeds", "3,9-11", "-o", str(folder), *options)
    key = folder / f"key{suffix}"
    assert (code, out, err) == (0, "", f"tinycnn: wrote 4 sheets to {folder}, and {key}\n")
    quizzes = {f"quiz-{seed:02}{suffix}": make_quiz(seed) for seed in (3, 9, 10, 11)}
    assert {path.name for path in folder.iterdir()} == {key.name, *quizzes}
    for name, quiz in quizzes.items():
        assert (folder / name).read_text(encoding="utf-8") == draw(quiz, kind or "html")
    found = key.read_text(encoding="utf-8")
    assert found == draw_key(list(quizzes.values()), kind or "html")
    assert all(
        key_of(draw(quiz, kind or "html", answers=True)) in found for quiz in quizzes.values()
    )
    assert not re.search(r"Name|Receptive field\W+In the same", found)


def key_of(sheet):
    """What a sheet with its answers says of them, from their heading to the last."""
    answers = sheet[re.search(r"(?i)[#<h2> ]*answers to quiz", sheet).start() :]
    return re.split(r"\n+---\n|\n\n\ntinycnn|</section>\n<footer>", answers)[0]


def test_a_key_leads_to_each_of_its_quizzes():
    tree = read_html(draw_html_key([make_quiz(seed) for seed in (5, 12)]))
    keys = tree.all("section", "key")
    assert [key.attributes["id"] for key in keys] == ["quiz-5", "quiz-12"]
    assert [link.attributes["href"] for link in tree.all("a")] == ["#quiz-5", "#quiz-12"]
    for seed, key in zip((5, 12), keys, strict=True):
        assert [section.all("h3")[0].text for section in key.all("section")] == [
            answer.topic for answer in sheet(seed)[1]
        ]


@pytest.mark.parametrize(
    ("words", "numbers"),
    [("7", [7]), ("3,1", [1, 3]), (" 1 - 3 , 2-4,2", [1, 2, 3, 4]), ("18446744073709551615", [2**64 - 1]),
     ("1-1000,7", list(range(1, 1001)))],
)  # fmt: skip
def test_seeds_are_numbers_and_ranges(words, numbers):
    assert read_seeds(words) == numbers


@pytest.mark.parametrize(
    "words",
    ["", "x", "1,,2", "5-1", "-3", "1-", "1.5", "1-2-3", "18446744073709551616", "1" * 30, "١"],
)
def test_seeds_that_are_none(words):
    with pytest.raises(ArgumentError, match="--seeds takes numbers and ranges"):
        read_seeds(words)


@pytest.mark.parametrize("words", ["1-1001", "0-18446744073709551615", "1-1000,2000"])
def test_no_more_sheets_than_a_school_has_pupils(words):
    with pytest.raises(ArgumentError, match="at most 1,000 sheets at once"):
        read_seeds(words)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--seeds", "1-4"], "give their folder, -o FOLDER"),
        (["--seeds", "4-1", "-o", "a"], "such as 1-40 or 3,7,10-12, got '4-1'"),
        (["--seeds", "1", "--seed", "1"], "not allowed with argument"),
        (["--seed", "-1"], "seed must be at least 0, got -1"),
        (["--seed", "x"], "invalid int value: 'x'"),
        (["--format", "pdf"], "invalid choice: 'pdf'"),
        (["-o", "nowhere/a.html"], "'nowhere/a.html' cannot be written: No such file"),
        (["-o", ""], "cannot be written"),
        (["-o", "a\0b"], "cannot be written"),
    ],
)
def test_mistakes_get_one_line_and_exit_code_2(capsys, monkeypatch, tmp_path, argv, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *argv)
    assert code == 2 and out == "" and message in err and "Traceback" not in err
    assert len([line for line in err.splitlines() if not line.startswith(("usage", " "))]) == 1
    assert list(tmp_path.iterdir()) == []
