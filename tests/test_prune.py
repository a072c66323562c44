"""`prune` names and removes what no study file asks for, and nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from deeplimits.cli import app
from deeplimits.errors import InputError
from deeplimits.jobs.processes import this_process
from deeplimits.jobs.prune import unwanted
from deeplimits.jobs.runs import Run
from deeplimits.jobs.verify import verify_store
from deeplimits.store.atomic import written_aside
from deeplimits.store.errors import StoreError
from deeplimits.sweep.config import load_config
from results_tree import BATCHES, KINDS, STUDY, digests, here, tree

__all__ = ["here", "tree"]

ONE_BATCH = {name for names in KINDS.values() for name in names if BATCHES[1] in name}
TWO = {name for names in KINDS.values() for name in names if "two" in name}


def named() -> list[str]:
    return [each.what for each in unwanted(load_config())]


def pruned(*options: str) -> None:
    assert not app(["prune", *options], standalone_mode=False)


def test_what_every_study_wants_stays(here: Path) -> None:
    assert named() == []
    # of a study that the configuration leaves out, too
    (here / "config/config.yaml").write_text("studies: [one]\n")
    assert named() == []


def test_a_study_without_a_file_goes_with_what_it_alone_wanted(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = digests(here)
    (here / "config/studies/two.yaml").unlink()
    assert named() == [f"batch {BATCHES[1]}", "study two", "figure two/law_against_limit"]
    for options in (["--dry-run", "--yes"], []):
        pruned(*options)
        assert "nothing was removed; --yes removes it" in capsys.readouterr().out
        assert digests(here) == before
    pruned("--yes", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["removed"]
    assert {
        name.removeprefix("results/") for each in told["unwanted"] for name in each["files"]
    } == ONE_BATCH | TWO
    assert digests(here) == {name: sha256 for name, sha256 in before.items() if name not in ONE_BATCH | TWO}
    assert verify_store(Path("results")).findings == ()
    pruned("--yes")
    assert capsys.readouterr().out == "0 files, 0 B\n"


def test_a_container_with_one_block_that_is_wanted_stays(here: Path) -> None:
    (here / "config/studies/two.yaml").unlink()
    (here / "config/studies/one.yaml").write_text(STUDY.format(title="One", widths=[3]))
    assert f"batch {BATCHES[0]}" not in named()
    (here / "config/studies/one.yaml").write_text(
        STUDY.format(title="One", widths=[7]).replace("figures: [law", "#")
    )
    assert named() == [f"batch {batch}" for batch in sorted(BATCHES)] + [
        "study two",
        "figure one/law_against_limit",
        "figure two/law_against_limit",
    ]


def test_what_is_not_known_stays(here: Path) -> None:
    """A study file that cannot be read, strays, files that a writer is at, and a run that is at work."""
    (here / "results/batches/notes.txt").write_text("mine")
    assert named() == []
    two = here / "config/studies/two.yaml"
    two.write_text("samples: [")
    with pytest.raises(InputError, match="two"):
        named()
    two.unlink()
    container = here / f"results/batches/{BATCHES[1]}.zarr.zip"
    with written_aside(container) as aside:
        aside.write_bytes(container.read_bytes())
        assert f"batch {BATCHES[1]}" not in named()
    records = here / ".snakemake/deeplimits"
    records.mkdir(parents=True)
    run = Run(this_process(), "now", "snakemake", "results")
    (records / "0.json").write_text(json.dumps(asdict(run)))
    with pytest.raises(StoreError, match="nothing is removed while a run is at work: process"):
        app(["prune", "--yes"], standalone_mode=False)
