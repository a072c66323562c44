"""What the workflow is told before it runs: the jobs of a plan, as files that jobs find without planning.

A job on a cluster node reads its todo file and nothing else, so the plan is made once, by the process that
schedules. A todo's content names all that its job depends on, and it is written only where that content
changed. Its date therefore says when the job's task last changed, and a workflow manager that has lost
everything but dates still does no work twice and leaves none undone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from deeplimits import __version__
from deeplimits.claims.files import load_claims, slips
from deeplimits.engines import resolve
from deeplimits.errors import InputError, nearest_name, one_of
from deeplimits.jobs.damage import (
    damaged_batches,
    discard_damaged,
    discard_damaged_batch,
    discard_damaged_study,
    restore_todo,
)
from deeplimits.jobs.dates import date_back
from deeplimits.jobs.messages import aggregation_message, simulation_message, studies_of_batches
from deeplimits.laws import noise_floor
from deeplimits.store.atomic import write_text
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.paths import (
    claims_digests,
    figure_digests,
    figure_files,
    receipt_path,
    study_receipt,
    study_todo,
    tables_digests,
    todo_path,
)
from deeplimits.store.receipts import read_todo
from deeplimits.store.seal import is_whole, sealed
from deeplimits.sweep.config import Config, load_config
from deeplimits.sweep.description import described
from deeplimits.sweep.formats import STUDY_STORE, STUDY_TODO
from deeplimits.sweep.jobs import Job, aggregation, simulation, simulation_of
from deeplimits.sweep.plan import aggregation_seconds, make_plan
from deeplimits.sweep.study import Study

_MOST_NAMES = 30
"""Names that a message lists."""


@dataclass(frozen=True)
class Targets:
    """What a study leads to, as paths: receipts of its simulations and aggregation, figure files.

    ``messages`` says of each batch that is to come, by its name, what it is, and ``jobs`` what it asks of a
    batch system; ``message`` and ``job`` say so of the aggregation.
    """

    batches: tuple[str, ...]
    aggregate: str
    figures: Mapping[str, tuple[str, ...]]
    messages: Mapping[str, str]
    message: str
    jobs: Mapping[str, Job]
    job: Job

    @property
    def all(self) -> tuple[str, ...]:
        """Everything. The simulations are named, although the rest needs them, so that lost ones are made
        again.
        """
        return (*self.batches, self.aggregate, *(path for files in self.figures.values() for path in files))


def prepare(
    path: Path,
    overrides: Mapping[str, Any] | None = None,
    default_claims: Path | None = None,
    tell: Callable[[str], None] | None = None,
) -> tuple[Config, dict[str, Targets]]:
    """Plan what is missing, write the todo files, and name the targets of every study.

    Parameters
    ----------
    default_claims
        Folder of claims where the configuration names none; it may be empty or missing.
    tell
        Takes warnings, one sentence each.

    Raises
    ------
    InputError
        For whatever is wrong with the configuration, with one of its studies or with a claim; nothing is
        written then.
    """
    config = load_config(path, overrides, default_claims)
    studies = config.studies()
    if config.claims is not None:
        for slip in slips(load_claims(config.claims), config.studies_folder):
            if tell is not None:
                tell(slip)
    date_back(config.results)
    results, catalogue = config.results, Catalogue(config.results)
    # a batch that is damaged is computed again as it was, and its container has the same bytes then
    again = damaged_batches(catalogue)
    coming = {block.id: name for name, batch in again.items() for block in batch.blocks}
    sound = {block: batch for block, batch in catalogue.held.items() if batch not in again}
    plan = make_plan(studies, coming | sound, config.target_seconds)
    of_batches = studies_of_batches(plan.receipts)
    batches = [*(batch for name, batch in again.items() if name in of_batches), *plan.batches]
    messages = {batch.name: simulation_message(batch, of_batches[batch.name]) for batch in batches}
    jobs = {batch.name: simulation(batch.seconds, batch.largest) for batch in batches}
    targets = {
        study.name: _targets(results, study, plan.receipts[study.name], messages, jobs) for study in studies
    }
    for batch in batches:
        discard_damaged_batch(catalogue, batch.name, again)
        _write_if_changed(todo_path(results, batch.name), batch.todo)
    for done in catalogue.receipts:
        if done.batch in of_batches and done.batch not in again:
            restore_todo(results, done)
    for study in studies:
        discard_damaged_study(results, study)
        _write_if_changed(study_todo(results, study.name), study_todo_text(study, plan.receipts[study.name]))
    for beside in (claims_digests(results), tables_digests(results)):
        discard_damaged(beside)
    return config, targets


def planned_receipts(results: Path, study: str) -> list[str]:
    """Receipts that the aggregation of a study waits for, as the last plan left them.

    Raises
    ------
    InputError
        If no plan named this study.
    """
    return [str(receipt_path(results, batch)) for batch in _planned(results, study)["batches"]]


def check_target(target: str, names: Sequence[str], config: Config) -> NoReturn:
    """Refuse a target that is no file and no name that rules have.

    Raises
    ------
    InputError
        With the nearest name, or with the reason why a study that there is cannot be asked for.
    """
    if target != "template" and (config.studies_folder / f"{target}.yaml").is_file():
        expected = f"a study that {config.path} names under studies; or --config 'studies=[{target}]'"
        raise InputError("target", "", target, expected)
    expected = one_of(names[:_MOST_NAMES], "a study, a figure, or what else has a name: ")
    more = ", …" if len(names) > _MOST_NAMES else ""
    raise InputError("target", "", target, expected + more, nearest_name(target, names))


def _planned(results: Path, study: str) -> dict[str, Any]:
    path = study_todo(results, study)
    try:
        text = path.read_bytes()
        body = json.loads(text)
        if body["format"] != STUDY_TODO or body["study"] != study or not is_whole(text):
            raise ValueError
    except (OSError, ValueError, KeyError):
        raise InputError(
            path, "", "<no plan>", "a study of the configuration, planned before its jobs start"
        ) from None
    found: dict[str, Any] = body
    return found


def simulation_threads(targets: Mapping[str, Targets], cores: int) -> int:
    """How many of ``cores`` a simulation takes: so few that all are at work where as many simulations are to
    come, for a job compresses and writes its blocks in one thread; and all where a graphics card computes,
    which is for one job at a time.
    """
    coming = {batch for study in targets.values() for batch in study.messages}
    if not coming or resolve("auto") == "cuda":
        return cores
    return max(1, cores // len(coming))


def aggregation_threads(targets: Mapping[str, Targets], study: str, cores: int) -> int:
    """How many of ``cores`` the aggregation of a study takes: the part that it has in the work of those to
    come, and one at least; a job that plans nothing takes what it was given.
    """
    if study not in targets:
        return cores
    own = targets[study].job.seconds
    others = sum(
        each.job.seconds
        for name, each in targets.items()
        if name != study and not Path(each.aggregate).exists()
    )
    return max(1, round(cores * own / (own + others)))


def study_facts(results: Path, study: str) -> dict[str, str]:
    """What the caption of a figure may say of its study, as the last plan left it: ``title``, ``samples``,
    ``seeds``, and ``noise``, the Kolmogorov distance that so many draws have from their own law. The title is
    text in reStructuredText, whatever it holds.

    Raises
    ------
    InputError
        If no plan named this study.
    """
    body = _planned(results, study)
    seeds = body["seeds"]
    return {
        # nothing that is escaped is markup, a directive or a field
        "title": re.sub(r"([^\w\s]|_)", r"\\\1", " ".join(body["title"].split())),
        "samples": f"{body['samples']:,}",
        "noise": f"{noise_floor(body['samples']):.2g}",
        "seeds": f"seed {seeds[0]}" if len(seeds) == 1 else "seeds " + ", ".join(map(str, seeds)),
    }


def simulation_job(results: Path, batch: str) -> Job:
    """What the job of a batch asks of a batch system, from its todo file: for where nothing was planned, as
    on the node that runs it.

    Raises
    ------
    InputError
        If there is no todo file, or none of this version.
    """
    return simulation_of(read_todo(todo_path(results, batch)))


def aggregation_job(study: Study) -> Job:
    """What the aggregation of a study asks of a batch system."""
    return aggregation(aggregation_seconds(study), len(study.points))


def _targets(
    results: Path,
    study: Study,
    batches: tuple[str, ...],
    messages: Mapping[str, str],
    jobs: Mapping[str, Job],
) -> Targets:
    return Targets(
        batches=tuple(str(receipt_path(results, batch)) for batch in batches),
        aggregate=str(study_receipt(results, study.name)),
        figures={
            figure: (*map(str, figure_files(*place)), str(figure_digests(*place)))
            for figure in study.figures
            for place in [(results, study.name, figure)]
        },
        messages={batch: messages[batch] for batch in batches if batch in messages},
        message=aggregation_message(study),
        jobs={batch: jobs[batch] for batch in batches if batch in jobs},
        job=aggregation_job(study),
    )


def study_todo_text(study: Study, batches: tuple[str, ...]) -> str:
    """All that the study store is made from. The study file counts by what it means, its figures left out."""
    content = json.dumps(described(study), sort_keys=True)
    body = {
        "batches": list(batches),
        "deeplimits": __version__,
        "format": STUDY_TODO,
        "points": len(study.points),
        "samples": study.samples,
        "store_format": STUDY_STORE,
        "seeds": list(study.seeds),
        "study": study.name,
        "study_sha256": hashlib.sha256(content.encode()).hexdigest(),
        "title": study.title,
    }
    return sealed(body, indent=1)


def _write_if_changed(path: Path, text: str) -> None:
    """Without the flushing of results: a todo that was lost or cut short is written by the next plan."""
    try:
        if path.read_text(encoding="utf-8") == text:
            return
    except (OSError, UnicodeDecodeError):
        pass
    write_text(path, text, flush=False)
