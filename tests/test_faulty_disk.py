"""A disk that is full, fails, is over its quota, read-only or not this user's, at any change that any verb makes to it: a
sentence with the file and the cause, nothing half written, and the same command once more makes the same bytes.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import chdir, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from deeplimits.jobs.turns import NAME as TURN
from deeplimits.jobs.verify import verify_store
from faulty_disk import CHANGES, NONE, WRITES, Done, Fault, FaultyDisk
from results_tree import BATCHES, DAMAGE, FIGURE, tree
from tiers import everyday

__all__ = ["tree"]

TO_THE_END = 1 << 40


@dataclass(frozen=True)
class Verb:
    """What is called, and what it makes: patterns of files that are removed before."""

    words: tuple[str, ...]
    makes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = WRITES


MOMENTS = ("query", "SELECT * FROM moments", "--out")
VERBS = {
    "plan": Verb(("plan",), ("results/*/*.todo.json",)),
    "simulate": Verb(
        ("simulate", f"results/batches/{BATCHES[1]}.todo.json"),
        (f"results/batches/{BATCHES[1]}.zarr.zip", f"results/batches/{BATCHES[1]}.json"),
    ),
    "aggregate": Verb(
        ("aggregate", "two", "--cores", "1"),
        ("results/studies/two.json", "results/studies/two.zarr.zip", "results/studies/two.sha256"),
    ),
    "figure": Verb(("figure", f"two/{FIGURE}"), ("results/figures/two/*",)),
    "claims": Verb(
        (
            "claims",
            "--out",
            "results/claims.json",
            "--page",
            "results/claims.html",
            "--figure",
            "results/claims.png",
        ),
        ("results/claims.*",),
    ),
    "export": Verb(("export", "two", "published")),
    "query csv": Verb((*MOMENTS, "rows.csv")),
    "query parquet": Verb((*MOMENTS, "rows.parquet")),
    "repair": Verb(("repair",)),
    "prune": Verb(("prune", "--yes"), kinds=CHANGES),
}
"""``plan`` is what the workflow does before its jobs."""
MOST = 50
"""Of so many first changes each is tried."""
STEP = 25


class Project:
    """A project for one verb, and what it is after that.

    Parameters
    ----------
    tree
        A project with all its results.
    """

    def __init__(self, disk: FaultyDisk, tree: Path, work: Path, name: str) -> None:
        self.disk, self.name, self.verb, self.tree = disk, name, VERBS[name], tree
        self.folder = work / "project"
        self.begin(over_old=False)
        done = self.run(Fault(kinds=self.verb.kinds))
        assert done.code == 0, done
        self.calls, self.after = done.calls, self.digests()

    def begin(self, over_old: bool) -> None:
        """As it is before the verb, with or without the files of an earlier run."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.tree, self.folder)
        results = self.folder / "results"
        if self.name == "prune":
            (self.folder / "config/studies/two.yaml").unlink()
        if self.name == "repair":
            chance = np.random.default_rng(1)
            for damaged in (f"batches/{BATCHES[1]}.zarr.zip", "studies/two.zarr.zip", "claims.html"):
                DAMAGE["flip"](results / damaged, chance)
        for pattern in () if over_old else self.verb.makes:
            for path in self.folder.glob(pattern):
                path.unlink()
        self.before = self.digests()

    def run(self, fault: Fault = NONE) -> Done:
        return self.disk.run(self.folder, [*self.verb.words], fault)

    def digests(self) -> dict[str, str]:
        """SHA-256 of every file; of a receipt, without when and where; not whose turn it is, which a disk that
        removes nothing keeps, and which is over with its process.
        """
        found = {}
        for path in sorted(path for path in self.folder.rglob("*") if path.is_file() and path.name != TURN):
            content = path.read_bytes()
            if path.parent.name == "batches" and path.name.endswith(".json"):
                body = json.loads(content)
                content = json.dumps({**body, "provenance": {}, "digest": ""}).encode()
            found[path.relative_to(self.folder).as_posix()] = hashlib.sha256(content).hexdigest()
        return found

    def fails(self, fault: Fault, code: int) -> None:
        """Run it, see that it fails as it should, and run it again."""
        done = self.run(fault)
        assert done.which, "nothing failed"
        assert "Traceback" not in done.err and ".part-" not in done.err, done
        if done.code == 0:
            # it was tried in another way, as zipfile opens a file, or nothing hangs on it, as on whose turn it was
            assert self.digests() == self.after
            return
        cause = re.escape(os.strerror(code))
        if self.name == "repair":
            said = re.search(rf": \S*results/\S+: {cause}$", done.err, re.MULTILINE)
            assert done.code in (1, 2) and said, done
        else:
            assert done.code == (1 if self.name == "plan" else 2), done
            assert re.search(
                rf"^deeplimits: \S*(results|rows|published)\S*: {cause}$", done.err, re.MULTILINE
            ), done
        for name, sha256 in self.digests().items():
            assert sha256 in (self.before.get(name), self.after.get(name)), name
        again = self.run()
        assert again.code == 0, again
        assert self.digests() == self.after
        assert not (self.folder / "results" / TURN).exists()


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyDisk]:
    if not any(map(shutil.which, ("cc", "gcc"))):
        pytest.skip("there is no C compiler")
    found = FaultyDisk(tmp_path_factory.mktemp("disk"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def projects(disk: FaultyDisk, tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    """Those that a test has asked for, by the name of the verb."""

    class Made(dict[str, Project]):
        def __missing__(self, name: str) -> Project:
            self[name] = Project(disk, tree, tmp_path_factory.mktemp("verb"), name)
            return self[name]

    return Made()


CASES = [(verb, how, first) for verb in VERBS for how in ("full", "broken") for first in range(1, STEP + 1)]


@pytest.mark.slow
@pytest.mark.parametrize("case", everyday(CASES, 18), ids=lambda case: "-".join(map(str, case)))
def test_a_disk_that_is_full_or_fails_at_any_change(
    projects: dict[str, Project], case: tuple[str, str, int]
) -> None:
    """One that is full stays so, after half of what was to be written; one that fails does so once."""
    verb, how, first = case
    project = projects[verb]
    code = errno.ENOSPC if how == "full" else errno.EIO
    for number in range(first, min(MOST, project.calls) + 1, STEP):
        last = TO_THE_END if how == "full" else number
        # a plan writes nothing over what is right
        project.begin(over_old=number % 2 == 0 and verb != "plan")
        project.fails(Fault(number, last, code, kinds=project.verb.kinds), code)


SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
MOMENTS_OF = [
    (verb, how.name, part)
    for verb in VERBS
    if verb not in ("plan", "prune")
    for how in SIGNALS
    for part in range(8)
]


@pytest.mark.slow
@pytest.mark.parametrize("case", everyday(MOMENTS_OF, 10), ids=lambda case: "-".join(map(str, case)))
def test_a_verb_that_is_killed_in_a_change(projects: dict[str, Project], case: tuple[str, str, int]) -> None:
    """In the middle of writing, half of it done; a third of the places are the last, where files take their names."""
    verb, how, part = case
    project = projects[verb]
    chance = np.random.default_rng(part)
    moment = project.calls - chance.integers(12) if part % 3 == 0 else 1 + chance.integers(project.calls)
    project.begin(over_old=part % 2 == 0)
    moment = int(max(moment, 1))
    done = project.run(Fault(moment, moment, signal=signal.Signals[how], kinds=WRITES))
    assert done.code == (130 if how == "SIGINT" else -signal.Signals[how]) and "Traceback" not in done.err, (
        done
    )
    for name, sha256 in project.digests().items():
        begun = how != "SIGINT" and (".part-" in name or name == "results/.run")
        assert begun or sha256 in (project.before.get(name), project.after.get(name)), name
    again = project.run()
    assert again.code == 0, again
    assert project.digests() == project.after


REFUSALS = [
    ("open", errno.EACCES),
    ("open", errno.EROFS),
    ("write", errno.EDQUOT),
    ("fsync", errno.EDQUOT),
    ("rename", errno.EACCES),
    ("rename", errno.EDQUOT),
    ("fsync", errno.ENOSPC),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    everyday([(verb, *refusal) for verb in VERBS for refusal in REFUSALS if verb != "prune"], 8),
    ids=lambda case: f"{case[0]}-{case[1]}-{errno.errorcode[case[2]]}",
)
def test_a_disk_that_refuses_one_kind_of_change(
    projects: dict[str, Project], case: tuple[str, str, int]
) -> None:
    """A quota, a file system that is mounted read-only, a folder of another user."""
    verb, kind, code = case
    if kind == "fsync" and verb in ("plan", "export"):
        pytest.skip("it flushes nothing: what is lost is made again")
    project = projects[verb]
    project.begin(over_old=False)
    project.fails(Fault(1, TO_THE_END, code, kinds=(kind,)), code)


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_results_that_nobody_can_change(projects: dict[str, Project], verb: str) -> None:
    """Over what earlier runs left, and with what is damaged."""
    project = projects[verb]
    project.begin(over_old=verb != "plan")
    project.fails(Fault(1, TO_THE_END, errno.EROFS, kinds=CHANGES), errno.EROFS)


@pytest.mark.slow
@pytest.mark.parametrize("verb", everyday(["aggregate", "figure", "claims", "export", "query csv"], 4))
def test_a_disk_that_cannot_be_read(projects: dict[str, Project], verb: str) -> None:
    """It is said which file, or nothing of it comes to light but that rows are left out, which is said too."""
    project = projects[verb]
    for number in range(1, 120, 7):
        project.begin(over_old=False)
        done = project.run(Fault(number, number, errno.EIO, kinds=("read",)))
        assert "Traceback" not in done.err and done.code in (0, 2)
        if done.code == 2:
            assert re.search(r"^deeplimits: \S+: .+", done.err, re.MULTILINE), done
        elif "warning" not in done.err and done.which:
            assert project.digests() == project.after


def fill(path: Path) -> None:
    """Until nothing more fits."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(1024)):
            pass


@pytest.mark.slow
def test_a_small_disk_that_is_really_full(projects: dict[str, Project], tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", small], capture_output=True
    ).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        for verb in ("simulate", "aggregate", "figure", "claims", "query parquet"):
            project = projects[verb]
            project.begin(over_old=False)
            elsewhere = Project.__new__(Project)
            vars(elsewhere).update(vars(project), folder=small / "project")
            shutil.copytree(project.folder, elsewhere.folder)
            ballast = small / "ballast"
            fill(ballast)
            done = elsewhere.run()
            assert done.code == 2 and re.search(
                r"^deeplimits: \S+: No space left on device$", done.err, re.MULTILINE
            )
            with chdir(elsewhere.folder):
                assert all(each.kind != "damaged" for each in verify_store(Path("results")).findings)
            ballast.unlink()
            assert elsewhere.run().code == 0 and elsewhere.digests() == project.after
            shutil.rmtree(elsewhere.folder)
    finally:
        subprocess.run(["umount", small], check=True)
