"""Which figures a study can draw: what each says that it needs, checked on the study's points and
comparisons before anything is simulated.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deeplimits.activations import Identity, OrnsteinUhlenbeck, ReluLike, Smooth, smooth_name
from deeplimits.architectures import of_papers
from deeplimits.errors import InputError
from deeplimits.figures import figures
from deeplimits.sweep.figure_needs import AtLeast, Between, Compared, Condition, Kind, Needs
from deeplimits.sweep.looks import check_color
from deeplimits.sweep.points import Point

if TYPE_CHECKING:
    from deeplimits.sweep.study import Study

_GOES_WITH_WIDTH = {"depth_over_width", "depth_is_n_to_2p"}
_WORDS = {
    "one_width": "one width in all of its layers",
    "last_recorded": "its last layer recorded",
    "first_recorded": "layer 0 recorded",
    "drawn": "an input in place of a start",
    "gradients": "gradients recorded",
    "depth_is_n_to_2p": "depth n^{2p}",
}
"""Facts that are true or not, in words."""


def check_figures(study: Study) -> None:
    """Refuse figures that the study cannot draw, and colours of them that are none.

    Raises
    ------
    InputError
        If there is one; the message says what is missing, and which figures can be drawn.
    """
    for index, (name, look) in enumerate(study.looks.items()):
        check_figure(study, name, f"figures.{index}")
        for role, color in look.colors.items():
            check_color(color, study.path, f"figures.{index}.colors.{role}")


def check_figure(study: Study, name: str, key: str) -> None:
    """Refuse a figure that the study cannot draw, asked for by a key of its file or an option.

    Raises
    ------
    InputError
        The message says what is missing, and which figures can be drawn.
    """
    missing = refusal(study, name)
    if missing is not None:
        able = [other for other in figures() if other != name and refusal(study, other) is None]
        drawn = "; it can draw " + ", ".join(able) if able else ""
        expected = f"a figure that this study can draw: {name} needs {missing}{drawn}"
        raise InputError(study.path, key, name, expected)


def refusal(study: Study, figure: str) -> str | None:
    """What a study lacks for a figure, and what it has in its place; None where it can draw it."""
    return next(filter(None, _lacking(study, figures()[figure].NEEDS)), None)


def _lacking(study: Study, needs: Needs) -> Iterator[str | None]:
    """What is missing of each need in turn, None where nothing is; a later one counts on those before."""
    if study.samples < needs.samples:
        yield f"samples of {needs.samples} or more, and there is {study.samples}"
    if needs.growth is not None:
        yield _growth(study, *needs.growth)
    groups: list[list[Point]] = [[] for _ in needs.kinds]
    if needs.kinds:
        yield _sorted_into(study.points, needs, groups)
    for kind, points in zip(needs.kinds, groups, strict=True):
        yield _unlike(kind, points)
    for compared in needs.compared:
        yield _not_compared(study, compared, [point for k in compared.kinds for point in groups[k]])
    yield _generic(study, needs)


def facts(point: Point) -> dict[str, Any]:
    """What conditions are about, by name; what does not apply is None."""
    network = point.network
    phi, shaping = network.activation, network.shaping
    relu = phi if isinstance(phi, ReluLike) else None
    smooth = phi if isinstance(phi, Smooth) else None
    ornstein = phi if isinstance(phi, OrnsteinUhlenbeck) else None
    shaped_depth = max(1, math.floor(float(network.widest) ** min(2 * network.exponent, 8.0) + 0.5))
    return {
        "architecture": network.architecture,
        "recursion": network.kind.recursion,
        "activation": _name(phi),
        "c_plus": relu and relu.c_plus,
        "c_minus": relu and relu.c_minus,
        "slopes_apart": relu and abs(relu.c_plus - relu.c_minus),
        "a": smooth and smooth.a,
        "center": smooth and smooth.center,
        "alpha": ornstein and ornstein.alpha,
        "beta": ornstein and ornstein.beta,
        "exponent": network.exponent,
        "shaped_by": shaping.by if shaping else None,
        "branch_exponent": network.branch_exponent if "branch_exponent" in network.kind.keys else None,
        "width": network.width,
        "depth": network.depth,
        "depth_over_width": network.depth / network.widest,
        "depth_is_n_to_2p": network.depth == shaped_depth and not network.uneven,
        "one_width": not network.uneven,
        "start": network.start,
        "drawn": network.start is None,
        "inputs": network.inputs,
        "norm": network.gram[0][0],
        "correlation": network.correlation() if network.inputs > 1 else None,
        "gram": network.gram,
        "seed": network.seed,
        "records": len(point.layers),
        "first_recorded": point.layers[0] == 0,
        "last_recorded": point.layers[-1] == network.depth,
        "gradients": point.gradients,
    }


_FOLLOW = {
    "recursion",
    "records",
    "layers",
    "depth_over_width",
    "depth_is_n_to_2p",
    "slopes_apart",
    "gram",
    "norm",
    "first_recorded",
    "last_recorded",
}
"""Facts that follow from others."""


def _name(phi: object) -> str:
    if isinstance(phi, Smooth):
        return smooth_name(phi.formula)
    names = {Identity: "identity", OrnsteinUhlenbeck: "ornstein_uhlenbeck", ReluLike: "relu"}
    return names[type(phi)]


def _sorted_into(points: Sequence[Point], needs: Needs, groups: list[list[Point]]) -> str | None:
    """Put every point with the kind that it is of; what is missing of a point that is of none, and of a kind
    that is not there.
    """
    for point in points:
        held = facts(point)
        unmet = [_unmet(kind, held) for kind in needs.kinds]
        place = next((i for i, fact in enumerate(unmet) if fact is None), None)
        if place is None:
            # the kind that it comes nearest to: whose conditions are met longest
            place = max(range(len(unmet)), key=lambda i: list(needs.kinds[i].of).index(str(unmet[i])))
            fact = str(unmet[place])
            shown = "architecture" if fact == "recursion" else fact
            wanted, found = _wanted(fact, needs.kinds[place].of[fact]), _in_words(shown, held[shown])
            if len(needs.kinds) > 1:
                wanted += f", of its {len(needs.kinds)} kinds of networks the nearest"
            return f"every network with {wanted}, and one is {found}"
        groups[place].append(point)
    for kind, group in zip(needs.kinds, groups, strict=True):
        low, high = kind.points
        if not low <= len(group) <= high:
            wanted = f"{low}" if low == high else f"{low} to {high}"
            conditions = ", ".join(_wanted(name, condition) for name, condition in kind.of.items())
            return f"{wanted} network with {conditions}, and there are {len(group)}"
    return None


def _unmet(kind: Kind, held: Mapping[str, Any]) -> str | None:
    """The first fact that is not as the kind wants it."""
    return next((name for name, condition in kind.of.items() if not _holds(condition, held[name])), None)


def _holds(condition: Condition, value: Any) -> bool:
    match condition:
        case AtLeast(low):
            return value is not None and bool(value >= low)
        case Between(low, high):
            return value is not None and bool(low < value < high)
        case tuple():
            return value in condition
        case _:
            return bool(value == condition)


def _wanted(name: str, condition: Condition) -> str:
    if name in _WORDS:
        return _WORDS[name]
    if name == "recursion":
        return f"architecture {of_papers('residual' if condition == 'residual' else 'plain').name}"
    if isinstance(condition, tuple):
        return f"{name} " + " or ".join(f"{each:g}" for each in condition)
    return f"{name} {_text(condition)}"


def _in_words(name: str, value: Any) -> str:
    if name in _WORDS or value is None:
        return "with it" if value else "without"
    return f"of {name} {_text(value)}"


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _unlike(kind: Kind, points: Sequence[Point]) -> str | None:
    """What is wrong with how the points of a kind differ."""
    table = [facts(point) for point in points]
    if kind.agree is not None:
        fixed = set(kind.agree)
    else:
        fixed = (
            set(table[0])
            - _FOLLOW
            - set(kind.differ)
            - ({"depth"} if _GOES_WITH_WIDTH & set(kind.of) else set())
        )
    for name in table[0]:
        values = list(dict.fromkeys(row[name] for row in table))
        if name in fixed and len(values) > 1:
            found = " and ".join(_in_words(name, value) for value in values[:2])
            among = " and ".join(kind.differ) or "nothing"
            return f"networks that differ in {among} alone, and some are {found}"
        low, high = kind.differ.get(name, (0, len(values)))
        if not low <= len(values) <= high:
            wanted = f"{low} to {high} values" if high > low else f"{low} values"
            return f"{wanted} of {name}, and there are {len(values)}"
    if kind.agree is not None:
        return None
    places = [tuple(row[name] for name in kind.differ) for row in table]
    twice = next((place for place, count in Counter(places).items() if count > 1), None)
    if twice is not None:
        shown = ", ".join(f"{name} {_text(value)}" for name, value in zip(kind.differ, twice, strict=True))
        return f"networks that differ in {' and '.join(kind.differ)}, and two have {shown or 'the same'}"
    sizes = [len({row[name] for row in table}) for name in kind.differ]
    if kind.whole and len(places) < math.prod(sizes):
        lacking = math.prod(sizes) - len(places)
        return f"every combination of {' and '.join(kind.differ)}, and {lacking} are missing"
    return None


def _not_compared(study: Study, wanted: Compared, points: Sequence[Point]) -> str | None:
    """What is missing of an entry of ``compare``."""
    from deeplimits.limits import registry
    from deeplimits.limits.base import Limit
    from deeplimits.sweep.comparisons import compared_layers

    text = f"{wanted.observable}" + (f" against {wanted.limit}" if wanted.limit else "")
    found = [
        (index, entry)
        for index, entry in enumerate(study.compare)
        if entry.observable == wanted.observable and wanted.limit in (None, entry.limit)
    ]
    if not found:
        return f"{text} under compare, and it is not there"
    index, entry = found[0]
    if wanted.limit is None:
        return None
    for point in points:
        layers = compared_layers(entry, point, study.path, index)
        if layers is None:
            reason = registry()[entry.limit].refusal(point.network, entry.observable) or "it is not recorded"
            return f"{text} at each of its networks, and at one it is not there: {reason}"
        # what is known from the start on is not recorded at layer 0
        if wanted.at == "all" and entry.at != "all":
            return f"{text} with at: all, and there it is {entry.at or 'the last layer'}"
        if layers[-1:] != [point.layers[-1]]:
            return f"{text} at the last layer, and there it is at layer {layers[-1]}"
    if wanted.distance and wanted.distance not in entry.distances:
        return f"{wanted.distance} among the distances of {text}, and there are {', '.join(entry.distances)}"
    if wanted.joint and type(registry()[entry.limit]).joint_samples is Limit.joint_samples:
        return f"a limit that knows all inputs together, and {entry.limit} does not"
    return None


def _generic(study: Study, needs: Needs) -> str | None:
    """What is missing of figures of any network."""
    if needs.random and not any(_random_entries(study)):
        return (
            "an entry under compare with a limit that is random and ks among its distances, and there is none"
        )
    if needs.shown > 1:
        from deeplimits.sweep.comparisons import is_recorded

        name = study.compare[0].observable if study.compare else "log_variance"
        most = max(sum(is_recorded(name, point, layer) for layer in point.layers) for point in study.points)
        if most < needs.shown:
            return f"{needs.shown} or more recorded layers of {name}, and there are {most}"
    return None


def _random_entries(study: Study) -> Iterator[bool]:
    """Whether a Kolmogorov distance is kept, by entry."""
    from deeplimits.limits import registry
    from deeplimits.sweep.comparisons import compared_layers

    for index, entry in enumerate(study.compare):
        if "ks" in entry.distances and not registry()[entry.limit].is_number(entry.observable):
            for point in study.points:
                layers = compared_layers(entry, point, study.path, index)
                # at layer 0 every law is a number
                yield bool(layers and layers[-1] > 0)


def _growth(study: Study, times: Sequence[float], most: int) -> str | None:
    if study.growth is None:
        return "the key growth, and it is not there"
    lacking = [time for time in times if time not in study.growth.times]
    if lacking:
        return f"{lacking[0]:g} among the times of growth, and there are {study.growth.times}"
    if len(set(study.growth.times)) > most:
        return f"at most {most} times of growth, and there are {len(set(study.growth.times))}"
    return None
