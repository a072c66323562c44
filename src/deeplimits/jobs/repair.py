"""Parts of results that are bad, made again: the same command that made them first, in this process."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplimits.errors import DeviceError, InputError
from deeplimits.jobs.checks import figures_there
from deeplimits.jobs.damage import blocks_of_batch, todo_of_receipt, write_study_digest
from deeplimits.jobs.findings import Finding, Part
from deeplimits.jobs.verify import check_parts
from deeplimits.store.atomic import write_text
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.digests import digest_once, read_digests
from deeplimits.store.errors import StoreError
from deeplimits.store.paths import (
    aggregated_studies,
    claims_digests,
    claims_files,
    container_path,
    receipt_path,
    study_digest,
    study_receipt,
    study_store,
    study_todo,
    todo_path,
)
from deeplimits.store.receipts import UnusableReceipt, read_receipt_alone
from deeplimits.store.studies import read_study_receipt, study_receipt_text
from deeplimits.store.watched import Watch, unwatched

if TYPE_CHECKING:
    from deeplimits.store.place import Place
    from deeplimits.sweep.config import Config
    from deeplimits.sweep.plan import Batch


@dataclass
class Repair:
    """Repair of results.

    Parameters
    ----------
    threads
        Of a simulation, processes of an aggregation, and files that are read at a time.
    tell
        Takes each part that has been made again.

    Attributes
    ----------
    mended
        Parts that were made again.
    failed
        Parts that were not, and why.
    """

    place: Place
    threads: int = 1
    watch: Watch = unwatched
    tell: Callable[[Part], None] = lambda _: None
    mended: list[Part] = field(default_factory=list)
    failed: dict[Part, str] = field(default_factory=dict)

    def mend(self, findings: list[Finding]) -> list[Finding]:
        """Make again what is bad, and then what was made from it; what is still wrong afterwards.

        Batches come before studies, and studies before figures and claims.
        """
        found, tried = list(findings), set[Part]()
        parts = {finding.part for finding in found if finding.part is not None}
        while parts:
            for part in sorted(parts, key=lambda part: part.order):
                self._mend(part)
            tried |= parts
            again = self._touched(parts)
            fresh, _ = check_parts(
                self.place.results, sorted(again, key=lambda part: part.order), self.threads
            )
            found = [*(each for each in found if each.part is None or _whole(each.part) not in again), *fresh]
            parts = {finding.part for finding in fresh if finding.part is not None} - tried
        return found

    def _touched(self, parts: set[Part]) -> list[Part]:
        """What is looked at again: these parts, and the figures of studies among them."""
        whole = {_whole(part) for part in parts}
        studies = {part.name for part in whole if part.kind == "study"}
        figures = figures_there(self.place.results)
        whole |= {Part("figure", "/".join(each)) for each in figures if each[0] in studies}
        return sorted(whole, key=lambda part: part.order)

    def _mend(self, part: Part) -> None:
        make: dict[str, Callable[[str], None]] = {
            "todo": self._todo,
            "batch": self._batch,
            "study digest": lambda name: write_study_digest(self.place.results, name),
            "study receipt": self._study_receipt,
            "study": self._study,
            "study todo": self._study_todo,
            "figure": self._figure,
            "claims": self._claims,
            "tables": self._tables,
        }
        try:
            make[part.kind](part.name)
        except (InputError, StoreError, DeviceError) as error:
            self.failed[part] = str(error)
        except OSError as error:
            self.failed[part] = f"{error.filename or self.place.results}: {error.strerror or error}"
        else:
            self.mended.append(part)
            self.tell(part)

    @property
    def _config(self) -> Config:
        if self.place.config is None:
            raise StoreError(
                f"{self.place.results}: there is no configuration to make it again by: name one by --config"
            )
        return self.place.config

    @cached_property
    def _planned(self) -> dict[str, Batch]:
        """Batches of what studies lack, as plans may have cut them."""
        from deeplimits.sweep.plan import make_plan

        if self.place.config is None:
            return {}
        studies, held = self._config.studies(), Catalogue(self.place.results).held
        plans = [make_plan(studies, held, size) for size in (self._config.target_seconds, 1e9)]
        return {batch.name: batch for plan in plans for batch in plan.batches}

    def _todo(self, name: str) -> None:
        path = todo_path(self.place.results, name)
        try:
            _, text = read_receipt_alone(receipt_path(self.place.results, name))
            write_text(path, todo_of_receipt(text))
        except (UnusableReceipt, FileNotFoundError):
            batch = self._planned.get(name)
            if batch is None:
                # a job that is still to be done, of which nothing tells what it was: the next plan has it
                path.unlink(missing_ok=True)
            else:
                write_text(path, batch.todo)

    def _batch(self, name: str) -> None:
        from deeplimits.jobs.simulate import simulate_batch
        from deeplimits.sweep.cost import seconds

        results = self.place.results
        receipt, container = receipt_path(results, name), container_path(results, name)
        blocks = blocks_of_batch(results, name)
        if blocks is None and name in self._planned:
            blocks = list(self._planned[name].blocks)
        if blocks is None:
            raise StoreError(
                "neither the receipt nor the todo file tells its blocks; `snakemake` simulates what studies "
                "lack, and `deeplimits prune` removes this"
            )
        said, text = _said(receipt)
        # as old as it was, so that what was made from it is not made again
        written = _time(receipt) or _time(todo_path(results, name))
        with self.watch(sum(map(seconds, blocks)), "core-seconds") as tell:
            simulate_batch(
                blocks, container, receipt, threads=self.threads, tell=lambda block: tell(seconds(block))
            )
        found = digest_once(container)
        if said == found:
            # where and when it was computed first
            write_text(receipt, text)
        _date(written, container, receipt)
        if said not in (found, None):
            raise StoreError(
                f"{container}: computed again, it is another: SHA-256 is {found}, the receipt said {said}; "
                "this version, or this machine, does not keep the number contract"
            )

    def _study_receipt(self, name: str) -> None:
        from deeplimits.store.study_groups import attributes_of

        receipt, store = study_receipt(self.place.results, name), study_store(self.place.results, name)
        write_text(receipt, study_receipt_text(attributes_of(store), digest_once(store)))
        # what changed after the store was written is still to be aggregated
        _date(_time(store), receipt)

    def _study(self, name: str) -> None:
        from deeplimits.jobs.aggregate import aggregate_study

        results, config = self.place.results, self._config
        paths = [each(results, name) for each in (study_store, study_digest, study_receipt)]
        said = self._said_of_study(name)
        written = _time(paths[2]) or _time(paths[1])
        aggregate_study(config.study(name), results, self.threads, config.dask, self.watch)
        if digest_once(paths[0]) in said:
            _date(written, *paths)

    def _said_of_study(self, name: str) -> set[str]:
        """What receipt and digest say, or said, that the store is."""
        found: set[str] = set()
        with suppress(OSError):
            found.update((read_digests(study_digest(self.place.results, name)) or {}).values())
        with suppress(StoreError):
            found.add((read_study_receipt(self.place.results, name) or {}).get("sha256", ""))
        return found

    def _study_todo(self, name: str) -> None:
        from deeplimits.jobs.workflow import study_todo_text
        from deeplimits.store.staleness import staleness
        from deeplimits.store.study_groups import study_attributes
        from deeplimits.sweep.plan import make_plan

        results, config = self.place.results, self._config
        study, held = config.study(name), Catalogue(results).held
        listed = config.studies() if name in config.study_names else [study]
        plan = make_plan(listed, held, config.target_seconds)
        path, receipt = study_todo(results, name), study_receipt(results, name)
        write_text(path, study_todo_text(study, plan.receipts[name]))
        is_done = receipt.exists() and all(batch in held.values() for batch in plan.receipts[name])
        if is_done and not staleness(study_attributes(results, name), study, config).differences:
            _date(_time(receipt), path)

    def _figure(self, name: str) -> None:
        from deeplimits.drawing.build import build_figure

        study, _, figure = name.partition("/")
        build_figure(self._config.study(study), figure, self.place.results, self._config)

    def _claims(self, _: str) -> None:
        from deeplimits.claims.files import load_claims
        from deeplimits.claims.outputs import write_claims
        from deeplimits.claims.verdicts import verdicts
        from deeplimits.store.strict_json import strict_json

        results, config = self.place.results, self._config
        if config.claims is None:
            raise StoreError(f"{config.path} names no folder of claims, and there is none")
        rows = verdicts(load_claims(config.claims), results, config.studies_folder)
        try:
            held = read_digests(claims_digests(results)) or {}
        except OSError:
            held = {}
        # in the forms in which they were written, as far as that is known
        there = {*held} & {path.name for path in claims_files(results)}
        there |= {path.name for path in claims_files(results) if path.exists()}
        out, page, *pictures = claims_files(results)
        write_claims(
            rows,
            strict_json(rows, 1),
            results,
            out,
            page if page.name in there else None,
            pictures[-1] if any(path.name in there for path in pictures) else None,
            config,
        )

    def _tables(self, _: str) -> None:
        from deeplimits.jobs.tables import write_tables

        results, there = self.place.results, aggregated_studies(self.place.results)
        asked = self.place.config.study_names if self.place.config else there
        write_tables(results, [name for name in asked if name in there])


def _whole(part: Part) -> Part:
    """The part as it is checked: with all files that lie together."""
    if part.kind in ("study digest", "study receipt", "study todo"):
        return Part("study", part.name)
    return Part("batch", part.name) if part.kind == "todo" else part


def _said(receipt: Path) -> tuple[str | None, str]:
    """The digest of a container, of a receipt that can be believed, and its text."""
    try:
        body, text = read_receipt_alone(receipt)
        return body.sha256, text.decode()
    except (UnusableReceipt, FileNotFoundError):
        return None, ""


def _time(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def _date(time: int | None, *paths: Path) -> None:
    """Give files a date, where it is known."""
    for path in paths if time is not None else ():
        os.utime(path, ns=(time or 0, time or 0))


def result(repair: Repair, left: list[Finding]) -> dict[str, Any]:
    """What was done, as plain values."""
    return {
        "mended": [str(part) for part in repair.mended],
        "failed": {str(part): why for part, why in repair.failed.items()},
        "findings": [finding.row() for finding in left],
    }
