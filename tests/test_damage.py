"""Damage to any file of results: `verify` finds it, no reader takes it for what was written, `repair` and the next run
make again exactly what is bad, down to the byte.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from contextlib import chdir, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from deeplimits.api_studies import open_samples, open_study
from deeplimits.claims.files import load_claims
from deeplimits.claims.verdicts import verdicts
from deeplimits.cli import app
from deeplimits.drawing.build import build_figure
from deeplimits.errors import InputError
from deeplimits.jobs.aggregate import reduced_study
from deeplimits.jobs.repair import Repair
from deeplimits.jobs.verify import Report, verify_store
from deeplimits.jobs.workflow import planned_receipts, prepare
from deeplimits.store.atomic import written_aside
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.container import write_container
from deeplimits.store.errors import LaterFormat, StaleStore, StoreError
from deeplimits.store.paths import container_path, receipt_path, study_receipt, todo_path
from deeplimits.store.place import find_place
from deeplimits.store.query import run_query
from deeplimits.store.receipts import read_receipt, read_todo, write_receipt
from deeplimits.store.seal import is_whole, sealed
from deeplimits.store.shown import shown_study
from deeplimits.store.zarr_zip import read_array
from deeplimits.sweep.blocks import block_from_description
from deeplimits.sweep.config import load_config
from results_tree import BATCHES, DAMAGE, FIGURE, KINDS, deeplimits, digests, here, run, tree
from tiers import everyday

__all__ = ["here", "tree"]

RESULTS = Path("results")
ALL_FILES = [name for names in KINDS.values() for name in names]
PORTIONS = 20
"""In which 1,000 flipped bits and 200 files cut short come; one of them every day."""


def verified(study: str | None = None, recompute: int = 0) -> Report:
    return verify_store(RESULTS, study, recompute)


def is_found(name: str) -> bool:
    """Whether something is said of a file, or of one that lies with it and does not match it."""
    return any(
        str(each.path).startswith(f"results/{name.split('.', maxsplit=1)[0]}.")
        for each in verified().findings
    )


def repaired() -> Repair:
    work = Repair(find_place())
    left = work.mend(list(verified().findings))
    assert left == [] and work.failed == {}
    return work


def test_what_is_whole_is_found_whole(here: Path) -> None:
    report = verified(recompute=2)
    assert report.findings == () and len(report.recomputed) == 2
    assert report.checked == {"batch": 2, "study": 2, "figure": 2, "claims": 1}
    assert str(report) == (
        "2 containers, 2 study stores, 2 figures, 1 file of verdicts checked, 2 blocks drawn again: 0 problems"
    )
    assert verified("one").checked == {"batch": 1, "study": 1, "figure": 1}
    assert {name.removeprefix("results/") for name in digests(here)} == set(ALL_FILES)


def texts(data: xr.Dataset) -> dict[str, Any]:
    return {
        str(name): variable.to_numpy().tolist()
        if variable.dtype.kind in "OUT"
        else variable.to_numpy().tobytes()
        for name, variable in data.variables.items()
    }


def study_texts(study: str) -> Any:
    opened = open_study(study)
    return {node.path: texts(node.to_dataset()) for node in opened.subtree}, opened.attrs["samples"]


def verdict_of() -> list[Any]:
    (row,) = verdicts(load_claims(Path("claims")), RESULTS)
    if row["verdict"] == "undecided":
        raise StoreError(row["reason"])
    return [row["verdict"], row["effect"], row["interval"]]


def reduced(study: str) -> Any:
    groups = reduced_study(load_config().study(study), Catalogue(RESULTS))
    return {name: texts(group) for name, group in groups.items()}


def drawn(study: str) -> list[bytes]:
    """The figure of a study, drawn anew."""
    return [path.read_bytes() for path in build_figure(load_config().study(study), FIGURE, RESULTS)]


def rows(sql: str) -> Callable[[], Any]:
    return lambda: repr(run_query(RESULTS, sql).to_dict("list"))


OF_BATCHES: dict[str, Callable[[], Any]] = {
    "query blocks": rows("SELECT block, physics, first, count, records, batch FROM blocks ORDER BY block"),
    "query points": rows("SELECT * FROM points ORDER BY physics"),
    "open_samples": lambda: texts(open_samples("one").load()),
    "aggregate": lambda: reduced("one"),
    "todo of a batch": lambda: [block.id for block in read_todo(todo_path(RESULTS, BATCHES[0]))],
}
OF_STUDIES: dict[str, Callable[[], Any]] = {
    "query comparison": rows("SELECT study, value, low, high FROM comparison ORDER BY ALL"),
    "open_study": lambda: study_texts("one"),
    "show": lambda: repr(shown_study(RESULTS, "one").comparison.to_dict("list")),
    "claims": verdict_of,
    "figure": lambda: drawn("one"),
    "todo of a study": lambda: planned_receipts(RESULTS, "one"),
}
READERS = {
    "batch": OF_BATCHES,
    "study": OF_STUDIES,
    "claims": {"query claims": rows("SELECT id, verdict, effect, low, high FROM claims")},
    "figure": {},
}
"""What reads files of a kind, by what kinds begin or end with."""
SLOWEST = ("aggregate", "figure")


def readers_of(kind: str) -> dict[str, Callable[[], Any]]:
    return READERS[next(part for part in READERS if kind.startswith(part) or kind.endswith(part))]


def said(read: Callable[[], Any]) -> Any:
    """What a reader gives, or that it refuses."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = read()
        except (StoreError, InputError):
            return "refused"
    return "refused" if any(each.category is StaleStore for each in told) else found


