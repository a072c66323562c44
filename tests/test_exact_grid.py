"""Coordinates of exact kernels lie closer where the law of a step is narrow, and rows on them have all of their mass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deeplimits.activations import Slopes
from deeplimits.limits import exact_chain, kept_rows, transition_rows
from deeplimits.limits.chain_grid import Grid

TWO = (Slopes(1, 0.5), Slopes(1, 0.2), Slopes(1, 0.8), Slopes(1, -0.4), Slopes(1, -0.2), Slopes(1, -1))


@pytest.mark.parametrize("slopes", [*TWO, Slopes(1, 0), Slopes(1, 1), Slopes(1, 0.01)], ids=str)
@pytest.mark.parametrize("units", [8, 1024])
def test_coordinates_go_there_and_back(slopes: Slopes, units: int) -> None:
    usual = transition_rows.Transition(slopes, units).grid
    for grid in (usual, replace(usual, step=usual.step / 3)):
        z = grid.z(np.arange(-200.0, 200.0))
        if grid.smoothing:
            z = z[z > -10 * grid.smoothing]
        y = grid.y(z)
        assert (np.diff(y) > 0).all()
        assert np.abs(grid.back(y) - z).max() < 1e-11 * grid.step + 1e-10 * bool(grid.smoothing)
        little = 1e-4 * usual.step
        measured = (grid.y(z + little) - grid.y(z - little)) / (2 * little)
        assert np.abs(measured - grid.slope(z)).max() < 1e-5
    if not usual.smoothing:
        # no coordinate is at 0, where neither side of a law has a density
        assert usual.back(np.zeros(1))[0] == 0


def test_coordinates_are_closer_where_a_law_is_narrow() -> None:
    gathered = transition_rows.Transition(Slopes(1, 0.5), 16).grid
    edge = -2 * float(np.arctanh(0.5))
    closer = 1 / gathered.slope(gathered.back(np.array([0.0, edge, 6.0])))
    assert closer[0] > 4
    assert closer[1] > 6
    assert closer[2] < 1.05
    for slopes in (Slopes(1, 1), Slopes(1, 0), Slopes(1, -1)):
        assert transition_rows.Transition(slopes, 16).grid.gatherings == ()


def lost(slopes: Slopes, units: int, rho: float, grid: Grid | None = None) -> float:
    kernel, y = transition_rows.Transition(slopes, units), float(np.arctanh(rho))
    row, fates = kernel.row(y, grid), kernel.fates(np.array([y]))
    mass = float(row.values.sum()) * (grid or kernel.grid).step
    return abs(mass + float((fates.apart + fates.equal - fates.alive)[0]))


@pytest.mark.parametrize("slopes", TWO, ids=str)
@pytest.mark.parametrize("units", [8, 16, 64])
def test_rows_of_two_slopes_have_all_of_their_mass(slopes: Slopes, units: int) -> None:
    for rho in (0.0, 0.3, 0.9):
        assert lost(slopes, units, rho) < 1e-9
    # where laws have nearly an edge
    for rho in (-0.9, -0.6):
        assert lost(slopes, units, rho) < 1e-7


def test_rows_without_closer_coordinates_do_not() -> None:
    grid = transition_rows.Transition(Slopes(1, 0.5), 8).grid
    assert lost(Slopes(1, 0.5), 8, 0.0, replace(grid, gatherings=())) > 1e-7


@pytest.mark.parametrize("units", [8, 14, 24, 64])
def test_rows_of_one_slope_have_all_of_their_mass(units: int) -> None:
    """Towards ρ' = 0 their density is infinite, as its logarithm; near ρ = −1 much of it lies there."""
    for rho in (-0.99, -0.9, -0.3, 0.001, 0.3, 0.9):
        assert lost(Slopes(1, 0), units, rho) < (1e-7 if rho < -0.5 else 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("slopes", [Slopes(1, 0.5), Slopes(1, 0.2), Slopes(1, -0.4)], ids=str)
@pytest.mark.parametrize("units", [8, 16])
def test_laws_of_narrow_networks_are_those_of_a_finer_grid(
    slopes: Slopes, units: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_rows, "_folder", lambda: tmp_path / "rows")
    found = []
    for step in (0.6, 0.35):
        monkeypatch.setattr(transition_rows, "_STEP", step)
        transition_rows.transition.cache_clear()
        exact_chain._walk.cache_clear()
        (state,) = exact_chain.states([(slopes, units)] * units, float(np.arctanh(0.3)), [units])
        assert state.lost < 1e-9
        rho = np.tanh(state.grid.y(state.z))
        found.append([float(state.masses @ (rho**power)) for power in range(1, 9)])
    transition_rows.transition.cache_clear()
    exact_chain._walk.cache_clear()
    assert np.abs(np.subtract(*found)).max() < 1e-9
