"""Gradients by back-propagation: the backward passes of every architecture."""
