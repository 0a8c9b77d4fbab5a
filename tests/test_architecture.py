"""Imports go down only; Numba has one door; nothing heavy is loaded before it is used.

Read from the syntax trees, so that what a function imports when it is called counts too.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import tinycnn

# From the ground up. A file imports from earlier levels, from its own level, and from its own
# package; whatever is new in the package has to find its place here.
LEVELS = [
    ["errors", "remembering", "strict_json", "tables", "wording"],
    ["files", "validation"],
    ["arrays", "shapes"],
    ["kernels"],
    ["runtime"],
    ["pictures"],
    ["ops"],
    ["initializers", "inputs", "losses", "ownership", "parameters"],
    ["layers"],
    ["chain", "passes", "summary"],
    ["inference", "recorded_passes"],
    ["model", "pass_parameters", "repeated_masks", "runners", "saving", "trace"],
    ["checkpoints", "data", "figures", "networks", "optimizers", "schedules", "weights"],
    ["recipes", "small_networks"],
    ["progress"],
    ["training"],
    ["checking", "estimator"],
    ["runs", "testing"],
    ["explain"],
    ["bench", "classroom", "page"],
    ["commands"],
    ["cli"],
    ["__main__"],
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}


def level(part):
    """Its place, counted from the ground; what has none yet (a test says so) stands on top."""
    return LEVEL.get(part, len(LEVELS))


# What looks up, and why: (file, what it imports).
DOORS = {
    (
        "trace",
        "explain",
    ),  # Trace.explain, and a notebook's view, load their reader when they are called
    ("trace", "page"),  # and so does Trace.page
}

# Within a part: (file, what it imports).
DOORS_INSIDE = {
    # An explanation draws itself when it is printed, shown in a notebook or saved.
    ("explain/values/explanation.py", "explain/readers/"),
    ("explain/learning/values.py", "explain/readers/"),  # and so do steps of learning
}

# What knows Numba and LLVM: the decorator, and instructions that Numba does not offer.
DOORS_TO_NUMBA = {
    "kernels/compilers.py", "kernels/function_pointers.py", "kernels/jit.py", "kernels/numba_start.py",
    "kernels/shared_memory.py", "kernels/simd.py",
    "kernels/simd_code.py", "kernels/simd_exp.py", "kernels/simd_first.py", "kernels/simd_permuted.py",
    "kernels/simd_reduced.py", "kernels/simd_wide.py",
    "kernels/tiles.py", "kernels/dot_tiles.py", "kernels/window_tiles.py",
}  # fmt: skip
# What knows files: where compiled code is kept.
DOORS_TO_FILES = {"kernels/private_files.py", "kernels/source_files.py"}
# The decorator of kernels and what it is made of, which knows no kernel.
KERNEL_DECORATOR = {
    "kernels/compilers.py", "kernels/jit.py", "kernels/numba_start.py", *DOORS_TO_FILES
}  # fmt: skip

OPTIONAL = {
    "MNN", "PIL", "hypothesis", "matplotlib", "mpi4py", "ncnn", "onnx", "onnxruntime", "openvino", "pytest",
    "safetensors", "skimage", "sklearn", "torch", "tqdm",
}  # fmt: skip

PACKAGE = Path(tinycnn.__file__).parent


@dataclass(frozen=True)
class Import:
    """One import: of which module, by which file, and where it stands."""

    file: str  # such as "ops/pooling.py"
    module: str  # absolute, such as "tinycnn.shapes"
    typing: bool  # under `if TYPE_CHECKING:`
    top: bool  # at the file's top level: runs when the file is imported

    @property
    def part(self):
        """The file or package directly in tinycnn that imports."""
        return self.file.partition("/")[0].removesuffix(".py")

    @property
    def imported(self):
        """The file or package directly in tinycnn that is imported, "" for tinycnn itself."""
        return self.module.removeprefix("tinycnn").strip(".").partition(".")[0]

    @property
    def root(self):
        return self.module.partition(".")[0]


@cache
def sources():
    """{"ops/pooling.py": its syntax tree, ...}."""
    files = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)
    kernels = sorted((PACKAGE / "kernels").glob("*.py"))  # rglob may not follow the symlink
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in dict.fromkeys([*files, *kernels])
    }


@cache
def nodes():
    """{"ops/pooling.py": all nodes of its tree, ...}."""
    return {file: [*ast.walk(tree)] for file, tree in sources().items()}


def calls(file):
    return [node for node in nodes()[file] if isinstance(node, ast.Call)]


def named_by(node):
    """The modules that a statement or a call of import_module imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        if is_our_package(node.module):
            return [f"{node.module}.{alias.name}" for alias in node.names]
        return [node.module]
    if isinstance(node, ast.Call):
        function = node.func
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        first = node.args[0] if node.args else None
        if name in ("import_module", "__import__") and isinstance(first, ast.Constant):
            return [first.value]
    return []


