"""The shell completes what an option or an argument takes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from deeplimits.cli.completion import BY_NAME, figures, studies
from deeplimits.engines import ENGINES

STUDY = """
title: two
networks: [{activation: {name: relu}}]
grid: {width: 8, depth: 4, correlation: 0.3}
samples: 8
figures: [quantiles_against_time, law_against_limit]
"""


def test_options_are_completed_by_the_names_that_they_take() -> None:
    assert BY_NAME["activation"]("t") == ["tanh"]
    assert BY_NAME["engine"]("") == list(ENGINES)
    assert "matched_sde" in BY_NAME["limit"]("m")
    assert BY_NAME["observable"]("log_v") == ["log_variance"]
    assert BY_NAME["scale"]("q") == []


def test_studies_and_figures_are_those_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "config.yaml").write_text("studies: all")
    for name in ("one", "other"):
        (tmp_path / f"studies/{name}.yaml").write_text(STUDY)
    (tmp_path / "studies/odd.yaml").write_text("title: [")
    context: Any = SimpleNamespace(params={"config": tmp_path / "config.yaml"})
    assert studies(context, "o") == ["odd", "one", "other"]
    assert studies(context, "x") == []
    assert figures(context, "on") == ["one/quantiles_against_time", "one/law_against_limit"]
    assert figures(context, "other/law") == ["other/law_against_limit"]
    assert figures(context, "odd/") == []
    nowhere: Any = SimpleNamespace(params={"config": tmp_path / "nothing.yaml"})
    assert figures(nowhere, "") == []
