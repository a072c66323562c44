"""Where the workflow lies, and commands that messages name, as they run from the working folder."""

from __future__ import annotations

import shlex
from pathlib import Path

import deeplimits

_FOUND = ("Snakefile", "snakefile", "workflow/Snakefile", "workflow/snakefile")
"""Where Snakemake looks for a workflow."""


def workflow_folder() -> Path:
    """The folder with the Snakefile, its rules and captions, profiles, claims, and ``config/studies``: the
    checkout that the package is in, or a part of the package that was installed.
    """
    package = Path(deeplimits.__file__).parent
    checkout = package.parents[1]
    return checkout if (checkout / "Snakefile").is_file() else package / "_workflow"


def snakemake_command(*targets: str) -> str:
    """What makes these targets; it names the workflow where the working folder has none."""
    if any(map(Path.is_file, map(Path, _FOUND))):
        return " ".join(["snakemake", "--cores", "all", *map(shlex.quote, targets)])
    folder = workflow_folder()
    if folder.name == "_workflow":
        return " ".join(["deeplimits", "run", *map(shlex.quote, targets)])
    beside = shlex.quote(str(folder / "Snakefile"))
    return " ".join(["snakemake", "--cores", "all", *map(shlex.quote, targets), "-s", beside])