def is_our_package(module):
    root, _, rest = module.partition(".")
    return root == "tinycnn" and (PACKAGE / rest.replace(".", "/")).is_dir()


def imports_of(file, tree):
    """All imports of one file, those of its functions among them."""

    def walk(node, typing, top):
        for child in ast.iter_child_nodes(node):
            for module in named_by(child):
                yield Import(file, module, typing, top)
            guard = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            is_function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from walk(child, typing or guard, top and not is_function)

    return list(walk(tree, False, True))


@cache
def imports():
    return [found for file, tree in sources().items() for found in imports_of(file, tree)]


@cache
def ours():
    return [
        found
        for found in imports()
        if found.root == "tinycnn" and found.module != "tinycnn.__version__"
    ]


def test_the_walk_sees_what_is_there():
    seen = {(found.file, found.module) for found in imports()}
    assert {
        ("ops/pooling.py", "tinycnn.kernels.max_pool"),
        ("ops/pooling.py", "tinycnn.shapes"),
        ("ops/fully_connected.py", "numpy"),
        ("layers/conv2d.py", "tinycnn.ops"),
        ("layers/base.py", "tinycnn.initializers"),
        ("optimizers/sgd.py", "tinycnn.kernels.sgd"),
        ("kernels/max_pool.py", "tinycnn.kernels.jit"),
        ("kernels/numba_start.py", "numba"),
        ("trace.py", "tinycnn.explain"),
    } <= seen
    tree = ast.parse(
        "import a.b, c\nfrom tinycnn import blocks\nfrom tinycnn.ops import conv2d\n"
        "if TYPE_CHECKING:\n    import d\n"
        "def f():\n    from e import g\n    import_module('h')\nclass C:\n    import i\n"
    )
    assert {(found.module, found.typing, found.top) for found in imports_of("x.py", tree)} == {
        ("a.b", False, True),
        ("c", False, True),
        ("tinycnn.blocks", False, True),
        ("tinycnn.ops.conv2d", False, True),
        ("d", True, True),
        ("e", False, False),
        ("h", False, False),
        ("i", False, True),
    }


def test_everything_has_its_level():
    parts = {file.partition("/")[0].removesuffix(".py") for file in sources()} - {"__init__"}
    assert parts == set(LEVEL)


def test_imports_go_down_only():
    up = [
        (found.file, found.module)
        for found in ours()
        if found.file != "__init__.py"
        and level(found.imported) > level(found.part)
        and not found.typing
        and (found.part, found.imported) not in DOORS
    ]
    assert up == [], "these import from above"


def test_nobody_goes_through_the_packages_own_names():
    """They reach every level: whoever is inside names the file that he means."""
    assert [found.file for found in ours() if not found.imported] == []


def test_what_is_imported_for_its_types_only_is_up_one_level_at_most():
    up = {
        (found.part, found.imported)
        for found in ours()
        if found.typing and found.part != "__init__" and level(found.imported) > level(found.part)
    }
    assert up <= DOORS


