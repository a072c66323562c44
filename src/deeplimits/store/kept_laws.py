"""Laws of sampled limits, kept on disk by all that they depend on.

Drawing one takes seconds, reading it a millisecond. They lie in the user's cache folder, beside the machine
code that drew them, and not with results: studies, folders of results and ``deeplimits limit`` share them,
nothing is lost with them, and no store depends on whether they were there. A law that is solved takes no
longer than a file would, and is not kept.

The name of a file is the SHA-256 of the limit, the observable, the layers, the network with its seed, and of
what laws are made by (``limits.kept_files`` tells how files are kept); one that is damaged is drawn again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deeplimits.laws import EmpiricalLaw, Law, PointMass
from deeplimits.limits import kept_files, registry, together
from deeplimits.limits.made_by import made_by
from deeplimits.limits.together import Request
from deeplimits.networks.network import Network
from deeplimits.observables import OBSERVABLES, parse

LARGEST = 1 << 29
"""Bytes of all files together."""


def marginals(name: str, requests: Sequence[Request]) -> list[list[Law]]:
    """As ``limits.together.marginals``, with the same bytes: what has been drawn before is read.

    A folder that cannot be read or written only costs time.
    """
    if registry()[name].kind != "sampled":
        return together.marginals(name, requests)
    files = [_folder() / _key(name, *request) for request in requests]
    found = {file: laws for file in set(files) if (laws := _read(file)) is not None}
    missing = {file: request for file, request in zip(files, requests, strict=True) if file not in found}
    for file, laws in zip(missing, together.marginals(name, list(missing.values())), strict=True):
        found[file] = laws
        _write(file, laws)
    return [found[file] for file in files]


def _folder() -> Path:
    return kept_files.folder_of("laws")


def _key(name: str, network: Network, layers: Sequence[int], observable: str) -> str:
    parts = [made_by(), name, observable, [int(layer) for layer in layers], network.canonical_form()]
    # of other packages
    offered = (registry().made_by(name), OBSERVABLES.made_by(parse(observable).kind))
    parts += [made for made in offered if made]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _read(file: Path) -> list[Law] | None:
    """None where there is no such file or it is not whole."""
    kept = kept_files.read(file)
    if kept is None:
        return None
    head, numbers = kept
    laws: list[Law] = []
    for kind, count in head:
        values, numbers = np.split(numbers, [count])
        if kind == "number":
            laws.append(PointMass(float(values[0])))
        else:
            laws.append(EmpiricalLaw(values, bounded=kind == "bounded"))
    return laws


def _write(file: Path, laws: Sequence[Law]) -> None:
    head: list[tuple[str, int]] = []
    numbers = []
    for law in laws:
        match law:
            case PointMass():
                head.append(("number", 1))
                numbers.append(np.array([law.value]))
            case EmpiricalLaw():
                head.append(("bounded" if law.bounded else "sample", len(law.samples)))
                numbers.append(law.samples)
            case _:
                return  # it is solved in part, by means that a file does not hold
    kept_files.write(file, head, numbers, LARGEST)
