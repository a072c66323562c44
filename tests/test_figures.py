"""Figures are functions of the study store: the same bytes when drawn again, in any order, by any process."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from docutils.core import publish_parts
from jinja2 import StrictUndefined, Template

import hayou_studies
from deeplimits.drawing.build import build_figure
from deeplimits.figures import figures
from deeplimits.figures.ln24_do_limits_commute import two_terms
from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.store.errors import StoreError
from forked import deeplimits
from small_studies import THREE
from tiers import everyday
from tiny import STUDY, project, simulated

PAPERS = """
title: Figures of the papers, small
networks:
  - {architecture: mlp, activation: {name: relu}}
  - {architecture: mlp, activation: {name: relu, c_minus: -1.0}, shaping: {by: width, exponent: 0.5}}
grid: {width: 20, depth: {times_width: 1.0}, correlation: 0.3, seed: 0}
samples: 2048
record: {layers: all}
compare:
  - {observable: correlation, limit: markov_chain, at: all}
  - {observable: correlation, limit: infinite_width, at: all}
  - {observable: correlation, limit: unshaped, at: all}
  - {observable: correlation, limit: correlation_sde, at: all}
  - {observable: correlation, limit: correlation_sde_euler, at: all}
  - {observable: correlation, limit: matched_sde, at: all}
  - {observable: correlation, limit: correlation_ode, at: all}
figures: [lnr22_figure_1]
"""


RESCALED = """
title: Rescaled correlation, small
networks: [{architecture: mlp, activation: {name: relu}}]
grid: {width: 20, depth: {times_width: 1.0}, correlation: 0.3, seed: 0}
samples: 2048
record: {layers: 2}
compare:
  - {observable: rescaled_correlation, limit: unshaped, at: 1.0}
  - {observable: rescaled_correlation, limit: unshaped_corrected, at: 1.0}
  - {observable: rescaled_correlation, limit: ln24_theorem_4_1_printed, at: 1.0}
  - {observable: rescaled_correlation, limit: unshaped_euler, at: 1.0}
figures: [ln24_figure_1]
"""
EXPLOSION = """
title: Explosion, small
networks:
  - activation: {name: softplus, center: [-1.0, 1.0]}
    shaping: {by: width, exponent: 0.5}
grid: {width: [8, 12], depth: {times_width: 1.0}, gram: [[1.0]]}
samples: 2048
record: {layers: 5}
figures: [lnr22_figure_2]
"""
CRITICAL = """
title: Critical exponent, small
networks:
  - {activation: {name: relu}, shaping: {by: width, exponent: [0.25, 0.5, 1.0]}}
  - {activation: {name: tanh}, shaping: {by: width, exponent: [0.25, 0.5, 1.0]}}
grid: {width: [8, 16], depth: {times_width: 1.0}, correlation: 0.3}
samples: 1024
record: {layers: 2}
compare:
  - {observable: correlation, limit: correlation_sde, at: 1.0}
  - {observable: correlation, limit: linear, at: 1.0}
  - {observable: correlation, limit: smooth_quarter, at: 1.0}
  - {observable: log_variance, limit: variance, at: 1.0}
  - {observable: log_variance, limit: smooth_variance, at: 1.0}
figures: [lnr22_critical_exponent]
"""
ENTRANCE = """
title: Entrance, small
networks: [{activation: {name: relu}}]
grid: {width: 20, depth: {times_width: 1.0}, correlation: [0.3, 0.9]}
samples: 1024
record: {layers: [0, 1, 2, 5, 10, 20]}
compare:
  - {observable: rescaled_correlation, limit: unshaped_entrance, at: all}
  - {observable: rescaled_correlation, limit: unshaped, at: all}
figures: [ln24_entrance]
"""
ODE_REGIME = """
title: ODE regime, small
networks:
  - activation: {name: relu, c_plus: 0.5, c_minus: -0.5}
    shaping: {by: width, exponent: 0.2}
    grid: {depth: {power_of_width: 0.4}}
  - activation: {name: relu, c_plus: 0.5, c_minus: -0.5}
    shaping: {by: width, exponent: 0.4}
    grid: {depth: {power_of_width: 0.8}}
grid: {width: [8, 16, 32], depth: {times_width: 1.0}, correlation: 0.3}
samples: 1024
record: {layers: 3}
compare: [{observable: correlation, limit: correlation_ode, at: all, distances: [rms], rate_in: width}]
figures: [ln24_ode_regime]
"""
EQUIVALENCE = """
title: Equivalence, small
networks:
  - activation: {name: relu, c_plus: 0.5, c_minus: -0.5}
    shaping: {by: width, exponent: 0.2}
    grid: {width: 64, depth: {power_of_width: 0.4}}
  - activation: {name: relu, c_plus: 0.5, c_minus: -0.5}
    shaping: {by: width, exponent: 0.5}
  - {architecture: resnet, activation: {name: relu}}
