"""Tests compute as the command line does: before anything reads NumPy."""

from deeplimits.processor import hold

hold()
