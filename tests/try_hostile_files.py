"""Hostile files are refused in one short sentence or can be read, in seconds and in bounded memory.

``try_hostile_files.py FOLDER FIRST LAST`` tries the files of these seeds under limits of memory and time, and prints a
line of JSON for each that breaks the promise, and one of counts.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deeplimits.claims.files import load_claims
from deeplimits.errors import InputError
from deeplimits.sweep.config import load_config
from deeplimits.sweep.plan import aggregation_seconds, make_plan
from deeplimits.sweep.point_files import load_point
from deeplimits.sweep.study import load_study
from hostile_files import bases, hostile
from input_files import STUDY

SECONDS, BYTES, CHARACTERS = 5.0, 1 << 30, 500
"""Of the processor for each file; of memory, beyond what the program itself takes; of a message."""


def reading(kind: str, path: Path) -> list[Callable[[], Any]]:
    """What is done with a file of a kind before any job."""

    def planned() -> Any:
        study = load_study(path)
        return make_plan([study], {}), aggregation_seconds(study)

    return {
        "point": [lambda: load_point(path), lambda: load_point(path, simulated=False)],
        "study": [planned],
        "config": [lambda: load_config(path).studies()],
        "claims": [lambda: load_claims(path.parent)],
    }[kind]


def tried(kind: str, path: Path) -> tuple[str, str]:
    """What comes of reading a file: ``read``, ``refused`` or ``broken``, and what is said."""
    found = "read", ""
    for read in reading(kind, path):
        signal.setitimer(signal.ITIMER_REAL, 100 * SECONDS)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        start = time.process_time()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                read()
        except InputError as error:
            found = "refused", str(error)
            if len(found[1]) > CHARACTERS or not found[1].isprintable():
                return "broken", f"message of {len(found[1])} characters: {found[1]!r}"
        except _Late:
            return "broken", f"more than {SECONDS} s: {traceback.format_exc()[-3000:]}"
        except Exception:  # noqa: BLE001 what is anything else is what is looked for
            return "broken", traceback.format_exc()[-3000:]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.setitimer(signal.ITIMER_PROF, 0)
        if time.process_time() - start > SECONDS:
            return "broken", f"{time.process_time() - start:.1f} s"
    return found


def project(folder: Path) -> None:
    """Folders and files that belong to those that are tried."""
    for name in ("config/studies", "claims"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in ("one", "two"):
        (folder / "config" / "studies" / f"{name}.yaml").write_text(STUDY)
    for name in ("x", "claims/x"):
        (folder / f"{name}.yaml").unlink(missing_ok=True)
    (folder / "config" / "studies" / "x.yaml").unlink(missing_ok=True)


def _say(line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class _Late(BaseException):
    """That nobody catches on the way."""


def _late(*_: object) -> None:
    raise _Late


def main(folder: Path, first: int, last: int) -> None:
    """Try the files of the seeds from ``first`` up to ``last``."""
    known = bases()
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    here = Path()
    project(here)
    # what every run has in memory does not count
    (here / "x.yaml").write_text(known["point"][3])
    (here / "config/studies/x.yaml").write_text(known["study"][1])
    for kind, path in (("point", here / "x.yaml"), ("study", here / "config/studies/x.yaml")):
        for read in reading(kind, path):
            read()
    signal.signal(signal.SIGALRM, _late)
    signal.signal(signal.SIGPROF, _late)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, used + BYTES))
    counts: dict[str, int] = {}
    for seed in range(first, last):
        project(here)
        kind, path = hostile(seed, here, known)
        start = time.process_time()
        outcome, said = tried(kind, path)
        counts[f"{kind} {outcome}"] = counts.get(f"{kind} {outcome}", 0) + 1
        if outcome == "broken":
            _say({"seed": seed, "kind": kind, "said": said})
        if os.environ.get("HOSTILE_VERBOSE"):
            _say([seed, kind, outcome, round(time.process_time() - start, 2), len(said), said[:300]])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    _say({"counts": counts, "peak": peak, "seconds": time.process_time()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
