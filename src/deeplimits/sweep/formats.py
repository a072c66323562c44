"""The formats of the files that this package writes and reads again, by number, in one place.

A number changes where an older version would misread a file; a key that older versions pass over does not
change it. Files of every format that is listed as read stay readable for good, by tests on stores that are
kept. A file of a higher number was written by a later version: it is refused in a sentence, and nothing
replaces it. Every later format of a JSON file keeps its digest of itself (``store.seal``), so that a damaged
number is not taken for a later one.

The sampler has a version of its own, ``engines.SAMPLER_VERSION``: it is about bits, not about files. Caches
(machine code, laws) are named by what they are made from and have no number.
"""

from __future__ import annotations

TODO = 1
"""Todo files of simulation jobs."""
RECEIPT = 1
"""Receipts of simulation jobs; the containers that they are of have no number of their own. Receipts without
a digest of themselves, which version 0.1 began with, are read too.
"""
STUDY_STORE = 4
"""Study stores, as their receipts say; those of earlier numbers are aggregated again."""
STUDY_TODO = 6
"""Todo files of studies; those of another number are written anew by the next plan."""


def is_later(found: object, known: int) -> bool:
    """Whether a format number that was read is one of a later version."""
    return isinstance(found, int) and not isinstance(found, bool) and found > known
