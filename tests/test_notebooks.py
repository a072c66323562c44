"""Every notebook runs from its first cell to its last, says what it is about, and is kept without what it printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
INDEX = (Path(__file__).parent.parent / "docs/notebooks.md").read_text(encoding="utf-8")


def cells(path: Path, kind: str) -> list[str]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_a_title_no_output_and_a_row_in_the_index(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert cells(path, "markdown")[0].startswith("# ")
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert f"](../notebooks/{path.name})" in INDEX


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    names: dict[str, object] = {"__name__": path.stem}
    monkeypatch.setitem(__import__("sys").modules, path.stem, type(plt)(path.stem))  # for dataclasses
    for cell in cells(path, "code"):
        exec(compile(cell, path.name, "exec"), names)
    assert plt.get_fignums()
    for number in plt.get_fignums():
        plt.figure(number).savefig(tmp_path / f"{path.stem}-{number}.png", bbox_inches="tight", dpi=80)
    plt.close("all")
