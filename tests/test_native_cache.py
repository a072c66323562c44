"""Machine code is kept in a folder of the user's own, and only what the user wrote there is run."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from deeplimits.engines.compile import cache, compiler, native
from deeplimits.errors import NotKept


@pytest.fixture
def homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No home and no folder of caches is named; the temporary folder is ``tmp_path``."""

    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def folder_of_kernels() -> Path:
    return cache.cache_folder.__wrapped__()


def test_without_a_home_it_is_a_folder_that_nobody_else_can_write_to(homeless: Path) -> None:
    folder = folder_of_kernels()
    assert folder.parent == homeless and folder.stat().st_mode & 0o777 == 0o700
    assert folder_of_kernels() == folder


@pytest.mark.parametrize("planted", ["link", "open", "file"])
def test_a_folder_that_somebody_else_has_made_is_refused(homeless: Path, planted: str) -> None:
    folder = folder_of_kernels()
    folder.rmdir()
    if planted == "link":
        (homeless / "theirs").mkdir(mode=0o700)
        folder.symlink_to(homeless / "theirs")
    elif planted == "open":
        folder.mkdir()
        folder.chmod(0o777)
    else:
        folder.write_text("")
    with pytest.raises(OSError, match=f"{folder.name}"):
        folder_of_kernels()


def test_code_of_another_user_is_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(native, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(compiler, "machine_code", lambda *_: made.append("once") or b"code")
    kernel = native.Kernel("engines.mlp.one_or_two_inputs", "any", "i8")
    assert kernel._machine_code() == kernel._machine_code() == b"code" and len(made) == 1
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    assert kernel._machine_code() == b"code" and len(made) == 2


def test_machine_code_of_a_kernel_that_is_called_otherwise_is_another() -> None:
    """Signature and constant stand where a kernel is called, which its own sources do not say."""
    ways = [("i8", None), ("f8", None), ("i8 i8", None), ("i8", 0), ("i8", 1)]
    kernels = [native.Kernel("engines.mlp.one_or_two_inputs", "any", *way) for way in ways]
    assert len({kernel.path for kernel in kernels}) == len(ways)


HELD = """
import sys, time
from pathlib import Path
from deeplimits.engines.compile.cache import claim
with claim(Path(sys.argv[1])) as mine:
    print(mine, flush=True)
    sys.stdin.read()
"""


def test_a_kernel_is_compiled_by_one_process_alone_and_by_another_where_that_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(native, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(compiler, "machine_code", lambda _, name, *__: made.append(name) or b"code")
    theirs, ours = (native.Kernel("engines.mlp.one_or_two_inputs", name, "i8") for name in ("theirs", "ours"))
    other = subprocess.Popen(
        [sys.executable, "-c", HELD, theirs.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None and other.stdout.readline() == "True\n"
    native.compile_missing([theirs, ours])
    assert made == ["ours"]
    with cache.claim(theirs.path, 0.1) as mine:
        assert not mine
    other.kill()
    other.wait()
    native.compile_missing([theirs, ours])
    assert made == ["ours", "theirs"]
    assert {path.suffix for path in tmp_path.iterdir()} == {".o"}


def test_a_file_system_without_locks_costs_no_more_than_work_done_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without)
    with cache.claim(tmp_path / "kernel.o") as mine, cache.claim(tmp_path / "kernel.o") as too:
        assert mine and too


def test_a_full_disk_costs_time_and_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Machine code is made anew by every process; half of it is never left behind, nor run."""

    def full(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    made: list[str] = []
    monkeypatch.setattr(native, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(compiler, "machine_code", lambda *_: made.append("once") or b"code")
    monkeypatch.setattr(Path, "write_bytes", full)
    kernel = native.Kernel("engines.mlp.one_or_two_inputs", "any", "i8")
    for times in (1, 2):
        with pytest.warns(NotKept, match=f"{tmp_path}: .* No space left on device"):
            assert kernel._machine_code() == b"code" and len(made) == times
    with pytest.warns(NotKept):
        native.compile_missing([kernel])
    with pytest.raises(OSError, match=f"No space left on device: '{tmp_path}/module"):
        cache.written(tmp_path / "module.cubin", b"code")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES])
def test_what_cannot_be_read_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def unreadable(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    cache.keep(tmp_path / "table", b"of old")
    with monkeypatch.context() as fault:
        fault.setattr(Path, "open", unreadable)
        assert cache.kept(tmp_path / "table") is None
    assert cache.kept(tmp_path / "table") == b"of old"
