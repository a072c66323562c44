"""The tables of ``query``, described: what a row is, what they are made from, their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deeplimits.store.arrays import ENTRIES, GROUPS, OF_POINTS
from deeplimits.sweep.axes import AXES
from deeplimits.variables import Variable, text, whole


@dataclass(frozen=True, slots=True)
class Table:
    """A table of ``query``.

    Parameters
    ----------
    rows
        What a row is.
    source
        What it is made from.
    columns
        By name, in their order.
    """

    rows: str
    source: str
    columns: Mapping[str, Variable]


POINTS = {
    "physics": text("name of the network, of all that its law depends on, and of its random stream"),
    **AXES,
    "blocks": whole("blocks that the store holds of it"),
    "samples": whole("networks in these blocks"),
}
"""Columns of ``points``."""
BLOCKS = {
    "block": text("name of the block"),
    "physics": text("name of its network"),
    "index": whole("its place among the blocks of the network"),
    "first": whole("its first sample", units=""),
    "count": whole("its samples"),
    "records": whole("layers that are recorded"),
    "batch": text("the batch that it was computed in"),
    "engine": text("the engine that computed it"),
    "finished": text("when"),
}
"""Columns of ``blocks``."""
CLAIMS = {
    "id": text("name of the claim"),
    "verdict": text("holds, fails or undecided"),
    "effect": Variable("what is estimated, in the claim's own units"),
    "low": Variable("lower end of its interval"),
    "high": Variable("upper end of its interval"),
    "margin": Variable("how large the effect may be"),
    "samples": whole("networks that it rests on"),
    "normals": whole("standard normals that were drawn for them"),
    "study": text("the study that holds the evidence"),
    "statement": text("what is claimed"),
    "source": text("where the paper says it"),
    "paper": text("the paper"),
    "reason": text("why it is undecided; empty where it is not"),
}
"""Columns of ``claims``."""

_DIMENSIONS = {
    name: whole(meaning, units="")
    for name, meaning in {
        "point": "place of the point in the study",
        "record": "place of the layer among the recorded ones",
        "entry": "place of the entry in compare",
        "rate": "place of the rate",
        "growth": "place of the row in growth",
    }.items()
}
_STUDY = {"study": text("name of the study")}


def _of_group(group: str, *names: str) -> dict[str, Variable]:
    """Columns of a table that is made of a group, or of some of its arrays, as ``store.tables`` makes them:
    the study, the dimensions of the arrays, and all that lies along these.
    """
    held = GROUPS[group]
    # rates and growth have no points, and nothing that labels their rows
    labels = (
        {*OF_POINTS, "observable", "level", "distance", *ENTRIES}
        if OF_POINTS.keys() <= held.keys()
        else set()
    )
    chosen = [name for name in sorted(held) if name in names or (not names and name not in labels)]
    dimensions: dict[str, None] = {}
    for name in sorted(chosen, key=lambda name: -len(held[name].dimensions)):
        dimensions |= dict.fromkeys(held[name].dimensions)
    others = [
        name for name in sorted(labels & held.keys()) if set(held[name].dimensions) <= dimensions.keys()
    ]
    rows = {name: held[name] if name in held else _DIMENSIONS[name] for name in dimensions}
    return _STUDY | rows | {name: held[name] for name in [*others, *chosen]}


_OF_STUDIES = "the stores of the studies, results/studies/NAME.zarr.zip, group"
TABLES = {
    "points": Table(
        "a network of which the store holds blocks", "the receipts of the simulation jobs", POINTS
    ),
    "blocks": Table("a block of samples", "the receipts of the simulation jobs", BLOCKS),
    "moments": Table(
        "an observable at a recorded layer of a point", f"{_OF_STUDIES} moments", _of_group("moments")
    ),
    "quantiles": Table(
        "a quantile of an observable at a recorded layer of a point",
        f"{_OF_STUDIES} laws",
        _of_group("laws", "quantile"),
    ),
    "comparison": Table(
        "a distance of a point to an entry of compare", f"{_OF_STUDIES} comparison", _of_group("comparison")
    ),
    "rates": Table("a power law fitted along a series of points", f"{_OF_STUDIES} rates", _of_group("rates")),
    "events": Table(
        "a recorded layer of a point whose networks can explode or collapse",
        f"{_OF_STUDIES} events",
        _of_group("events"),
    ),
    "growth": Table("the mean growth of a network at a time", f"{_OF_STUDIES} growth", _of_group("growth")),
    "claims": Table(
        "a claim", "the verdicts that `deeplimits claims --out` wrote, results/claims.json", CLAIMS
    ),
}
"""Tables of ``query`` by name."""
OF_STUDIES = ("moments", "quantiles", "comparison", "rates", "events", "growth")
"""Those that are made from the study stores."""
