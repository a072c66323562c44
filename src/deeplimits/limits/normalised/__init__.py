"""Limits of networks that normalise their activations or their states."""
