"""Names of studies: each becomes a file, a folder, a target of the workflow and a word in SQL."""

from __future__ import annotations

import re
from pathlib import Path

from deeplimits.errors import InputError
from deeplimits.figures import figures

LONGEST = 100
"""Letters of a name: with what files of results add to it, it stays under the 255 that file systems take."""
RESERVED = (
    *("all", "simulations", "aggregates", "figures"),
    *("simulate", "aggregate", "figure", "claims", "tables"),
)
"""Targets and rules of the workflow."""
_SAFE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def check_study_name(path: Path) -> None:
    """Refuse a name that cannot be that of a study, the file without .yaml.

    Raises
    ------
    InputError
        If it is no safe name of a file, or the workflow has another use for it.
    """
    name = path.stem
    if not _SAFE.fullmatch(name):
        expected = (
            "a file name that begins with a letter and goes on with letters from a to z, digits, - and _"
        )
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).lstrip("-0123456789")
        raise InputError(path, "", name, f"{expected}; it names the study", plain or None)
    if len(name) > LONGEST:
        raise InputError(path, "", f"<a name of {len(name)} letters>", f"at most {LONGEST} letters")
    if name.lower() in RESERVED:
        expected = "another name: the workflow has a target or a rule of this one"
        raise InputError(path, "", name, expected, f"{name}-study")
    if name in figures():
        expected = "another name: the workflow has a target of this one, the figure"
        raise InputError(path, "", name, expected, name.replace("_", "-"))
