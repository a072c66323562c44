"""Who imports whom: the rooms of the package form one line, and no import goes back."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deeplimits.analysis.kept import NOT_COMPUTING
from deeplimits.architectures import architectures
from deeplimits.engines.compile import native
from deeplimits.engines.contract.activation_tables import MADE_BY
from deeplimits.limits.made_by import ROOMS

SOURCE = Path(__file__).parent.parent / "src" / "deeplimits"

# A room may import from its own level and from those after it (docs/architecture.md).
LEVELS = (
    {"cli", "__main__", "__init__", "api", "api_studies", "schemas"},
    {"explorer"},
    {"jobs"},
    {"claims"},
    {"figures"},
    {"drawing"},
    {"analysis"},
    {"store"},
    {"sweep"},
    {"limits"},
    {"engines"},
    {"observables"},
    {"tangent_kernels"},
    {"observable_kind"},
    {"variables", "laws", "networks", "gaussian", "architectures"},
    {"activations", "digits"},
    {"singularities"},
    {"formulas"},
    {"formula_names", "formula_derivatives"},
    {"discovery"},
    {"array_types", "errors", "extras", "processor"},
)
# The rooms and files within engines, in the same way.
ENGINE_LEVELS = (
    {"requests"},
    {"gradients", "sde", "transition"},
    {"readout", "forward", "explicit"},
    {"resnet"},
    {"mlp"},
    {"run"},
    {"cuda"},
    {"calls"},
    {"contract"},
    {"compile"},
    {"__init__"},
)
ANYBODY = {"errors", "figures"}
# What the start-up of a job may not pay for.
HEAVY = {
    "xarray",
    "dask",
    "pandas",
    "scipy",
    "seaborn",
    "matplotlib",
    "snakemake",
    "duckdb",
    "sympy",
    "numba",
    "zarr",
    "cupy",
}


def level(module: str) -> int:
    """Of an architecture's folder, what engines call stands with the engines."""
    room = module.split(".", maxsplit=1)[0]
    if room == "architectures" and module.endswith((".call", ".forward")):
        room = "engines"
    matches = [number for number, rooms in enumerate(LEVELS) if room in rooms]
    assert matches, f"deeplimits.{module} belongs to no room: add it to LEVELS and docs/architecture.md"
    return matches[0]


def imports_of(path: Path) -> set[str]:
    """Modules of this package that the file imports, anywhere in it, without the leading ``deeplimits.``."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
            if node.module == "deeplimits":
                found.update(
                    f"deeplimits.{alias.name}" for alias in node.names if alias.name != "__version__"
                )
    return {name.removeprefix("deeplimits.") for name in found if name.startswith("deeplimits.")}


def modules() -> list[tuple[str, Path]]:
    return [
        (".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"), path)
        for path in sorted(SOURCE.rglob("*.py"))
    ]


@pytest.mark.parametrize(
    ("module", "path"), modules(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_no_import_goes_back(module, path):
    own = level(module)
    backwards = {name for name in imports_of(path) if name not in ANYBODY and level(name) < own}
    assert not backwards, f"deeplimits.{module} imports {sorted(backwards)}"


def imports_at_work(path: Path, known: set[str]) -> set[str]:
    """Modules of this package that the file imports when it runs, in functions too, not for types alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # a package is its ``__init__`` where a name of it is asked for, not where a module in it is
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(name if name.removeprefix("deeplimits.") in known else node.module for name in names)
    return {name.removeprefix("deeplimits.") for name in found} & known


def test_imports_make_no_circle_even_within_functions():
    files = dict(modules())
    graph = {module: imports_at_work(path, set(files)) for module, path in files.items()}
    graphlib.TopologicalSorter(graph).prepare()
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(graph | {"errors": {"cli"}}).prepare()


def test_a_file_is_one_idea():
    """At most 320 lines."""
    for path in (path for ending in ("py", "cuh") for path in SOURCE.rglob(f"*.{ending}")):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 320, path


ENGINES = SOURCE / "engines"


@pytest.mark.parametrize(
    "path", sorted(ENGINES.rglob("*.py")), ids=lambda path: str(path.relative_to(ENGINES))
)
def test_no_import_of_an_engine_goes_back(path):
    """But for those of the front door, ``simulate_block`` and ``resolve``, which asks whatever it needs."""

    def level(module: str) -> int:
        room = module.removeprefix("engines").removeprefix(".").split(".")[0] or "__init__"
        return next(number for number, rooms in enumerate(ENGINE_LEVELS) if room in rooms)

    own = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    if own != "engines":
        names = {name for name in imports_of(path) if name.split(".")[0] == "engines"}
        backwards = {name for name in names if level(name) < level(own)}
        assert not backwards, f"deeplimits.{own} imports {sorted(backwards)}"


@pytest.mark.parametrize(
    "path", sorted(ENGINES.rglob("*.py")), ids=lambda path: str(path.relative_to(ENGINES))
)
def test_machine_code_is_made_anew_where_a_module_that_it_imports_has_changed(path):
    """The imports that name the machine code are found without parsing, which a job has no time for."""
    read = {name.decode() for name in native._IMPORT.findall(path.read_bytes())}
    within = {name for name in imports_of(path) if name.startswith(("engines.", "architectures."))}
    assert {name for name in within if (SOURCE / f"{name.replace('.', '/')}.py").is_file()} <= read


