"""The workflow on other folders of configuration: named on the command line, from one's own folder, as a module."""

from __future__ import annotations

import json
import shutil

import pytest

import browser
from deeplimits.errors import InputError
from deeplimits.sweep.config import load_config
from workflow_runs import CLAIMS, ROOT, STUDY, command, jobs, output, snakemake

ALL = {"simulate": 1, "aggregate": 1, "figure": 1, "tables": 1, "all": 1}


@pytest.fixture
def other(project):
    """Beside the configuration that a project has, another that shares nothing with it."""
    (project / "config/config.yaml").write_text("studies: [small]\nscale: deep\n")
    (project / "other/studies").mkdir(parents=True)
    (project / "other/config.yaml").write_text("results: out\n")
    (project / "other/studies/mine.yaml").write_text(STUDY.replace("0.3", "0.4"))
    return project


@pytest.mark.slow
def test_a_named_configuration_takes_the_place_of_the_first(other):
    (other / "claims").mkdir()
    (other / "claims/x.yaml").write_text(CLAIMS)
    run = snakemake(other, "-n", "--configfile", "other/config.yaml", "--cores", "2", "all")
    assert run.returncode == 0, output(run)
    assert jobs(run) == ALL | {"claims": 1}
    assert json.loads((other / "out/studies/mine.todo.json").read_text())["samples"] == 4096
    assert not (other / "out/studies/small.todo.json").exists()


@pytest.mark.parametrize("none", ["none", "null"])
def test_claims_may_be_none(other, none):
    (other / "claims").mkdir()
    (other / "claims/x.yaml").write_text(CLAIMS)
    (other / "other/config.yaml").write_text(f"claims: {none}\n")
    assert load_config(other / "other/config.yaml", None, other / "claims").claims is None
    assert load_config(other / "config/config.yaml", None, other / "claims").claims == other / "claims"
    assert load_config(other / "config/config.yaml", {"claims": none}, other / "claims").claims is None
    assert load_config(other / "config/config.yaml", None, other / "nowhere").claims is None


def test_claims_are_a_folder_of_the_working_folder_or_beside_the_configuration(other, monkeypatch):
    monkeypatch.chdir(other)
    config = other / "other/config.yaml"
    config.write_text("claims: stated\n")
    (other / "other/stated").mkdir()
    assert load_config(config).claims == other / "other/stated"
    (other / "stated").mkdir()
    assert load_config(config).claims.resolve() == other / "stated"
    config.write_text("claims: statde\n")
    with pytest.raises(InputError, match="expected a folder of files of claims") as caught:
        load_config(config)
    assert (caught.value.key, caught.value.nearest) == ("claims", "stated")


@pytest.mark.parametrize("results", ["~", "~/x", "a{b}", "-x", ".", "./", "a\nb", ""])
def test_results_that_the_steps_could_not_agree_on_are_refused(project, results):
    with pytest.raises(InputError) as caught:
        load_config(project / "config/config.yaml", {"results": results})
    assert caught.value.key == "results"


@pytest.mark.slow
def test_a_target_that_is_taken_for_a_configuration_is_one_message(other):
    run = snakemake(other, "--configfile", "other/config.yaml", "mine", "-n")
    assert run.returncode != 0
    assert "--configfile: found 'mine'" in output(run)
    assert "--configfile other/config.yaml -- mine" in output(run)
    assert "Traceback" not in output(run)


MODULE = f"""\
module deeplimits:
    snakefile: "{ROOT}/Snakefile"
    config: {{"configfile": "other/config.yaml", "results": "deep", "claims": "none"}}


use rule * from deeplimits as deep_*


rule all:
    default_target: True
    input:
        rules.deep_all.input,
        "own.txt",


rule own:
    output:
        "own.txt",
    shell:
        "echo $PATH > {{output}}"
"""


@pytest.mark.slow
def test_as_a_module_it_has_a_configuration_of_its_own(other):
    (other / "config/config.yaml").write_text("samples: [a, b]\n")
    (other / "Snakefile").write_text('configfile: "config/config.yaml"\n\n\n' + MODULE)
    run = command(other, "--cores", "2", "own.txt", "deep_simulations")
    assert run.returncode == 0, output(run)
    assert len(list((other / "deep/batches").glob("*.zarr.zip"))) == 1
    # rules of the workflow around it see their own environment
    assert (other / "own.txt").read_text() == "/usr/bin:/bin\n"
    assert jobs(command(other, "-n")) == {"deep_aggregate": 1, "deep_figure": 1, "deep_tables": 1, "all": 1}
    (other / "Snakefile").write_text(MODULE.replace('"configfile": "other/config.yaml", ', ""))
    run = command(other, "-n")
    assert run.returncode != 0
    assert "as a module it needs `config: {'configfile'" in output(run)


