"""What a docstring of something public says: its arguments, what it returns, and examples that run."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
from pathlib import Path
from typing import Any

import griffe
import pytest

import deeplimits
import tiny
from deeplimits import activations, architectures, gaussian, laws
from deeplimits.jobs.aggregate import aggregate_study

SOURCE = Path(__file__).parent.parent / "src" / "deeplimits"
# Modules for use alone, of which all is public, beside what ``__all__`` of a room lists.
PUBLIC = (
    "engines",
    "limits.base",
    "limits.regime",
    "limits.solvers.compound",
    "limits.solvers.linear_sde",
    "networks.layer",
    "networks.network",
    "store.study_groups",
)
ALONE = (
    "architectures.base.Architecture",
    "limits.solvers.fokker_planck.solve",
    "limits.solvers.fokker_planck.solve_in_pieces",
    "store.catalogue.Catalogue",
    "store.query.run_query",
)
# Tells what an argument of every method is.
IN_EVERY_METHOD = "In every method"
STUDY = """
title: Kolmogorov distance of networks to their limits, against width
networks: [{activation: {name: relu, c_plus: 0.5, c_minus: -0.5}, shaping: {by: width, exponent: 0.5}}]
grid: {width: [8, 12], depth: {times_width: 1.0}, correlation: 0.3, seed: 0}
samples: 8192
record: {layers: 2}
compare: [{observable: correlation, limit: correlation_sde, rate_in: width}]
figures: [ks_against_width]
"""


def public() -> list[Any]:
    found = [
        getattr(room, name) for room in (deeplimits, laws, activations, gaussian) for name in room.__all__
    ]
    found += [architectures.architecture]
    for place in PUBLIC:
        module = vars(importlib.import_module(f"deeplimits.{place}"))
        found += [
            thing for thing in module.values() if getattr(thing, "__module__", "") == module["__name__"]
        ]
    for place in ALONE:
        module, _, name = place.rpartition(".")
        found.append(getattr(importlib.import_module(f"deeplimits.{module}"), name))
    own = {
        thing
        for thing in found
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and not thing.__name__.startswith("_")
    }
    return sorted(own, key=lambda thing: (thing.__module__, thing.__qualname__))


@pytest.fixture(scope="module")
def documented() -> griffe.Module:
    return griffe.load("deeplimits", search_paths=[SOURCE.parent], docstring_parser="numpy")


def lacking(thing: griffe.Object, of_class: str = "") -> list[str]:
    """What a docstring does not say; of a method without one, the interface's says it."""
    if thing.docstring is None:
        return [] if of_class else ["a docstring"]
    text = thing.docstring.value
    sections = {section.kind.value: section.value for section in thing.docstring.parsed}
    named = {name.strip() for entry in sections.get("parameters", []) for name in entry.name.split(",")}
    if not thing.is_function:
        return []
    asked = [
        parameter.name.lstrip("*") for parameter in thing.parameters if parameter.name not in {"self", "cls"}
    ]
    known = [name for name in asked if name in named or f"``{name}``" in text + of_class]
    wants = [f"the parameter {name}" for name in asked if name not in known]
    wants += [f"{name}, which is no parameter" for name in named - set(asked)]
    if (
        str(thing.returns) != "None"
        and not of_class
        and "Returns\n-------" not in text
        and "Yields" not in text
    ):
        wants.append("what is returned")
    return wants


def test_public_docstrings_say_what_goes_in_and_what_comes_out(documented: griffe.Module) -> None:
    wanted = {}
    for thing in public():
        place = f"{thing.__module__}.{thing.__qualname__}".removeprefix("deeplimits.")
        described = documented[place]
        wanted[place] = lacking(described)
        if described.is_class:
            text = described.docstring.value if described.docstring else ""
            notes = text.partition(IN_EVERY_METHOD)[2] or " "
            for name, method in described.members.items():
                if method.is_function and not name.startswith("_"):
                    wanted[f"{place}.{name}"] = lacking(method, notes)
    assert len(wanted) > 120
    assert {place: wants for place, wants in wanted.items() if wants} == {}


def test_a_parameter_that_is_not_told_is_found(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text(
        'def half(x: float, y: float) -> float:\n    """Half.\n\n    Parameters\n    ----------\n'
        '    x\n        A number.\n    z\n        Another.\n    """\n'
    )
    planted = griffe.load("planted", search_paths=[tmp_path], docstring_parser="numpy")
    assert lacking(planted["half"]) == ["the parameter y", "z, which is no parameter", "what is returned"]


def examples() -> list[doctest.DocTest]:
    found: list[doctest.DocTest] = []
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if ">>> " in text and ast.parse(text):
            name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
            tests = doctest.DocTestFinder(recurse=True).find(importlib.import_module(name))
            found += [test for test in tests if test.examples]
    return found


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the studies of the examples have been run, small."""
    folder = tmp_path_factory.mktemp("examples")
    config = tiny.project(folder, STUDY, "ks-against-width")
    tiny.simulated(config)
    aggregate_study(config.study("ks-against-width"), config.results)
    return folder


def test_every_public_name_has_an_example() -> None:
    shown = {test.name.rpartition(".")[2] for test in examples()}
    assert {name for name in deeplimits.__all__ if not name.startswith("__")} - shown == set()


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_examples_run(example: doctest.DocTest, computed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(computed)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    report: list[str] = []
    runner.run(example, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_docstrings_stand_alone() -> None:
    """None begins in the middle of a sentence whose noun is a name in the code. Kernels are left out: machine code is
    named by their sources, comments and all.
    """
    dangling = []
    for path in sorted(set(SOURCE.rglob("*.py")) - set((SOURCE / "engines").rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                text = ast.get_docstring(node) or ""
                if text.startswith(("Of ", "That of ", "Those of ", "From its ")):
                    dangling.append(f"{path.relative_to(SOURCE)}: {node.name}")
    assert not dangling
