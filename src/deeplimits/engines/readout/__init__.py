"""Outputs of a last layer of random weights."""
