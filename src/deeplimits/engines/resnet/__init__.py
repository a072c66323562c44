"""Kernels of residual networks."""
