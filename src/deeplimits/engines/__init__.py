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

ENGINES = ("auto", "cpu", "cuda", "oracle")
"""Names of engines. ``auto`` is ``cuda`` where a graphics card can be used, else ``cpu``: the same bits.
``oracle`` draws every weight matrix: the same law, other bits, and never stored."""


def resolve(engine: str) -> str:
    """The engine that ``engine`` stands for on this machine.

    Parameters
    ----------
    engine
        ``auto``, ``cpu``, ``cuda`` or ``oracle``.

    Returns
    -------
    ``cpu``, ``cuda`` or ``oracle``.

    Raises
    ------
    InputError
        If there is no such engine, or it is not one for this machine.
    """
    if engine not in ENGINES:
        expected = "one of " + ", ".join(ENGINES)
        raise InputError("--engine", "", engine, expected, nearest_name(engine, ENGINES))
    from deeplimits.engines.cuda import devices

    if engine == "auto":
        return "cuda" if devices.obstacle() is None else "cpu"
    if engine == "cuda" and (missing := devices.obstacle()) is not None:
        raise InputError("--engine", "", engine, missing)
    return engine


def simulate_block(
    network: Network,
    layers: Sequence[int],
    first: int,
    count: int,
    *,
    engine: str = "auto",
    threads: int | None = None,
    gradients: bool = False,
    output: bool = False,
) -> dict[str, NDArray[Any]]:
    """Samples [first, first + count) of ``network``, recorded at ``layers``.

    Parameters
    ----------
    network
        The networks to draw.
    layers
        Ascending layer indices between 0 (the input) and the depth.
    first, count
        Global index of the first sample, below 2⁵⁶, and number of samples.
    engine
        ``auto``, ``cpu``, ``cuda``, or ``oracle``: the same law by explicit weight matrices, from other
        random numbers.
    threads
        Threads to use; all processors this process may use, by default. The result does not depend on it.
    gradients
        Whether to record gradients too.
    output
        Whether to draw the output too.

    Returns
    -------
    A mapping of arrays, float32 unless said otherwise:

    - ``log_variance`` [sample, record, input]: log V^{aa}, for an mlp with V_ℓ = (c/n) ⟨φ_s(z_ℓ), φ_s(z_ℓ)⟩,
      −inf once every unit is dead; for a residual network with V_ℓ = ⟨z_ℓ, z_ℓ⟩ / n;
    - ``correlation_gap`` [sample, record, pair]: 1 − ρ of the pairs (0, 1), (0, 2), …, (1, 2), …, NaN where
      an input is dead;
    - of an mlp with a smooth activation ``exploded_at`` [sample, input], int32: the first layer with V^{aa} ≥
      s², up to the last record, or −1;
    - of a residual network ``log_activation`` [sample, record, input]: log ‖φ(z_ℓ)‖² / n, −inf once
      collapsed; and ``collapsed_at`` [sample, input], int32: the first layer with φ(z_ℓ) = 0, up to the last
      record, or −1;
    - with ``gradients``, for a readout z_out that is Gaussian in the last layer and the same for all inputs,
      ``gradient_log_norm`` [sample, record, input]: log ‖∂z_out/∂z_ℓ‖², and ``gradient_gap`` [sample, record,
      pair]: 1 − the cosine of the angle between the gradients of two inputs. The readout is z_out = √(c/n)
      ⟨w, φ_s(z_d)⟩ of an mlp (NaN at layer 0, which has no units) and n^{-1/2} ⟨w, z_d⟩ of a residual
      network, w ~ N(0, I_n). Of a residual network of several inputs also ``activation_gap`` [sample, record,
      pair]: 1 − the cosine of the angle between φ(z_ℓ) of two inputs, NaN where one has collapsed;
    - with ``output``, ``output`` [sample, input]: z_out | V_d ~ N(0, V_d), V_d the matrix at the last layer;
      with ``gradients`` they are the gradients of this output.

    Raises
    ------
    InputError
        If no engine, or not this one, can draw them; the oracle where its float64 overflows.
    """
    from deeplimits.engines.requests import Request, simulate_requests
    from deeplimits.variables import recorded as names_recorded

    records = tuple(int(layer) for layer in layers)
    request = Request(network, records, first, count, gradients, output)
    used = resolve(engine)
    if used != "oracle":
        return next(simulate_requests([request], used, threads))
    import numpy as np

    generator = np.random.default_rng([network.key, first])
    # what overflows is told below
    with np.errstate(over="ignore", invalid="ignore"):
        drawn = network.kind.oracle(network, records, count, generator, readout=gradients or output)
    sizes = [drawn[name] for name in ("log_variance", "log_activation") if name in drawn]
    if any(np.isnan(size).any() or np.isposinf(size).any() for size in sizes):
        expected = "cpu or cuda: float64 does not hold what the oracle computes on the way, here or in φ"
        raise InputError("--engine", "", engine, expected)
    wanted = names_recorded(network, gradients=gradients, output=output)
    return {name: array for name, array in drawn.items() if name in wanted}