@pytest.mark.parametrize("room", ROOMS)
def test_a_law_that_is_kept_is_forgotten_where_anything_that_made_it_has_changed(room):
    within = {name.split(".")[0] for path in (SOURCE / room).rglob("*.py") for name in imports_of(path)}
    assert {name for name in within if (SOURCE / name).is_dir()} <= set(ROOMS)


def test_a_table_that_is_kept_is_forgotten_where_anything_that_made_it_has_changed():
    files = {file for pattern in MADE_BY for file in SOURCE.glob(pattern)}
    modules = {
        ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__") for file in files
    }
    assert {"engines.contract.activation_tables", "engines.contract.ornstein_uhlenbeck_table"} <= modules
    imported = {name for file in files for name in imports_of(file)}
    # what puts it on disk, and what words a message
    assert imported <= modules | {"engines.compile.cache", "errors"}


def test_a_row_that_is_kept_is_forgotten_where_any_room_that_may_have_made_it_has_changed():
    """What is left out of the digest is imported by nothing that is in it, but by jobs of other verbs."""
    assert all((SOURCE / name).exists() for name in NOT_COMPUTING)
    shown = {name.removesuffix(".py") for name in NOT_COMPUTING}
    within = [
        (module, path)
        for module, path in modules()
        if module.split(".")[0] not in shown | {"jobs", "__init__"}
    ]
    back = {
        (module, name) for module, path in within for name in imports_of(path) if name.split(".")[0] in shown
    }
    # the names of figures are checked when a study is read
    assert {name for _, name in back} <= {"figures"}


def test_importing_a_name_is_cheap_for_names_that_anybody_may_import():
    for name in ANYBODY:
        place = SOURCE.joinpath(*name.split("."))
        path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        outside = {
            alias.name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert not outside & (HEAVY | {"numpy"}), name


@pytest.mark.parametrize(
    "module", ["deeplimits", "deeplimits.cli", "deeplimits.jobs.simulate", "deeplimits.store.receipts"]
)
def test_a_simulation_job_imports_nothing_heavy(module):
    code = f"import sys, {module}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # what checks what users write makes up a third of what a job imports
    assert not (HEAVY | {"pydantic", "yaml"}) & set(loaded.stdout.split())


@pytest.mark.parametrize(
    ("module", "needed"),
    [
        ("deeplimits.jobs.workflow", set()),
        ("deeplimits.jobs.aggregate", set()),
        ("deeplimits.claims.verdicts", set()),
        ("deeplimits.figures.ks_against_width", set()),
        ("deeplimits.store.query", {"duckdb", "pandas"}),
    ],
)
def test_a_verb_imports_what_it_needs_when_it_needs_it(module, needed):
    """Every verb checks studies, and so asks every limit what it is about: that takes no solver."""
    code = (
        f"import sys, {module}; from deeplimits.limits import registry; registry(); "
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(loaded.stdout.split()) == needed


@cache
def words_of(path: Path) -> set[str]:
    """Words of the texts in a file, docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
    ]
    return {word for text in texts for word in re.findall(r"(?<![\w.])\w+(?![\w.]\w)", text)}


def mentions_of(path: Path, known: dict[str, Any], files: dict[str, Path]) -> set[str]:
    """Architectures that a file names, or of which it imports the folder, what stands in it, or a constant that is
    its name; ``files`` are those of modules."""
    found = words_of(path) & set(known)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("deeplimits."):
            continue
        module = node.module.removeprefix("deeplimits.")
        names = [alias.name for alias in node.names]
        room, *below = module.split(".")
        if room == "architectures":
            found |= {*below[:1], *names} & set(known)
        # a constant that is a name stands where the name does
        if module in files and words_of(files[module]) & set(known):
            values = [getattr(import_module(node.module), name, None) for name in names]
            found |= {value for value in values if isinstance(value, str)} & set(known)
    return found


def test_an_architecture_is_named_in_its_folder_alone():
    """Beside it by the limits of normalised networks, which are for one each, and where stores have a description that
    they keep; elsewhere what an architecture has is asked for."""
    known, files = dict(architectures().own), dict(modules())
    folders = {SOURCE / "architectures" / name: name for name in known}
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if not any(path.is_relative_to(folder) for folder in folders) and mentions_of(path, known, files)
    }
    assert found == {"limits/normalised/layer_norm.py", "limits/normalised/pre_norm.py", "sweep/axes.py"}


def test_a_mention_of_an_architecture_is_seen_however_it_is_made(tmp_path, monkeypatch):
    known = dict(architectures().own)
    (tmp_path / "named.py").write_text("OTHER = 'resnet'")
    monkeypatch.setitem(sys.modules, "deeplimits.named", SimpleNamespace(OTHER="resnet"))
    for number, text in enumerate(
        (
            "kind = 'resnet'",
            "from deeplimits.architectures.resnet import Resnet as Other",
            "from deeplimits.architectures.resnet import oracle",
            "from deeplimits.architectures import resnet",
            "from deeplimits.named import OTHER",
        )
    ):
        path = tmp_path / f"module_{number}.py"
        path.write_text(text)
        assert mentions_of(path, known, {"named": tmp_path / "named.py"}) == {"resnet"}, text


def test_no_test_imports_another():
    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.startswith("test_")], path.name
