"""The documentation is run: its Python, its console sessions, its links and its map of the code."""

import contextlib
import doctest
import io
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tinycnn import explain
from tinycnn.cli import main

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def name_of(page):
    return page.relative_to(ROOT).as_posix() if page.is_relative_to(ROOT) else page.name


each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


@pytest.fixture(scope="module", autouse=True)
def lessons():
    """What the pages' commands open is opened once: to draw AlexNet's weights alone takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explain, "open_lesson", cache(explain.open_lesson))
        yield


@dataclass
class Block:
    """A fenced block: its language, its text, and the line of the page that its text begins on."""

    language: str
    text: str
    line: int


def blocks_of(page, language=None):
    """The fenced blocks of a page, in order."""
    blocks, fence, start = [], None, 0
    lines = page.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        mark = re.match(r"\s*(```+)(.*)", line)
        if mark and fence is None:
            fence, start = mark, number + 1
        elif mark and mark[1] == fence[1] and not mark[2].strip():
            text = "".join(f"{line}\n" for line in lines[start:number])
            blocks.append(Block(fence[2].strip(), text, start + 1))
            fence = None
    assert fence is None, f"{name_of(page)}: the block at line {start} has no end"
    return [block for block in blocks if language in (None, block.language)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where the files of a page are written, and its commands run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name, module in list(sys.modules.items()):  # other pages have files of the same names
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def written(block):
    """Write a block of Python that begins with a file's name, such as "# my_layer.py"."""
    name = re.match(r"# (\w+\.py)\n", block.text)
    if name and block.language == "python":
        Path(name[1]).write_text(block.text, encoding="utf-8")
    return name


# --------------------------------------------------------------------------------------- Python


def check_python(page):
    """Blocks with prompts are compared with what they show, all others only run; one namespace."""
    namespace = {"__name__": page.stem}
    for block in blocks_of(page, "python"):
        if written(block):
            continue
        if ">>>" in block.text:
            run_doctest(block, page, namespace)
        else:
            source = (
                "\n" * (block.line - 1) + block.text
            )  # so that a traceback names the page's line
            exec(compile(source, name_of(page), "exec", dont_inherit=True), namespace)


def run_doctest(block, page, namespace):
    parse = doctest.DocTestParser().get_doctest
    test = parse(block.text, namespace, name_of(page), name_of(page), block.line - 1)
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    failed = runner.run(test, out=report.write, clear_globs=False).failed
    namespace.update(test.globs)
    assert not failed, report.getvalue()


@each_page
def test_the_python_of_a_page_runs(page):
    check_python(page)


# -------------------------------------------------------------------------------------- console


def sessions(block):
    """Each command of ours that shows what it prints: (command, output, exit code).

    The code is 0, unless ``$ echo $?`` comes next and says another.
    """
    given = [
        session.partition("\n")[::2]
        for session in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    ]
    for (command, output), (following, code) in zip(given, [*given[1:], ("", "")], strict=True):
        if command.startswith(("tinycnn ", "pytest ")) and output.strip():
            yield command, output, int(code) if following == "echo $?" else 0


def run_command(command, expected=""):
    """What a command prints, and its exit code; what is typed stands behind "> " in what is expected."""
    typed = "".join(f"{line}\n" for line in re.findall(r"^> (.*)$", expected, flags=re.MULTILINE))
    words = shlex.split(command, comments=True)
    if words[0] == "pytest":
        argv = [sys.executable, "-m", *words, "-p", "no:cacheprovider"]
        ended = subprocess.run(argv, capture_output=True, text=True)
        return ended.stdout, ended.returncode
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.StringIO(typed))
        status = main(words[1:])
    return printed.getvalue(), status


def check_console(page):
    for block in blocks_of(page):
        if written(block) or block.language != "console":
            continue
        for command, expected, code in sessions(block):
            printed, status = run_command(command, expected)
            same = doctest.OutputChecker().check_output(expected, printed, FLAGS)
            assert same, f"{name_of(page)}: $ {command} prints\n{printed}"
            assert status == code, f"{name_of(page)}: $ {command} ends with {status}"