def test_of_trace_and_model_only_the_model_loads_the_other():
    from_trace = [found for found in ours() if (found.part, found.imported) == ("trace", "model")]
    assert from_trace
    assert all(found.typing for found in from_trace)


def test_the_doors_are_opened_when_called():
    opened = {
        (found.part, found.imported): found
        for found in ours()
        if (found.part, found.imported) in DOORS and not found.typing
    }
    assert set(opened) == DOORS
    assert not any(found.top for found in opened.values())


def test_the_package_itself_loads_nothing_at_once():
    for file in ("__init__.py", "ops/__init__.py"):
        eager = [f.module for f in ours() if f.file == file and f.top and not f.typing]
        assert eager == []


def test_the_packages_names_load_when_they_are_used():
    for package in (tinycnn, tinycnn.ops):
        assert set(package.__all__) <= set(dir(package))
        for name in package.__all__:
            assert getattr(package, name) is not None
        with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute"):
            package.no_such_name  # noqa: B018


def test_kernels_import_kernels_numpy_and_numba_only():
    standard = {"__future__", "collections", "importlib", "inspect", "typing", "math"}
    for found in imports():
        if found.part == "kernels" and found.file not in DOORS_TO_NUMBA | DOORS_TO_FILES:
            ours = found.module.startswith("tinycnn.kernels.")
            assert ours or found.root in standard | {"numpy"}, (found.file, found.module)
        if found.file in KERNEL_DECORATOR and found.root == "tinycnn":
            assert (
                found.module.replace(".", "/").removeprefix("tinycnn/") + ".py" in KERNEL_DECORATOR
            )


def test_numba_has_its_doors():
    users = {found.file for found in imports() if found.root in ("numba", "llvmlite")}
    assert users <= DOORS_TO_NUMBA
    assert "kernels/numba_start.py" in users


def test_nobody_imports_the_bare_name_kernels():
    tests = [Path(__file__).parent, PACKAGE.parent / "benchmarks"]
    for folder in tests:
        for path in sorted(folder.rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            assert not any(found.root == "kernels" for found in imports_of(path.name, tree)), path
    assert not any(found.root == "kernels" for found in imports())


def test_optional_libraries_are_imported_where_they_are_used():
    eager = {(f.file, f.root) for f in imports() if f.root in OPTIONAL and f.top and not f.typing}
    # Rooms made of nothing else, and loaded when they are named.
    strategies = {file for file in sources() if file.startswith("testing/strategies/")}
    assert eager == {("estimator.py", "sklearn"), *((file, "hypothesis") for file in strategies)}


def test_the_engine_prints_nothing():
    printed = [
        (file, ast.unparse(call))
        for file in sources()
        if level(file.partition("/")[0].removesuffix(".py")) <= LEVEL["networks"]
        for call in calls(file)
        if re.match(r"print$|sys\.std", ast.unparse(call.func))
    ]
    # Why a first call takes so long, and what becomes of no cache.
    assert [file for file, _ in printed] == ["kernels/jit.py"]
    assert "file=sys.stderr" in printed[0][1]


def test_strides_are_taken_where_the_flat_memory_is():
    """A kernel that is handed flat memory beside the strides of something else reads wrong numbers."""
    users = {
        file
        for file, found in nodes().items()
        for node in found
        if isinstance(node, ast.Attribute) and node.attr == "strides"
    }
    assert users == {"arrays.py"}


def writes_json(node):
    if isinstance(node, ast.Attribute):
        of_json = isinstance(node.value, ast.Name) and node.value.id == "json"
        return of_json and node.attr not in ("load", "loads")
    if isinstance(node, ast.Import):  # under no other name
        return any(alias.name == "json" and alias.asname for alias in node.names)
    return isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "json"


def test_json_is_written_in_one_place():
    """Elsewhere NaN and Infinity would slip in, which no strict reader takes."""
    users = {file for file, found in nodes().items() if any(map(writes_json, found))}
    assert users == {"strict_json.py"}


def test_kernels_are_serial_and_compiled_through_the_door():
    for file in (file for file in sources() if file.startswith("kernels/")):
        for call in calls(file):
            assert not any(keyword.arg == "parallel" for keyword in call.keywords), file
            assert ast.unparse(call.func).split(".")[-1] not in ("prange", "pndindex"), file
        decorators = {
            ast.unparse(getattr(decorator, "func", decorator))
            for node in nodes()[file]
            if isinstance(node, ast.FunctionDef)
            for decorator in node.decorator_list
        }
        assert decorators <= {"kernel", "overload"} or file in DOORS_TO_NUMBA, file


def imported_files(found):
    """The files, such as "ops/pooling.py", that an import loads."""
    path = found.module.removeprefix("tinycnn").strip(".").replace(".", "/")
    parent = path.rpartition("/")[0]
    candidates = [f"{path}.py", f"{path}/__init__.py", f"{parent}.py", f"{parent}/__init__.py"]
    return [file for file in candidates if file in sources()][:1]


def test_no_files_import_each_other_in_a_circle():
    """Nor through others, but by the doors."""
    uses = {file: set() for file in sources()}
    for found in ours():
        if (found.part, found.imported) in DOORS:
            continue
        for file in imported_files(found):
            if (found.file, f"{file.rpartition('/')[0]}/") not in DOORS_INSIDE and not found.typing:
                uses[found.file].add(file)
    for start in sources():
        reached, waiting = set(), [start]
        while waiting:
            news = uses[waiting.pop()] - reached
            reached |= news
            waiting += news
        assert start not in reached, f"tinycnn/{start} imports itself through others"


def test_private_names_stay_in_their_file():
    for file, found in nodes().items():
        for node in found:
            if isinstance(node, ast.ImportFrom) and node.module.startswith("tinycnn"):
                names = [*node.module.split("."), *(alias.name for alias in node.names)]
                assert not [name for name in names if re.match(r"_[a-z]", name)], file


def private_names(file):
    """Those that a file gives to something of its own."""
    for node in nodes()[file]:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Attribute, ast.Name)) and isinstance(node.ctx, ast.Store):
            yield node.attr if isinstance(node, ast.Attribute) else node.id


