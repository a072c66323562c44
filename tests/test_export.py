"""An exported study: read by plain xarray from a folder and from an object storage, with equal bytes for equal
results, whole or not at all."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from obstore.store import from_url
from zarr.storage import ObjectStore

from deeplimits import open_samples, open_study
from deeplimits.analysis.export import Exported, export_study
from deeplimits.errors import InputError
from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.store.errors import StoreError
from deeplimits.sweep.config import Config
from forked import deeplimits
from tiny import project, simulated

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    found = project(tmp_path_factory.mktemp("built"))
    simulated(found)
    aggregate_study(found.study("tiny"), found.results)
    return found


class Door(BaseHTTPRequestHandler):
    """Hands requests to rclone, whose answers of a part of a file have the status of a whole one."""

    protocol_version = "HTTP/1.1"
    behind = 0

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server = HTTPConnection("127.0.0.1", self.behind)
        try:
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                server.putheader(name, value)
            server.endheaders(body)
            answer = server.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            self.close_connection = True
            return
        finally:
            server.close()
        self.send_response_only(206 if answer.getheader("Content-Range") else answer.status)
        for name, value in answer.getheaders():
            if name not in {"Transfer-Encoding", "Content-Length", "Connection"}:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_one  # noqa: N815 - named by HTTP

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


class Server:
    """A real S3 server on the loopback, over a folder."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.door = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Door,), {"behind": self.port}))
        threading.Thread(target=self.door.serve_forever, daemon=True).start()
        self.folder = folder
        (folder / "bucket").mkdir(parents=True)
        self.start()

    def start(self) -> None:
        where = ["--addr", f"127.0.0.1:{self.port}", "--auth-key", "key,secret", str(self.folder)]
        program = Path(sys.executable).parent / "rclone"
        self.process = subprocess.Popen([program, "serve", "s3", *where], stderr=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as door:
                if door.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        pytest.fail("the server does not answer")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    found = Server(tmp_path / "s3")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{found.door.server_port}")
    for name, value in {
        "ACCESS_KEY_ID": "key",
        "SECRET_ACCESS_KEY": "secret",
        "REGION": "us-east-1",
        "ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    yield found
    found.kill()
    found.door.shutdown()


def exported(config: Config, target: str | Path) -> Exported:
    return export_study(config.results, "tiny", str(target), config=config)


def check(store: Path | ObjectStore, config: Config) -> None:
    """What a stranger reads is what the project reads."""
    samples = xr.open_zarr(store, group="samples")
    expected = open_samples("tiny", config.path)
    assert samples.sizes == {name: expected.sizes[name] for name in samples.sizes}
    for name, array in samples.data_vars.items():
        np.testing.assert_array_equal(array, expected[name])
        assert array.attrs == expected[name].attrs and array.attrs["long_name"]
    chosen = samples.sel(width=int(samples.width[0]))
    assert chosen.correlation_gap.notnull().all()
    tree = open_study("tiny", config.path)
    for group in ("moments", "comparison"):
        xr.testing.assert_equal(xr.open_zarr(store, group=group).load(), tree[group].to_dataset().load())
    said = xr.open_zarr(store).attrs
    assert said["study_file"] == config.study("tiny").path.read_text()
    assert said["engines"] == ["cpu"] and said["sampler_version"] == 1 and said["versions"]["zarr"]


def test_a_folder_is_read_by_plain_xarray_and_is_the_same_each_time(config: Config, tmp_path: Path) -> None:
    first = exported(config, tmp_path / "first")
    check(tmp_path / "first", config)
    sums = (tmp_path / "first" / "SHA256SUMS").read_text()
    for line in sums.splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / "first" / name).read_bytes()).hexdigest() == digest
    assert len(sums.splitlines()) == first.files - 1
    done = deeplimits("export", "tiny", str(tmp_path / "second"), cwd=config.path.parent.parent)
    assert done.returncode == 0 and done.stdout == f"{exported(config, tmp_path / 'second')}\n", done.stderr
    assert hashlib.sha256((tmp_path / "second" / "SHA256SUMS").read_bytes()).hexdigest() == first.digest
    assert {path.name for path in tmp_path.iterdir()} == {"first", "second"}


def test_what_is_no_export_is_not_replaced(config: Config, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter").write_text("1")
    (tmp_path / "file").write_text("1")
    for target in ("thesis", "file"):
        with pytest.raises(InputError, match=r"an empty place|and not a file"):
            exported(config, tmp_path / target)
    with pytest.raises(InputError, match="a folder, or a URL such as"):
        exported(config, "gopher://there")
    assert (tmp_path / "thesis" / "chapter").read_text() == "1"


def test_an_object_storage_that_is_killed_in_mid_export(
    config: Config, server: Server, tmp_path: Path
) -> None:
    url = "s3://bucket/some/where"
    store = ObjectStore(from_url(url), read_only=True)
    whole = exported(config, tmp_path / "whole")

    @contextmanager
    def killing(_total: float, _unit: str) -> Iterator[Callable[[float], None]]:
        left = 40

        def tell(_bytes: float) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                server.kill()

        yield tell

    with pytest.raises(StoreError, match="s3://bucket/some/where: cannot be used"):
        export_study(config.results, "tiny", url, config=config, watch=killing)
    server.start()
    with pytest.raises(FileNotFoundError):
        xr.open_zarr(store, group="moments")
    assert exported(config, url).digest == whole.digest
    check(store, config)
    # a smaller one leaves nothing of the larger
    export_study(config.results, "tiny", url, samples=False, config=config)
    assert not (server.folder / "bucket/some/where/samples/zarr.json").exists()
    assert "some/where" not in str(list(config.results.iterdir()))
