"""The Snakemake workflow on small studies: what it would do, what it does, and that it does nothing twice."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deeplimits.jobs.workflow import (
    Targets,
    aggregation_threads,
    planned_receipts,
    prepare,
    simulation_threads,
)
from deeplimits.sweep.jobs import aggregation
from workflow_runs import BIN, CLAIMS, NOTHING, ROOT, STUDY, command, jobs, output, snakemake


def digests(folder, pattern):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob(pattern))}


@pytest.mark.slow
def test_lint_is_clean(project):
    run = snakemake(project, "--lint")
    assert run.returncode == 0, output(run)
    assert "in a good condition" in output(run)


def test_snakefmt_is_clean():
    run = subprocess.run(
        [BIN / "snakefmt", "--check", ROOT / "Snakefile", ROOT / "workflow"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.slow
def test_dry_run_plans_batches_not_points(project):
    run = snakemake(project, "-n")
    assert run.returncode == 0, output(run)
    assert jobs(run) == {"simulate": 1, "aggregate": 1, "figure": 1, "tables": 1, "all": 1}
    assert "Simulating small: 3 blocks of shaped ReLU networks, n = 8 … 16, " in output(run)
    assert "Aggregating small: 3 points, " in output(run)
    assert run.stderr.startswith("Using workflow specific profile profiles/default ")


@pytest.mark.slow
def test_the_configuration_for_tests_is_planned(tmp_path):
    """The folder ``.test``, where catalogues of workflows look for one: one study, and no scoreboard."""
    shutil.copytree(
        ROOT / ".test", tmp_path / ".test", ignore=shutil.ignore_patterns("results", ".snakemake")
    )
    run = command(tmp_path, "-s", ROOT / "Snakefile", "--directory", ".test", "-n")
    assert jobs(run) == {"simulate": 1, "aggregate": 1, "figure": 2, "tables": 1, "all": 1}, output(run)


@pytest.mark.slow
def test_profiles_are_found_from_another_folder_and_by_the_path_they_had(project):
    def profile(*arguments):
        run = command(project, "-s", ROOT / "Snakefile", "--list-target-rules", "-q", *arguments)
        assert run.returncode == 0, output(run)
        return run.stderr.splitlines()[0].removeprefix("Using workflow specific profile ").split()[0]

    assert profile() == f"{ROOT}/profiles/default"
    assert profile("--workflow-profile", "gpus") == f"{ROOT}/profiles/gpus"
    assert (ROOT / "workflow/profiles").resolve() == ROOT / "profiles"


@pytest.mark.slow
def test_scale_and_job_length_are_given_on_the_command_line(project):
    prepare(project / "config/config.yaml", {"results": str(project / "results")})
    run = snakemake(project, "-n", "--config", "scale=deep", "target_minutes=0.0001")
    assert run.returncode == 0, output(run)
    todo = json.loads((project / "results/studies/small.todo.json").read_text())
    assert todo["samples"] == 64 * 4096
    assert jobs(run)["simulate"] == len(todo["batches"]) > 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("smal", "found 'smal' (did you mean 'small'?), expected a study, a figure"),
        ("ks_agains_width", "did you mean 'ks_against_width'?"),
        ("template", "found 'template', expected a study, a figure"),
        ("other", "a study that config/config.yaml names under studies; or --config 'studies=[other]'"),
    ],
)
def test_a_target_that_is_misspelt_is_one_message(project, target, said):
    (project / "config/config.yaml").write_text("studies: [small]\n")
    for name in ("other", "template"):
        shutil.copy(project / "config/studies/small.yaml", project / f"config/studies/{name}.yaml")
    run = snakemake(project, "--cores", "1", "small", target)
    last = output(run).strip().splitlines()[-1]
    assert run.returncode == 1 and last.startswith("deeplimits: target: ") and said in last
    assert not [*(project / "results").rglob("*.zarr.zip")]
    assert "small" in snakemake(project, "--list").stdout


@pytest.mark.slow
def test_targets_are_studies_figures_and_kinds(project):
    run = snakemake(project, "--list-target-rules", "-q")
    assert set(run.stdout.split()) == {
        "all",
        "simulations",
        "aggregates",
        "figures",
        "claims",
        "tables",
        "small",
        "ks_against_width",
    }
    figure = snakemake(project, "-n", "results/figures/small/ks_against_width.pdf")
    assert jobs(figure) == {"simulate": 1, "aggregate": 1, "figure": 1}
    assert jobs(snakemake(project, "-n", "aggregates")) == {"simulate": 1, "aggregate": 1, "aggregates": 1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "config/config.yaml",
            "studies: all",
            "studies: [smal]",
            "config/config.yaml: studies.0: found 'smal'",
        ),
        ("config/studies/small.yaml", "samples: 4096", "sample: 4096", "did you mean 'samples'?"),
        ("config/studies/small.yaml", "name: relu", "name: rleu", "did you mean 'relu'?"),
        ("config/studies/small.yaml", "[ks_against_width]", "[ks]", "config/studies/small.yaml: figures.0"),
    ],
)
def test_bad_input_is_one_message_and_no_job(project, file, old, new, message):
    path = project / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    run = snakemake(project, "--cores", "1")
    assert run.returncode != 0
    assert message in output(run)
    assert "Traceback" not in output(run)
    assert 'File "' not in output(run)
    assert not (project / "results").exists()


PLUGIN = """
from snakemake_interface_storage_plugins.storage_object import StorageObjectRead, StorageObjectWrite
from snakemake_interface_storage_plugins.storage_provider import StorageProviderBase, StorageQueryValidationResult


