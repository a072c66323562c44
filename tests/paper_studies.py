"""A small study of every figure, beside those of residual networks in ``hayou_studies``."""

from __future__ import annotations

import hayou_studies
from small_studies import THREE
from tiny import STUDY

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
