"""Networks drawn beside a law: their observable at its layer, and how far the two are apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deeplimits.analysis.deviations import Deviations, root_mean_square
from deeplimits.analysis.distances import cell_counts, distances
from deeplimits.array_types import Array
from deeplimits.engines import simulate_block
from deeplimits.engines.gradients.call import check_gradients
from deeplimits.errors import InputError
from deeplimits.laws import EmpiricalLaw, Law, PointMass, noise_floor
from deeplimits.networks.network import Network
from deeplimits.observables import parse
from deeplimits.sweep.activation import check_activation
from deeplimits.variables import STORED


def drawn(network: Network, observable: str, layer: int, samples: int, engine: str = "auto") -> Array:
    """The observable of networks 0 to ``samples`` at a layer [sample]; not finite where one has none.

    Raises
    ------
    InputError
        If the networks do not have this observable there, or no engine can draw them.
    """
    found = parse(observable)
    sources = [STORED[name] for name in found.record.made_of(network)]
    asked = {source.asked_by for source in sources}
    if found.inputs[-1] >= network.inputs:
        needed = f"an observable of {network.inputs} input{'s' * (network.inputs > 1)}"
        raise InputError("--simulate", "observable", observable, needed)
    check_activation(network, "--simulate", "activation")
    if "gradients" in asked:
        check_gradients(network, "--simulate")
    if not (all(source.of(network) for source in sources) and found.record.of(network)):
        why = f", and {observable} is one of {found.record.of_only}" if found.record.of_only else ""
        raise InputError("--simulate", "observable", observable, f"an observable of {_kind(network)}{why}")
    if layer != network.depth and ("output" in asked or found.record.all_layers):
        expected = f"{network.depth}: {observable} is of the last layer"
        raise InputError("--simulate", "layer", layer, expected)
    layers = found.record.needed(layer)
    more = {name: name in asked for name in ("gradients", "output")}
    arrays = simulate_block(network, layers, 0, samples, engine=engine, **more)
    return found.of_arrays(arrays, len(layers) - 1, layer, network)


def _kind(network: Network) -> str:
    return network.kind.title


def beside(law: Law, samples: int, levels: Mapping[str, float], engine: str = "auto") -> dict[str, Any]:
    """Networks that are drawn beside a law which knows what it is about.

    Returns
    -------
    - ``samples``: networks drawn; ``dead``: those without a value, which are in nothing that follows;
    - ``mean``, ``std`` and ``quantiles`` by level;
    - ``ks``: sup |F_N − F|, with ``ks_interval`` of 95 % and ``noise_floor``, 0.869/√N, which N draws of the
      law itself have on average;
    - of a law that is a number also ``rms`` √E (X − x)², with ``rms_interval`` of 95 %.

    Raises
    ------
    InputError
        If the networks cannot be drawn, or none of them has a value.
    """
    about = law.about
    assert about is not None
    values = drawn(about.network, about.observable, about.layer, samples, engine)
    alive = values[np.isfinite(values)]
    if not len(alive):
        expected = (
            f"networks that have a {parse(about.observable).kind} at layer {about.layer}: none of them has"
        )
        raise InputError("--simulate", "", samples, expected)
    sample = EmpiricalLaw.of(alive)
    answer: dict[str, Any] = {
        "samples": samples,
        "dead": samples - len(alive),
        "mean": sample.mean,
        "std": sample.std,
        "quantiles": {name: float(sample.quantile(level)) for name, level in levels.items()},
        "ks": law.distance(alive),
        "noise_floor": noise_floor(len(alive)),
    }
    if isinstance(law, PointMass):
        answer["ks_interval"] = list(_of_number(law.value, alive))
        if np.isfinite(law.value):
            found = root_mean_square(Deviations.of(law.value, alive))
            answer |= {"rms": found.value, "rms_interval": [found.low, found.high]}
        return answer
    distance = distances(law, cell_counts(law, alive), ("ks",))["ks"]
    answer["ks_interval"] = [distance.low, distance.high]
    return answer


def _of_number(value: float, values: Array) -> tuple[float, float]:
    """95 % interval of sup |F − 1{x ≥ value}|, the larger of P(X < value) and P(X > value)."""
    count = len(values)
    part = max(int((values < value).sum()), int((values > value).sum())) / count
    # Wilson's: it does not end at 0 or 1 where the part does
    from scipy.special import ndtri

    z = float(ndtri(0.975)) ** 2 / count
    middle, half = (part + z / 2) / (1 + z), np.sqrt(z * part * (1 - part) + z**2 / 4) / (1 + z)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))
