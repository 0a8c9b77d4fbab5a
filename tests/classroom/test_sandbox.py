"""A file in a process of its own: what it does there is told, and is gone afterwards."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from tinycnn.classroom.sandbox.calling import Trouble
from tinycnn.classroom.sandbox.process import Allowance, Sandbox

SECONDS = 1.0
X = np.arange(6.0).reshape(2, 3)
HEAD = "import numpy as np\n\n\ndef f(x):\n"


@pytest.fixture
def sandbox(tmp_path, tmp_path_factory, monkeypatch):
    """Run a file of a student's; its folder and the temporary one are as before afterwards."""
    made, temporary = [], tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def run(source, *, seconds=60.0, memory=1024 * 2**20, **beside):
        path = tmp_path / "mine.py"
        path.write_bytes(source if isinstance(source, bytes) else source.encode())
        for name, text in beside.items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        made.append(Sandbox(path, Allowance(seconds, memory)))
        return made[-1]

    yield run
    for one in made:
        one.close()
    assert {path.suffix for path in tmp_path.iterdir()} <= {".py"}
    assert list(temporary.iterdir()) == []


def body(*lines):
    return HEAD + "".join(f"    {line}\n" for line in lines)


def called(sandbox, source, **options):
    return sandbox(source, **options).call("f", (X,), "f(x)")