grid: {width: 16, depth: {times_width: 1.0}, correlation: 0.3}
samples: 1024
record: {layers: 5}
compare:
  - {observable: correlation, limit: correlation_ode, at: all}
  - {observable: correlation, limit: correlation_sde, at: all}
  - {observable: correlation, limit: resnet_ode, at: all}
figures: [ln24_equivalence]
"""
COMMUTE = """
title: Order of limits, small
networks:
  - activation: {name: relu, c_plus: 0.5, c_minus: -0.5}
    shaping: {by: depth, exponent: 0.5}
  - {architecture: resnet, activation: {name: relu}}
grid: {width: [4, 8, 16, 32], depth: [4, 8, 16], correlation: 0.3}
samples: 1024
record: {layers: 2}
compare:
  - {observable: correlation, limit: correlation_ode, at: 1.0, distances: [rms]}
  - {observable: correlation, limit: resnet_ode, at: 1.0, distances: [rms]}
figures: [ln24_do_limits_commute]
"""
PHASES = """
title: Phase diagram, small
networks:
  - {activation: &slopes {name: relu, c_plus: 0.5, c_minus: -0.5}, shaping: &p {by: width, exponent: [0.25, 0.5, 1.0]}}
  - {activation: *slopes, shaping: *p, grid: {depth: {times_width: 0.5}}}
grid: {width: [8, 16], depth: {times_width: 1.0}, correlation: 0.3}
samples: 1024
record: {layers: 1}
compare:
  - {observable: correlation, limit: matched_sde}
  - {observable: correlation, limit: correlation_ode}
  - {observable: correlation, limit: correlation_sde}
  - {observable: correlation, limit: linear}
figures: [phase_diagram]
"""
EXACT = """
title: Exact laws, small
networks: [{activation: {name: identity}}]
grid: {width: [32, 40], depth: {times_width: 0.25}, correlation: 0.3, seed: 0}
samples: 64
record: {layers: 2}
figures: [exact_rates, which_law]
"""
STUDIES = {
    "own": STUDY,
    "exact": EXACT,
    "papers": PAPERS,
    "rescaled": RESCALED,
    "explosion": EXPLOSION,
    "critical": CRITICAL,
    "entrance": ENTRANCE,
    **hayou_studies.STUDIES,
    "ode": ODE_REGIME,
    "equivalence": EQUIVALENCE,
    "commute": COMMUTE,
    "phases": PHASES,
    "joint": THREE,
}


@pytest.mark.slow
@pytest.mark.parametrize("text", everyday(STUDIES.values(), 7), ids=STUDIES)
def test_figures_are_the_same_bytes_when_drawn_again(tmp_path: Path, text: str) -> None:
    config = project(tmp_path, text)
    simulated(config)
    study = config.study("tiny")
    with pytest.raises(StoreError):
        build_figure(study, study.figures[0], config.results)
    aggregate_study(study, config.results)
    drawn = {}
    for figure in study.figures:
        for path in build_figure(study, figure, config.results):
            drawn[path] = path.read_bytes()
            assert len(drawn[path]) > 2000
            # powers are superscripts; comments have the source of formulas
            assert path.suffix != ".svg" or b"^" not in re.sub(rb"<!--.*?-->", b"", drawn[path])
    assert len(drawn) == 3 * len(study.figures)
    for figure in reversed(study.figures):
        done = deeplimits("figure", f"tiny/{figure}", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert {Path(line) for line in done.stdout.split()} <= drawn.keys()
    for path, content in drawn.items():
        assert path.read_bytes() == content, path.name


def test_every_figure_is_drawn_by_a_test() -> None:
    named = {
        name
        for text in STUDIES.values()
        for name in text.rpartition("figures: [")[2].strip("]\n ").split(", ")
    }
    assert named == set(figures())


def test_every_figure_has_a_caption() -> None:
    """It fills in, and says from how many networks and which seed."""
    facts = {"study": "STUDY", "title": "TITLE", "samples": "1,234", "seeds": "seed 5", "noise": "0.02"}
    for name in figures():
        caption = Template(figures()[name].CAPTION, undefined=StrictUndefined).render(facts)
        assert caption.startswith("**"), name
        assert "1,234 networks" in caption, name
        assert "seed 5" in caption, name
        assert "STUDY" in caption, name
        publish_parts(caption, writer="html", settings_overrides={"halt_level": 2, "report_level": 2})


def test_two_terms_are_found_and_bound_the_distances() -> None:
    """Of distances that are a sum of both, the sum itself; of others, the factor makes it a bound."""
    widths, depths = np.array([4.0, 16.0, 64.0]), np.array([4.0, 8.0, 32.0])
    total = 1.5 * widths[:, None] ** -0.5 + 0.25 / depths
    assert two_terms(widths, depths, total) == pytest.approx((1.5, 0.25, 1.0), rel=1e-9)
    bent = total * np.linspace(0.8, 1.1, 9).reshape(3, 3)
    a, b, factor = two_terms(widths, depths, bent)
    assert (bent <= factor * (a * widths[:, None] ** -0.5 + b / depths) * (1 + 1e-12)).all()
    assert min(a, b) >= 0
