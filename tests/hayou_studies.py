"""Small studies that feed the figures of Hayou 2022."""

from __future__ import annotations

_RELU = "[{architecture: resnet, activation: {name: relu}}]"

STUDIES = {
    "one-unit": f"""
title: One unit, small
networks: {_RELU}
grid: {{width: 1, depth: [2, 6], start: 1.0, seed: 0}}
samples: 2048
record: {{layers: all}}
compare: [{{observable: log_growth, limit: hayou_relu_n1, at: all}}]
figures: [h22_figure_1]
""",
    "exotic": """
title: Ornstein-Uhlenbeck, small
networks: [{architecture: resnet, activation: {name: ornstein_uhlenbeck, alpha: 1.0, beta: 0.0}}]
grid: {width: 1, depth: [2, 6], start: 1.0, seed: 0}
samples: 2048
record: {layers: all}
compare: [{observable: ou_coordinate, limit: ornstein_uhlenbeck, at: all}]
figures: [h22_figure_2, h22_figure_3]
""",
    "collapse": f"""
title: Collapse, small
networks: {_RELU}
grid: {{width: [1, 2], depth: [1, 3, 30], gram: [[1.0]], seed: 0}}
samples: 2048
record: {{layers: 1}}
figures: [h22_figure_4]
""",
    "growth": f"""
title: Growth, small
networks: {_RELU}
grid: {{width: [2, 6], depth: 10, gram: [[1.0]], seed: 0}}
samples: 2048
record: {{layers: [0, 1, 5, 10]}}
compare:
  - {{observable: log_growth, limit: mckean_vlasov, at: all}}
  - {{observable: log_activation, limit: mckean_vlasov, at: all}}
growth: {{times: [0.2, 1.0], depths: [5, 10], samples: 2048}}
figures: [h22_figure_5, h22_figure_6, h22_figure_13]
""",
    "correlation": f"""
title: Correlation paths, small
networks: {_RELU}
grid: {{width: 6, depth: 10, correlation: 0.3, seed: 0}}
samples: 2048
record: {{layers: all}}
compare: [{{observable: correlation, limit: resnet_ode, at: all}}]
figures: [h22_figure_7]
""",
    "gradients": """
title: Gradients, small
networks: [{architecture: resnet, activation: {name: relu}, branch_exponent: [0.5, 0.0]}]
grid: {width: [4, 8], depth: 10, gram: [[1.0]], seed: 0}
samples: 2048
record: {layers: 6, gradients: true}
compare: [{observable: gradient_log_norm, limit: gradient_growth, at: all}]
figures: [h22_figure_8]
""",
}
