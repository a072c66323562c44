"""Rows of an earlier store of a study, for points of which nothing has changed: a study that grows by ten
points reduces ten.

A row has a key: the digest of all that it depends on. Those are the blocks, whose names are digests of
network, recording and sampler; how many samples are taken; what is reduced and compared; and the code, as
the digest of the package's sources, the versions of the libraries that compute, and what these choose by the
processor. An earlier store is believed if it is what its digest says, which lies beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from deeplimits.analysis.point import Reduction
from deeplimits.analysis.rows import Rows
from deeplimits.limits import registry
from deeplimits.limits.made_by import LIBRARIES
from deeplimits.observables import OBSERVABLES, parse
from deeplimits.processor import choice
from deeplimits.store.arrays import KEPT
from deeplimits.store.catalogue import BlockLocation
from deeplimits.store.digests import digest
from deeplimits.store.paths import study_digest, study_store

GROUP, KEY = "reduction", "key"
"""Where a store has the keys of its points."""
NOT_COMPUTING = (
    "__main__.py",
    "api.py",
    "api_studies.py",
    "claims",
    "cli",
    "drawing",
    "explorer",
    "figures",
    "schemas.py",
)
"""Rooms and files of this package that only show what is computed."""


def keys_of(reduction: Reduction, points: Iterable[Sequence[tuple[BlockLocation, int]]]) -> list[str]:
    """The keys of points, given where their blocks lie."""
    shared = {
        "code": _code(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "processor": choice(),
        **{each.name: getattr(reduction, each.name) for each in fields(reduction) if each.name != "where"},
        "compare": [entry.model_dump(mode="json") for entry in reduction.compare],
    }
    offered = {entry.limit: registry().made_by(entry.limit) for entry in reduction.compare}
    for name in {*reduction.observables, *(entry.observable for entry in reduction.compare)}:
        offered[name] = OBSERVABLES.made_by(parse(name).kind)
    of_others = {name: made for name, made in offered.items() if made}
    if of_others:
        shared["what other packages offer"] = of_others
    start = hashlib.sha256(json.dumps(shared, sort_keys=True).encode())
    keys = []
    for located in points:
        key = start.copy()
        for location, _ in located:
            key.update(location.group.encode())
        keys.append(key.hexdigest()[:32])
    return keys


@lru_cache(maxsize=1)
def _code() -> str:
    """Digest of the sources of this package, but for those that only show what is computed."""
    package = Path(__file__).parent.parent
    found = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package)
        if name.parts[0] not in NOT_COMPUTING:
            found.update(f"{name.as_posix()}\0".encode() + path.read_bytes())
    return found.hexdigest()


@dataclass(frozen=True)
class KeptRows:
    """The rows of an earlier store.

    Parameters
    ----------
    places
        The place of each key among its points.
    """

    places: dict[str, int]
    _root: Any = None

    @classmethod
    def of(cls, results: Path, study: str) -> KeptRows:
        """The rows of the store of a study; none where it is not there, or not what was written."""
        store, said = study_store(results, study), study_digest(results, study)
        try:
            if not said.is_file() or said.read_text(encoding="ascii").split()[:1] != [digest(store)]:
                return cls({})
        except (OSError, UnicodeDecodeError):
            return cls({})
        import zarr

        from deeplimits.store.study_file import StudyFile

        root: Any = zarr.open_group(StudyFile(store, mode="r"), mode="r")
        if GROUP not in root:
            return cls({})
        return cls({str(key): place for place, key in enumerate(root[GROUP][KEY][:])}, root)

    def rows(self, keys: Sequence[str]) -> Rows:
        """The rows of these keys, all of which are in ``places``."""
        places = [self.places[key] for key in keys]
        return {
            group: {
                name: self._root[group][name].oindex[places] for name in arrays if name in self._root[group]
            }
            for group, arrays in KEPT.items()
        }

    def close(self) -> None:
        """Close the file."""
        if self._root is not None:
            self._root.store.close()
