"""Limits of perceptrons."""
