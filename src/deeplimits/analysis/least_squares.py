"""Weighted least squares: what fits values that know their errors best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deeplimits.array_types import Array

STORED_NORMAL = 1.96
"""Half the width of a 95 % interval in standard errors, as study stores of format 4 have it."""


@dataclass(frozen=True)
class Fit:
    """A linear function of the columns of a design.

    Parameters
    ----------
    coefficients
        Of each column, [column].
    covariance
        Of the coefficients, as far as the errors of the values tell, [column, column].
    chi_square
        The sum of (value − fit)² / error².
    freedom
        Values less coefficients.
    """

    coefficients: Array
    covariance: Array
    chi_square: float
    freedom: int


def fitted(design: Array, values: Array, errors: Array) -> Fit:
    """The coefficients with the least chi-square.

    Parameters
    ----------
    design
        [value, column], of full rank.
    values, errors
        Values and their standard errors, all positive, [value].

    Examples
    --------
    >>> import numpy as np
    >>> line = np.stack([np.ones(3), np.arange(3.0)], axis=1)
    >>> fitted(line, np.array([1.0, 3.0, 5.0]), np.ones(3)).coefficients.round(9)
    array([1., 2.])
    """
    scaled = design / errors[:, None]
    covariance = np.asarray(np.linalg.inv(scaled.T @ scaled), float)
    coefficients = covariance @ scaled.T / errors @ values
    chi_square = float((((values - design @ coefficients) / errors) ** 2).sum())
    return Fit(coefficients, covariance, chi_square, len(values) - design.shape[1])
