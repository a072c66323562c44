"""Whoever copies from the pages gets what they promise: Python that runs, commands that print what is shown, pictures
that look like those that are shown, and options that exist.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import typer
from matplotlib.image import imread

from deeplimits.cli import app
from deeplimits.jobs.aggregate import aggregate_study
from tiny import project, simulated

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "config/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROGRAM = typer.main.get_command(app)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def tool(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"tools/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_python_of_the_readme_makes_the_picture_that_is_shown(tmp_path):
    for block in blocks(text_of(PAGES[0]), "python"):
        assert len(re.findall(r"^\S", block, re.MULTILINE)) <= 6
    drawn, shown = (
        imread(path) for path in (tool("pictures").answer(tmp_path), ROOT / "docs/images/first_answer.png")
    )
    assert drawn.shape == shown.shape
    # fonts and lines may be smoothed otherwise by another Matplotlib
    assert np.abs(drawn - shown).mean() < 0.01


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pages tell to make: the points of the quickstart, and their studies, simulated and aggregated."""
    made = tmp_path_factory.mktemp("pages")
    for page in PAGES:
        text = text_of(page)
        for name, block in re.findall(
            r"`(?:config/studies/)?([\w-]+\.yaml)`:?\n\n```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE
        ):
            (made / name).write_text(block, encoding="utf-8")
    studies = {path.stem: path for path in made.glob("*.yaml") if "grid:" in path.read_text(encoding="utf-8")}
    assert {"half-shaped", "slopes"} <= studies.keys()
    for name, path in studies.items():
        config = project(made, path.read_text(encoding="utf-8"), name)
    simulated(config)
    for name in studies:
        aggregate_study(config.study(name), config.results, 1)
    return made


PYTHON = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES[1:]
    for number, block in enumerate(blocks(text_of(page), "python"))
]


@pytest.mark.slow
@pytest.mark.parametrize("block", PYTHON)
def test_python_of_the_pages_runs(block, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MPLBACKEND", "agg")
    settings = {name: value for name, value in mpl.rcParams.items() if "backend" not in name}
    exec(compile(block, "page", "exec"), {})
    plt.close("all")
    assert {name: value for name, value in mpl.rcParams.items() if "backend" not in name} == settings
    for name in re.findall(r'savefig\("([\w.]+)"\)', block):
        assert (folder / name).stat().st_size > 5_000


@pytest.mark.slow
def test_commands_print_what_is_shown(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    shown_blocks = [block for page in PAGES for block in blocks(text_of(page), "console")]
    assert shown_blocks
    for block in shown_blocks:
        command, shown = block.removeprefix("$ deeplimits ").split("\n", 1)
        app(shlex.split(command), standalone_mode=False)
        printed = capsys.readouterr().out
        number = re.compile(r"-?\d[\d.]*")
        assert number.sub("#", printed).split() == number.sub("#", shown).split()
        found, expected = (
            [float(text.rstrip(".")) for text in number.findall(text)] for text in (printed, shown)
        )
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_points_of_the_quickstart_give_what_it_says(tmp_path, monkeypatch, capsys):
    page = text_of(ROOT / "docs/quickstart.md")
    residual = next(block for block in blocks(page, "yaml") if "architecture: resnet" in block)
    (tmp_path / "residual.yaml").write_text(residual, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    said = re.findall(r"`deeplimits (limit residual\.yaml[^`]*)` gives (?:ρ = )?([\d.]*\d)", page)
    assert len(said) == 2
    for command, value in said:
        app(shlex.split(command), standalone_mode=False)
        (printed,) = re.findall(r"value (\S+)", capsys.readouterr().out)
        assert f"{float(printed):.3f}" == value


def commands(page: Path) -> list[list[str]]:
    """Words of every line of code, and of every code in a sentence, that calls the program."""
    text = text_of(page)
    fenced = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    lines = re.findall(r"^(?:\$ )?deeplimits (.*)$", fenced.replace("\\\n", " "), re.MULTILINE)
    sentences = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    lines += [" ".join(line.split()) for line in re.findall(r"`deeplimits ([^`]*)`", sentences)]
    return [shlex.split(line.split(" #")[0].replace("…", "")) for line in lines]


def test_verbs_and_options_that_a_page_names_exist():
    for words in (words for page in PAGES for words in commands(page)):
        known = PROGRAM
        if words and not words[0].startswith("-"):
            assert words[0] in PROGRAM.commands, words
            known = PROGRAM.commands[words[0]]
            if known.context_settings.get("ignore_unknown_options"):
                continue  # Snakemake's
        options = {flag for parameter in known.params for flag in parameter.opts} | {"-h", "--help"}
        assert {word.split("=")[0] for word in words if word.startswith("--")} <= options, words


def test_the_study_of_the_tutorial_is_that_of_the_readme():
    (readme,) = [block for block in blocks(text_of(PAGES[0]), "yaml") if "half-shaped" in block]
    assert readme.partition("\n")[2] in text_of(ROOT / "docs/tutorial.md")
