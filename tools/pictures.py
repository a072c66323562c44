"""Make the pictures that the documentation shows: ``python tools/pictures.py [answer] [study] [gallery]``.

``answer`` runs the Python of the README, ``study`` its study (half a minute); ``gallery`` makes small copies
of the figures in ``results/figures``, and asks for a ``make`` before it.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib as mpl
from PIL import Image

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs/images"
README = ROOT / "README.md"
SHOWN = "law_against_limit"
"""Which figure of the README's study is shown there."""
COLOURS = 128
"""Few colours are enough for lines and text, and make files a third as large."""


def blocks(page: Path, language: str) -> list[str]:
    """The code of a language on a page."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def answer(folder: Path) -> Path:
    """Run the Python of the README in a folder, and give the picture that it leaves there."""
    with contextlib.chdir(folder), mpl.rc_context():
        mpl.rcdefaults()
        mpl.use("agg")
        for block in blocks(README, "python"):
            exec(block, {})  # noqa: S102  # our own page
    return folder / "correlation.png"


def study(folder: Path) -> Path:
    """Run the study of the README in a folder, and give the figure of it that is shown."""
    ((name, text),) = [
        match.groups()
        for block in blocks(README, "yaml")
        if (match := re.match(r"# config/studies/([\w-]+)\.yaml\n(.*)", block, re.DOTALL))
    ]
    studies = folder / "config/studies"
    studies.mkdir(parents=True)
    (studies / f"{name}.yaml").write_text(text, encoding="utf-8")
    (folder / "config/config.yaml").write_text("claims: none\n", encoding="utf-8")
    snakemake = Path(sys.executable).with_name("snakemake")
    subprocess.run([snakemake, "-s", ROOT / "Snakefile", "--cores", "2", name], cwd=folder, check=True)
    return folder / f"results/figures/{name}/{SHOWN}.png"


def small(source: Path, target: Path, width: int) -> None:
    """A copy of a picture that is so many pixels wide, in few colours."""
    with Image.open(source) as picture:
        height = round(picture.height * width / picture.width)
        reduced = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    target.parent.mkdir(parents=True, exist_ok=True)
    covering = Image.Quantize.MAXCOVERAGE  # thin lines have rare colours
    reduced.quantize(COLOURS, covering, dither=Image.Dither.NONE).save(target, optimize=True)


def gallery(figures: Path) -> None:
    """Small copies of the figures of all studies."""
    found = sorted(figures.glob("*/*.png"))
    if not found:
        sys.exit(f"no figures in {figures}: run make first")
    for path in found:
        small(path, IMAGES / "gallery" / path.name, 720)


def main(wanted: list[str]) -> None:
    """Make the pictures that are asked for."""
    if "answer" in wanted:
        with tempfile.TemporaryDirectory() as folder:
            (IMAGES / "first_answer.png").write_bytes(answer(Path(folder)).read_bytes())
    if "study" in wanted:
        with tempfile.TemporaryDirectory() as folder:
            small(study(Path(folder)), IMAGES / "first_study.png", 760)
    if "gallery" in wanted:
        gallery(ROOT / "results/figures")


if __name__ == "__main__":
    main(sys.argv[1:] or ["answer", "study"])
