"""What every record of an observable promises: it is documented, labelled, measured as it says, and limits
that speak of it agree with the measurement. One record, in one place, is all that a new one needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import cast

import numpy as np
import pytest

import deeplimits
from deeplimits.activations import Identity, OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.analysis.beside import drawn
from deeplimits.drawing.build import build_figure
from deeplimits.drawing.wording import observable_text, symbol
from deeplimits.errors import InputError
from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.laws import Transform
from deeplimits.limits import registry
from deeplimits.limits.recursion import PairCovariance
from deeplimits.networks.network import Network, Shaping
from deeplimits.observable_kind import Kind
from deeplimits.observables import OBSERVABLES, Observable, parse
from deeplimits.variables import STORED
from tiny import STUDY, project, simulated

DATA = Path(__file__).parent.parent / "docs" / "data.md"
GRAM = ((1.0, 0.3), (0.3, 2.0))
NETWORKS = {
    "shaped": Network(ReluLike(0.5, -0.5), 40, 20, GRAM, shaping=Shaping("width", 0.5)),
    "unshaped": Network(ReluLike(), 40, 20, GRAM),
    "smooth": Network(Smooth.of("tanh"), 40, 20, GRAM, shaping=Shaping("width", 0.5)),
    "residual": Network(ReluLike(), 40, 20, GRAM, architecture="resnet"),
    "one unit": Network(OrnsteinUhlenbeck(0.7, 0.2), 1, 50, ((1.0,),), architecture="resnet"),
    "linear, residual": Network(Identity(), 3, 50, ((1.0,),), architecture="resnet"),
}


@pytest.fixture(params=OBSERVABLES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_it_is_documented_and_labelled(kind: str) -> None:
    record = OBSERVABLES[kind]
    assert f"| `{kind}` | {'an input' if record.inputs == 1 else 'two inputs'} |" in DATA.read_text()
    assert record.meaning
    last = "input" if record.inputs == 1 else "cross"
    assert record.dimensions[-1] == last
    assert STORED[record.variables[0]].dimensions[-1] == last
    other = f"{kind}_1" if record.inputs == 1 else f"{kind}_0_2"
    assert parse(other).name == other
    assert observable_text(other).startswith(kind.replace("_", " "))
    assert symbol(other) != symbol(kind)
    assert (kind in STORED) == (record.variables == (kind,))


def test_it_is_measured_where_it_exists_and_refused_elsewhere(kind: str) -> None:
    """What it is made of is monotone in the direction that it declares, on networks that are drawn."""
    measured = 0
    for network in NETWORKS.values():
        # at the last layer, gradients of a residual network are the readout itself
        layers = [layer for layer in (5, network.depth) if OBSERVABLES[kind].exists(network, layer)]
        if not layers:
            with pytest.raises(InputError):
                drawn(network, kind, network.depth, 16)
            continue
        values = drawn(network, kind, layers[0], 64)
        measured += 1
        assert values.shape == (64,)
        assert np.isfinite(values).mean() > 0.9
        assert np.ptp(values[np.isfinite(values)]) > 0
    assert measured
    stored = np.geomspace(0.01, 1.9, 50).astype(np.float32)
    slopes = np.diff(parse(kind).values(stored, 3))
    assert (slopes > 0).all() if OBSERVABLES[kind].increasing else (slopes < 0).all()


@pytest.mark.parametrize("kind", [kind for kind, record in OBSERVABLES.items() if record.of_matrix])
def test_a_matrix_has_what_is_measured_of_it(kind: str) -> None:
    pair = PairCovariance(0.7, 2.5, 0.4)
    arrays = {
        "log_variance": np.log(np.array([[[pair.first, pair.second]]])).astype(np.float32),
        "correlation_gap": np.array([[[pair.gap]]], np.float32),
    }
    (measured,) = parse(kind).of_arrays(arrays, 0, 7, NETWORKS["shaped"])
    assert pair.observed(kind, 7) == pytest.approx(measured, rel=1e-6)


def agreeing() -> Iterator[tuple[str, str, str, str]]:
    """Limits that speak of two functions of one stored variable, and networks that they are for."""
    for limit in registry().values():
        kinds = [kind for kind in limit.observables if not OBSERVABLES[kind].since_start]
        for one, other in combinations(kinds, 2):
            if OBSERVABLES[one].variables != OBSERVABLES[other].variables or limit.kind == "sampled":
                continue
            for name, network in NETWORKS.items():
                if limit.applies(network, one) and limit.applies(network, other):
                    yield limit.name, name, one, other


@pytest.mark.parametrize(("limit", "network", "one", "other"), [*agreeing()])
def test_laws_go_over_into_one_another_as_measurements_do(
    limit: str, network: str, one: str, other: str
) -> None:
    """F of one at T(x) is F of the other at U(x), x being what is stored."""
    asked = NETWORKS[network]
    layer = asked.depth
    first, second = (registry()[limit].marginals(asked, [layer], kind)[0] for kind in (one, other))
    values = np.asarray(first.quantile([0.05, 0.3, 0.5, 0.7, 0.95]))
    stored = (
        np.linspace(-6, 6, 20_001)
        if "gap" not in OBSERVABLES[one].variables[0]
        else np.linspace(0, 2, 20_001)
    )
    along = OBSERVABLES[one].transform(stored, layer)
    order = np.argsort(along)
    at = np.interp(values, along[order], stored[order])
    expected = OBSERVABLES[other].transform(at, layer)
    same = OBSERVABLES[one].increasing == OBSERVABLES[other].increasing
    levels = np.array([0.05, 0.3, 0.5, 0.7, 0.95])
    found = np.asarray(second.quantile(levels if same else 1 - levels))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


ANGLE = Kind(
    meaning="angle between two inputs, arccos ρ",
    inputs=2,
    variables=("correlation_gap",),
    transform=lambda gap, _: 2 * np.arcsin(np.sqrt(gap / 2)),
    low=0.0,
    high=np.pi,
    symbol="θ",
    law=("correlation", Transform(np.cos, np.arccos, np.sin, increasing=False, low=0.0, high=np.pi)),
)


def _forget_observables() -> None:
    """What this process has found out about the records that there were."""
    parse.cache_clear()
    for limit in registry().values():
        vars(limit).pop("spoken", None)


@pytest.fixture
def angle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Observable]:
    monkeypatch.setitem(cast("dict[str, Kind]", OBSERVABLES.own), "angle", ANGLE)
    _forget_observables()
    yield parse("angle")
    _forget_observables()


@pytest.mark.slow
def test_one_record_is_simulated_aggregated_compared_queried_and_drawn(
    angle: Observable, tmp_path: Path
) -> None:
    """Its distance to its law is that of the correlation: no monotone map changes it. Both laws are functions
    of one, so the two are equal up to a cell of 2⁻¹⁴.
    """
    entry = "{observable: correlation, limit: correlation_sde, rate_in: width}"
    text = STUDY.replace(entry, f"{entry.replace('correlation,', 'angle,', 1)}, {entry}")
    config = project(tmp_path, text)
    simulated(config)
    aggregate_study(config.study("tiny"), config.results)
    ks = deeplimits.query(
        "SELECT compared, width, value FROM comparison WHERE distance = 'ks' ORDER BY width",
        config=config.path,
    )
    one, other = (ks.value[ks.compared == name].to_numpy() for name in ("angle", "correlation"))
    assert len(one) == 2
    np.testing.assert_allclose(one, other, atol=2**-13)
    moments = deeplimits.query("SELECT mean FROM moments WHERE observable = 'angle'", config=config.path)
    assert len(moments) == 6
    samples = deeplimits.open_samples("tiny", config=config.path)
    np.testing.assert_allclose(samples["angle"], np.arccos(samples["rho"]), atol=1e-3)
    assert samples["angle"].attrs["long_name"] == "angle between two inputs"
    for name in ("law_against_limit", "ks_against_width"):
        assert all(path.is_file() for path in build_figure(config.study("tiny"), name, config.results))
    law = deeplimits.limit(config.study("tiny").points[0].network, "angle", "correlation_sde")
    other_law = deeplimits.limit(config.study("tiny").points[0].network, "correlation", "correlation_sde")
    assert law.about.error == other_law.about.error
    np.testing.assert_allclose(law.quantile(0.2), np.arccos(other_law.quantile(0.8)))
    assert law.mean == pytest.approx(np.mean(np.arccos(other_law.sample(1 << 16))), abs=4 * law.std / 2**8)


def test_what_has_no_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="angle"):
        project(tmp_path, STUDY.replace("observable: correlation", "observable: angle")).study("tiny")
