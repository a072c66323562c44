"""The CPU kernel of the pre-normalised residual network of a piecewise-linear activation.

φ is homogeneous, so that φ(z / rms(z)) = φ(z) / rms(z): the kernel is that of ``engines.resnet``, whose
branch of input a is divided by rms(z_a), from the sums of the states of every layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import f4, fma, part, square_root
from deeplimits.engines.mlp.correlations import difference_factor
from deeplimits.engines.resnet.forward import residual_kernel
from deeplimits.engines.resnet.layer import SLOPES


def pre_norm(inputs: int) -> Callable[..., None]:
    """The kernel for ``inputs`` inputs; see ``engines.resnet.forward.residual_inputs``. Its ``branch`` is
    d^{-½} √c.
    """
    return residual_kernel(inputs, SLOPES, normalised_coefficients(inputs))


def normalised_coefficients(inputs: int) -> Callable[..., Any]:
    """A function of the directions of the activations, and what they are multiplied by.

    That is branch · r_a / √V with r_a² = S_a / Z_a, S_a and Z_a the square norms of activations and states,
    over what is kept of the input, √V; the difference of two is made of S_a − S_b and Z_a − Z_b.
    """
    pairs = inputs * (inputs - 1) // 2

    @part
    def run(state: Any, layer: Any, branch: Any, width: Any) -> None:
        sums, states, rows, power_of = state.sums, state.of_states, state.rows, state.power_of
        difference_factor(state.gaps, rows)
        pair = 0
        for a in range(inputs):
            s_a, z_a = np.float64(sums[a]), np.float64(states[a])
            root_a, scale_a = 1.0, 1.0
            if layer > 0:
                root_a = square_root(s_a / z_a) if z_a > 0.0 else 0.0
                scale_a = branch * np.float64(state.inverse[a])
            for column in range(inputs):
                along = rows[a, column] + (1.0 if column == 0 else 0.0)
                state.factor[a, column] = f4(scale_a * root_a * along)
            for b in range(a + 1, inputs):
                excess = 0.0
                if layer > 0:
                    s_b, z_b = np.float64(sums[b]), np.float64(states[b])
                    root_b = square_root(s_b / z_b) if z_b > 0.0 else 0.0
                    scale_b = branch * np.float64(state.inverse[b])
                    excess = scale_a * root_a - scale_b * root_b
                    if power_of[a] == power_of[b] and root_a + root_b > 0.0 and z_a > 0.0 and z_b > 0.0:
                        more_s = np.float64(sums[inputs + pairs + pair])
                        more_z = np.float64(states[inputs + pairs + pair])
                        apart = fma(more_s, z_b, -(s_b * more_z)) / (z_a * z_b) / (root_a + root_b)
                        excess = fma(scale_a - scale_b, root_a, scale_b * apart)
                for column in range(inputs):
                    along = rows[b, column] + (1.0 if column == 0 else 0.0)
                    state.differences[pair, column] = f4(
                        fma(scale_a * root_a, rows[a, column] - rows[b, column], excess * along)
                    )
                pair += 1

    return run
