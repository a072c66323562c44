"""The Gram matrix of the inputs that a file describes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from deeplimits.engines.contract.shape import MAX_INPUTS
from deeplimits.errors import InputError
from deeplimits.networks.network import Gram
from deeplimits.sweep.network_models import InputsModel
from deeplimits.sweep.yamlfile import is_pipe

_LARGEST = 100_000
"""Bytes of a file with a Gram matrix."""
_TOLERANCE = 1e-9
"""How far below zero the smallest eigenvalue of a Gram matrix may be by rounding, relative to the largest."""
_FAR = 1e9
"""A correlation that is none."""


def inputs_gram(model: InputsModel, where: Path) -> Gram:
    """The Gram matrix V_0 of the inputs."""
    if model.correlation is not None:
        return correlation_gram(model.correlation)
    if model.start is not None:
        return start_gram(model.start)
    if model.gram is not None:
        return checked_gram(model.gram, where, "inputs.gram")
    assert model.gram_file is not None
    return checked_gram(_read_matrix(where.parent / model.gram_file, where), where, "inputs.gram_file")


def correlation_gram(correlation: float) -> Gram:
    """Two inputs of unit norm."""
    return ((1.0, float(correlation)), (float(correlation), 1.0))


def start_gram(start: float) -> Gram:
    """The Gram matrix of a state of equal units."""
    return ((float(start) * float(start),),)


def _read_matrix(path: Path, where: Path) -> list[list[float]]:
    key, expected = "inputs.gram_file", "a CSV file of numbers"
    try:
        if is_pipe(path):
            raise InputError(where, key, path.name, f"{expected}; this is a pipe")
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise InputError(where, key, path.name, f"{expected}, of at most {_LARGEST:,} bytes")
        text = content.decode()
        return [[_number(cell) for cell in row] for row in csv.reader(text.splitlines()) if row]
    except FileNotFoundError:
        raise InputError(
            where, "inputs.gram_file", str(path.name), "a CSV file beside this one; there is no such file"
        ) from None
    except InputError:
        raise
    except (OSError, ValueError, csv.Error) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise InputError(where, key, f"<{found[:100]}>", expected) from None


def _number(cell: str) -> float:
    if "_" in cell:
        raise ValueError(f"{cell!r} is no number")
    return float(cell)


def checked_gram(rows: Sequence[Sequence[float]], where: Path, key: str) -> Gram:
    """The Gram matrix ``rows``, if it is one.

    Raises
    ------
    InputError
        If it is not square, not finite, not symmetric, not positive semi-definite, has a diagonal that is not
        positive, or is too large.
    """
    import numpy as np

    size = len(rows)
    if any(len(row) != size for row in rows):
        raise InputError(where, key, [len(row) for row in rows], f"{size} rows of {size} numbers")
    if not 1 <= size <= MAX_INPUTS:
        raise InputError(where, key, f"<{size} inputs>", f"1 to {MAX_INPUTS} inputs")
    matrix = np.array(rows, float)
    if not np.isfinite(matrix).all():
        raise InputError(where, key, rows, "finite numbers")
    if not (np.diag(matrix) > 0).all():
        raise InputError(where, key, np.diag(matrix).tolist(), "a positive diagonal")
    for a in range(size):
        for b in range(a):
            if matrix[a, b] != matrix[b, a]:
                raise InputError(
                    where,
                    f"{key}.{a}.{b}",
                    float(matrix[a, b]),
                    f"a symmetric matrix; {b}.{a} is {float(matrix[b, a])!r}",
                )
    # entries may be such that their products are no doubles
    roots = np.sqrt(np.diag(matrix))
    with np.errstate(over="ignore"):
        scaled = np.clip(matrix / roots[:, None] / roots, -_FAR, _FAR)
    smallest = float(np.linalg.eigvalsh(scaled)[0])
    if smallest < -_TOLERANCE:
        expected = "a positive semi-definite matrix, as the Gram matrix of inputs is"
        raise InputError(
            where, key, f"<smallest eigenvalue {smallest:.3g} after scaling to unit diagonal>", expected
        )
    return tuple(tuple(float(value) for value in row) for row in rows)
