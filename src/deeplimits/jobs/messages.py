"""What the workflow says of a job before it runs: its study, its networks, their size, the time it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from deeplimits.activations import Activation, Identity, OrnsteinUhlenbeck, ReluLike, Smooth, smooth_name
from deeplimits.networks.network import Network
from deeplimits.sweep.amounts import about, counted
from deeplimits.sweep.plan import Batch, aggregation_seconds
from deeplimits.sweep.study import Study

if TYPE_CHECKING:
    from deeplimits.jobs.workflow import Targets

_NAMED = 2
"""Studies, and kinds of networks, that a message names."""


def simulation_message(batch: Batch, studies: Sequence[str]) -> str:
    """Such as ``half-shaped: 12 blocks of shaped ReLU networks, n = 64 … 256, d = 64, about 40 s of one
    core``.

    Parameters
    ----------
    studies
        Names of the studies that need some of its blocks.
    """
    networks = [block.point.network for block in batch.blocks]
    kinds = list(dict.fromkeys(map(_kind, networks)))
    sizes = [
        _span("n", [units for network in networks for units in _widths(network)]),
        _span("d", [network.depth for network in networks]),
    ]
    of = f"{_listed(kinds, 'more kinds of')} networks"
    return (
        f"{_listed(studies, 'more')}: {counted(len(networks), 'block')} of {of}, "
        f"{', '.join(sizes)}, {about(batch.seconds)} of one core"
    )


def aggregation_message(study: Study) -> str:
    """Such as ``half-shaped: 3 points, 65,536 samples each, 2 comparisons, about 4 s of one core``."""
    compared = f"{counted(len(study.compare), 'comparison')}, " if study.compare else ""
    return (
        f"{study.name}: {counted(sum(len(family.variants) for family in study.families), 'point')}, "
        f"{study.samples:,} samples each, {compared}{about(aggregation_seconds(study))} of one core"
    )


class Messages:
    """What is said of the jobs of a plan, each found by the text that stands for it in a format: ``batch
    HASH.`` and ``study NAME.``, and that text of one that the plan does not know.
    """

    def __init__(self, targets: Mapping[str, Targets]):
        self._said = {f"study {name}.": target.message for name, target in targets.items()}
        for target in targets.values():
            self._said |= {f"batch {batch}.": said for batch, said in target.messages.items()}

    def __format__(self, job: str) -> str:
        return self._said.get(job, job.removesuffix("."))


def studies_of_batches(receipts: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """The studies that need some blocks of a batch, for each batch."""
    found: dict[str, list[str]] = {}
    for study, batches in receipts.items():
        for batch in batches:
            found.setdefault(batch, []).append(study)
    return found


def _kind(network: Network) -> str:
    """What a network is, in two or three words."""
    shaped = "shaped " if network.exponent and not isinstance(network.activation, Identity) else ""
    return f"{network.kind.adjective}{shaped}{_activation(network.activation)}"


@lru_cache(maxsize=1024)
def _activation(phi: Activation) -> str:
    match phi:
        case Identity():
            return "linear"
        case ReluLike():
            return "ReLU"
        case OrnsteinUhlenbeck():
            return "Ornstein–Uhlenbeck"
        case Smooth(formula):
            return smooth_name(formula)


def _widths(network: Network) -> tuple[int, ...]:
    return (network.width,) if isinstance(network.width, int) else network.width


def _span(name: str, values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return f"{name} = {low:,}" if low == high else f"{name} = {low:,} … {high:,}"


def _listed(names: Sequence[str], more: str) -> str:
    """The names, or the first ones and how many there are besides."""
    shown = list(names) if len(names) <= _NAMED + 1 else [*names[:_NAMED], f"{len(names) - _NAMED:,} {more}"]
    return ", ".join(shown[:-1]) + " and " * (len(shown) > 1) + shown[-1]