@pytest.fixture(scope="module")
def truth(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every reader gives of whole results."""
    whole = tmp_path_factory.mktemp("whole") / "copy"
    shutil.copytree(tree, whole)
    with chdir(whole):
        kinds = {name: read for each in READERS.values() for name, read in each.items()}
        return {name: said(read) for name, read in kinds.items()}


def restore(tree: Path, name: str) -> None:
    shutil.copy2(tree / "results" / name, RESULTS / name)


@pytest.mark.slow
@pytest.mark.parametrize("portion", everyday(range(PORTIONS), 1))
def test_any_bit_and_any_length_is_found_and_not_read(
    here: Path, tree: Path, truth: Any, portion: int, request: pytest.FixtureRequest
) -> None:
    """60 files, 50 with one bit flipped and 10 cut short, each alone, and all readers of each; every day those that take
    longest of a third.
    """
    chance, all_readers = np.random.default_rng(portion), request.node.get_closest_marker("exhaustive")
    for number in range(60):
        kind = list(KINDS)[number % len(KINDS)]
        name = KINDS[kind][chance.integers(len(KINDS[kind]))]
        how = "truncate" if number % 6 == 5 else "flip"
        DAMAGE[how](RESULTS / name, chance)
        assert is_found(name), how
        for reader, read in readers_of(kind).items():
            if all_readers or reader not in SLOWEST or number % 3 == 0:
                assert said(read) in ("refused", truth[reader]), (name, how, reader)
        restore(tree, name)
    assert verified().findings == ()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_gone_or_another_of_its_kind_is_found_and_not_read(
    here: Path, tree: Path, truth: Any, kind: str
) -> None:
    names = KINDS[kind]
    other = (
        names[1]
        if len(names) > 1
        else next(each for each in ALL_FILES if each.startswith("claims") and each != names[0])
    )
    for change in ("gone", "another"):
        if change == "gone":
            (RESULTS / names[0]).unlink()
        else:
            shutil.copy2(tree / "results" / other, RESULTS / names[0])
        assert is_found(names[0]), change
        # a todo is asked for the blocks of another batch by whoever gives it, and its job's receipt is not believed
        asked = {name: read for name, read in readers_of(kind).items() if not name.startswith("todo")}
        for reader, read in asked.items() if change == "another" else ():
            assert said(read) in ("refused", truth[reader]), (change, reader)
        restore(tree, names[0])


def test_a_receipt_that_is_gone_leaves_out_what_it_told(here: Path) -> None:
    receipt_path(RESULTS, BATCHES[1]).unlink()
    study_receipt(RESULTS, "two").unlink()
    assert run_query(RESULTS, "SELECT DISTINCT batch FROM blocks")["batch"].tolist() == [BATCHES[0]]
    assert run_query(RESULTS, "SELECT DISTINCT study FROM comparison")["study"].tolist() == ["one"]
    with pytest.raises(StoreError, match="are not there yet"):
        open_samples("two")
    with pytest.raises(StoreError, match="has not been aggregated yet"):
        open_study("two")


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", everyday([(by, how) for by in ("repair", "run") for how in DAMAGE], 2), ids=str
)
def test_what_is_damaged_is_made_again_as_it_was(here: Path, case: tuple[str, str]) -> None:
    """One file of every part at once, another kind of file each time; receipts of jobs tell when they ran."""
    made_by, how = case
    before, chance = digests(here), np.random.default_rng(len(how))
    parts: dict[str, list[str]] = {}
    for name in ALL_FILES:
        parts.setdefault(name.split(".")[0], []).append(name)
    for turn in range(3):
        hit = [names[turn % len(names)] for names in parts.values()]
        for name in hit:
            DAMAGE[how](RESULTS / name, chance)
        assert all(map(is_found, hit))
        if made_by == "repair":
            repaired()
        else:
            run(["one", "two"])
        assert verified(recompute=1).findings == ()
        after, told = digests(here), set(KINDS["receipt of a batch"])
        assert {name: after[name] for name in after.keys() - told} == {
            name: before[name] for name in before.keys() - told
        }


@pytest.mark.exhaustive
@pytest.mark.parametrize("portion", range(PORTIONS))
def test_repair_restores_whatever_is_damaged(here: Path, portion: int) -> None:
    """60 files, 50 with one bit flipped and 10 cut short, one of every part at a time."""
    before, told = digests(here), set(KINDS["receipt of a batch"])
    chance = np.random.default_rng([portion, 1])
    left = ["truncate" if number % 6 == 5 else "flip" for number in range(60)]
    parts: dict[str, list[str]] = {}
    for name in ALL_FILES:
        parts.setdefault(name.split(".")[0], []).append(name)
    while left:
        for names in parts.values():
            if left:
                DAMAGE[left.pop()](RESULTS / names[chance.integers(len(names))], chance)
        repaired()
        assert verified().findings == ()
        after = digests(here)
        assert {name for name in after if after[name] != before.get(name)} <= told
        assert after.keys() == before.keys()


@pytest.mark.parametrize("name", ["claims.sha256", f"figures/one/{FIGURE}.sha256"])
def test_a_digest_under_another_name_goes(here: Path, name: str) -> None:
    """One bit of a name makes it the name of a file that there is not."""
    before, path = digests(here), RESULTS / name
    path.write_text(path.read_text().replace(".", ",", 1))
    assert is_found(name)
    repaired()
    assert digests(here) == before


def test_a_container_is_made_again_with_its_own_receipt(here: Path) -> None:
    """Where and when it was computed first stays, and so do dates: nothing that is made from it is made again."""
    before, receipt = digests(here), receipt_path(RESULTS, BATCHES[1])
    dated = receipt.stat().st_mtime_ns
    DAMAGE["flip"](container_path(RESULTS, BATCHES[1]), np.random.default_rng(1))
    assert [str(part) for part in repaired().mended] == [f"batch {BATCHES[1]}"]
    assert digests(here) == before
    assert receipt.stat().st_mtime_ns == dated >= container_path(RESULTS, BATCHES[1]).stat().st_mtime_ns


def test_a_container_that_tells_other_numbers_is_found_by_computing_them(here: Path) -> None:
    """Every digest is right, and only the numbers are wrong."""
    receipt = read_receipt(receipt_path(RESULTS, BATCHES[1]))
    (block,) = map(block_from_description, receipt.blocks)
    arrays = {
        name: read_array(receipt.container, block.id, name)
        for name in ("log_variance", "correlation_gap", "layer", "sample")
    }
    arrays["log_variance"][77, 1, 0] += np.float32(1e-6)
    sha256 = write_container(receipt.container, [(block.id, arrays, {})])
    write_receipt(receipt.path, receipt.container, sha256, [block], {})
    assert verified().findings == ()
    (found,) = verified(recompute=3).findings
    assert found.what == f"{block.id}/log_variance differs from a fresh computation"


def test_damage_that_nothing_can_mend_is_said(here: Path) -> None:
    for path in (receipt_path(RESULTS, BATCHES[0]), todo_path(RESULTS, BATCHES[0])):
        path.write_text("{")
    # what the studies lack is one batch again, and it has the same name
    repaired()
    shutil.move("config", "elsewhere")
    study_receipt(RESULTS, "one").write_text("{")
    DAMAGE["flip"](RESULTS / "studies/one.zarr.zip", np.random.default_rng(2))
    work = Repair(find_place(results=RESULTS))
    assert work.mend(list(verified().findings)) != []
    (why,) = {*work.failed.values()}
    assert "name one by --config" in why


def test_what_dead_writers_left_is_removed_and_live_ones_go_on(here: Path) -> None:
    dead = RESULTS / "batches/.part-0123.json-0123abcd"
    dead.touch()
    with written_aside(RESULTS / "studies/new.zarr.zip") as aside:
        report = verified()
        assert (report.findings, report.removed, report.being_written) == ((), (dead,), (aside,))
        assert aside.exists() and not dead.exists()
        assert "1 file of writers that are gone removed: 0 problems" in str(report)


@pytest.mark.parametrize(
    "name",
    [
        "batches/0-backup.json",
        "studies/notes.txt",
        "figures/one/old.png.bak",
        "figures/x.pdf",
        "batches/old/",
    ],
)
def test_a_file_that_nothing_wrote_is_named_and_left(here: Path, truth: Any, name: str) -> None:
    path = RESULTS / name
    if name.endswith("/"):
        path.mkdir()
    else:
        shutil.copy2(receipt_path(RESULTS, BATCHES[0]), path)
    found = verified().findings
    assert [(each.path, each.kind) for each in found] == [(path, "stray")]
    assert said(OF_BATCHES["query blocks"]) in (truth["query blocks"], "refused")
    with suppress(StoreError, InputError):
        prepare(Path("config/config.yaml"))
    assert reduced("one") == truth["aggregate"]
    deeplimits("repair")
    assert path.exists()


def test_exit_codes_and_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def called(*words: str) -> tuple[int, str, str]:
        return app([*words], standalone_mode=False) or 0, *capsys.readouterr()

    assert called("verify")[0] == 0
    path = RESULTS / "studies/two.sha256"
    whole = path.read_text()
    path.write_text("nothing\n")
    code, out, err = called("verify")
    assert (code, err) == (1, f"{path}: damaged: not the digest of a study store\n")
    assert ": 1 problem\n`deeplimits repair` makes it again" in out
    code, out, err = called("verify", "--json")
    (row,) = json.loads(out)["findings"]
    assert (code, err, row["path"], row["part"]) == (1, "", str(path), "study digest two")
    assert called("verify", "one")[0] == 0
    code, out, err = called("repair", "two", "--json")
    assert (code, json.loads(out)["mended"], path.read_text()) == (0, ["study digest two"], whole)
    path.write_text("nothing\n")
    code, out, err = called("repair")
    assert (code, err) == (0, "")
    assert out == "made again: study digest two\n1 problem found, 1 part made again: 0 problems left\n"
    with pytest.raises(InputError, match="did you mean 'two'"):
        deeplimits("verify", "twoo")


def test_a_file_of_a_later_version_is_neither_read_nor_replaced(here: Path) -> None:
    receipt = receipt_path(RESULTS, BATCHES[0])
    whole = receipt.read_text()
    receipt.write_text(sealed(json.loads(whole) | {"format": 2, "more": []}))
    assert [each.kind for each in verified().findings] == ["later"]
    for read in (
        OF_BATCHES["query blocks"],
        OF_BATCHES["open_samples"],
        lambda: prepare(Path("config/config.yaml")),
    ):
        with pytest.raises(
            LaterFormat, match="of format 2, written by a later version of deeplimits; this version reads 1"
        ):
            read()
    assert is_whole(receipt.read_bytes())
    receipt.write_text(whole)
    # a number that is damaged is no later one
    receipt.write_text(whole.replace('"format":1', '"format":3'))
    assert [each.kind for each in verified().findings] == ["damaged"]
    receipt.write_text(whole)
    store = study_receipt(RESULTS, "one")
    store.write_text(sealed(json.loads(store.read_text()) | {"format": 9}, indent=1))
    for read in (
        OF_STUDIES["open_study"],
        OF_STUDIES["show"],
        lambda: build_figure(load_config().study("one"), FIGURE, RESULTS),
        lambda: prepare(Path("config/config.yaml")),
    ):
        with pytest.raises(LaterFormat, match="of format 9"):
            read()
    assert json.loads(store.read_text())["format"] == 9
