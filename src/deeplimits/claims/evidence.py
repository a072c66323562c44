"""The study store as evidence: the points that a claim is about, and the curves of points that differ in size
alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from deeplimits.claims.equivalence import NoEvidence
from deeplimits.limits.setting import Setting
from deeplimits.observables import parse
from deeplimits.store.arrays import COLUMNS
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.columns import NEEDED, perceptron_of
from deeplimits.sweep.strict import Positive, Real, Seed, StrictModel

if TYPE_CHECKING:
    import xarray as xr

    from deeplimits.networks.network import Network

_COORDINATES = {
    "network": "network",
    "width": "width",
    "depth": "depth",
    "correlation": "correlation_0",
    "exponent": "exponent",
    "center": "center",
    "start": "start",
    "seed": "seed",
}
"""Keys of ``where`` and the coordinates they select by."""
Some = Field(min_length=1)


class WhereModel(StrictModel):
    """Which points of the study are meant; a list means any of its values."""

    network: str | Annotated[list[str], Some] | None = Field(
        None, description="label of the network, as in tables"
    )
    width: Positive | Annotated[list[Positive], Some] | None = Field(None, description="n")
    depth: Positive | Annotated[list[Positive], Some] | None = Field(None, description="d")
    correlation: Real | Annotated[list[Real], Some] | None = Field(None, description="ρ₀")
    exponent: Real | Annotated[list[Real], Some] | None = Field(None, description="p")
    center: Real | Annotated[list[Real], Some] | None = Field(
        None, description="centre of a smooth activation"
    )
    start: Real | Annotated[list[Real], Some] | None = Field(
        None, description="z₀ of a ResNet that starts at a point"
    )
    seed: Seed | Annotated[list[Seed], Some] | None = Field(None, description="seed")


@dataclass(frozen=True)
class Evidence:
    """An open study store."""

    study: Groups
    _opened: dict[str, xr.Dataset] = field(default_factory=dict)
    _labels: dict[str, NDArray[Any]] = field(default_factory=dict)

    def group(self, name: str) -> xr.Dataset:
        """A group of the store, of which each array is read when it is first asked for; only ``moments`` has
        what labels the points.
        """
        if name not in self._opened:
            held = self.study[f"/{name}"]
            labels = [] if name == "moments" else [label for label in COLUMNS if label in held.coords]
            self._opened[name] = held.drop_vars(labels)
        return self._opened[name]

    def values(self, group: str, name: str, **at: int) -> NDArray[Any]:
        """An array of a group at places along its dimensions, without the labels, which cost more than it."""
        found: NDArray[Any] = self.group(group).variables[name].load().isel(at).to_numpy()
        return found

    def label(self, name: str) -> NDArray[Any]:
        """What labels the points by one coordinate [point], read when it is first asked for: few are."""
        if name not in self._labels:
            self._labels[name] = self.group("moments").variables[name].to_numpy()
        return self._labels[name]

    def at(self, name: str, point: int) -> Any:
        """A coordinate of a point."""
        return self.label(name).item(point)

    @property
    def samples(self) -> int:
        """Networks drawn at each point."""
        return int(self.study["/"].attrs["samples"])

    def normals(self, point: int) -> int:
        """Standard normals drawn at a point."""
        return self.samples * int(self.at("normals", point))

    def observable(self, name: str) -> str:
        """The label of an observable in the store."""
        labels = {parse(label).name: label for label in self.group("moments").observable.values.tolist()}
        if parse(name).name not in labels:
            raise NoEvidence(f"the study keeps {', '.join(labels)}, not {name}")
        return labels[parse(name).name]

    @cached_property
    def layers(self) -> NDArray[np.int64]:
        """Recorded layers [point, record], −1 where a point records fewer."""
        recorded: NDArray[np.int64] = self.group("moments").layer.values
        return recorded

    def record(self, point: int, layer: int) -> int:
        """Place of a recorded layer."""
        return int(np.flatnonzero(self.layers[point] == layer)[0])

    def last_layer(self, point: int) -> int:
        """The last recorded layer."""
        return int(self.layers[point].max())

    def entry(self, observable: str, limit: str, at: float | None) -> int:
        """Place of the one comparison of an observable with a limit."""
        held = self.group("comparison")
        limits, compared, times = held.limit.values, held.compared.values, held.at_time.values
        found = [
            j
            for j in range(len(limits))
            if str(limits[j]) == limit
            and parse(str(compared[j])).name == parse(observable).name
            and (at is None or (np.abs(times[:, j] - at) < 1e-6).any())
        ]
        if not found:
            when = "" if at is None else f" at time {at:g}"
            raise NoEvidence(f"the study does not hold {observable} against {limit}{when}")
        if any(not np.array_equal(times[:, j], times[:, found[0]], equal_nan=True) for j in found):
            raise NoEvidence(
                f"the study holds {observable} against {limit} at several times: say which by 'at'"
            )
        return found[0]

    @cached_property
    def gram_places(self) -> dict[tuple[int, int], int]:
        """Place of each entry V^{ab}, inputs counted from 0, in either order."""
        held = self.group("groups")
        pairs = list(zip(held.gram_row.values.tolist(), held.gram_column.values.tolist(), strict=True))
        return {each: place for place, (a, b) in enumerate(pairs) for each in ((a, b), (b, a))}

    def about(self, point: int) -> str:
        """A point in words."""
        rho = self.at("correlation_0", point)
        start = f", ρ₀ = {rho:g}" if np.isfinite(rho) else ""
        sizes = f"n = {self.at('width', point)}, d = {self.at('depth', point)}"
        return f"{self.at('network', point)}{start}; {sizes}"

    def setting(self, point: int, entries: list[list[int]]) -> Setting:
        """A point as predictions see it."""
        inputs = int(self.at("inputs", point))
        gram = np.full((inputs, inputs), np.nan)
        start = self.group("groups").gram_0.values[point]
        for (a, b), place in self.gram_places.items():
            if max(a, b) < inputs:
                gram[a, b] = start[place]
        return Setting(
            int(self.at("width", point)),
            int(self.at("depth", point)),
            float(self.at("exponent", point)),
            float(self.at("c_plus", point)),
            float(self.at("c_minus", point)),
            gram,
            tuple((a - 1, b - 1) for a, b in entries),
        )

    def perceptron(self, point: int) -> Network | None:
        """The perceptron at a point; None of any other network."""
        return perceptron_of({name: self.at(name, point) for name in NEEDED})

    def points(self, where: WhereModel | None) -> list[int]:
        """Points with the values that ``where`` asks for."""
        chosen = np.ones(len(self.label("width")), bool)
        for key, coordinate in _COORDINATES.items():
            wanted = getattr(where, key, None)
            if wanted is None:
                continue
            values = self.label(coordinate)
            some = np.zeros_like(chosen)
            for value in wanted if isinstance(wanted, list) else [wanted]:
                some |= values.astype(str) == value if isinstance(value, str) else np.isclose(values, value)
            if not some.any():
                known = ", ".join(dict.fromkeys(f"{each}" for each in values.tolist()))
                raise NoEvidence(f"no point of the study has {key} {wanted}; there are {known}")
            chosen &= some
        found = np.flatnonzero(chosen).tolist()
        if not found:
            raise NoEvidence("no point of the study is like that")
        return found

    def curves(self, points: list[int], size: str) -> list[list[int]]:
        """Points that differ in size alone, each curve with its sizes ascending."""
        found: dict[tuple[Any, ...], list[int]] = {}
        for point in points:
            fixed = ("network", "seed", "center", "start") + (("width",) if size == "depth" else ())
            rho = self.at("correlation_0", point)
            key = (*(str(self.at(name, point)) for name in fixed), None if np.isnan(rho) else rho)
            found.setdefault(key, []).append(point)
        curves = [sorted(curve, key=lambda point: int(self.at(size, point))) for curve in found.values()]
        for curve in curves:
            sizes = [self.at(size, point) for point in curve]
            if len(set(sizes)) < len(sizes):
                raise NoEvidence(f"several points have one {size}: the claim must say which by 'where'")
        return curves
