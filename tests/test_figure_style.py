"""Figures look alike wherever they are drawn, and leave Matplotlib as they found it."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sys
from pathlib import Path
import matplotlib
matplotlib.rcParams["lines.linewidth"] = 7.5
matplotlib.rcParams["font.size"] = 31
before = dict(matplotlib.rcParams)
import deeplimits.claims.scoreboard
from deeplimits.figures import figures
list(figures().values())
from deeplimits.drawing.style import house_style, new_figure, save
with house_style():
    figure, axes = new_figure(1, 2, 3.4, 2.0, sharex=True)
    (line,) = axes[0, 0].plot([0, 1], [1, 0])
assert line.get_linewidth() == 1.3 and axes[0, 0].xaxis.label.get_size() == 8
files = save(figure, tuple(Path(sys.argv[1]) / f"figure.{each}" for each in ("png", "svg", "pdf")))
assert dict(matplotlib.rcParams) == before
assert "matplotlib.pyplot" not in sys.modules or not matplotlib.pyplot.get_fignums()
print(*(__import__("hashlib").sha256(path.read_bytes()).hexdigest() for path in files))
"""


@pytest.mark.slow
def test_settings_come_back_and_bytes_are_equal(tmp_path) -> None:
    """After every module of figures is imported and one is drawn; whatever the settings were before."""
    found = []
    for linewidth in ("7.5", "0.5"):
        code = CODE.replace("7.5", linewidth)
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found.append(done.stdout)
    assert found[0] == found[1]


def test_every_format_has_the_layout_of_the_first(tmp_path) -> None:
    """A title of three lines pushes the axis down; SVG and PDF do not ask again by how much."""
    from deeplimits.drawing.style import house_style, new_figure, save

    with house_style():
        figure, axes = new_figure(1, 1, 3.4, 2.0)
        axes[0, 0].set_title("one\ntwo\nthree")
        before = axes[0, 0].get_position().bounds
    found = []
    for suffix in ("png", "pdf", "svg"):
        save(figure, (tmp_path / f"figure.{suffix}",))
        found.append(axes[0, 0].get_position().bounds)
    assert found[0] == found[1] == found[2] != before
    assert found[0][1] + found[0][3] < 0.8
