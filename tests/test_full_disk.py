"""A disk that is full, or fails, at any write of any verb: an error that names the file and the cause, nothing half
written, and the same verb once more makes the same bytes.
"""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deeplimits.store.verify import verify_store
from results_tree import BATCHES, FIGURE, KINDS, deeplimits, digests, here, tree
from tiers import everyday

__all__ = ["here", "tree"]

VERBS = {
    "simulate": (
        ["simulate", f"results/batches/{BATCHES[1]}.todo.json"],
        f"batches/{BATCHES[1]}",
        ".todo.json",
    ),
    "aggregate": (["aggregate", "two", "--cores", "1"], "studies/two", ".todo.json"),
    "figure": (["figure", f"two/{FIGURE}"], f"figures/two/{FIGURE}", "none"),
    "claims": (["claims", "--out", "results/claims.json", "--page", "results/claims.html"], "claims", "none"),
}
"""What is called, what it writes, and its input among them."""


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A file that grows beyond this fails to, as on a disk that is full; the system calls it too large."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def written_by(verb: str) -> dict[str, int]:
    """The files that a verb writes, and their sizes."""
    _, start, given = VERBS[verb]
    names = [name for names in KINDS.values() for name in names]
    chosen = [name for name in names if name.startswith(f"{start}.") and not name.endswith(given)]
    return {name: (Path("results") / name).stat().st_size for name in chosen}


def fails(verb: str, code: int) -> None:
    """The verb ends in an error that names a file of its own, and leaves nothing that is half written."""
    with pytest.raises(OSError) as failed:  # noqa: PT011 - which one is looked at
        deeplimits(*VERBS[verb][0])
    assert failed.value.errno == code
    assert Path(str(failed.value.filename)).as_posix().startswith(f"results/{VERBS[verb][1]}.")
    assert not [*Path("results").rglob(".part-*")]


CASES = [(verb, part) for verb in VERBS for part in range(5)]


@pytest.mark.slow
@pytest.mark.parametrize("case", everyday(CASES, 6), ids=lambda case: f"{case[0]} {case[1]}")
def test_a_disk_that_is_full(here: Path, case: tuple[str, int]) -> None:
    verb, part = case
    before, sizes = digests(here), written_by(verb)
    for name in sizes:
        (Path("results") / name).unlink()
    with files_of_at_most(max(sizes.values()) * part // 5):
        fails(verb, errno.EFBIG)
    assert not any(finding.kind == "damaged" for finding in verify_store(Path("results")).findings)
    deeplimits(*VERBS[verb][0])
    told = set(KINDS["receipt of a batch"])
    after = digests(here)
    assert {name for name in before if after[name] != before[name]} <= told


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", everyday(CASES[::5] + CASES[1::5], 2), ids=lambda case: f"{case[0]} {case[1]}"
)
def test_a_disk_that_fails(here: Path, monkeypatch: pytest.MonkeyPatch, case: tuple[str, int]) -> None:
    """It does so when what was written is flushed: a file, or its folder after it has its name."""
    verb, later = case
    before, flush, calls = digests(here), os.fsync, 0

    def failing(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 1 + later:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="Input/output error") as failed:
        deeplimits(*VERBS[verb][0])
    assert str(failed.value.filename).startswith("results")
    assert not [*Path("results").rglob(".part-*")]
    monkeypatch.undo()
    os.chdir(here)
    deeplimits(*VERBS[verb][0])
    after = digests(here)
    assert {name for name in before if after[name] != before[name]} <= set(KINDS["receipt of a batch"])
