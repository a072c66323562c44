"""The reduction of a point: all that a study store keeps of it, from its blocks, each opened once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deeplimits.analysis import compared
from deeplimits.analysis.columns import Located, Reducer, Samples
from deeplimits.analysis.compared import Compared, Prediction, predictions
from deeplimits.analysis.events import ALONG_PATHS, Events, Paths, along_paths
from deeplimits.analysis.groups import MOST_INPUTS, Gram, Powers
from deeplimits.analysis.joint import Joint, Plane, planes_of
from deeplimits.analysis.marginals import Marginals, observables_of, tasks_of
from deeplimits.analysis.reduce import reduce_marginals
from deeplimits.analysis.rows import Rows
from deeplimits.sweep.models import CompareModel
from deeplimits.sweep.points import Point
from deeplimits.sweep.study import Study


@dataclass(frozen=True)
class Reduction:
    """What the reduction of a point depends on besides the point.

    Parameters
    ----------
    samples
        Samples of each point.
    compare
        The comparisons of the study.
    observables, planes, paths
        What is reduced, pairs of what is counted jointly, and variables of which paths are kept.
    records, gram_inputs
        The most records of a point of the study, and the most inputs of one whose Gram matrix is kept.
    where
        The study file, for messages.
    """

    samples: int
    compare: tuple[CompareModel, ...]
    observables: tuple[str, ...]
    planes: tuple[Plane, ...]
    paths: tuple[str, ...]
    records: int
    gram_inputs: int
    where: Path

    @classmethod
    def of(cls, study: Study) -> Reduction:
        """The reduction of the points of a study."""
        inputs = {point.network.inputs for point in study.points}
        return cls(
            samples=study.samples,
            compare=study.compare,
            observables=observables_of(study),
            planes=planes_of(study.compare),
            paths=tuple(
                name for name in ALONG_PATHS if any(along_paths(point, name) for point in study.points)
            ),
            records=study.records,
            gram_inputs=max((size for size in inputs if size <= MOST_INPUTS), default=1),
            where=study.path,
        )

    def reduce(self, points: Iterable[tuple[Point, Located]]) -> list[Rows]:
        """What is kept of each of several points, given where its blocks lie.

        Raises
        ------
        InputError
            If a comparison cannot be made.
        CorruptContainer
            If a block cannot be read.
        """
        held = list(points)
        predicted = predictions([point for point, _ in held], self.compare, self.where)
        return [
            self._reduce(point, located, found)
            for (point, located), found in zip(held, predicted, strict=True)
        ]

    def _reduce(self, point: Point, located: Located, predicted: dict[int, Prediction]) -> Rows:
        samples = Samples(point.network, located)
        tasks = tasks_of(point, self.observables)
        marginals = Marginals(tasks, reduce_marginals(samples, tasks), self.observables, self.records)
        last = len(point.layers) - 1
        comparisons = {
            j: self._compared(j, prediction, point.layers, marginals) for j, prediction in predicted.items()
        }
        joint = Joint(point, self.planes, marginals)
        events = Events(point, self.records)
        paths = Paths(point, self.paths, self.samples, self.records)
        powers = Powers(marginals.scaled(last), self.observables)
        gram = Gram(point, self.gram_inputs)
        counting: list[Reducer] = [*comparisons.values(), joint, events, paths, powers, gram]
        for block in samples:
            for each in counting:
                each.add(block)
        shape = (self.records, len(self.compare))
        return {
            **marginals.rows(),
            **compared.rows(predicted, comparisons, point.layers, shape),
            **joint.rows(self.compare, predicted),
            **events.rows(),
            **paths.rows(),
            "groups": {**powers.rows()["groups"], **gram.rows()["groups"]},
        }

    def _compared(
        self, j: int, prediction: Prediction, layers: Sequence[int], marginals: Marginals
    ) -> Compared:
        entry, record = self.compare[j], layers.index(prediction.layers[-1])
        return Compared(entry, prediction, record, marginals.edges(entry.observable, record))
