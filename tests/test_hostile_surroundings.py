"""Folders, files and users that are not as anyone expects: what is junk is named and passed over, what cannot be read is
an error and not empty, and a user without a name, a home or a terminal is one like others.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deeplimits.errors import InputError
from deeplimits.jobs.verify import verify_store
from deeplimits.jobs.workflow import prepare
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.paths import container_path, receipt_path, todo_path
from deeplimits.store.query import run_query
from deeplimits.store.receipts import read_todo
from deeplimits.store.seal import KEY, sealed
from deeplimits.sweep.study import load_study
from input_files import STUDY
from results_tree import BATCHES, deeplimits, here, tree

__all__ = ["here", "tree"]

RESULTS = Path("results")
CONFIG = Path("config/config.yaml")
NAMELESS = """
import os, pwd, sys
def nobody(*_):
    raise KeyError("getpwuid(): uid not found")
pwd.getpwuid = pwd.getpwnam = nobody
from deeplimits.cli import main
for words in (line.split("|") for line in sys.argv[1:]):
    sys.argv = ["deeplimits", *words]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, (words, ended.code)
"""


@pytest.mark.parametrize("container", ["/etc/passwd", "../../secret", "", "\x00", "a/../b.zarr.zip"])
def test_a_receipt_that_names_another_file_counts_for_nothing(here: Path, container: str) -> None:
    """The file is not opened: one that is a pipe would keep its reader waiting."""
    os.mkfifo("secret")
    receipt = receipt_path(RESULTS, BATCHES[0])
    body = json.loads(receipt.read_text())
    del body[KEY]
    receipt.write_text(sealed(body | {"container": container, "size": 0}))
    catalogue = Catalogue(RESULTS)
    assert [each.batch for each in catalogue.receipts] == [BATCHES[1]]
    assert str(receipt) in catalogue.passed_over() and catalogue.passed_over().isprintable()
    found = verify_store(RESULTS, None, 0).findings
    assert {str(each.path) for each in found} == {str(receipt)}
    deeplimits("repair")
    assert verify_store(RESULTS, None, 0).findings == ()


def test_junk_beside_the_stores_is_passed_over(here: Path, recwarn: pytest.WarningsRecorder) -> None:
    """In the folder of studies: no receipt, or one that is none."""
    folder = RESULTS / "studies"
    (folder / "junk.zarr.zip").write_bytes(os.urandom(5000))
    shutil.copy(folder / "one.zarr.zip", folder / "other.zarr.zip")
    (folder / "other.json").write_text("[1, 2")
    (folder / "list.json").write_text("[]")
    (folder / "list.zarr.zip").mkdir()
    assert set(run_query(RESULTS, "SELECT study FROM comparison").study) == {"one", "two"}
    deeplimits("show", "one")
    deeplimits("status")
    prepare(CONFIG)
    assert {each.path.name for each in verify_store(RESULTS, None, 0).findings} >= {"other.json"}


@pytest.mark.parametrize("folder", ["batches", "studies"])
def test_a_folder_that_cannot_be_read_is_no_empty_one(here: Path, folder: str) -> None:
    shutil.rmtree(RESULTS / folder)
    (RESULTS / folder).symlink_to(folder)
    for words in (
        ["plan"],
        ["verify"],
        ["status"],
        ["repair"],
        ["prune", "--dry-run"],
        ["query", "SELECT * FROM points"],
    ):
        if folder == "studies" and words[0] in ("plan", "status", "query"):
            continue
        with pytest.raises(OSError, match=f"results/{folder}"):
            deeplimits(*words)


@pytest.mark.slow
def test_a_user_without_a_name_or_a_home(here: Path) -> None:
    """As in many containers. All verbs in one process, and no folder of caches."""
    receipt = receipt_path(RESULTS, BATCHES[1])
    receipt.unlink()
    container_path(RESULTS, BATCHES[1]).unlink()
    verbs = [
        f"simulate|{todo_path(RESULTS, BATCHES[1])}",
        "limit|--activation|relu|--width|20|--depth|10|--correlation|0.3",
        "aggregate|one|--cores|1",
        "figure|one/law_against_limit",
        "claims",
        "query|SELECT count(*) FROM points",
        "plan",
        "status",
        "verify",
    ]
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", NAMELESS, *verbs], capture_output=True, text=True, env=kept | {"HOME": ""}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    assert receipt.exists()


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed(here: Path, closed: str) -> None:
    command = f"exec {sys.executable} -m deeplimits status {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 2)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("samples: 4096", "samples: 17179869184", "samples"),
        ("samples: 4096", "samples: " + "9" * 299, "samples"),
        ("width: [16, 32]", "width: 2147483648", "grid.width"),
        ("width: [16, 32]", "width: [2147483647]", ""),
        ("times_width: 1.0", "times_width: 1e308", "grid.depth.times_width"),
        ("times_width: 1.0", "power_of_width: 1000", "grid.depth.power_of_width"),
        ("at: 1.0", "at: 1e308", "compare.0.at"),
        ("{times_width: 1.0}", "2147483647", ""),
        ("{layers: 2}", "{layers: [0, 99999999999]}", "record.layers"),
        ("seed: [0]", "seed: [9223372036854775808]", "grid.seed"),
        ("exponent: 0.5", "exponent: 1e308", ""),
        ("c_plus: 0.5", "c_plus: 1e308", ""),
    ],
)
def test_numbers_that_nobody_means_cost_nothing(tmp_path: Path, old: str, new: str, key: str) -> None:
    """They are refused by their key, or mean what they say."""
    path = tmp_path / "x.yaml"
    assert old in STUDY
    path.write_text(
        STUDY.replace(old, new).replace(
            "{layers: 2}", "{layers: all}" if "2147483647" in new else "{layers: 2}"
        )
    )
    if key:
        with pytest.raises(InputError) as caught:
            load_study(path)
        assert caught.value.key.startswith(key) and len(str(caught.value)) <= 500
        return
    try:
        load_study(path)
    except InputError as error:
        assert error.key and len(str(error)) <= 500  # noqa: PT017 - it may also be read


def test_a_todo_with_numbers_that_nobody_means_is_refused(here: Path) -> None:
    path = todo_path(RESULTS, BATCHES[0])
    body = json.loads(path.read_text())
    for key, value in [
        ("index", 10**30),
        ("index", -1),
        ("layers", [10**30]),
        ("physics", {}),
        ("id", "../x"),
    ]:
        (changed := json.loads(json.dumps(body)))["blocks"][0][key] = value
        path.write_text(json.dumps(changed))
        with pytest.raises(InputError) as caught:
            read_todo(path)
        assert len(str(caught.value)) <= 500


def test_what_is_said_of_a_name_can_be_seen(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal would take parts of it for commands."""
    (RESULTS / "batches/\x1b[31m\u202e\n.json").write_text("{}")
    deeplimits("verify")
    said = capsys.readouterr()
    assert "\\x1b[31m" in said.err
    assert all(each.isprintable() for each in (said.out + said.err).replace("\n", ""))
