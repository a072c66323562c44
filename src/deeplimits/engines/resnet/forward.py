"""The CPU kernels of residual networks: samples from layer to layer (``resnet_layers``), and what is recorded
of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import f4, i4, inline, kernel, part
from deeplimits.engines.contract.layer_normals import stream_of
from deeplimits.engines.contract.normals import logarithm
from deeplimits.engines.contract.philox import PURPOSE_FORWARD
from deeplimits.engines.contract.shape import KINDS
from deeplimits.engines.contract.totals import DEAD, NAN, rescale
from deeplimits.engines.resnet.layer import Constants, mark_units, next_layer, start_sample
from deeplimits.engines.resnet.state import gaps_from, state_of, sum_states, take_powers

EVERY = 8
"""Layers from one look at the norms to the next."""


@inline
def _log_mean(mantissa: Any, exponent: Any, power_of: Any, total: Any, width: Any) -> Any:
    """log(mantissa · 2^exponent · 4^power_of · total / width), −inf for a total of 0."""
    found, raised = rescale(mantissa, i4(exponent + i4(2) * power_of), total / f4(width))
    return logarithm(found, raised) if found > f4(0) else DEAD


@part
def _record(
    constants: Any,
    state: Any,
    log_variance: Any,
    correlation_gap: Any,
    log_activation: Any,
    activation_gap: Any,
) -> None:
    """Fill log V [input], 1 − ρ [pair], log ‖φ‖² / n [input] and 1 − cosine of φ [pair] of a layer."""
    width = constants.width
    gaps_from(state.of_states, state.power_of, width, state.gaps_of_states)
    pair = 0
    for a in range(log_variance.shape[0]):
        mantissa, exponent, power_of = constants.mantissa_0[a], constants.exponent_0[a], state.power_of[a]
        log_variance[a] = _log_mean(mantissa, exponent, power_of, state.of_states[a], width)
        log_activation[a] = _log_mean(mantissa, exponent, power_of, state.sums[a], width)
        for b in range(a + 1, log_variance.shape[0]):
            correlation_gap[pair] = f4(state.gaps_of_states[a, b])
            both = state.sums[a] > f4(0) and state.sums[b] > f4(0)
            activation_gap[pair] = f4(state.gaps[a, b]) if both else NAN
            pair += 1


def residual_inputs(constant: int) -> Callable[..., None]:
    """The kernel for ``constant // KINDS`` inputs and the activation of kind ``constant % KINDS``; see
    ``one_or_two_inputs.single_input``, and ``resnet.call.scratch`` for the arguments after the outputs.
    """
    inputs, kind = divmod(constant, KINDS)
    return residual_kernel(inputs, kind)


def residual_kernel(
    inputs: int, kind: int, find_coefficients: Callable[..., Any] | None = None
) -> Callable[..., None]:
    """The kernel for an activation of ``kind``. What ``find_coefficients`` of a layer may take the place of
    ``coefficients``, and is told the sums of the states of every layer.
    """
    always = find_coefficients is not None
    find_state, mark = state_of(inputs), mark_units(inputs)
    advance = next_layer(inputs, kind, find_coefficients)
    add_states, rescale_states = sum_states(inputs), take_powers(inputs)

    @kernel
    def run(
        key: Any,
        first: Any,
        width: Any,
        depth: Any,
        layers: Any,
        branch: Any,
        start: Any,
        plus: Any,
        minus: Any,
        mantissa_0: Any,
        exponent_0: Any,
        gap_0: Any,
        bits: Any,
        top: Any,
        table: Any,
        log_variance: Any,
        correlation_gap: Any,
        log_activation: Any,
        activation_gap: Any,
        collapsed_at: Any,
        *scratch: Any,
    ) -> None:
        constants = Constants(
            width, branch, start, plus, minus, mantissa_0, exponent_0, gap_0, bits, top, table
        )
        state = find_state(scratch)
        mark(state.inside, width)
        for row in range(log_variance.shape[0]):
            stream = stream_of(key, np.int64(first) + row, PURPOSE_FORWARD)
            start_sample(constants, state)
            collapsed_at[row, :] = i4(-1)
            record = 0
            for layer in range(depth + 1):
                advance(constants, state, layer, stream)
                for a in range(inputs):
                    if collapsed_at[row, a] < 0 and not state.sums[a] > f4(0):
                        collapsed_at[row, a] = i4(layer)
                recorded = record < len(layers) and layers[record] == layer
                looked = layer % EVERY == 0
                if always or recorded or looked:
                    add_states(state)
                if recorded:
                    _record(
                        constants,
                        state,
                        log_variance[row, record],
                        correlation_gap[row, record],
                        log_activation[row, record],
                        activation_gap[row, record],
                    )
                    record += 1
                if looked:
                    rescale_states(state, width, mantissa_0, exponent_0, plus)
                    if always:
                        add_states(state)

    return run
