"""The cache of compiled kernels: it never runs old code, and no damage to its files fails a call.

Each test starts Python afresh on copies of ``jit.py`` and what it imports beside a small kernel, with a cache
directory of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

KERNELS = {
    "__init__.py": "",
    "constants.py": "FACTOR = 2.0\n",
    "callee.py": """
from tinycnn.kernels.jit import kernel

@kernel
def offset(x):
    return x + 10.0
""",
    "probe.py": """
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.callee import offset
from tinycnn.kernels.constants import FACTOR

@kernel
def probe(x, i, divisor):
    return (offset(x[i]) + 100.0) * FACTOR / divisor
""",
    "other.py": """
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.callee import offset

@kernel
def other(x):
    return offset(x) + 1000.0
""",
}

# What a child runs before its own lines, which fill `report`. The array is part of a larger one, so
# that the index 5, out of bounds, reads memory that is there.
PROLOGUE = """
import importlib, json, os, sys, warnings
from pathlib import Path
import numba, numpy as np
from numba.core import event

# Kernels are counted, not what Numba compiles for itself.
class Compilations(event.Listener):
    count = 0
    def on_start(self, event):
        self.count += event.data["dispatcher"].__module__.startswith("tinycnn")
    def on_end(self, event):
        pass

compilations = Compilations()
event.register("numba:compile", compilations)
memory = np.arange(8.0)
x = memory[:4]
cache = Path(os.environ.get("TINYCNN_CACHE_DIR", "."))
report = {}
warnings.simplefilter("always")
caught = warnings.catch_warnings(record=True).__enter__()
"""

CALL = """
from tinycnn.kernels.probe import probe
report["value"] = probe(x, 1, 1.0)
"""
VALUE = (1.0 + 10.0 + 100.0) * 2.0

EPILOGUE = """
report["compilations"] = compilations.count
report["warnings"] = [f"{w.category.__name__}: {w.message}" for w in caught]
print(json.dumps(report))
"""


@dataclass
class Package:
    """A package with a kernel, and a place for its cache."""

    root: Path

    @property
    def kernels(self) -> Path:
        return self.root / "tinycnn" / "kernels"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    def start(self, code: str = CALL, *flags: str, **env: str) -> subprocess.Popen[str]:
        # -B: Python compares sources by size and whole seconds before it trusts bytecode, too
        # coarse for the edits made here.
        return subprocess.Popen(
            [sys.executable, "-B", *flags, "-c", PROLOGUE + code + EPILOGUE],
            cwd=self.root,
            env={**clean_environment(), "TINYCNN_CACHE_DIR": str(self.cache), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str = CALL, *flags: str, **env: str) -> dict[str, Any]:
        return report_of(self.start(code, *flags, **env))

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.kernels / file
        source = path.read_text()
        assert old in source
        path.write_text(source.replace(old, new))


def clean_environment() -> dict[str, str]:
    """The environment without what steers Numba, Python or the cache."""
    steering = ("NUMBA_", "PYTHON", "TINYCNN_", "COVERAGE_", "COV_")
    return {name: value for name, value in os.environ.items() if not name.startswith(steering)}


def report_of(child: subprocess.Popen[str]) -> dict[str, Any]:
    output, errors = child.communicate()
    assert child.returncode == 0, errors
    report: dict[str, Any] = json.loads(output)
    return report


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Package:
    package = Package(tmp_path_factory.mktemp("filled"))
    package.kernels.mkdir(parents=True)
    (package.root / "tinycnn" / "__init__.py").touch()
    for name in ("compilers", "jit", "numba_start", "private_files", "source_files"):
        module = import_module(f"tinycnn.kernels.{name}")
        shutil.copy(str(module.__file__), package.kernels)
    for file, source in KERNELS.items():
        (package.kernels / file).write_text(source)
    report = package.run()
    assert report == {"value": VALUE, "compilations": 2, "warnings": []}
    return package


@pytest.fixture
def package(filled: Package, tmp_path: Path) -> Package:
    """A copy of the package and of its filled cache: all that a test does to it is its own."""
    shutil.copytree(filled.root, tmp_path, dirs_exist_ok=True)
    return Package(tmp_path)


def test_second_start_compiles_nothing(package: Package) -> None:
    assert package.run() == {"value": VALUE, "compilations": 0, "warnings": []}
    assert {path.stat().st_mode & 0o077 for path in package.cache.iterdir()} == {0}


RUNTIME = """
from numba.core.runtime import rtsys
report["runtime"] = rtsys._init
"""
NAMES_UNKNOWN = """
import types
from tinycnn.kernels import compilers
compilers._llvm = types.SimpleNamespace(**vars(compilers._llvm) | {"add_symbol": lambda *_: None})
"""


@pytest.mark.process
@pytest.mark.parametrize(("before", "started"), [("", False), (NAMES_UNKNOWN, True)])
def test_numba_makes_ready_to_compile_only_where_code_needs_what_else_is_unknown(
    package: Package, before: str, started: bool
) -> None:
    report = package.run(before + CALL + RUNTIME)
    assert report == {"value": VALUE, "runtime": started, "compilations": 0, "warnings": []}


@pytest.mark.process
def test_a_line_on_stderr_says_that_compiling_happens_once(package: Package) -> None:
    quiet, first, second = (
        package.start(TINYCNN_CACHE_DIR=str(package.root / cache), **settings).communicate()[1]
        for cache, settings in (("quiet", {"TINYCNN_QUIET": "1"}), ("new", {}), ("new", {}))
    )
    assert quiet == second == ""
    assert first.count("\n") == 1
    assert "compiling kernels for this processor, probe first" in first
    assert "once on this machine" in first


# error_model="python" raises on division by zero, "numpy" gives inf.
DIVIDE = """
from tinycnn.kernels.probe import probe
try:
    report["value"] = probe(x, 1, 0.0)
