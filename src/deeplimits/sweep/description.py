"""What the store of a study is made from, as plain values: written beside its data, so that the two can be
compared with what the study file and the configuration say later.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from deeplimits.architectures import architecture, architectures
from deeplimits.limits import registry
from deeplimits.observables import OBSERVABLES
from deeplimits.sweep.grid import as_list
from deeplimits.sweep.models import GridModel
from deeplimits.sweep.study import Study

_AXES = ("width", "depth", "correlation", "start", "seed")


def described(study: Study) -> dict[str, Any]:
    """The study in plain values, equal for files that mean the same: axes are lists, defaults are left out.

    The figures are no part of it, for they are drawn from the store. Samples are those that are drawn, the
    scale applied.
    """
    grids = [_axes(grid) for _, grid in study.networks]
    shared = all(grid == grids[0] for grid in grids)
    networks = [
        model.model_dump(mode="json", exclude_defaults=True) | ({} if shared else {"grid": grid})
        for (model, _), grid in zip(study.networks, grids, strict=True)
    ]
    spec = study.layers_spec
    found = {
        "title": study.title,
        "networks": networks,
        **({"grid": grids[0]} if shared else {}),
        "samples": study.samples,
        "record": {
            "layers": sorted(spec) if isinstance(spec, tuple) else spec,
            "gradients": study.gradients,
            "output": study.output,
        },
        "compare": [entry.model_dump(mode="json", exclude_defaults=True) for entry in study.compare],
        "growth": study.growth.model_dump(mode="json") if study.growth else None,
        **({"made_with": made_with} if (made_with := _made_with(study)) else {}),
    }
    plain: dict[str, Any] = json.loads(json.dumps(found))
    return plain


def _made_with(study: Study) -> dict[str, str]:
    """What other packages put in, by what it is: the sampler of an architecture, the sources of a limit, and
    those of observables, all of which are reduced.
    """
    named = {model.architecture for model, _ in study.networks} & set(architectures())
    found = {f"architecture {name}": architecture(name).sampler for name in named}
    found |= {f"limit {entry.limit}": registry().sources(entry.limit) for entry in study.compare}
    found |= {f"observable {name}": OBSERVABLES.sources(name) for name in OBSERVABLES}
    return {name: made for name, made in sorted(found.items()) if made}


def as_content(description: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a study file that is described so, without figures."""
    # replaced by the grid of each network
    placeholder = {"width": [[1]], "correlation": 0.0}
    return {"grid": placeholder, **{key: value for key, value in description.items() if key != "made_with"}}


def _axes(grid: GridModel) -> dict[str, Any]:
    given = grid.model_dump(mode="json", exclude_none=True)
    if not given["zip"]:
        del given["zip"]
    return {
        name: as_list(value) if name in _AXES and not isinstance(value, dict) else value
        for name, value in given.items()
    }


def differences(held: dict[str, Any], asked: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The keys in which two descriptions differ, such as ``grid.width``, and what is found there; None where
    there is nothing.
    """
    if ("grid" in held) != ("grid" in asked):
        held, asked = _each_with_its_grid(held), _each_with_its_grid(asked)
    yield from _differences(held, asked, "")


def _each_with_its_grid(found: dict[str, Any]) -> dict[str, Any]:
    """The description with a grid for each network."""
    if "grid" not in found:
        return found
    networks = [network | {"grid": found["grid"]} for network in found["networks"]]
    return {name: value for name, value in found.items() if name != "grid"} | {"networks": networks}


def _differences(held: Any, asked: Any, key: str) -> Iterator[tuple[str, Any, Any]]:
    if held == asked:
        return
    if isinstance(held, dict) and isinstance(asked, dict):
        for name in dict.fromkeys([*held, *asked]):
            yield from _differences(held.get(name), asked.get(name), f"{key}.{name}" if key else name)
    elif _mappings(held) and _mappings(asked) and len(held) == len(asked):
        for i, (one, other) in enumerate(zip(held, asked, strict=True)):
            yield from _differences(one, other, f"{key}.{i}")
    elif _mappings(held) and _mappings(asked):
        gone, new = (
            [each for each in one if each not in other] for one, other in ((held, asked), (asked, held))
        )
        yield key, gone or None, new or None
    else:
        yield key, held, asked


def _mappings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)