@each_page
def test_the_console_sessions_of_a_page_are_what_the_commands_print(page, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    check_console(page)


# ---------------------------------------------------------------------------------------- links


def prose_of(page):
    """A page without its blocks, its code and its formulas."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"^\s*```.*?^\s*```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`]*`|\$[^$]*\$", "code", text)


def anchors_of(page):
    """The anchors that GitHub gives to a page's headings."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in words}


def check_links(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name_of(page)} links to {path}, which does not exist"
        if anchor:
            assert anchor in anchors_of(target), f"{name_of(page)}: no heading for {link}"


@each_page
def test_the_links_of_a_page_lead_somewhere(page):
    check_links(page)


def check_formulas(page):
    """Between two $ Markdown still eats a backslash before punctuation; a ```math block is safe."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for formula in re.findall(r"\$([^$\n]*)\$", re.sub(r"`[^`]*`", "", text)):
        assert not re.search(r"\\[^a-zA-Z ]|\*|<\w", formula), f"{name_of(page)}: ${formula}$"


@each_page
def test_the_formulas_of_a_page_survive_markdown(page):
    check_formulas(page)


# ----------------------------------------------------------------------------- the checks checked


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (check_python, "```python\n>>> 1 + 1\n3\n```"),
        (check_python, "```python\nassert False\n```"),
        (check_python, "```python\n>>> import warnings\n>>> warnings.warn('beware')\n```"),
        (check_python, "```python\n>>> x = 1\n```\n\n```python\nassert x == 2\n```"),
        (check_python, "```python\n1 + 1\n"),
        (check_console, "```console\n$ tinycnn summary mini\nAlexNet (maxi): ...\n```"),
        (check_console, "```console\n$ tinycnn summary mini\n...\n$ echo $?\n1\n```"),
        (check_console, "```console\n$ pytest nowhere.py\n...\n```"),
        (check_links, "See [there](nowhere.md)."),
        (check_links, "# Here\n\nSee [there](#there)."),
        (check_formulas, "The sum $a \\, b$."),
    ],
)
def test_a_mistake_in_a_page_is_found(check, text, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(AssertionError):
        check(page)


def test_what_is_right_in_a_page_passes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n\n[Here](#a-page) is $a b$, and `[not](a-link.md)`.\n\n"
        "```python\nx = 2\n```\n\n```python\n>>> x, x / 3\n(2, 0.66...)\n```\n\n"
        "```console\n$ tinycnn summary mini\nAlexNet (mini): ...\n...\n"
        "$ tinycnn summary --nonsense\n$ ls\nfile\n```\n\n"
        "```python\n# test_it.py\ndef test():\n    assert 0\n```\n\n```python\nimport test_it\n```\n\n"
        "```console\n$ pytest -q test_it.py\nF...\n$ echo $?\n1\n```\n",
        encoding="utf-8",
    )
    for check in (check_python, check_console, check_links, check_formulas):
        check(page)


# ------------------------------------------------------------------------------------------ map


LAYERS_SHARE = "activation base context image registry weighted"


def test_the_map_of_the_code_names_every_room_and_no_other():
    page = ROOT / "docs" / "map-of-the-code.md"
    (tree,) = [block.text for block in blocks_of(page, "text") if block.text.startswith("tinycnn/")]
    named, folders = set(), []
    for line in tree.splitlines():
        entry = re.match(r"( *)([\w./-]+)", line)
        depth = len(entry[1]) // 2
        folders[depth:] = [entry[2]]
        named.add("".join(folders).rstrip("/"))
    packages = {name_of(file.parent) for file in ROOT.glob("tinycnn/**/__init__.py")}
    files = {name_of(file) for file in ROOT.glob("tinycnn/*.py") if file.name != "__init__.py"}
    assert packages | files <= named, "docs/map-of-the-code.md lacks a line for these"
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_the_map_finds_each_operation_on_every_floor():
    text = (ROOT / "docs" / "map-of-the-code.md").read_text(encoding="utf-8")
    table = re.search(r"^\| operation .*?\n\n", text, re.MULTILINE | re.DOTALL)[0]
    head, _, *rows = [
        [re.findall(r"`([^`]+)`", cell) for cell in line.split("|")[2:-1]]
        for line in table.splitlines()
        if line
    ]
    named = {
        f"{folder}/{file}"
        for row in rows
        for folders, files in zip(head, row, strict=True)
        for folder in folders
        for file in files
    }
    assert {path for path in named if not (ROOT / path).exists()} == set()
    for folder, but in (("ops", "unrolling bias packed_dense"), ("layers", LAYERS_SHARE)):
        there = {name_of(file) for file in ROOT.glob(f"tinycnn/{folder}/*.py")}
        shared = {f"tinycnn/{folder}/{name}.py" for name in ("__init__", *but.split())}
        assert there - shared <= named
