"""Networks with explicit weights in PyTorch, of two inputs, in float32, with weights drawn anew for every
sample, as many samples at a time as ``chunk`` says, on the processor or on the card, as ``device`` says.
"""

from __future__ import annotations

import torch
from serve import options, serve

given = options()
width, depth = int(given["width"]), int(given["depth"])
samples, chunk = int(given["samples"]), int(given["chunk"])
torch.set_default_device(given.get("device", "cpu"))
plus, minus = 1.0, 1.0 - width**-0.5
scale = (2 / (plus**2 + minus**2) / width) ** 0.5


def draw_chunk(count: int) -> torch.Tensor:
    """V at the last layer, of weights [sample, unit, unit] and preactivations [sample, unit, input]."""
    z = torch.empty(count, width, 2).normal_()
    z[:, :, 1] = 0.3 * z[:, :, 0] + 0.91**0.5 * z[:, :, 1]
    weights = torch.empty(count, width, width)
    for _ in range(depth - 1):
        weights.normal_()
        z = scale * torch.bmm(weights, torch.where(z > 0, plus * z, minus * z))
    phi = scale * torch.where(z > 0, plus * z, minus * z)
    return phi.transpose(1, 2) @ phi


@torch.inference_mode()
def draw() -> float:
    """The mean correlation at the last layer."""
    found = torch.cat([draw_chunk(chunk) for _ in range(samples // chunk)])
    return float((found[:, 0, 1] / (found[:, 0, 0] * found[:, 1, 1]).sqrt()).mean())


if __name__ == "__main__":
    serve(draw, ["torch"], torch.get_num_threads())
