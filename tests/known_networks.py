"""Networks and paths whose bits are known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from deeplimits.activations import OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.engines import simulate_block
from deeplimits.engines.sde import paths
from deeplimits.networks.network import Network, Shaping


def known_network(name: str) -> Network:
    """Its key is given and not a hash, so that the answers do not hang on how a network is described."""
    kind, inputs = name[:-2], int(name[-1])
    gram = ((1.0, 0.3, 0.1), (0.3, 2.0, 0.5), (0.1, 0.5, 0.5))
    smooth = Smooth.of("softplus", 0.4, -0.5)
    activation = {
        "smooth": smooth,
        "layered-smooth": smooth,
        "residual-smooth": smooth,
        "residual-exotic": OrnsteinUhlenbeck(0.75, -0.5),
    }
    network = Network(
        activation.get(kind, ReluLike(0.0, -1.0)),
        (37, 5, 16, 1, 33, 20) if kind.startswith("layered") else 37,
        6,
        tuple(row[:inputs] for row in gram[:inputs]),
        shaping=Shaping("width", 0.5),
    )
    if kind.startswith("residual"):
        network = replace(network, architecture="resnet", shaping=None)
    network.__dict__["fingerprint"] = "0123456789abcdef" * 4
    return network


def digest(network: Network) -> str:
    sample = simulate_block(network, [0, 1, 6], 5, 64)
    return hashlib.sha256(b"".join(array.tobytes() for array in sample.values())).hexdigest()


def path_digest(name: str) -> str:
    return hashlib.sha256(b"".join(np.asarray(part).tobytes() for part in PATHS[name]())).hexdigest()


def digests(names: list[str]) -> dict[str, str]:
    """Of networks and paths with known answers."""
    return {name: path_digest(name) if name in PATHS else digest(known_network(name)) for name in names}


KNOWN: dict[str, object] = json.loads(
    (__import__("pathlib").Path(__file__).parent / "known_answers.json").read_text()
)

PATHS: dict[str, Callable[[], tuple[Any, ...]]] = {
    "path-chain": lambda: paths.chain_gaps(0.7, 5, [0, 3, 40], 5, 65),
    "path-chain-far": lambda: paths.chain_gaps(1.5, 2, [1, 100], 1 << 40, 15),
    "path-correlation": lambda: paths.correlation_gaps(0.7, 1.0, 0.01, [0, 3, 100], 5, 65),
    "path-correlation-far": lambda: paths.correlation_gaps(1.9, 7.0, 0.3, [5, 30], 1 << 40, 15),
    "path-rescaled": lambda: (paths.rescaled_correlations(1.0, 0.01, [1, 3, 100], 5, 65),),
    "path-rescaled-far": lambda: (paths.rescaled_correlations(-300.0, 0.01, [100], 1 << 40, 15),),
}
