"""Stores from strangers, whose digests match: metadata that lie about sizes, entries that grow when they are read, what is
no store at all. Every reader says so in a sentence, and the studies beside them are read as ever.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deeplimits.api_studies import open_samples, open_study
from deeplimits.claims.files import load_claims
from deeplimits.claims.verdicts import verdicts
from deeplimits.drawing.build import build_figure
from deeplimits.jobs.aggregate import reduced_study
from deeplimits.jobs.verify import verify_store
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.digests import digest, write_digests
from deeplimits.store.errors import StoreError
from deeplimits.store.query import run_query
from deeplimits.store.seal import KEY, sealed
from deeplimits.store.shown import shown_study
from deeplimits.sweep.config import load_config
from results_tree import BATCHES, FIGURE, here, tree
from tiers import everyday

__all__ = ["here", "tree"]

RESULTS = Path("results")
BOMB = 1 << 21
"""Bytes that an entry grows to from a thousandth; more would prove no more."""


def array(**changes: Any) -> Callable[[str, bytes], bytes]:
    """Metadata of arrays, changed; ``n`` is the number of dimensions."""

    def edit(name: str, content: bytes) -> bytes:
        found = json.loads(content) if name.endswith("zarr.json") else {}
        if found.get("node_type") != "array":
            return content
        for key, value in changes.items():
            found[key] = value(found) if callable(value) else value
        return json.dumps(found).encode()

    return edit


def chunks(size: int) -> Callable[[dict[str, Any]], Any]:
    return lambda found: {"name": "regular", "configuration": {"chunk_shape": [size] * len(found["shape"])}}


def grows(name: str, end: str) -> bool:
    """Whether this entry grows: some of a kind that all readers read."""
    return name.endswith(f"/{end}") and any(
        f"/{part}/" in name for part in ("log_variance", "study", "value")
    )


FORGED: dict[str, Callable[[str, bytes], bytes | None]] = {
    "a shape of 10⁹": array(shape=lambda found: [10**9] * len(found["shape"])),
    "one length of 10⁹": array(shape=lambda found: [10**9, *found["shape"][1:]]),
    "a shape of text": array(shape="abc"),
    "a negative shape": array(shape=lambda found: [-1] * len(found["shape"])),
    "chunks of 0": array(chunk_grid=chunks(0)),
    "chunks of −1": array(chunk_grid=chunks(-1)),
    "chunks of 10⁹": array(chunk_grid=chunks(10**9)),
    "no chunks": array(chunk_grid=None),
    "objects": array(data_type="object"),
    "nine dimensions": array(dimension_names=["x"] * 9),
    "codecs": array(codecs=[{"name": "pickle"}]),
    "metadata that grow": lambda name, content: content.ljust(BOMB if grows(name, "zarr.json") else 0),
    "chunks that grow": lambda name, content: content.ljust(BOMB if grows(name, "0") else 0, b"\0"),
    "no JSON": lambda name, content: b'{"a": ' if name.endswith("zarr.json") else content,
    "lists": lambda name, content: b"[]" if name.endswith("zarr.json") else content,
    "nothing": lambda *_: None,
    "no data": lambda name, content: None if "/c/" in name else content,
}


def forge(store: Path, receipt: Path, edit: Callable[[str, bytes], bytes | None]) -> None:
    """Another store in the place of one, under digests that match."""
    with zipfile.ZipFile(store) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(store, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            other = edit(name, content)
            if other is not None:
                archive.writestr(
                    name, other, zipfile.ZIP_DEFLATED if len(other) == BOMB else zipfile.ZIP_STORED
                )
    body = {key: value for key, value in json.loads(receipt.read_text()).items() if key != KEY}
    body |= {"sha256": digest(store)} | ({"size": store.stat().st_size} if "size" in body else {})
    receipt.write_text(sealed(body, indent=1 if "study" in body else None))


def refused(read: Callable[[], Any], store: Path) -> None:
    """A reader refuses the store, in a sentence that names it."""
    with pytest.raises(StoreError) as caught:
        read()
    text = str(caught.value)
    text = text.removeprefix(f"{Path.cwd()}/")
    assert text.startswith(f"{store}: ") and text.isprintable() and len(text) < 400


@pytest.mark.parametrize("forged", everyday(FORGED, 5))
def test_a_container_from_a_stranger_is_refused(here: Path, forged: str) -> None:
    store, receipt = (RESULTS / f"batches/{BATCHES[0]}.{kind}" for kind in ("zarr.zip", "json"))
    forge(store, receipt, FORGED[forged])
    config = load_config(Path("config/config.yaml"))
    refused(lambda: reduced_study(config.study("one"), Catalogue(RESULTS)), store)
    refused(open_samples("one", results=RESULTS)["log_variance"].to_numpy, store)
    assert {str(each.path) for each in verify_store(RESULTS, None, 100).findings} == {str(store)}


@pytest.mark.parametrize("forged", everyday(FORGED, 5))
def test_a_study_store_from_a_stranger_is_refused(
    here: Path, forged: str, recwarn: pytest.WarningsRecorder
) -> None:
    store, receipt = (RESULTS / f"studies/one.{kind}" for kind in ("zarr.zip", "json"))
    forge(store, receipt, FORGED[forged])
    write_digests(RESULTS / "studies/one.sha256", {store.name: digest(store)})
    config = load_config(Path("config/config.yaml"))
    refused(lambda: open_study("one", results=RESULTS), store)
    refused(lambda: shown_study(RESULTS, "one"), store)
    refused(lambda: build_figure(config.study("one"), FIGURE, RESULTS), store)
    (row,) = verdicts(load_claims(Path("claims")), RESULTS)
    assert row["verdict"] == "undecided" and str(store) in row["reason"]
    assert set(run_query(RESULTS, "SELECT study FROM comparison").study) == {"two"}
    assert any(str(store) in str(each.message) for each in recwarn)
