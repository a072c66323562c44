"""Whoever copies from the pages gets what they promise: Python that runs, commands that print what is shown, a picture
that looks like the one that is shown, and options that exist.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import typer
from matplotlib.image import imread

from deeplimits.cli import app

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "config/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAM = typer.main.get_command(app)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.slow
def test_python_of_the_readme_makes_the_picture_that_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.use("agg")
        for block in blocks(README, "python"):
            assert len(re.findall(r"^\S", block, re.MULTILINE)) <= 6
            exec(block, {})
    drawn, shown = (
        imread(path) for path in (tmp_path / "correlation.png", ROOT / "docs/images/first_answer.png")
    )
    assert drawn.shape == shown.shape
    # fonts and lines may be smoothed otherwise by another Matplotlib
    assert np.abs(drawn - shown).mean() < 0.01


@pytest.mark.slow
def test_commands_print_what_is_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shown_blocks = [block for page in PAGES for block in blocks(page.read_text(encoding="utf-8"), "console")]
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


def test_points_of_the_readme_give_what_it_says(tmp_path, monkeypatch, capsys):
    residual = next(block for block in blocks(README, "yaml") if "architecture: resnet" in block)
    (tmp_path / "residual.yaml").write_text(residual, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for command, value in re.findall(
        r"`deeplimits (limit residual\.yaml[^`]*)` gives (?:ρ = )?([\d.]*\d)", README
    ):
        app(shlex.split(command), standalone_mode=False)
        (printed,) = re.findall(r"value (\S+)", capsys.readouterr().out)
        assert f"{float(printed):.3f}" == value


def commands(page: Path) -> list[list[str]]:
    """Words of every line of code, and of every code in a sentence, that calls the program."""
    text = page.read_text(encoding="utf-8")
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
        options = {flag for parameter in known.params for flag in parameter.opts} | {"-h", "--help"}
        assert {word.split("=")[0] for word in words if word.startswith("--")} <= options, words
