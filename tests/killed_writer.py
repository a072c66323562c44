"""Write a study store over an old one, killed before one step of the writing after another, and say after each
what lies there: ``python killed_writer.py CONFIG``, a line of JSON for each step.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import zipfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from deeplimits.jobs.aggregate import reduced_study
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.digests import digest
from deeplimits.store.paths import study_receipt, study_store
from deeplimits.store.study_writer import write_study
from deeplimits.sweep.config import Config, load_config
from deeplimits.sweep.study import Study

EACH = 50
"""Entries of a store between two steps of its writing."""


class Steps:
    """What changes the disk, counted; the process ends before step ``last``."""

    def __init__(self, last: int) -> None:
        self._left, self._entries = last, 0

    def watch(self) -> None:
        os.fsync = self.before(os.fsync)
        zipfile.ZipFile.writestr = self.every(zipfile.ZipFile.writestr)
        sys.addaudithook(self.heard)

    def step(self) -> None:
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            self.step()
            return function(*arguments)

        return counted

    def every(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            self._entries += 1
            if self._entries % EACH == 0:
                arguments[0].fp.flush()
                self.step()
            return function(*arguments)

        return counted

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[1], str) and "w" in arguments[1]
        if writes or event in ("os.rename", "os.remove"):
            self.step()


def state(config: Config, study: Study) -> dict[str, Any]:
    """Digests of what is there, of what the receipt says, and what was left half-way."""
    store, receipt = study_store(config.results, study.name), study_receipt(config.results, study.name)
    return {
        "store": digest(store) if store.exists() else None,
        "receipt": json.loads(receipt.read_text())["sha256"] if receipt.exists() else None,
        "left": len(list(store.parent.glob(".part-*"))),
    }


def main() -> None:
    config = load_config(Path(sys.argv[1]))
    study = config.study("tiny")
    groups = reduced_study(study, Catalogue(config.results))
    old = {name: groups[name] for name in ("moments", "laws")}
    for last in count():
        write_study(study, config.results, [old])
        child = os.fork()
        if child == 0:
            Steps(last).watch()
            write_study(study, config.results, [groups])
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        sys.stdout.write(json.dumps(state(config, study) | {"killed": killed}) + "\n")
        # a child inherits what is not written yet
        sys.stdout.flush()
        if not killed:
            break


if __name__ == "__main__":
    main()