class StorageObject(StorageObjectRead, StorageObjectWrite):
    pass


class StorageProvider(StorageProviderBase):
    use_rate_limiter = default_max_requests_per_second = rate_limiter_key = None
    example_queries = classmethod(lambda cls: [])
    is_valid_query = classmethod(lambda cls, query: StorageQueryValidationResult(query, True))


for each in (StorageObject, StorageProvider):
    each.__abstractmethods__ = frozenset()
"""


@pytest.mark.slow
def test_a_storage_plugin_is_refused_before_anything_is_planned(project, monkeypatch):
    """Snakemake would carry the receipts alone."""
    (project / "plugins/snakemake_storage_plugin_bucket").mkdir(parents=True)
    (project / "plugins/snakemake_storage_plugin_bucket/__init__.py").write_text(PLUGIN)
    monkeypatch.setenv("PYTHONPATH", str(project / "plugins"))
    options = ("--default-storage-provider", "bucket", "--default-storage-prefix", "bucket://x")
    run = snakemake(project, "-n", *options)
    assert run.returncode != 0
    assert "deeplimits: found a storage by bucket, expected a file system that all jobs share" in output(run)
    assert not (project / "results").exists()


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("snakemake_executor_plugin_slurm") is None,
    reason="the optional Slurm executor is not installed",
)
def test_slurm_profile_is_accepted_by_a_dry_run(project):
    run = snakemake(
        project,
        "-n",
        "--workflow-profile",
        "slurm",
        "--default-resources",
        "slurm_partition=main",
    )
    assert run.returncode == 0, output(run)
    assert jobs(run) == {"simulate": 1, "aggregate": 1, "figure": 1, "tables": 1, "all": 1}


@pytest.mark.slow
def test_profile_for_several_cards_gives_each_simulation_one(project):
    import yaml

    run = snakemake(project, "-n", "--workflow-profile", "gpus", "--cores", "4", "--resources", "gpu=4")
    assert run.returncode == 0, output(run)
    assert jobs(run) == {"simulate": 1, "aggregate": 1, "figure": 1, "tables": 1, "all": 1}
    profile = yaml.safe_load((ROOT / "profiles/gpus/config.yaml").read_text())
    assert profile["set-resources"]["simulate"]["gpu"] == profile["set-threads"]["simulate"] == 1


def test_the_profiles_agree_where_results_could_depend_on_them():
    import yaml

    default, *others = (
        yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text())
        for name in ("default", "gpus", "slurm", "slurm-gpus")
    )
    for key in ("scheduler", "rerun-incomplete", "rerun-triggers"):
        assert all(default[key] == other[key] for other in others)


def targets(folder, seconds, batches):
    """Studies by name, that take so many seconds to aggregate and need these batches, all still to come."""
    return {
        name: Targets(
            (),
            str(folder / f"{name}.json"),
            {},
            dict.fromkeys(batches[name], ""),
            "",
            {},
            aggregation(each, 1),
        )
        for name, each in seconds.items()
    }


def test_simulations_share_the_cores_among_as_many_as_are_to_come(tmp_path, monkeypatch):
    monkeypatch.setattr("deeplimits.jobs.workflow.resolve", lambda _: "cpu")
    shared = targets(tmp_path, {"one": 2.0, "other": 2.0}, {"one": "abc", "other": "cd"})
    assert [simulation_threads(shared, cores) for cores in (1, 2, 4, 11, 64)] == [1, 1, 1, 2, 16]
    assert simulation_threads({}, 8) == 8, "a job on a node plans nothing"
    monkeypatch.setattr("deeplimits.jobs.workflow.resolve", lambda _: "cuda")
    assert simulation_threads(shared, 4) == 4, "a card computes one batch at a time"


def test_an_aggregation_takes_its_part_of_the_cores(tmp_path):
    planned = targets(
        tmp_path,
        {"small": 2.0, "middle": 8.0, "large": 90.0},
        dict.fromkeys(("small", "middle", "large"), ""),
    )
    assert [aggregation_threads(planned, name, 16) for name in planned] == [1, 1, 14]
    assert [aggregation_threads(planned, name, 1) for name in planned] == [1, 1, 1]
    (tmp_path / "large.json").touch()
    assert [aggregation_threads(planned, name, 16) for name in planned] == [3, 13, 14]
    assert aggregation_threads({}, "small", 8) == 8, "a job on a node plans nothing"


def test_todo_files_are_rewritten_only_when_their_content_changes(project):
    config, overrides = project / "config/config.yaml", {"results": str(project / "results")}
    settings, targets = prepare(config, overrides)
    todos = sorted((project / "results").rglob("*.todo.json"))
    assert len(todos) == 2
    for todo in todos:
        os.utime(todo, (1, 1))
    study = project / "config/studies/small.yaml"
    study.write_text("# a comment is no change\n" + STUDY)
    assert prepare(config, overrides) == (settings, targets)
    assert [todo.stat().st_mtime for todo in todos] == [1, 1]

    study.write_text(STUDY.replace("title: Small", "title: Other"))
    prepare(config, overrides)
    changed = [todo for todo in todos if todo.stat().st_mtime != 1]
    assert [todo.parent.name for todo in changed] == ["studies"]

    todos[0].write_text("{")
    prepare(config, overrides)
    json.loads(todos[0].read_text())


def test_a_study_waits_for_its_own_receipts_only(project):
    (project / "config/studies/other.yaml").write_text(STUDY.replace("0.3", "0.4").replace("8, 12, 16", "8"))
    settings, targets = prepare(project / "config/config.yaml", {"results": str(project / "results")})
    for name, study in targets.items():
        assert (
            tuple(planned_receipts(settings.results, name)) == study.batches == tuple(sorted(study.batches))
        )
    assert len(targets) == 2


@pytest.mark.slow
def test_a_job_on_a_node_plans_nothing(project):
    assert snakemake(project, "-n", "-q").returncode == 0
    batch = planned_receipts(project / "results", "small")[0]
    name = Path(batch).stem
    (project / "results/studies/small.todo.json").unlink()
    study = project / "config/studies/small.yaml"
    study.write_text("this is no study")
    run = snakemake(
        project, "--mode", "remote", "--cores", "1", "--nolock", "--target-jobs", f"simulate:batch={name}"
    )
    assert run.returncode == 0, output(run)
    assert (project / "results/batches" / f"{name}.json").exists()
    assert not (project / "results/studies/small.todo.json").exists()


@pytest.mark.slow
def test_a_study_from_file_to_figure_once_and_only_once(project):
    first = snakemake(project, "--cores", "2")
    assert first.returncode == 0, output(first)
    figures = digests(project, "results/figures/small/*")
    assert set(figures) == {f"ks_against_width.{suffix}" for suffix in ("pdf", "svg", "png", "sha256")}
    stores = digests(project, "results/batches/*.zarr.zip")

    assert NOTHING in output(snakemake(project, "--cores", "2"))
    # The text of a rule changes no bits, and profiles say so.
    (project / "workflow").unlink()
    shutil.copytree(ROOT / "workflow", project / "workflow", symlinks=True)
    for rule in (project / "workflow/rules").glob("*.smk"):
        rule.write_text(rule.read_text().replace("{DEEPLIMITS} ", "{DEEPLIMITS}  "))
    assert NOTHING in output(snakemake(project, "-n"))
    shutil.rmtree(project / ".snakemake")
    assert NOTHING in output(snakemake(project, "--cores", "2"))

    # A container cut short is no longer held: its batch is simulated again, to the same bytes.
    shutil.rmtree(project / ".snakemake")
    for container in (project / "results/batches").glob("*.zarr.zip"):
        container.write_bytes(container.read_bytes()[:1000])
    redone = snakemake(project, "--cores", "2")
    assert redone.returncode == 0, output(redone)
    assert digests(project, "results/batches/*.zarr.zip") == stores
    assert digests(project, "results/figures/small/*") == figures

    # More widths: only what is missing is simulated.
    study = project / "config/studies/small.yaml"
    study.write_text(STUDY.replace("[8, 12, 16]", "[8, 12, 16, 20]"))
    grown = snakemake(project, "--cores", "2")
    assert grown.returncode == 0, output(grown)
    assert stores.items() < digests(project, "results/batches/*.zarr.zip").items()
    assert NOTHING in output(snakemake(project, "--cores", "2"))

    # And back again: the store follows the study file, not the age of files.
    study.write_text(STUDY)
    shutil.rmtree(project / ".snakemake")
    back = snakemake(project, "--cores", "2")
    assert back.returncode == 0, output(back)
    assert digests(project, "results/figures/small/*") == figures


@pytest.mark.slow
def test_an_interrupted_run_is_finished_by_the_next(project):
    """Snakemake and its job are killed outright; what they left is neither believed nor in the way."""
    study = project / "config/studies/small.yaml"
    study.write_text(STUDY.replace("samples: 4096", "samples: 65536").replace("[8, 12, 16]", "[32, 64]"))
    assert snakemake(project, "-n", "-q").returncode == 0
    process = subprocess.Popen(
        [BIN / "snakemake", "--cores", "2", "simulations"],
        cwd=project,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    batches = project / "results/batches"
    while process.poll() is None and not list(batches.glob(".part-*zarr.zip*")):
        pass
    os.killpg(process.pid, 9)
    process.wait()
    interrupted = bool(list(batches.glob(".part-*zarr.zip*")))
    shutil.rmtree(project / ".snakemake")
    run = snakemake(project, "--cores", "2", "simulations")
    assert run.returncode == 0, output(run)
    assert interrupted
    assert not list(batches.glob(".part-*"))
    check = subprocess.run(
        [BIN / "deeplimits", "verify", "--results", "results", "--recompute", "1"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stdout + check.stderr


@pytest.mark.slow
def test_a_claim_about_no_study_is_told_and_stops_nothing(project):
    (project / "claims").mkdir()
    (project / "claims/x.yaml").write_text(CLAIMS.replace("study: small", "study: smal"))
    run = snakemake(project, "-n")
    assert run.returncode == 0, output(run)
    assert "claims/x.yaml: claims.0.study: config/studies has no study 'smal'" in output(run)
    assert "did you mean 'small'?" in output(run)
    assert jobs(run)["claims"] == 1


@pytest.mark.slow
def test_scoreboard_follows_its_claims(project):
    (project / "claims").mkdir()
    (project / "claims/x.yaml").write_text(CLAIMS)
    run = snakemake(project, "--cores", "2", "results/claims.json")
    assert run.returncode == 0, output(run)
    (row,) = json.loads((project / "results/claims.json").read_text())
    assert (row["id"], row["verdict"]) == ("X1.a", "holds")
    for kind in ("html", "svg"):
        assert "X1.a" in (project / f"results/claims.{kind}").read_text()
    assert NOTHING in output(snakemake(project, "-n", "results/claims.html"))
    (project / "claims/x.yaml").write_text(CLAIMS.replace("margin: 0.2", "margin: 0.0001"))
    assert jobs(snakemake(project, "-n", "results/claims.html")) == {"claims": 1}
