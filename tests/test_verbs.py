"""Every verb that reads results, against results that are missing, are a file, or are of another study than the
one that is asked for, and against a reader that has seen enough."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deeplimits.api_studies import open_samples, open_study, query
from deeplimits.cli import app, main
from deeplimits.drawing.build import build_figure
from deeplimits.errors import InputError
from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.jobs.workflow import prepare
from deeplimits.store.errors import StaleStore, StoreError
from deeplimits.store.seal import sealed
from deeplimits.store.staleness import compared, staleness
from deeplimits.store.study_groups import study_attributes
from deeplimits.sweep.config import Config, load_config
from deeplimits.sweep.description import differences
from deeplimits.sweep.study import read_study
from tiny import project, simulated

STUDY = """
title: As it was
networks: [{activation: {name: relu, c_plus: 0.5, c_minus: -0.5}, shaping: {by: width, exponent: 0.5}}]
grid: {width: [8, 12], depth: {times_width: 1.0}, correlation: [0.0, 0.3], seed: [0, 1]}
samples: 256
record: {layers: 2}
compare: [{observable: log_variance, limit: variance, rate_in: width}]
figures: [ks_against_width]
"""
CLAIMS = """
paper: A paper
claims:
  - {id: X1.a, statement: Something., source: eq. (1), study: tiny, margin: 0.1, because: a test,
     statistic: {name: ks_to_limit, observable: log_variance, limit: variance}}
"""
VERBS = {
    "plan": ["plan"],
    "status": ["status"],
    "aggregate": ["aggregate", "tiny"],
    "figure": ["figure", "tiny/ks_against_width"],
    "show": ["show", "tiny"],
    "claims": ["claims"],
    "query": ["query", "SELECT * FROM comparison"],
    "verify": ["verify"],
}
PRINTING = ["plan", "status", "show", "claims", "query", "verify"]


@dataclass(frozen=True)
class Stale:
    """A study file, or a scale, that is not the one of the store: what messages say of it."""

    key: str
    held: str
    asked: str
    change: tuple[str, str] = ("", "")
    options: tuple[str, ...] = ()
    mended_by: str = "`snakemake --cores all tiny`"
    more_blocks: bool = False


STALE = {
    "samples": Stale("samples", "256", "512", ("samples: 256", "samples: 512"), more_blocks=False),
    "scale": Stale(
        "samples",
        "256",
        "16,384",
        options=("--scale", "deep"),
        mended_by="`snakemake --cores all tiny --config scale=deep`",
        more_blocks=True,
    ),
    "title": Stale("title", '"As it was"', '"As it is"', ("As it was", "As it is")),
    "grid": Stale("grid.width", "[8, 12]", "[8, 24]", ("12", "24"), more_blocks=True),
    "comparisons": Stale("compare.0.rate_in", '"width"', '"depth"', ("rate_in: width", "rate_in: depth")),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project whose study is aggregated and drawn; its results are the configuration's."""
    folder = tmp_path_factory.mktemp("built")
    config = project(folder, STUDY)
    (folder / "config/config.yaml").write_text("studies: all\nresults: results\n")
    (folder / "claims").mkdir()
    (folder / "claims/x.yaml").write_text(CLAIMS)
    simulated(config)
    prepare(config.path, {"results": str(config.results)})
    aggregate_study(config.study("tiny"), config.results)
    build_figure(config.study("tiny"), "ks_against_width", config.results)
    return folder


