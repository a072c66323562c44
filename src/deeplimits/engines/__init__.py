"""Engines: they turn a network into samples, and all of them into the same bits.

``SAMPLER_VERSION`` names the number contract (docs/number-contract.md). Anything that changes a bit of a
result raises it, here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from deeplimits.errors import InputError, nearest_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deeplimits.networks.network import Network

SAMPLER_VERSION = 1
"""The number contract in force."""

MAX_INPUTS = 8
"""Inputs that the engines carry jointly."""

ENGINES = ("auto", "cpu", "oracle")
"""Names of engines. ``oracle`` draws every weight matrix: the same law, other bits, and never stored."""


def resolve(engine: str) -> str:
    """The engine that ``engine`` stands for on this machine.

    Raises
    ------
    InputError
        If there is no such engine.
    """
    if engine not in ENGINES:
        expected = "one of " + ", ".join(ENGINES)
        raise InputError("--engine", "", engine, expected, nearest_name(engine, ENGINES))
    return "cpu" if engine == "auto" else engine


def simulate_block(
    network: Network,
    layers: Sequence[int],
    first: int,
    count: int,
    *,
    engine: str = "auto",
    threads: int | None = None,
) -> dict[str, NDArray[Any]]:
    """Samples [first, first + count) of ``network``, recorded at ``layers``.

    Parameters
    ----------
    layers
        Ascending layer indices between 0 (the input) and the depth.
    first, count
        Global index of the first sample, below 2⁵⁶, and number of samples.
    threads
        Threads to use; all processors this process may use, by default. The result does not depend on it.

    Returns ------- ``log_variance`` [sample, record, input]: log V^{aa}, V_ℓ = (c/n) ⟨φ_s(z_ℓ), φ_s(z_ℓ)⟩,
    −inf once every unit is dead; ``correlation_gap`` [sample, record, pair]: 1 − ρ of the pairs (0, 1), (0,
    2), …, (1, 2), …, NaN where an input is dead; both float32. Of a smooth activation also ``exploded_at``
    [sample, input]: the first layer with V^{aa} ≥ s², up to the last record, or −1; int32.
    """
    records = [int(layer) for layer in layers]
    if not records or sorted(set(records)) != records or records[0] < 0 or records[-1] > network.depth:
        raise InputError("layers", "", records, f"ascending layers between 0 and the depth {network.depth}")
    if first < 0 or count < 0 or first + count > 1 << 56:
        raise InputError("samples", "", (first, first + count), "a range within [0, 2**56)")
    if network.inputs > MAX_INPUTS:
        raise InputError("inputs", "", network.inputs, f"at most {MAX_INPUTS} inputs")
    if resolve(engine) == "oracle":
        import numpy as np

        from deeplimits.networks import mlp

        return mlp.simulate(network, records, count, np.random.default_rng([network.key, first]))
    from deeplimits.engines import cpu

    return cpu.simulate(network, records, first, count, threads)
