"""Solvers of laws, for use alone: they know diffusions and laws, and nothing of networks.

``fokker_planck`` gives the laws of dy = a(y) dt + dB at any times without sampling; ``linear_sde`` those of a
linear SDE on the positive numbers; ``compound`` sums with a Gaussian variable, mixtures, and images under
maps that are not monotone; ``unit_noise`` brings an SDE into the coordinate in which its noise is that of a
Brownian motion; ``arrivals`` tells from where a drift carries everything away at once.
"""