def _read_in_a_browser(report):
    """The report asks for nothing from outside, and shows the scoreboard as it is clicked; what the page of it leads
    to in the folder of results is no link there.
    """
    with browser.tab() as tab:
        tab.open(report.as_uri())
        tab.wait("document.body.innerText.includes('Claims')")
        tab.run("[...document.querySelectorAll('a')].find(each => each.innerText.trim() == 'Claims').click()")
        tab.wait("document.body.innerText.includes('scoreboard, drawn')")
        tab.run("[...document.querySelectorAll('tr')].at(-2).querySelector('a').click()")
        tab.wait("document.querySelector('iframe') != null")
        page = tab.run("document.querySelector('iframe').src")
        tab.open(page, 390)
        assert tab.run("document.documentElement.scrollWidth") <= 390
        assert tab.run("document.querySelector('output').textContent") == "1 of 1"
        tab.open(report.as_uri())
        tab.wait("document.body.innerText.includes('Distances and rates')")
        tab.run(
            "[...document.querySelectorAll('a')].find(each => each.innerText.trim() == 'Distances and rates').click()"
        )
        tab.wait("document.body.innerText.includes('tables')")
        tab.run("[...document.querySelectorAll('tr')].at(-1).querySelector('a').click()")
        tab.wait("document.querySelector('iframe') != null")
        tab.open(tab.run("document.querySelector('iframe').src"), 390)
        assert tab.run("document.documentElement.scrollWidth") <= 390
        assert tab.run("document.querySelector('output').textContent") == "5 of 5 rows"
        tab.open(page, 390)
        assert tab.run("document.querySelectorAll(\"a:not([href^='#'])\").length") == 0
        assert {each.partition(":")[0] for each in tab.requests} <= {"file", "data", "blob", "about"}
        assert tab.errors == []


ODD = """a 'b' > c\\d #e "f" $g & h; `i` ü"""
"""A folder of results whose name a shell would take for much else."""


@pytest.mark.slow
def test_from_ones_own_folder(other):
    """Study, figure, scoreboard and report, with everything relative to the folder; nothing is done twice."""
    (other / "own/config").mkdir(parents=True)
    shutil.copytree(other / "other/studies", other / "own/config/studies")
    (other / "own/config/config.yaml").write_text(json.dumps({"studies": ["mine"], "results": ODD}))
    (other / "own/stated").mkdir()
    (other / "own/stated/x.yaml").write_text(CLAIMS.replace("study: small", "study: mine"))
    own = other / "own"
    workflow = ("-s", ROOT / "Snakefile", "--config", "claims=stated")
    run = command(own, *workflow)
    assert run.returncode == 0, output(run)
    (row,) = json.loads((own / ODD / "claims.json").read_text())
    assert row["verdict"] == "holds"
    assert (own / ODD / "logs/figure/mine/ks_against_width.log").exists()
    assert sorted(path.name for path in own.iterdir()) == [".snakemake", ODD, "config", "stated"]
    assert "Nothing to be done" in output(command(own, *workflow, "-n"))
    # the same file by its name is the same configuration
    assert "Nothing to be done" in output(
        command(own, *workflow, "-n", "--configfile", own / "config/config.yaml")
    )
    run = command(own, *workflow, "--report", "report.html")
    assert run.returncode == 0, output(run)
    if browser.CHROMIUM is not None:
        _read_in_a_browser(own / "report.html")
    # a title of a figure is drawn, from the store as it is
    study = own / "config/studies/mine.yaml"
    study.write_text(
        study.read_text().replace("[ks_against_width]", "[{figure: ks_against_width, title: Mine}]")
    )
    assert jobs(command(own, *workflow, "-n")) == {"figure": 1, "all": 1}
    # the claims that are shipped, where no others are named
    run = command(own, "-s", ROOT / "Snakefile", "-n")
    assert f"Holding {ROOT}/claims/" in output(run)