def test_nor_are_they_reached_through_an_object():
    private = {
        file: {name for name in private_names(file) if re.match(r"_[a-z]", name)}
        for file in sources()
    }
    everywhere = set().union(*private.values())
    for file, found in nodes().items():
        for node in found:
            if isinstance(node, ast.Attribute) and node.attr in everywhere:
                own = node.attr in private[file] or ast.unparse(node.value) in ("self", "cls")
                assert own, f"tinycnn/{file}:{node.lineno} reaches {ast.unparse(node)}"


def test_each_class_has_a_name_of_its_own():
    places = {}
    for file, found in nodes().items():
        for node in found:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, set()).add(file)
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


KINDS = {
    name
    for name, kind in vars(tinycnn.layers).items()
    if isinstance(kind, type) and issubclass(kind, tinycnn.layers.Layer) and name != "Layer"
}


def test_what_a_layer_is_is_asked_of_a_registry():
    """A chain of questions for the kind would have no place for a layer of a user's own."""
    for file in sources():
        for call in calls(file):
            if isinstance(call.func, ast.Name) and call.func.id in ("isinstance", "issubclass"):
                asked = {n.id for n in ast.walk(call.args[1]) if isinstance(n, ast.Name)}
                assert not asked & KINDS, f"tinycnn/{file}:{call.lineno}"


def lines_of_its_purpose(tree):
    return (ast.get_docstring(tree) or "").splitlines()


def test_a_file_is_a_room_that_can_be_held():
    """At most 300 lines, unless it is generated, or says in its first lines why it is longer."""
    lengths = {
        file: len((PACKAGE / file).read_text(encoding="utf-8").splitlines())
        for file, tree in sources().items()
        if not re.search(
            "Generated by `python -m|One long file, for", " ".join(lines_of_its_purpose(tree)[:6])
        )
    }
    assert {file: lines for file, lines in lengths.items() if lines > 300} == {}
