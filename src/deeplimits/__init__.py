"""deeplimits: what a random deep network does at initialisation, and which differential equation it follows.

``simulate`` draws networks, ``limit`` gives the law that theory predicts for them, ``open_study``,
``open_samples`` and ``query`` read what a workflow has computed, and ``figure`` draws it. A network is a
``Network``, a mapping with the keys of a point file, or the path of one:

>>> import deeplimits
>>> network = {"activation": {"name": "tanh"}, "width": 300, "depth": 40, "inputs": {"correlation": 0.3}}
>>> law = deeplimits.limit(network)
>>> networks = deeplimits.simulate(network, samples=(0, 1024))

The names below are loaded when they are first used, so that a simulation job imports only what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from deeplimits.activations import Identity, OrnsteinUhlenbeck, ReluLike, Smooth
    from deeplimits.api import limit, simulate
    from deeplimits.api_studies import figure, open_samples, open_study, query
    from deeplimits.errors import InputError
    from deeplimits.laws import Law
    from deeplimits.networks.network import Network, Shaping
    from deeplimits.sweep.points import Point

__all__ = [
    "Identity",
    "InputError",
    "Law",
    "Network",
    "OrnsteinUhlenbeck",
    "Point",
    "ReluLike",
    "Shaping",
    "Smooth",
    "__version__",
    "figure",
    "limit",
    "open_samples",
    "open_study",
    "query",
    "simulate",
]

_PLACES = {
    "deeplimits.activations": ("Identity", "OrnsteinUhlenbeck", "ReluLike", "Smooth"),
    "deeplimits.api": ("limit", "simulate"),
    "deeplimits.api_studies": ("figure", "open_samples", "open_study", "query"),
    "deeplimits.errors": ("InputError",),
    "deeplimits.laws": ("Law",),
    "deeplimits.networks.network": ("Network", "Shaping"),
    "deeplimits.sweep.points": ("Point",),
}


def __getattr__(name: str) -> Any:
    for place, names in _PLACES.items():
        if name in names:
            return getattr(import_module(place), name)
    raise AttributeError(f"module 'deeplimits' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
