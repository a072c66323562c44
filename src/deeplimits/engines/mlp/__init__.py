"""Kernels of perceptrons."""