except ZeroDivisionError:
    report["value"] = "ZeroDivisionError"
"""


@pytest.mark.process
@pytest.mark.parametrize(
    ("file", "old", "new", "code", "value"),
    [
        ("probe.py", "100.0", "300.0", CALL, 622.0),
        ("callee.py", "10.0", "30.0", CALL, 262.0),
        ("constants.py", "2.0", "3.0", CALL, 333.0),
        ("jit.py", 'error_model="numpy"', 'error_model="python"', DIVIDE, "ZeroDivisionError"),
    ],
)
def test_edit_runs_new_code(
    package: Package, file: str, old: str, new: str, code: str, value: object
) -> None:
    package.edit(file, old, new)
    assert package.run(code) == {"value": value, "compilations": 2, "warnings": []}


@pytest.mark.process
def test_edit_while_running(package: Package) -> None:
    # As in a notebook: the edited file is reloaded, then the file that calls it. What is compiled
    # after the edit is not kept, for the process still holds parts of the old sources.
    code = """
from tinycnn.kernels import callee, probe
file = Path(callee.__file__)
source = file.read_text()
report["value"] = [probe.probe(x, 1, 1.0)]
file.write_text(source.replace("10.0", "30.0"))
for module in (callee, probe):
    importlib.reload(module)
report["value"] += [probe.probe(x, 1, 1.0)]
if "revert" in os.environ:
    file.write_text(source)
"""
    assert package.run(code, revert="1")["value"] == [222.0, 262.0]
    assert package.run() == {"value": VALUE, "compilations": 0, "warnings": []}
    assert package.run(code)["value"] == [222.0, 262.0]
    assert package.run() == {"value": 262.0, "compilations": 2, "warnings": []}


@pytest.mark.process
def test_recompile_after_changed_global(package: Package) -> None:
    code = """
from tinycnn.kernels import probe
report["value"] = [probe.probe(x, 1, 1.0)]
probe.FACTOR = 5.0
probe.probe.recompile()
report["value"] += [probe.probe(x, 1, 1.0)]
"""
    assert package.run(code)["value"] == [222.0, 555.0]
    assert package.run() == {"value": VALUE, "compilations": 0, "warnings": []}


@pytest.mark.process
def test_what_changes_code_has_its_own_files(package: Package) -> None:
    assert package.run(NUMBA_OPT="0") == {"value": VALUE, "compilations": 2, "warnings": []}
    other_processor = (
        "import llvmlite.binding as llvm; llvm.get_host_cpu_name = lambda: 'generic'\n"
    )
    report = package.run(other_processor + CALL)
    assert report == {"value": VALUE, "compilations": 2, "warnings": []}
    assert package.run(CALL, "-O") == {"value": VALUE, "compilations": 2, "warnings": []}
    # The number of threads changes no code, and the first files are still there.
    report = package.run(NUMBA_NUM_THREADS="1")
    assert report == {"value": VALUE, "compilations": 0, "warnings": []}


@pytest.mark.process
def test_warm_cache_does_not_hide_bounds_check(package: Package) -> None:
    code = """
