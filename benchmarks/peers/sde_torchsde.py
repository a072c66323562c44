"""Euler's scheme for the correlation SDE in torchsde, without gradients, in float32: one equation of many
components.
"""

from __future__ import annotations

import math

import torch
import torchsde
from serve import options, serve

given = options()
paths, steps = int(given["paths"]), int(given["steps"])
start, kappa = 0.3, 1.0


class Correlation:
    """The SDE; the library asks for these names."""

    noise_type, sde_type = "diagonal", "ito"

    def f(self, _, rho):
        rho = rho.clamp(-1, 1)
        square = 1 - rho * rho
        excess = (square.sqrt() - rho * rho.arccos()) / math.pi
        return 0.5 * kappa * excess - 0.5 * rho * square

    def g(self, _, rho):
        return 1 - rho * rho


@torch.inference_mode()
def run():
    found = torchsde.sdeint(
        Correlation(),
        torch.full((paths, 1), start),
        torch.tensor([0.0, 1.0]),
        method="euler",
        dt=1 / steps,
        bm=torchsde.BrownianInterval(0.0, 1.0, size=(paths, 1), dt=1 / steps),
    )
    return float(found[-1].mean())


if __name__ == "__main__":
    serve(run, ["torchsde", "torch"], torch.get_num_threads())
