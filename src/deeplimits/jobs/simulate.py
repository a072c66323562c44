"""One simulation job: blocks in, a container and its receipt out."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits import __version__
from deeplimits.engines import SAMPLER_VERSION, resolve, simulate_block
from deeplimits.engines.readout.call import Recorded
from deeplimits.engines.requests import Request, compile_for, simulate_requests
from deeplimits.errors import InputError
from deeplimits.store.container import write_container
from deeplimits.store.receipts import write_receipt
from deeplimits.sweep.blocks import Block
from deeplimits.sweep.points import Point

Encoded = tuple[str, Mapping[str, NDArray[Any]], Mapping[str, Any]]


def simulate_batch(
    blocks: list[Block],
    container: Path,
    receipt: Path,
    engine: str = "auto",
    threads: int | None = None,
    tell: Callable[[Block], None] | None = None,
) -> None:
    """Compute ``blocks`` into ``container`` and leave ``receipt``.

    Parameters
    ----------
    tell
        Called with every block that is computed.

    Raises
    ------
    InputError
        If the engine is not one whose results may be stored.
    """
    used = _storable(engine)
    receipt.unlink(missing_ok=True)
    start = time.perf_counter()
    requests = [_request(block.point, block.first, block.count) for block in blocks]
    if used == "cpu":
        compile_for(requests)
    drawn = simulate_requests(requests, used, threads)
    sha256 = write_container(container, _contents(blocks, drawn, tell))
    seconds = time.perf_counter() - start
    normals = sum(block.normals for block in blocks)
    write_receipt(
        receipt,
        container,
        sha256,
        blocks,
        _provenance(used, threads) | {"seconds": round(seconds, 3), "normals": normals},
    )


def _contents(
    blocks: list[Block], drawn: Iterator[Recorded], tell: Callable[[Block], None] | None
) -> Iterator[Encoded]:
    for block, recorded in zip(blocks, drawn, strict=True):
        if tell is not None:
            tell(block)
        yield _encoded(block.point, block.first, block.count, block.id, recorded)


def simulate_range(
    point: Point, first: int, count: int, container: Path, engine: str = "auto", threads: int | None = None
) -> None:
    """Compute samples [first, first + count) of a point into a container that opens as a dataset at its
    root.
    """
    request = _request(point, first, count)
    recorded = simulate_block(**vars(request), engine=engine, threads=threads)
    write_container(container, [_encoded(point, first, count, "", recorded)])


def _request(point: Point, first: int, count: int) -> Request:
    return Request(point.network, point.layers, first, count, point.gradients, point.output)


def _encoded(
    point: Point, first: int, count: int, group: str, recorded: Mapping[str, NDArray[Any]]
) -> Encoded:
    arrays = dict(recorded)
    arrays["layer"] = np.array(point.layers, np.int32)
    arrays["sample"] = np.arange(first, first + count, dtype=np.int64)
    return group, arrays, {"physics": point.network.canonical_form(), "sampler_version": SAMPLER_VERSION}


def _storable(engine: str) -> str:
    used = resolve(engine)
    if used == "oracle":
        raise InputError(
            "--engine",
            "",
            engine,
            "auto, cpu or cuda: the oracle has no number contract and never writes to the store",
        )
    return used


def _provenance(engine: str, threads: int | None) -> dict[str, Any]:
    from deeplimits.engines.cuda import engine as cuda

    card = cuda.description() if engine == "cuda" else {}
    return card | {
        "deeplimits": __version__,
        "engine": engine,
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": platform.machine(),
        "numba": version("numba"),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "threads": threads,
    }
