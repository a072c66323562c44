"""Commands that messages name, as they run from the working folder."""

from __future__ import annotations

import shlex
from pathlib import Path

import deeplimits

_FOUND = ("Snakefile", "snakefile", "workflow/Snakefile", "workflow/snakefile")
"""Where Snakemake looks for a workflow."""


def snakemake_command(*targets: str) -> str:
    """What makes these targets; it names the workflow where the working folder has none."""
    words = ["snakemake", "--cores", "all", *map(shlex.quote, targets)]
    if not any(map(Path.is_file, map(Path, _FOUND))):
        # beside the package in a clone; an installed package comes without it
        beside = Path(deeplimits.__file__).parents[2] / "Snakefile"
        words += ["-s", shlex.quote(str(beside)) if beside.is_file() else "SNAKEFILE"]
    return " ".join(words)
