"""Titles and names of studies and claims are text, wherever they are shown."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from docutils.core import publish_string

from deeplimits.claims.page import page_of
from deeplimits.claims.scoreboard import draw
from deeplimits.jobs.workflow import study_facts
from deeplimits.store.paths import study_todo
from deeplimits.store.seal import sealed
from deeplimits.sweep.formats import STUDY_TODO

HOSTILE = [
    ".. include:: /etc/hostname",
    ".. raw:: html\n\n   <script>alert(1)</script>",
    r"$\frac{1$ and $$ and \begin{x}",
    "**not closed, `nor this, |nor| this_ and http://here _`target`",
    ":field: value",
    "1. enumerated",
    "{{ snakemake.config }} {% for x in y %}",
    "<b>bold</b> & more",
    "======",
]


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_is_text_in_a_caption(title: str, tmp_path: Path) -> None:
    todo = study_todo(tmp_path, "s")
    todo.parent.mkdir(parents=True)
    todo.write_text(
        sealed({"study": "s", "title": title, "samples": 64, "seeds": [0], "points": 1, "format": STUDY_TODO})
    )
    shown = study_facts(tmp_path, "s")["title"]
    # system messages of every level are errors
    settings = {"halt_level": 1, "report_level": 1, "file_insertion_enabled": True, "raw_enabled": True}
    text = publish_string(shown, writer="pseudoxml", settings_overrides=settings).decode()
    head, *lines = text.splitlines()
    assert head.startswith("<document") and [line.strip() for line in lines] == [
        "<paragraph>",
        " ".join(title.split()),
    ]


@pytest.mark.parametrize("paper", HOSTILE)
def test_the_name_of_a_paper_is_text_on_the_scoreboard(paper: str) -> None:
    row = {"id": "a.claim", "verdict": "holds", "effect": 0.5, "interval": [0.25, 0.75], "margin": 1.0}
    row |= {
        "sense": "equal",
        "error_rate": 0.001,
        "samples": 64,
        "normals": 640,
        "study": "s",
        "paper": paper,
    }
    texts = ("statement", "source", "because", "about", "statistic", "reason")
    row |= dict.fromkeys(texts, paper)
    with warnings.catch_warnings():
        # one claim alone has room, too
        warnings.simplefilter("error")
        draw([row]).canvas.draw()
    page = page_of([row])
    assert page.count("<script>") == 1 and "<b>bold" not in page
