"""What was said to Snakemake on its command line, where Snakemake itself does not tell a workflow."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

_NO_LOCK = re.compile(
    r"--(unlock|lint|report|summary|detailed-summary|list.*|lt|lu|dag|rulegraph|filegraph|d3dag|archive"
    r"|containerize|generate-unit-tests|cleanup-metadata|conda-cleanup-envs|conda-create-envs-only"
    r"|container-cleanup-images|delete-(all|temp)-output|print-compilation|nolock|dry-?run)|-[SDln]"
)
"""Options with which Snakemake takes no lock."""
_CONFIG = re.compile(r"--configfiles?")
_CONFIG_SUFFIXES = {".yaml", ".yml", ".json"}


def takes_locks(arguments: Sequence[str]) -> bool:
    """Whether Snakemake locks its files when it is called with these arguments."""
    return not any(_NO_LOCK.fullmatch(argument.partition("=")[0]) for argument in arguments)


def no_configuration(arguments: Sequence[str]) -> str | None:
    """A sentence about the first word that Snakemake takes for a file of configuration and that is none, or
    None. ``--configfile`` takes every word after it, up to the next option: a target too.
    """
    for index, argument in enumerate(arguments):
        if argument == "--":
            break
        if not _CONFIG.fullmatch(argument):
            continue
        words = list(takewhile(lambda word: not word.startswith("-"), arguments[index + 1 :]))
        for place, word in enumerate(words):
            path = Path(word)
            if path.is_file() and (place == 0 or path.suffix in _CONFIG_SUFFIXES):
                continue
            if place == 0:
                return f"{argument}: found {word!r}, expected a file of configuration"
            kept, targets = shlex.join(words[:place]), shlex.join(words[place:])
            return (
                f"{argument}: found {word!r}, expected a file of configuration: every word up to the next "
                f"option is taken for one; name what is to be made after `--`: {argument} {kept} -- {targets}"
            )
    return None


def check_arguments() -> None:
    """End Snakemake with a sentence where ``no_configuration`` has one.

    The profiles call it, which Snakemake reads before anything else.
    """
    problem = no_configuration(sys.argv[1:])
    if problem:
        sys.exit(f"deeplimits: {problem}")