from tinycnn.kernels.probe import probe
try:
    report["value"] = probe(x, 5, 1.0)
except IndexError:
    report["value"] = "IndexError"
"""
    unchecked = (5.0 + 10.0 + 100.0) * 2.0
    in_process = "numba.config.BOUNDSCHECK = 1\n" + code
    assert package.run(code)["value"] == unchecked
    assert package.run(in_process)["value"] == "IndexError"
    report = package.run(code, NUMBA_BOUNDSCHECK="1")
    assert report["value"] == "IndexError"
    assert report["compilations"] == 0  # the run before has left checked code
    assert package.run(code) == {"value": unchecked, "compilations": 0, "warnings": []}


@pytest.mark.process
def test_damaged_file_is_compiled_and_written_again(package: Package) -> None:
    # Every reload of the probe makes a dispatcher that has compiled nothing yet.
    code = """
import pickle
from tinycnn.kernels import callee, probe

def call():
    before = compilations.count
    importlib.reload(probe)
    return [probe.probe(x, 1, 1.0), compilations.count - before]

def flipped(data, position):
    return data[:position] + bytes([data[position] ^ 1 << position % 8]) + data[position + 1:]

[file] = [file for file in cache.glob("*/*") if b"probe" in file.read_bytes()]
[other] = [other for other in cache.glob("*/*") if other != file]
data = file.read_bytes()
size = len(data)
cuts = [0, 1, 31, 32, 33, 100, size // 2, size - 1]
flips = [0, 15, 31, 32, 33, *range(40, size, size // 12), size - 1]
rng = np.random.default_rng(0)
damages = {
    **{f"cut to {n} bytes": data[:n] for n in cuts},
    **{f"bit flipped in byte {n}": flipped(data, n) for n in flips},
    "one byte more": data + b"x",
    "zeros": bytes(size),
    "garbage": rng.bytes(size),
    "a pickle without checksum": pickle.dumps("text"),
    "the file of another function": other.read_bytes(),
}
report["undamaged"] = call()
report["failures"] = []
for name, damaged in damages.items():
    file.write_bytes(damaged)
    if (got := [call(), call()]) != [[222.0, 1], [222.0, 0]]:
        report["failures"].append([name, got])
report["count"] = len(damages)
"""
    report = package.run(code)
    assert report["undamaged"] == [VALUE, 0]
    assert report["failures"] == []
    assert report["count"] > 25
    assert report["warnings"] == []


UNWRITABLE = {
    "file in place of the directory": {"TINYCNN_CACHE_DIR": "file"},
    "file in place of a parent": {"TINYCNN_CACHE_DIR": "file/cache"},
    "no home": {"TINYCNN_CACHE_DIR": "", "XDG_CACHE_HOME": "", "LOCALAPPDATA": ""},
}


@pytest.mark.process
@pytest.mark.parametrize("env", UNWRITABLE.values(), ids=UNWRITABLE.keys())
def test_unwritable_place_warns_once(package: Package, env: dict[str, str]) -> None:
    (package.root / "file").write_text("not a directory")
    code = (
        """
def no_home():
    raise RuntimeError("Could not determine home directory.")
Path.home = no_home
"""
        + CALL
        + """
report["value"] += probe(memory.astype(np.float32), 1, 1.0)
"""
    )
    report = package.run(code, **env)
    assert report["value"] == 2 * VALUE
    assert report["compilations"] == 4
    [warning] = report["warnings"]
    assert warning.startswith("RuntimeWarning: compiled kernels cannot be kept")


# Each case makes the cache directory as it may be found, and a child calls the probe anew.
ANEW = """
import stat
from tinycnn.kernels import jit, probe as module

def called_anew(place):
    os.environ["TINYCNN_CACHE_DIR"] = str(place)
    jit._warned = False
    before, already = compilations.count, len(caught)
    importlib.reload(module)
    value = module.probe(x, 1, 1.0)
    texts = [str(warning.message) for warning in caught[already:]]
    return [value, compilations.count > before, texts]
"""


@pytest.mark.process
def test_what_others_may_write_to_is_refused_with_one_warning(package: Package) -> None:
    code = (
        ANEW
        + """
[generation] = cache.glob("*")
[file] = [file for file in cache.glob("*/*") if b"probe" in file.read_bytes()]

def give_away(path):
    \"\"\"To another user; who is not root can only become another one.\"\"\"
    if os.geteuid() == 0:
        os.chown(path, 54321, -1)
        return lambda: os.chown(path, 0, -1)
    mine = os.geteuid
    os.geteuid = lambda: 54321
    return lambda: setattr(os, "geteuid", mine)

report["untouched"] = called_anew(cache)
report["refused"] = {}
for path in (cache, generation):
    for mode in (0o770, 0o707, 0o777, 0o1777):
        before = path.stat().st_mode
        path.chmod(mode)
        report["refused"][f"{path.name} {mode:o}"] = called_anew(cache)
        path.chmod(before)
    undo = give_away(path)
    report["refused"][f"{path.name} of another"] = called_anew(cache)
    undo()
report["by others in the file only"] = []
for mode in (0o620, 0o602):
    file.chmod(mode)
    report["by others in the file only"].append(called_anew(cache) + [stat.S_IMODE(file.stat().st_mode)])
report["read only"] = []
for path, mode in ((file, 0o444), (generation, 0o555), (cache, 0o555), (cache, 0o755)):
    path.chmod(mode)
    report["read only"].append(called_anew(cache))
for path in (cache, generation):
    path.chmod(0o700)
"""
    )
    report = package.run(code)
    assert report["untouched"] == [VALUE, False, []]
    assert len(report["refused"]) == 10
    for name, (value, compiled, texts) in report["refused"].items():
        assert (value, compiled) == (VALUE, True), name
        [text] = texts
        assert "compiled kernels cannot be kept" in text
        assert "others may write to" in text and "chmod go-w" in text
    # Compiled, and replaced by a private one.
    assert report["by others in the file only"] == [[VALUE, True, [], 0o600]] * 2
    assert report["read only"] == [[VALUE, False, []]] * 4


@pytest.mark.process
def test_a_file_that_is_none_is_replaced(package: Package) -> None:
    code = (
        ANEW
        + """
[file] = [file for file in cache.glob("*/*") if b"probe" in file.read_bytes()]
data = file.read_bytes()
(cache.parent / "elsewhere").write_bytes(data)

def huge(path):
    with path.open("wb") as opened:
        opened.truncate(1 << 40)  # with nothing in it

report["replaced"] = {}
for name, make in {
    "pipe": os.mkfifo,
    "link to a pipe": lambda path: (os.mkfifo(cache.parent / "pipe"), path.symlink_to(cache.parent / "pipe")),
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "link to nowhere": lambda path: path.symlink_to("nowhere"),
    "link to a good one": lambda path: path.symlink_to(cache.parent / "elsewhere"),
    "huge": huge,
}.items():
    file.unlink()
    make(file)
    report["replaced"][name] = called_anew(cache) + [file.is_file() and not file.is_symlink()]
    report["replaced"][name + ", then"] = called_anew(cache) + [True]
file.unlink()
file.mkdir()
report["directory"] = called_anew(cache)
report["beside"] = sorted(path.name for path in file.parent.iterdir() if "." in path.name)
"""
    )
    report = package.run(code)
    for name, found in report["replaced"].items():
        assert found == [VALUE, "then" not in name, [], True], name
    assert report["directory"][:2] == [VALUE, True]
    assert len(report["directory"][2]) == 1
    assert report["beside"] == []


@pytest.mark.process
def test_places_of_all_kinds(package: Package) -> None:
    code = (
        ANEW
        + """
os.environ["HOME"] = str(Path("home").absolute())
Path("home").mkdir()
places = {
    "~/in home": "home/in home",
    "~": "home",
    "relative/deep": "relative/deep",
    "to a directory": "target",
    "to nowhere": "made",
}
Path("target").mkdir(mode=0o700)
Path("to a directory").symlink_to("target")
Path("to nowhere").symlink_to("made")
report["kept"] = {}
for place, really in places.items():
    first = called_anew(place)
    kept = len(list(Path(really).glob("kernels-*/*")))
    report["kept"][place] = [first, called_anew(place), kept]
report["no tilde"] = not Path("~").exists()
Path("circle").symlink_to("circle")
os.mkfifo("pipe")
report["unusable"] = {
    place: called_anew(place)
    for place in ("circle", "pipe", "pipe/under", "/dev/null", "/dev/null/under", "~no-such-user/x")
}
"""
    )
    report = package.run(code)
    for place, (first, second, kept) in report["kept"].items():
        assert first == [VALUE, True, []], place
        assert second == [VALUE, False, []], place
        assert kept >= 1, place
    assert report["no tilde"]
    for place, (value, compiled, texts) in report["unusable"].items():
        assert (value, compiled, len(texts)) == (VALUE, True, 1), place


@pytest.mark.process
def test_a_full_disk_leaves_no_part_of_a_file(package: Package) -> None:
    code = (
        ANEW
        + """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
report["found"] = called_anew("full")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
report["files"] = len(list(Path("full").glob("*/*")))
"""
    )
    report = package.run(code)
    value, compiled, texts = report["found"]
    assert (value, compiled, len(texts), report["files"]) == (VALUE, True, 1, 0)


@pytest.mark.process
def test_where_warnings_are_errors_the_first_call_works_all_the_same(package: Package) -> None:
    (package.root / "file").touch()
    code = "warnings.simplefilter('error')\n" + CALL
    child = package.start(code, "-W", "error", TINYCNN_CACHE_DIR="file", TINYCNN_QUIET="1")
    output, errors = child.communicate()
    report = json.loads(output)
    assert (report["value"], report["compilations"]) == (VALUE, 2)
    assert errors.count("\n") == 1
    assert errors.startswith("tinycnn: compiled kernels cannot be kept")


@pytest.mark.process
def test_nothing_is_said_to_be_kept_that_is_not(package: Package) -> None:
    (package.root / "file").touch()
    errors = package.start(TINYCNN_CACHE_DIR="file").communicate()[1]
    assert "half a minute, at every start" in errors


@pytest.mark.process
def test_errors_of_the_disk(package: Package) -> None:
    code = (
        """
def fail(*args, **options):
    raise PermissionError("no")

opening = os.open
os.utime = fail  # a directory that may only be read
"""
        + CALL
        + """
report["read only"] = compilations.count

from tinycnn.kernels import probe as module
importlib.reload(module)
os.open = lambda path, flags, *mode: opening(path, flags, *mode) if flags & os.O_CREAT else fail()
module.probe(x, 1, 1.0)
report["unreadable"] = [compilations.count, len(caught)]
os.open = opening

files = sorted(cache.glob("*/*"))
Path.replace = fail
module.probe(x.astype(np.float32), 1, 1.0)
report["left beside"] = sorted(cache.glob("*/*")) != files
"""
    )
    report = package.run(code)
    assert report["value"] == VALUE
    assert report["read only"] == 0
    # Compiled and written anew without a word; so is the callee, which is compiled, not read.
    assert report["unreadable"] == [2, 0]
    assert report["left beside"] is False
    assert len(report["warnings"]) == 1


@pytest.mark.process
def test_default_place_is_private_in_the_cache_directory_of_the_user(package: Package) -> None:
    home = package.root / "home"
    code = (
        """
from tinycnn.kernels import jit
Path.home = lambda: Path("home")
platform = sys.platform
report["places"] = []
unset = {"LOCALAPPDATA": "", "XDG_CACHE_HOME": ""}
for sys.platform, chosen in (
    ("win32", {"LOCALAPPDATA": "chosen"}),
    ("win32", unset),
    ("darwin", unset),
    ("linux", unset),
    ("linux", {"XDG_CACHE_HOME": "chosen"}),
):
    os.environ.update(chosen)
    report["places"].append(jit._root().as_posix())
os.environ.update(unset)
sys.platform = platform
"""
        + CALL
    )
    report = package.run(code, TINYCNN_CACHE_DIR="")
    assert report["places"] == [
        str(package.root.resolve() / place)
        for place in (
            "chosen/tinycnn",
            "home/AppData/Local/tinycnn",
            "home/Library/Caches/tinycnn",
            "home/.cache/tinycnn",
            "chosen/tinycnn",
        )
    ]
    assert report["value"] == VALUE
    [generation] = home.glob("**/tinycnn/kernels-*")
    assert len(list(generation.iterdir())) == 2
    assert (generation.stat().st_mode | generation.parent.stat().st_mode) & 0o077 == 0


# Numba itself needs some of these names, so that they are missing for `jit.py` only.
MOVED = {
    "base class": """
import numba.core.caching
name = numba.core.caching.NullCache
del numba.core.caching.NullCache
import tinycnn.kernels.probe
numba.core.caching.NullCache = name
""",
    "module of the base class": """
module = sys.modules.pop("numba.core.caching")
import tinycnn.kernels.probe
sys.modules["numba.core.caching"] = module
""",
    "methods": """
from numba.core.compiler import CompileResult
del CompileResult._rebuild, CompileResult._reduce
""",
    "everything": """
import types
import tinycnn.kernels.jit
tinycnn.kernels.jit.numba = types.SimpleNamespace(njit=numba.njit, types=numba.types)
""",
}


@pytest.mark.process
@pytest.mark.parametrize("moved", MOVED.values(), ids=MOVED.keys())
def test_private_name_of_numba_that_moved_costs_compilation_only(
    package: Package, moved: str
) -> None:
    report = package.run(moved + CALL)
    assert report["value"] == VALUE
    assert len(report["warnings"]) <= 1


@pytest.mark.process
def test_other_packages_keep_their_cache(package: Package) -> None:
    (package.root / "other.py").write_text(
        "import numba\n\n@numba.njit(cache=True)\ndef square(x):\n    return x * x\n"
    )
    code = (
        """
settings = dict(vars(numba.config))
before = {file: file.read_bytes() for file in Path("numba_cache").glob("*/*")}
"""
        + CALL
        + """
import other
report["square"] = other.square(3.0)
report["hits"] = sum(other.square.stats.cache_hits.values())
report["files"] = sorted(file.suffix for file in Path("numba_cache").glob("*/*"))
report["unchanged"] = before == {file: file.read_bytes() for file in before}
report["settings_unchanged"] = settings == vars(numba.config)
"""
    )
    for hits in (0, 1):
        assert package.run(code, NUMBA_CACHE_DIR="numba_cache") == {
            "value": VALUE,
            "square": 9.0,
            "hits": hits,
            "files": [".nbc", ".nbi"],
            "unchanged": True,
            "settings_unchanged": True,
            "compilations": 0,
            "warnings": [],
        }


@pytest.mark.process
def test_processes_that_compile_at_once(package: Package) -> None:
    shutil.rmtree(package.cache)
    children = [package.start() for _ in range(3)]
    assert [report_of(child)["value"] for child in children] == [VALUE] * 3
    assert [path.suffix for path in package.cache.glob("*/*")] == ["", ""]  # nothing left beside
    assert package.run() == {"value": VALUE, "compilations": 0, "warnings": []}


@pytest.mark.process
def test_only_generations_unused_for_thirty_days_are_removed(package: Package) -> None:
    [used] = package.cache.iterdir()
    day = 24 * 3600.0
    now = used.stat().st_mtime
    ages = {
        "kernels-" + "a" * 32: 31,
        "kernels-" + "b" * 32: 29,
        "kernels-of-somebody-else": 1000,
        "somebody-else": 1000,
    }
    for name, age in ages.items():
        (package.cache / name).mkdir()
        (package.cache / name / "file").touch()
        os.utime(package.cache / name, (now - age * day,) * 2)
    os.utime(used, (now - 31 * day,) * 2)
    package.run()  # reads the old generation: from now on it is in use
    package.edit("constants.py", "2.0", "3.0")
    package.run()
    kept = {path.name for path in package.cache.iterdir()}
    assert kept >= {*ages, used.name} - {"kernels-" + "a" * 32}
    assert len(kept) == 5


@pytest.mark.process
def test_without_jit(package: Package) -> None:
    code = CALL + "report['plain'] = type(probe).__name__ == 'function'\n"
    report = package.run(code, NUMBA_DISABLE_JIT="1")
    assert report == {"value": VALUE, "plain": True, "compilations": 0, "warnings": []}


@pytest.mark.process
def test_a_part_serves_other_callers_and_has_no_machine_code(package: Package) -> None:
    code = """
from tinycnn.kernels.callee import offset
from tinycnn.kernels.other import other
report["value"] = other(1.0)
parts = offset.get_overload.__self__
report["codes"] = []
for part in (*parts.overloads.values(), *other.overloads.values()):
    report["codes"].append(part.library.get_pointer_to_function(part.fndesc.llvm_func_name) != 0)
report["hits"] = sum(parts.stats.cache_hits.values())
"""
    report = package.run(code)
    assert report["value"] == 1.0 + 10.0 + 1000.0
    assert report["codes"] == [False, True]
    assert report["compilations"] == 1 and report["hits"] == 1


SHARED = """
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.callee import offset

@kernel(shared=True)
def shared(x):
    return offset(x) * 3.0

@kernel
def between(x):
    return shared(x) + 1.0

@kernel
def first(x):
    return between(x) + 100.0

@kernel
def second(x):
    return between(x) + 200.0
"""
CALL_SHARED = """
import tinycnn.kernels.sharing as sharing
report["value"] = [getattr(sharing, name)(1.0) for name in names]
"""


@pytest.mark.process
def test_shared_code_is_made_once_and_found_by_later_processes(package: Package) -> None:
    (package.kernels / "sharing.py").write_text(SHARED)
    # Whoever reads a caller, or a part of one, has what is shared too, before and after it was called.
    for names, value, compiled in (
        (["first"], [134.0], 4),  # with offset, shared and between
        (["second"], [234.0], 1),
        (["second", "first", "shared"], [234.0, 134.0, 33.0], 0),
    ):
        report = package.run(f"names = {names}" + CALL_SHARED)
        assert report == {"value": value, "compilations": compiled, "warnings": []}


@pytest.mark.process
def test_callers_of_shared_code_hold_no_copy(package: Package) -> None:
    (package.kernels / "sharing.py").write_text(SHARED)
    code = """
[caller] = sharing.first.overloads.values()
[called] = sharing.shared.overloads.values()
defined = {function.name for function in caller.library.get_defined_functions()}
report["copies"] = called.fndesc.llvm_func_name in defined
report["own"] = caller.fndesc.llvm_func_name in defined
"""
    report = package.run("names = ['first']" + CALL_SHARED + code)
    assert (report["copies"], report["own"]) == (False, True)


@pytest.mark.process
def test_shared_code_that_was_lost_is_compiled_before_its_callers_are_read(
    package: Package,
) -> None:
    (package.kernels / "sharing.py").write_text(SHARED)
    find = "report['kept'] = str(sharing.shared._cache._path(*sharing.shared.signatures, codegen))"
    code = "\nfrom numba.core.registry import cpu_target\ncodegen = cpu_target.target_context.codegen()\n"
    report = package.run("names = ['first', 'second']" + CALL_SHARED + code + find)
    (Path(report["kept"])).unlink()
    again = package.run("names = ['second']" + CALL_SHARED)
    assert again == {"value": [234.0], "compilations": 1, "warnings": []}


@pytest.mark.process
def test_policy(package: Package) -> None:
    code = """
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.probe import probe
report["options"] = probe.targetoptions
del report["options"]["fastmath"]
report["compiler"] = probe._compiler.pipeline_class.__name__
fast = kernel(fastmath={"reassoc", "nsz"})(lambda x: x + 1.0)
report["fastmath"] = sorted(fast.targetoptions["fastmath"])
report["local"] = [fast(1.0), fast._cache.__class__.__name__]
report["errors"] = []
for options in ({"fastmath": {"nnan"}}, {"fastmath": {"fast"}}, {"fastmath": True}):
    try:
        kernel(**options)
    except (TypeError, ValueError) as error:
        report["errors"].append(type(error).__name__)
"""
    report = package.run(code)
    assert report["options"] == {
        "nogil": True,
        "nopython": True,
        "error_model": "numpy",
        "boundscheck": None,
        "no_cfunc_wrapper": True,
        "no_cpython_wrapper": False,
    }
    assert report["compiler"] == "Compiler"
    assert report["fastmath"] == ["nsz", "reassoc"]
    assert report["local"] == [2.0, "NullCache"]  # a function from elsewhere is not kept
    assert report["errors"] == ["ValueError", "ValueError", "TypeError"]


@pytest.mark.process
def test_closure_is_refused(package: Package) -> None:
    # The counter in Numba's symbol names starts anew in each process, so code of two closures of
    # one name, read from two files, was once linked as one.
    (package.kernels / "closures.py").write_text("""
from tinycnn.kernels.jit import kernel

def make(k):
    @kernel
    def closure(x):
        return x + k
    return closure
""")
    code = """
from tinycnn.kernels.closures import make
try:
    make(1.0)
except TypeError as error:
    report["error"] = str(error)
"""
    assert "top level" in package.run(code)["error"]
