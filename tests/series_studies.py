"""Studies whose points lie in series of every kind."""

from __future__ import annotations

RELU = "{activation: {name: relu, c_plus: 0.5, c_minus: -0.5}, shaping: {exponent: 0.5}}"


RHO = "correlation: 0.3"


ENTRY = "{observable: log_variance, limit: variance, rate_in: width}"


SIZED = "width: [8, 16, 32], depth: {times_width: 1.0}"


def text(networks: str = RELU, grid: str = f"{SIZED}, {RHO}", compare: str = ENTRY) -> str:
    return f"title: T\nnetworks: [{networks}]\ngrid: {{{grid}}}\nsamples: 64\nrecord: {{layers: all}}\ncompare: [{compare}]\n"


def gram(third: str) -> str:
    return f"gram: [[1.0, 0.3, 0.1], [0.3, 1.0, {third}], [0.1, {third}, 1.0]]"


LONG = "[" + ", ".join(["8"] * 30)


FAMILY = {
    "correlation and seed": text(grid=f"{SIZED}, correlation: [0.0, 0.3], seed: [0, 1]"),
    "close correlations": text(grid=f"{SIZED}, correlation: [0.3, 0.3000000001]"),
    "large seeds": text(grid=f"{SIZED}, {RHO}, seed: [4611686018427387904, 4611686018427387905]"),
    "depth": text(grid=f"width: [8, 16, 32], depth: [4, 8], {RHO}"),
    "slopes": text(RELU.replace("c_plus: 0.5", "c_plus: [0.5, 0.500000001, 0.6]")),
    "shaping": text(RELU.replace("{exponent: 0.5}", "{by: [width, depth], exponent: [0.3, 0.5]}")),
    "smooth": text(
        "{activation: {name: [tanh, softplus], a: [1.0, 1.25], center: [0.5, 1], centered: true}}"
    ),
    "formulas": text("{activation: {name: expression, expression: [x / (1 + exp(-x)), tanh(x) + x]}}"),
    "branch": text(
        "{architecture: resnet, activation: {name: [relu, tanh]}, branch_exponent: [0, 0.5, 0.75]}"
    ),
    "start": text("{architecture: resnet, activation: {name: relu}}", f"{SIZED}, start: [1.0, -1.0, 2]"),
    "exotic": text(
        "{architecture: resnet, activation: {name: ornstein_uhlenbeck, alpha: [1, 0.5], beta: [0, 0.25]}}",
        "width: 1, depth: [4, 8, 16], start: 1.0",
    ),
    "widths": text(grid=f"width: [[8, 16], [16, 32], [16, 8], [8, 8], [8, 8, 8]], {RHO}"),
    "long widths": text(grid=f"width: [{LONG}, 9], {LONG}, 10]], {RHO}"),
    "grams": text(f"{RELU[:-1]}, grid: {{{gram('0.2')}}}}}, {RELU[:-1]}, grid: {{{gram('0.25')}}}}}, {RELU}"),
    "norms": text(
        f"{RELU[:-1]}, grid: {{gram: [[2.0, 0.3], [0.3, 1.0]]}}}}, {RELU[:-1]}, grid: {{gram: [[4.0]]}}}}, {RELU}"
    ),
    "in step": text(
        grid=f"width: [8, 16, 32], depth: [4, 9, 16], {RHO}, seed: [0, 1, 2], zip: [width, depth, seed]"
    ),
    "sizes twice": text(
        grid=f"width: [8, 8, 16, 16], depth: 4, {RHO}, seed: [0, 1, 0, 1], zip: [width, seed]"
    ),
    "depths twice": text(grid=f"width: [8, 8, 16, 16], depth: [4, 8, 4, 8], {RHO}, zip: [width, depth]"),
    "times": text(compare="{observable: log_variance, limit: variance, at: [AT]}").replace(
        "compare: [{observable: log_variance, limit: variance, at: [AT]}]",
        "compare: [" + ", ".join(f"{ENTRY[:-1]}, at: {at}}}" for at in ("0.5", "1.0", "all")) + "]",
    ),
    "observables": text(compare=f"{ENTRY}, {ENTRY.replace('log_variance', 'variance')}"),
}
