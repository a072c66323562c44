"""The store proves itself: containers against receipts, and blocks against a fresh computation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deeplimits.engines import simulate_block
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.zarr_zip import CorruptContainer, digest, read_array
from deeplimits.sweep.blocks import block_from_description


def verify_store(results: Path, recompute: int = 0) -> tuple[list[str], int]:
    """Check every container's SHA-256, and ``recompute`` blocks, evenly spread over the store, bit for bit.

    Returns
    -------
    Problems, in words, and the number of containers checked.
    """
    catalogue = Catalogue(results)
    receipts = catalogue.receipts
    problems = [
        f"{path}: not a usable receipt, or its container is missing or of another size"
        for path in catalogue.unusable
    ]
    sound = []
    for receipt in receipts:
        found = digest(receipt.container)
        if found != receipt.sha256:
            problems.append(f"{receipt.container}: SHA-256 is {found}, the receipt says {receipt.sha256}")
        else:
            sound.append(receipt)
    blocks = [(receipt, description) for receipt in sound for description in receipt.blocks]
    for at in sorted(
        {round(i * (len(blocks) - 1) / max(1, recompute - 1)) for i in range(min(recompute, len(blocks)))}
    ):
        receipt, description = blocks[at]
        block = block_from_description(description)
        point = block.point
        fresh = simulate_block(
            point.network,
            point.layers,
            block.first,
            block.count,
            gradients=point.gradients,
            output=point.output,
        )
        for variable, array in fresh.items():
            if array.size == 0:
                continue
            try:
                stored = read_array(receipt.container, block.id, variable)
            except CorruptContainer as error:
                problems.append(str(error))
                continue
            if stored.tobytes() != np.ascontiguousarray(array).tobytes():
                problems.append(
                    f"{receipt.container}: {block.id}/{variable} differs from a fresh computation"
                )
    return problems, len(receipts)
