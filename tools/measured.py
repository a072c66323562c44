"""Write the tables of docs/performance.md from benchmarks/results: ``python tools/measured.py``.

A test compares the page with what this writes, so that no figure on it is older than its measurement.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/performance.md"
RESULTS = ROOT / "benchmarks/results"
UNITS = {"seconds": "s", "megabytes": "MB"}


def number(value: float) -> str:
    """Three digits, thousands apart."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ratios(figures: list[dict[str, Any]]) -> list[str]:
    """A row for each ratio, with its quartiles and the better times of both."""
    rows = ["| what | ratio | quartiles | bar | best times |", "| --- | --- | --- | --- | --- |"]
    for each in figures:
        bar = each["bar"].replace("<=", "≤").replace(">=", "≥").replace("none", "")
        times = f"{number(each['over'])} s, {number(each['under'])} s"
        spread = f"{number(each['low'])} – {number(each['high'])}"
        rows.append(f"| {each['name']} | {number(each['median'])} | {spread} | {bar} | {times} |")
    return rows


def numbers(figures: dict[str, Any]) -> list[str]:
    """A row for each number, with the unit that its name ends in, and its spread where there is one."""
    rows = ["| what | |", "| --- | --- |"]
    for name, value in figures.items():
        if name.endswith(("_low", "_high")):
            continue
        if isinstance(value, dict):
            shown = ", ".join(f"{int(key):,}: {number(each)}" for key, each in value.items())
        else:
            shown = number(value)
            if f"{name}_low" in figures:
                shown += f" ({number(figures[f'{name}_low'])} – {number(figures[f'{name}_high'])})"
        words = re.split(r"[_ ]", name)
        unit = UNITS.get(words[-1], "")
        label = " ".join(words[:-1]).rstrip(",") if unit and len(words) > 1 else " ".join(words)
        rows.append(f"| {label} | {shown}{f' {unit}' if unit and not isinstance(value, dict) else ''} |")
    return rows


def table(name: str) -> str:
    """The figures of ``results/NAME.json`` and what they were measured on."""
    content = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    figures, machine = content["figures"], content["machine"]
    rows = ratios(figures) if isinstance(figures, list) else numbers(figures)
    versions = {name: machine[name] for name in ("numpy", "numba")} | machine.get("peers", {})
    about = ", ".join(f"{name} {value}" for name, value in versions.items())
    on = f"{machine['date']}, {machine['processor']}, {machine['processors']} processors"
    return "\n".join([*rows, "", f"*{on}, Python {machine['python']}, {about}.*"])


def filled(page: str) -> str:
    """The page with every table between its markers written anew."""
    return re.sub(
        r"(<!-- results of (\w+) -->\n).*?(<!-- end -->)",
        lambda match: f"{match[1]}{table(match[2])}\n{match[3]}",
        page,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