def exists(number):
    """Whether a process is there and at work; one that waits to be collected is not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_results_come_back_as_they_are(sandbox):
    came = called(sandbox, body("return x * 2, [x[0, 1], 3, True], {'a': None}, 'é', {1}"))
    doubled, (one, three, true), named, text, other = came
    assert np.array_equal(doubled, 2 * X) and doubled.dtype == X.dtype and one == 1.0
    assert (three, true, named, text, other.type_name) == (3, True, {"a": None}, "é", "set")


def test_what_is_handed_in(sandbox):
    rng = np.random.default_rng(3)
    source = (
        "def f(x, pair, rng, names):\n    return x.flags.writeable, pair, rng.random(2), names\n"
    )
    came = sandbox(source).call("f", (X, (1, 2), rng, {"W": [X]}), "f(x)")
    assert came[0] is False and came[1] == (1, 2)
    assert np.array_equal(came[2], np.random.default_rng(3).random(2))
    assert np.array_equal(came[3]["W"][0], X)


# ---------------------------------------------------------------------------- what ends a process


@pytest.mark.parametrize(
    ("lines", "kind", "words"),
    [
        (["while True: pass"], "timeout", "f did not end in 1 s, line 5"),
        (["import os", "os._exit(0)"], "ended", "f ends its process with exit code 0 instead of returning"),
        (["raise SystemExit"], "raises", "f(x) raises SystemExit (mine.py, line 5)"),
        (["return f(x)"], "raises", "f(x) raises RecursionError: maximum recursion depth exceeded"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told(lines, kind, words, sandbox):
    trouble = called(sandbox, body(*lines), seconds=SECONDS)
    assert trouble.kind == kind and trouble.text.startswith(words)


@pytest.mark.process
@pytest.mark.parametrize(
    ("lines", "kind", "words"),
    [
        (["import time", "time.sleep(999)"], "timeout", "f did not end in 1 s, line 6"),
        (["return sum(range(10**12))"], "timeout", "f did not end in 1 s, line 5"),
        (["a = np.random.rand(3000, 3000)", "return np.linalg.eig(a)"],
         "timeout", "f did not end in 1 s, line"),
        (["import os, signal", "os.kill(os.getpid(), signal.SIGSTOP)"], "timeout", "f did not end in 1 s"),
        (["import signal", "signal.signal(signal.SIGUSR1, signal.SIG_IGN)", "while True: pass"],
         "timeout", "f did not end in 1 s"),
        (["import ctypes", "ctypes.string_at(0)"], "ended", "f crashes its process: SIGSEGV, line 6"),
        (["import os, signal", "os.kill(os.getpid(), signal.SIGKILL)"],
         "ended", "f crashes its process: SIGKILL"),
        (["import sys", "sys.setrecursionlimit(10**9)", "g = lambda n: list(map(g, [n]))", "g(x)"], "ended",
         "f crashes its process: SIGSEGV"),
        (["raise KeyboardInterrupt"], "ended", "f crashes its process: SIGINT"),
        (["import os", "os.closerange(3, 256)", "return x"], "ended", "f ends its process with exit code 1"),
        (["import os", "for n in range(3, 64):", "    try: os.write(n, b'forged' * 9)",
          "    except OSError: pass", "return x"],
         "ended", "f disturbs the process that it runs in: no result came back"),
        (["import os", "for n in range(3, 64):", "    try: os.write(n, bytes(8))",
          "    except OSError: pass", "return x"],
         "ended", "f disturbs the process that it runs in: no result came back"),
    ],
)  # fmt: skip
def test_what_takes_the_process_down_is_told(lines, kind, words, sandbox):
    trouble = called(sandbox, body(*lines), seconds=SECONDS)
    assert (trouble.kind, trouble.text.startswith(words)) == (kind, True), trouble


@pytest.mark.process
@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["return np.ones(10**12)"], "f(x) asks for more memory than it may have"),
        (["kept = []", "while True: kept.append(np.ones(10**6))"], "f(x) asks for more memory"),
        (["kept = []", "while True: kept.append(bytearray(99))"], "f(x) asks for more memory"),
        (["return np.ones(10**8)"], "what it returns"),
    ],
)  # fmt: skip
def test_memory_without_end_is_told(lines, words, sandbox):
    trouble = called(sandbox, body(*lines))
    assert trouble.kind == "memory" and trouble.text.startswith(words), trouble


def test_after_an_end_the_next_call_begins_anew(sandbox):
    one = sandbox("import os\nCALLS = []\n\n\ndef f(x):\n    CALLS.append(1)\n    return len(CALLS)\n\n\n"
                  "def end():\n    os._exit(0)\n")  # fmt: skip
    assert [one.call("f", (X,), "f(x)") for _ in range(2)] == [1, 2]
    assert one.call("end", (), "end()").kind == "ended"
    assert one.call("f", (X,), "f(x)") == 1


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("1 / 0\n", "mine.py raises ZeroDivisionError: division by zero (mine.py, line 1)"),
        ("def f(:\n", "mine.py raises SyntaxError: invalid syntax (mine.py, line 1)"),
        (
            "import os\nos._exit(0)\n",
            "mine.py ends its process with exit code 0 instead of returning",
        ),
        ("while True:\n    pass\n", "mine.py did not end in 1 s, line"),
        ("input()\n", "mine.py raises EOFError"),
    ],
)
def test_a_file_that_cannot_be_run(source, words, sandbox):
    trouble = sandbox(source, seconds=SECONDS).run()
    assert isinstance(trouble, Trouble) and trouble.text.startswith(words)


# ------------------------------------------------------------------------------------ how it is read


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("\ufeffTEXT = 'é'\r\n\r\ndef f(x):\r\n    return TEXT\r\n", "utf-8"),
        ("# -*- coding: cp1252 -*-\nTEXT = '€'\ndef f(x): return TEXT\n", "cp1252"),
        ("TEXT = 'é'\rdef f(x):\r    return TEXT\r", "utf-8"),
    ],
)
def test_a_file_is_read_as_python_reads_it(data, encoding, sandbox):
    assert called(sandbox, data.encode(encoding)) in ("é", "€")


# ------------------------------------------------------------------------- what is gone afterwards


def test_nothing_is_left_of_what_it_changes(sandbox, monkeypatch):
    monkeypatch.setenv("A_SECRET", "of the teacher's")
    here, path, modules = Path.cwd(), list(sys.path), set(sys.modules)
    source = body(
        "import os, sys, random",
        "np.exp = np.asarray = np.frombuffer = None",
        "np.seterr(all='raise'); random.seed(0); np.random.seed(0)",
        "os.environ['B'] = '1'; sys.path.insert(0, '/'); sys.modules['json'] = None",
        "open('left.txt', 'w').close()",
        "open(os.path.join(os.path.dirname(__file__), 'beside.txt'), 'w').close()",
        "return os.environ.get('A_SECRET')",
    )
    assert called(sandbox, source) is None
    assert Path.cwd() == here and sys.path == path and "B" not in os.environ
    assert np.exp(0.0) == 1 and np.geterr()["over"] == "warn"
    assert {
        name for name in set(sys.modules) - modules if "mine" in name or "json" in name
    } == set()


def test_a_helper_beside_a_file_is_its_own(sandbox, tmp_path):
    first = sandbox("from helper import n\n\n\ndef f(x):\n    return n\n", helper="n = 1\n")
    assert first.call("f", (X,), "f(x)") == 1
    assert first.uses == ("helper.py (beside the file)",)
    second = sandbox("from helper import n\n\n\ndef f(x):\n    return n\n", helper="n = 2\n")
    assert second.call("f", (X,), "f(x)") == 2
    assert "helper" not in sys.modules and not (tmp_path / "__pycache__").exists()


@pytest.mark.process
@pytest.mark.parametrize(
    "start",
    [
        ["child = subprocess.Popen(['sleep', '600']).pid"],
        ["child = subprocess.Popen(['sleep', '600'], start_new_session=True).pid"],
        ["child = os.fork()", "while not child: time.sleep(1)"],
        ["there, back = os.pipe()", "child = os.fork()", "if not child:", "    os.setsid()",
         "    if os.fork(): os._exit(0)", "    os.write(back, str(os.getpid()).encode())",
         "    while True: time.sleep(1)", "child = int(os.read(there, 20))"],
        ["for _ in range(30):", "    child = os.fork()", "    while not child: pass"],
    ],
)  # fmt: skip
def test_what_it_starts_is_ended(start, sandbox):
    one = sandbox("import os, subprocess, time\n" + body(*start, "return child"))
    child = one.call("f", (X,), "f(x)")
    assert exists(child)
    one.close()
    deadline = time.monotonic() + 60
    while exists(child):
        assert time.monotonic() < deadline
    assert one.uses and "starts a pro" in one.uses[0]


@pytest.mark.process
def test_a_program_that_has_just_been_started_is_ended(sandbox):
    """For a moment after its start it shows no environment, by which it is known."""
    source = "import subprocess\n" + body(
        "return subprocess.Popen(['sleep', '600'], start_new_session=True).pid"
    )
    left = []
    for _ in range(20):
        one = sandbox(source)
        left.append(one.call("f", (X,), "f(x)"))
        one.close()
    deadline = time.monotonic() + 60
    while any(map(exists, left)):
        assert time.monotonic() < deadline


@pytest.mark.process
def test_processes_without_end_are_refused(sandbox):
    """Each of them starts others; no more than some dozens come to be, and none stays."""
    one = sandbox("import os, time\n" + body("while True: os.fork()"), seconds=5.0)
    trouble = one.call("f", (X,), "f(x)")
    assert (
        trouble.kind == "raises"
        and "BlockingIOError: [Errno 11] more than 64 processes" in trouble.text
    )
    one = sandbox(
        "import os, time\n" + body("while True:", "    if not os.fork(): time.sleep(600)")
    )
    assert "more than 64 processes" in one.call("f", (X,), "f(x)").text


@pytest.mark.process
def test_a_process_that_it_starts_answers_for_nobody(sandbox):
    """A fork comes back from the call twice; the second time is not heard."""
    one = sandbox("import os\n" + body("os.fork()", "return os.getpid()"))
    first = one.call("f", (X,), "f(x)")
    assert {one.call("f", (X,), "f(x)") for _ in range(5)} == {first}


@pytest.mark.process
def test_a_process_without_a_parent_ends():
    """The parent is killed in the middle of a call that has no end."""
    code = (
        "import sys, tempfile\nfrom pathlib import Path\n"
        "from tinycnn.classroom.sandbox.process import Allowance, Sandbox\n"
        "path = Path(tempfile.mkdtemp()) / 'mine.py'\n"
        "path.write_text('import os\\ndef pid(): return os.getpid()\\ndef f():\\n    while True: pass\\n')\n"
        "one = Sandbox(path, Allowance(600, 2**30))\n"
        "print(one.call('pid', (), ''), flush=True)\none.call('f', (), '')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as parent:
        child = int(parent.stdout.readline())
        assert exists(child)
        parent.kill()
    deadline = time.monotonic() + 60
    while exists(child):
        assert time.monotonic() < deadline


# ------------------------------------------------------------------------------- output, what it uses


def test_output_is_kept_a_call_at_a_time_and_cut(sandbox):
    one = sandbox(
        "import sys\ndef f(n):\n    print('x' * n)\n    print('\\x1b[31mé', file=sys.stderr)\n"
    )
    one.call("f", (3,), "f(n)")
    assert one.output == "xxx\n�[31mé\n"
    one.call("f", (10**6,), "f(n)")
    assert one.output == "x" * 2000 + " ..."
    one.call("f", (1,), "f(n)")
    assert one.output == "x\n�[31mé\n"


@pytest.mark.process
def test_output_and_files_without_end(sandbox):
    trouble = called(sandbox, body("while True: print('x' * 10**6)"))
    assert trouble.kind == "raises" and "File too large" in trouble.text
    trouble = called(
        sandbox, body("with open('a', 'wb') as a:", "    while True: a.write(bytes(10**6))")
    )
    assert trouble.kind == "raises" and "File too large" in trouble.text


@pytest.mark.parametrize(
    ("lines", "uses"),
    [
        (["import math, json, collections.abc, numpy.lib.stride_tricks"], ()),
        (["import tinycnn"], ("tinycnn",)),
        (["from tinycnn.ops import conv2d"], ("tinycnn",)),
        (["__import__('tinycnn')"], ("tinycnn",)),
        (["import importlib", "importlib.import_module('tinycnn.wording')"], ("tinycnn",)),
        (["import tinycnn, sys", "del sys.modules['tinycnn']"], ("tinycnn",)),
        (["import pytest"], ("pytest",)),  # and not what pytest imports in turn
        (["try: import nowhere_at_all", "except ImportError: pass"], ()),
        (["import os", "os.system('true')"], ("os.system (starts a program)",)),
        (["import ctypes", "ctypes.CDLL(None)"], ("ctypes (loads a C library)",)),
    ],
)
def test_what_is_used_is_seen(lines, uses, sandbox):
    one = sandbox(body(*lines, "return x"))
    assert np.array_equal(one.call("f", (X,), "f(x)"), X)
    assert one.uses == uses


def test_what_a_helper_uses_is_seen(sandbox):
    one = sandbox("import helper\n", helper="import pytest\n")
    assert one.run() is None
    assert one.uses == ("pytest", "helper.py (beside the file)")
