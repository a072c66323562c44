"""docs/gallery.md, made from the studies, their captions and the pictures; ``tools/pages.py`` writes it.

The pictures are made by ``python tools/pictures.py gallery``.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from deeplimits.figures import figures as figures_of_package

ROOT = Path(__file__).parent.parent
STUDIES = ROOT / "config/studies"
PAGE = ROOT / "docs/gallery.md"
PICTURES = ROOT / "docs/images/gallery"
PAPERS = {
    "lnr22": "Li, Nica & Roy 2022",
    "ln24": "Li & Nica 2024",
    "h22": "Hayou 2022",
    "": "Of any study",
}
HEAD = """# Gallery

Every figure that `make` draws, with the study that it is drawn from. `snakemake --cores all FIGURE` draws
one, and what it needs; the files, as PDF, SVG and PNG, are in `results/figures/STUDY`. Full captions are in
the report, `snakemake --report report.html`. `make docs` writes this page.
"""
TAIL = """
`law_against_limit` ([shown in the tutorial](tutorial.md#the-answer)) and `quantiles_against_time` are for any
study with `compare` entries.
"""


def figures() -> list[tuple[str, str]]:
    """Figures and their studies, by name of the figure."""
    found = []
    for path in sorted(STUDIES.glob("*.yaml")):
        if path.stem != "template":
            study = yaml.safe_load(path.read_text(encoding="utf-8"))
            found += [(figure, path.stem) for figure in study.get("figures", [])]
    return sorted(
        found,
        key=lambda pair: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", pair[0])],
    )


def lead(figure: str) -> str:
    """The first sentence of a caption, which says what is seen, as Markdown."""
    match = re.match(r"\*\*(.+?)\*\*", figures_of_package()[figure].CAPTION, re.DOTALL)
    assert match, figure
    return " ".join(match[1].replace("\\|", "|").split()).rstrip(".")


def entry(figure: str, study: str) -> str:
    """A figure with its picture and where it is from."""
    sentence = lead(figure)
    end = "" if sentence.endswith("?") else "."
    shown = f"![{sentence}](images/gallery/{figure}.png)\n\n" * (PICTURES / f"{figure}.png").exists()
    file = f"[{study}](../config/studies/{study}.yaml)"
    return f"\n### {figure}\n\n{shown}{sentence}{end} Figure `{figure}` of study\n{file}.\n"


def page() -> str:
    """The page."""
    parts = [HEAD]
    for prefix, paper in PAPERS.items():
        of_paper = [
            (figure, study)
            for figure, study in figures()
            if (figure.partition("_")[0] if figure.partition("_")[0] in PAPERS else "") == prefix
        ]
        parts.append(f"\n## {paper}\n")
        parts += [entry(figure, study) for figure, study in of_paper]
    return "".join([*parts, TAIL])
