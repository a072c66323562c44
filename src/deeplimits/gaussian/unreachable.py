"""The exception of expectations that cannot be had to the stated accuracy."""

from __future__ import annotations


class Unreachable(ArithmeticError):
    """An expectation over Gaussians that float64 or a bounded effort cannot give; the text says why."""
