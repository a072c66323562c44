"""Limits of residual networks."""