@pytest.fixture
def here(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, and the working directory."""
    shutil.copytree(built, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    (tmp_path / "copy/Snakefile").touch()
    return tmp_path / "copy"


def deeplimits(*words: str) -> None:
    app(list(words), standalone_mode=False)


@pytest.mark.parametrize("verb", VERBS)
def test_results_that_are_not_there_are_an_error(here: Path, verb: str) -> None:
    (here / "results-of-may").mkdir()
    for given, found, hint in [
        ("reslts", "no such folder", "did you mean 'results'"),
        ("results-of-mai", "no such folder", "did you mean 'results-of-may'"),
        ("config/config.yaml", "a file", ""),
        ("nowhere/deeper/results", "no such folder", f"the nearest that exists is {here}"),
    ]:
        with pytest.raises(InputError, match=f"--results: found {given}, {found}") as caught:
            deeplimits(*VERBS[verb], "--results", given)
        assert hint in str(caught.value)
    shutil.rmtree(here / "results")
    (here / "results").write_text("a file")
    with pytest.raises(InputError, match=r"config/config\.yaml: results: found results, a file"):
        deeplimits(*VERBS[verb])


@pytest.mark.parametrize("verb", VERBS)
def test_before_the_first_run_there_is_something_to_plan_and_nothing_to_read(here: Path, verb: str) -> None:
    shutil.rmtree(here / "results")
    if verb in ("plan", "status", "claims"):
        deeplimits(*VERBS[verb])
    else:
        with pytest.raises((InputError, StoreError), match="results"):
            deeplimits(*VERBS[verb])


@pytest.mark.parametrize("verb", ["show", "query", "verify", "claims"])
def test_results_can_be_read_where_there_is_no_configuration(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    monkeypatch.chdir(tmp_path)
    more = ["--claims", "copy/claims"] if verb == "claims" else []
    deeplimits(*VERBS[verb], "--results", "copy/results", *more)
    done = capsys.readouterr()
    assert done.err == ""
    assert done.out
    assert open_study("tiny", results=Path("copy/results")).attrs["stale"] == "unknown"


def test_claims_and_samples_elsewhere_are_those_of_the_project(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a folder without a configuration, and beside one that knows no such study."""
    deeplimits("claims", "--json")
    told, drawn = capsys.readouterr().out, open_samples("tiny")
    monkeypatch.chdir(tmp_path)
    elsewhere = ["claims", "--results", "copy/results", "--json"]
    with pytest.raises(InputError, match="no folder of claims here"):
        deeplimits(*elsewhere)
    deeplimits(*elsewhere, "--claims", "copy/claims")
    assert capsys.readouterr().out == told
    shutil.copytree("copy/claims", "claims")
    deeplimits(*elsewhere)
    assert capsys.readouterr().out == told
    assert open_samples("tiny", results="copy/results").identical(drawn)
    (tmp_path / "config/studies").mkdir(parents=True)
    (tmp_path / "config/config.yaml").write_text("studies: all\n")
    deeplimits(*elsewhere)
    (row,) = json.loads(capsys.readouterr().out)
    assert "has no study tiny" in row["reason"]
    with pytest.raises(InputError, match="tiny"):
        open_samples("tiny", results="copy/results")


@pytest.mark.slow
def test_what_is_up_to_date_is_not_called_stale(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor is it where the file says the same in other words, or asks for other figures."""
    study = here / "config/studies/tiny.yaml"
    same = STUDY.replace("256", "256 # networks").replace("seed: [0, 1]", "seed: [0, 1], zip: []")
    study.write_text(
        same.replace("exponent: 0.5}", "exponent: 0.50}").replace("[ks_ag", "[law_against_limit, ks_ag")
    )
    for verb in ("show", "query", "claims", "status", "figure"):
        deeplimits(*VERBS[verb])
    done = capsys.readouterr()
    assert done.err == ""
    assert "stale" not in done.out
    assert "aggregated, up to date, 1 of 2 figures;" in done.out
    tree = open_study("tiny")
    assert (tree.attrs["stale"], tree.attrs["points"]) == ("", 8)


@pytest.mark.parametrize("name", STALE)
@pytest.mark.parametrize("verb", VERBS)
def test_a_stale_store_is_told_for_what_it_holds(
    here: Path, capsys: pytest.CaptureFixture[str], verb: str, name: str
) -> None:
    stale, study, store = (
        STALE[name],
        here / "config/studies/tiny.yaml",
        here / "results/studies/tiny.zarr.zip",
    )
    study.write_text(STUDY.replace(*stale.change) if stale.change[0] else STUDY)
    figure = here / "results/figures/tiny/ks_against_width.pdf"
    before = store.read_bytes(), figure.stat().st_mtime_ns
    sentence = f"{stale.key}: the store holds {stale.held}, config/studies/tiny.yaml"
    if verb == "figure":
        with pytest.raises(StoreError, match="is stale") as refused:
            deeplimits(*VERBS[verb], *stale.options)
        said = str(refused.value)
    elif verb == "aggregate" and stale.more_blocks:
        with pytest.raises(StoreError, match="are not there yet"):
            deeplimits(*VERBS[verb], *stale.options)
        said = sentence
    elif verb == "verify":
        deeplimits(*VERBS[verb])
        assert "0 problems" in capsys.readouterr().out
        return
    else:
        deeplimits(*VERBS[verb], *stale.options)
        done = capsys.readouterr()
        said = {"show": done.out, "status": done.out}.get(verb, done.err)
        if verb == "show":
            assert done.out.startswith("As it was\n8 points, 256 samples each\n")
        if verb == "status":
            assert "1 of 1 figures (1 of them out of date)" in done.out
        if verb == "query":
            assert done.out.count(" variance ") == 16
    if verb == "plan":
        assert said == ""
    elif verb == "aggregate" and not stale.more_blocks:
        assert compared(study_attributes(Path("results"), "tiny"), "tiny", load_config()) == ""
        return
    else:
        assert sentence in said
        assert f"asks for {stale.asked}" in said or verb == "aggregate"
        assert stale.mended_by in said or verb in ("status", "aggregate")
    assert (store.read_bytes(), figure.stat().st_mtime_ns) == before


def test_python_warns_of_a_stale_store(here: Path) -> None:
    (here / "config/studies/tiny.yaml").write_text(STUDY.replace("As it was", "As it is"))
    with pytest.warns(StaleStore, match="title: the store holds"):
        tree = open_study("tiny")
    assert tree.attrs["title"] == "As it was"
    assert "As it is" in tree.attrs["stale"]
    with pytest.warns(StaleStore, match="tiny is stale"):
        assert len(query("SELECT * FROM comparison WHERE study = 'tiny'")) == 16
    assert len(query("SELECT * FROM comparison WHERE study = 'other'")) == 0
    with pytest.raises(InputError, match="results: found nowhere, no such folder"):
        open_study("tiny", results=Path("nowhere"))


@pytest.mark.slow
def test_a_store_of_another_version_is_told_and_drawn(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deeplimits.store.staleness.__version__", "99.0")
    deeplimits(*VERBS["figure"])
    assert "this is 99.0. `snakemake" in capsys.readouterr().err
    deeplimits(*VERBS["show"])
    assert "this is 99.0. `snakemake" in capsys.readouterr().out


def test_a_store_of_an_older_format_is_refused_with_what_mends_it(here: Path) -> None:
    receipt = here / "results/studies/tiny.json"
    receipt.write_text(sealed(json.loads(receipt.read_text()) | {"format": 2}))
    for verb in ("show", "figure"):
        with pytest.raises(StoreError, match=r"format 2.*`snakemake --cores all tiny` aggregates it again"):
            deeplimits(*VERBS[verb])
    with pytest.warns(StaleStore, match="left out"):
        assert len(query("SELECT * FROM comparison")) == 0


def test_a_study_without_a_file_is_shown_from_its_store(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "config/studies/tiny.yaml").rename(here / "config/studies/other.yaml")
    deeplimits("show", "tiny")
    out = capsys.readouterr().out
    assert out.startswith("As it was\n")
    assert "cannot be compared with its study file" in out
    with pytest.raises(InputError, match="did you mean"):
        deeplimits("show", "othr")


def test_samples_are_chosen_by_every_axis(here: Path) -> None:
    one = open_samples("tiny", width=8, correlation_0=0.3, seed=1)
    assert (int(one.width), float(one.correlation), int(one.seed)) == (8, 0.3, 1)
    assert one.sizes["sample"] == 256
    every = open_samples("tiny")
    assert {name: every.sizes[name] for name in ("width", "correlation", "seed")} == dict.fromkeys(
        ("width", "correlation", "seed"), 2
    )
    assert one.log_variance.equals(every.log_variance.sel(width=8, correlation=0.3, seed=1))
    with pytest.raises(InputError, match="found 9, expected one that points have: 8, 12"):
        open_samples("tiny", width=9)
    with pytest.raises(InputError, match="did you mean 'width'"):
        open_samples("tiny", widht=8)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT estimat FROM comparison", "(did you mean 'estimate'?), expected a column that is there"),
        ("SELECT c.widht FROM comparison c JOIN moments m USING (point)", "(did you mean 'width'?)"),
        ("SELECT * FROM points ORDER BY widht", "(did you mean 'width'?)"),
        ("SELECT nothing_like_it FROM blocks", "which nothing_like_it is not: block, physics, index, first"),
        ("SELECT * FROM comparision", "(did you mean 'comparison'?), expected a table that is there"),
        ("SELECT m.width FROM comparison c", "expected a table that is there, which m is not: comparison"),
        ("SELECT mediam(width) FROM points", "(did you mean 'median'?), expected functions of DuckDB"),
        ("SELECT avg(network) FROM comparison", "No function matches the given name and argument types"),
        ("SELEC 1", 'expected SQL; there is a syntax error at or near "SELEC"'),
        ("SELECT study, FROM rates WHERE", "syntax error at"),
        ("DROP TABLE points", "expected one SELECT"),
    ],
)
def test_a_mistake_in_sql_is_one_sentence_with_the_nearest_name(built: Path, sql: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        query(sql, built / "results", built / "config/config.yaml")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)
    assert "LINE 1" not in str(caught.value)


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize("verb", PRINTING)
def test_verbs_end_in_silence_when_nobody_reads_on(here: Path, unread: int, verb: str) -> None:
    """In a copy of this process, which has loaded already what verbs load."""
    child = os.fork()
    if not child:
        os.dup2(unread, 1)
        os.dup2(os.open("said", os.O_WRONLY | os.O_CREAT), 2)
        sys.stdout, sys.stderr = (os.fdopen(stream, "w") for stream in (1, 2))
        sys.argv = ["deeplimits", *VERBS[verb]]
        try:
            main()
        finally:
            sys.stderr.flush()
            os._exit(99)
    _, status = os.waitpid(child, 0)
    assert Path("said").read_text() == ""
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPIPE


@pytest.mark.slow
def test_output_that_cannot_be_written_is_one_sentence(here: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "deeplimits", "show", "tiny"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr in [
        f"deeplimits: {where}No space left on device\n" for where in ("", "standard output: ")
    ]
    closed = f"{sys.executable} -m deeplimits show tiny >&-"
    done = subprocess.run(["sh", "-c", closed], stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            ("variance, rate", "variance, at: 0.5, rate"),
            "compare.0.at: the store lacks 0.5, which STUDY asks for",
        ),
        (
            (", rate_in: width", ""),
            'compare.0.rate_in: the store holds "width", which STUDY does not ask for',
        ),
        (
            ("}]\nfig", "}, {observable: variance, limit: variance}]\nfig"),
            'compare: the store lacks [{"limit": "var',
        ),
        (
            ("c_plus: 0.5", "c_plus: [0.5, 0.6]"),
            'networks: the store lacks [{"activation": {"c_minus": -0.5, "c_plus": 0.6',
        ),
        (
            ("0.5}}]", "0.5}, grid: {seed: 3}}]"),
            "grid.seed: the store holds [0, 1], STUDY asks for [3]",
        ),
        (("layers: 2", "layers: 3"), "record.layers: the store holds 2, STUDY asks for 3"),
        (
            ("layers: 2", "layers: 2, output: true"),
            "record.output: the store holds false, STUDY asks for true",
        ),
        (
            ("{times_width: 1.0}", "[8]"),
            'grid.depth: the store holds {"times_width": 1.0}, STUDY asks for [8]',
        ),
    ],
)
def test_differences_are_told_by_key(
    built: Path, tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    """One sentence for each key that differs, and no other."""
    assert change[0] in STUDY
    path = tmp_path / "tiny.yaml"
    path.write_text(STUDY.replace(*change))
    found = staleness(study_attributes(built / "results", "tiny"), read_study(path))
    said = [sentence.replace(str(path), "STUDY") for sentence in found.differences]
    assert [sentence[: len(words)] for sentence in said] == [words]


def test_a_network_that_gets_a_grid_of_its_own_differs_in_that_alone() -> None:
    held = {"networks": [{"a": 1}, {"a": 2}], "grid": {"width": [8], "seed": [0]}}
    own = [{"a": 1, "grid": held["grid"]}, {"a": 2, "grid": {"width": [9], "seed": [0]}}]
    assert list(differences(held, {"networks": own})) == [("networks.1.grid.width", [8], [9])]


def test_mending_commands_say_all_that_was_chosen(here: Path) -> None:
    from deeplimits.store.staleness import mending_command

    (here / "config/other.yaml").write_text("studies: []\nresults: there\n")
    config: Config = load_config(Path("config/other.yaml"), {"results": "my results", "scale": "deep"})
    assert mending_command("tiny", config) == (
        "snakemake --cores all tiny --configfile config/other.yaml "
        "--config scale=deep 'results=my results' 'studies=[tiny]'"
    )


def test_a_command_of_a_message_runs_from_a_folder_without_a_workflow(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It names the workflow then, and the study wherever one is meant."""
    shutil.rmtree(here / "results/batches")
    (here / "results/batches").mkdir()
    with pytest.raises(StoreError, match="`snakemake --cores all tiny` simulates what the study lacks"):
        open_samples("tiny")
    (here / "Snakefile").unlink()
    with pytest.raises(StoreError) as caught:
        open_samples("tiny")
    command = str(caught.value).split("`")[1]
    assert shlex.split(command)[:5] == ["snakemake", "--cores", "all", "tiny", "-s"]
    assert Path(shlex.split(command)[5]).samefile(Path(__file__).parent.parent / "Snakefile")
