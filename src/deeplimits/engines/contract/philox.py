"""Philox4x32-10, the counter-based generator behind every random number (Salmon, Moraes, Dror & Shaw 2011).

Four 32-bit words are a pure function of a 128-bit counter and a 64-bit key. The counter says what the words
are for: (unit block, layer, low half of the sample index, high half and purpose); the key is the network.
Nothing has a state, so any sample can be computed alone, in any order, on any machine. Known answers:
Random123, ``kat_vectors``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import inline, u4

PURPOSE_FORWARD = 0
"""Normals of the forward pass of a network."""
PURPOSE_PATH = 1
"""Normals that drive sampled paths of a limit."""
PURPOSE_BACKWARD = 2
"""Normals of the backward pass, beyond those that the forward pass has drawn of the same weights."""
PURPOSE_OUTPUT = 3
"""Normals of the output of a network."""

PURPOSE_SHIFT = 24
"""The purpose is the highest byte of the counter's last word; the 24 bits below it belong to the sample index
(2⁵⁶ samples)."""

_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = u4(0x9E3779B9)
_WEYL_1 = u4(0xBB67AE85)
_HALF = np.uint64(32)


@inline
def philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """Four uint32 words for the counter (c0, c1, c2, c3) and the key (k0, k1), all uint32."""
    for _ in range(10):
        product_0 = np.uint64(c0) * _MULTIPLIER_0
        product_1 = np.uint64(c2) * _MULTIPLIER_1
        high_0 = u4(product_0 >> _HALF)
        high_1 = u4(product_1 >> _HALF)
        c0, c1, c2, c3 = high_1 ^ c1 ^ k0, u4(product_1), high_0 ^ c3 ^ k1, u4(product_0)
        k0 = u4(k0 + _WEYL_0)
        k1 = u4(k1 + _WEYL_1)
    return c0, c1, c2, c3


@inline
def halves(key: Any) -> Any:
    """The two words of a key."""
    return u4(key & np.uint64(0xFFFFFFFF)), u4(key >> np.uint64(32))


@inline
def sample_words(sample: Any, purpose: Any) -> Any:
    """Last two counter words of a sample index (int64) and a purpose."""
    low = u4(sample & 0xFFFFFFFF)
    high = u4(u4(sample >> 32) | u4(u4(purpose) << u4(PURPOSE_SHIFT)))
    return low, high
