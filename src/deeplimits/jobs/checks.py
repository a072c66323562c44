"""Checks of the parts of results, each of all its files: a batch, a study, a figure, the verdicts on claims,
and files that belong to nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from deeplimits.engines import SAMPLER_VERSION
from deeplimits.errors import InputError
from deeplimits.jobs.damage import todo_of_receipt
from deeplimits.jobs.findings import Finding, Part
from deeplimits.jobs.workflow import planned_receipts
from deeplimits.store.digests import digest, digest_once, name_beside, read_digests
from deeplimits.store.errors import LaterFormat, StoreError
from deeplimits.store.paths import (
    FIGURE_FORMATS,
    batches_folder,
    claims_digests,
    claims_files,
    container_path,
    figure_digests,
    figure_files,
    file_names,
    receipt_path,
    study_digest,
    study_receipt,
    study_store,
    study_todo,
    tables_digests,
    tables_page,
    todo_path,
)
from deeplimits.store.receipts import ReceiptBody, UnusableReceipt, read_receipt_alone, read_todo
from deeplimits.store.seal import KEY
from deeplimits.store.studies import read_study_receipt, study_receipt_text
from deeplimits.store.study_groups import attributes_of
from deeplimits.sweep.formats import STUDY_TODO
from deeplimits.sweep.plan import Batch

Tell = Callable[[float], None]
"""Takes the bytes that were read."""
_OF_BATCH = re.compile(r"([0-9a-f]+)(\.todo\.json|\.zarr\.zip|\.json)")
_OF_STUDY = re.compile(r"([A-Za-z0-9_-]+)(\.todo\.json|\.zarr\.zip|\.json|\.sha256)")
_OF_FIGURE = re.compile(rf"([a-z0-9_]+)\.({'|'.join((*FIGURE_FORMATS, 'sha256'))})")


class Checks:
    """Checks of one folder of results."""

    def __init__(self, results: Path, tell: Tell) -> None:
        self._results, self._tell = results, tell

    def batch(self, name: str) -> list[Finding]:
        """Receipt, container and todo file of a batch."""
        results, part = self._results, Part("batch", name)
        receipt, container = receipt_path(results, name), container_path(results, name)
        found: list[Finding] = []
        body: ReceiptBody | None = None
        text = b""
        try:
            body, text = read_receipt_alone(receipt)
        except FileNotFoundError:
            if container.exists():
                found.append(Finding(receipt, "missing", "its container counts for nothing without it", part))
        except UnusableReceipt as error:
            found.append(Finding(receipt, "damaged", error.what, part))
        except LaterFormat as error:
            return [Finding(receipt, "later", str(error))]
        if body is not None:
            found += self._file(container, body.sha256, f"the receipt {receipt.name}", part)
        return [*found, *self._todo(name, body, text)]

    def _todo(self, name: str, body: ReceiptBody | None, text: bytes) -> Iterator[Finding]:
        path = todo_path(self._results, name)
        if body is None:
            if path.exists():
                yield from _planned(path, name)
            return
        try:
            held = path.read_bytes()
        except FileNotFoundError:
            yield Finding(path, "missing", "the workflow asks for it", Part("todo", name))
            return
        if body.sampler_version == SAMPLER_VERSION and held != todo_of_receipt(text).encode():
            yield Finding(path, "damaged", f"not the input of what {name}.json says", Part("todo", name))

    def study(self, name: str) -> list[Finding]:
        """Store, digest, receipt and todo file of a study."""
        results, whole = self._results, Part("study", name)
        store, receipt, beside = (each(results, name) for each in (study_store, study_receipt, study_digest))
        todo = self._study_todo(name, needed=receipt.exists())
        if not any(path.exists() for path in (store, receipt, beside)):
            return todo
        found: list[Finding] = []
        said = None
        try:
            said = read_study_receipt(results, name)
            if said is None:
                found.append(Finding(receipt, "missing", "its store counts for nothing without it"))
        except LaterFormat as error:
            return [Finding(receipt, "later", str(error))]
        except StoreError as error:
            found.append(Finding(receipt, "damaged", _after(receipt, error)))
        try:
            held = read_digests(beside)
            kept = (held or {}).get(store.name, "")
            if held is None or list(held) != [store.name]:
                found.append(Finding(beside, "damaged", "not the digest of a study store"))
        except FileNotFoundError:
            kept = ""
            found.append(Finding(beside, "missing", "the digest of the store"))
        digests = {"receipt": str(said["sha256"]) if said else "", "digest beside it": kept}
        sound = self._read(store, name, digests)
        if isinstance(sound, Finding):
            return [*(_of(each, whole) for each in found), sound, *todo]
        if said and not _is_receipt(receipt, said, store, sound):
            found.append(Finding(receipt, "damaged", "not what the store says of itself"))
        if kept and kept != sound:
            found.append(Finding(beside, "damaged", f"SHA-256 of the store is {sound}"))
        parts = {receipt: Part("study receipt", name), beside: Part("study digest", name)}
        return [*(_of(each, parts[each.path]) for each in found), *todo]

    def _read(self, store: Path, name: str, digests: Mapping[str, str]) -> str | Finding:
        """The digest of a store that is what its receipt or the digest beside it says, and of this study."""
        part = Part("study", name)
        try:
            found = digest(store, self._tell)
        except FileNotFoundError:
            return Finding(store, "missing", "there is a receipt or a digest of it", part)
        except OSError as error:
            return Finding(store, "damaged", f"cannot be read: {error.strerror}", part)
        if found not in digests.values():
            said = " and ".join(f"the {where} says {what}" for where, what in digests.items() if what)
            if len({*digests.values()}) == 1 and said:
                said = f"{' and '.join(f'the {where}' for where in digests)} say {digests['receipt']}"
            return Finding(
                store, "damaged", f"SHA-256 is {found}, {said or 'nothing says what it was'}", part
            )
        try:
            study = attributes_of(store)["study"]
        except (StoreError, KeyError):
            return Finding(store, "damaged", "cannot be read as a study store", part)
        if study != name:
            return Finding(store, "damaged", f"the store of study {study}", part)
        return found

    def _study_todo(self, name: str, needed: bool) -> list[Finding]:
        path, part = study_todo(self._results, name), Part("study todo", name)
        if not path.exists():
            return [Finding(path, "missing", "the workflow asks for it", part)] if needed else []
        try:
            planned_receipts(self._results, name)
        except InputError:
            if _format(path) in range(STUDY_TODO):
                return [
                    Finding(path, "outdated", "of an earlier version; the next plan writes it anew", part)
                ]
            return [Finding(path, "damaged", "not what a plan wrote", part)]
        return []

    def figure(self, study: str, name: str) -> list[Finding]:
        """The files of a figure."""
        store, files = study_store(self._results, study), figure_files(self._results, study, name)
        return self._together(
            figure_digests(self._results, study, name),
            (*files, store),
            Part("figure", f"{study}/{name}"),
            store,
        )

    def claims(self) -> list[Finding]:
        """The verdicts on claims, in every form that is there."""
        beside, files = claims_digests(self._results), claims_files(self._results)
        there = [path for path in files if path.exists()]
        if not there and not beside.exists():
            return []
        return self._together(beside, files, Part("claims"), optional=files[1:])

    def tables(self) -> list[Finding]:
        """The page of distances and rates."""
        beside, page = tables_digests(self._results), tables_page(self._results)
        return self._together(beside, [page], Part("tables"))

    def _together(
        self,
        beside: Path,
        files: Iterable[Path],
        part: Part,
        source: Path | None = None,
        optional: Iterable[Path] = (),
    ) -> list[Finding]:
        """Files that were written together, and their digests; ``source`` is what they were made from, and of
        ``optional`` ones some need not have been written.
        """
        names = {name_beside(beside, path): path for path in files}
        try:
            held = read_digests(beside)
        except FileNotFoundError:
            return [Finding(beside, "missing", "nothing says what these files were", part)]
        except OSError as error:
            return [Finding(beside, "damaged", f"cannot be read: {error.strerror}", part)]
        may = {name_beside(beside, path) for path in optional if not path.exists()}
        if held is None or not names.keys() - may <= held.keys() <= names.keys():
            return [Finding(beside, "damaged", "not the digests of these files", part)]
        found: list[Finding] = []
        for name, said in held.items():
            if names[name] != source:
                found += self._file(names[name], said, beside.name, part)
            elif not _has_digest(names[name], said):
                found.append(
                    Finding(beside, "outdated", "drawn from another study store than is there", part)
                )
        return found

    def _file(self, path: Path, said: str, where: str, part: Part) -> Iterator[Finding]:
        try:
            found = digest(path, self._tell)
        except FileNotFoundError:
            yield Finding(path, "missing", f"{where} names it", part)
        except OSError as error:
            yield Finding(path, "damaged", f"cannot be read: {error.strerror}", part)
        else:
            if found != said:
                yield Finding(path, "damaged", f"SHA-256 is {found}, {where} says {said}", part)


def _planned(path: Path, name: str) -> Iterator[Finding]:
    """What is wrong with the todo file of a job that is still to be done."""
    try:
        batch = Batch(tuple(read_todo(path)), 0.0)
    except InputError as error:
        yield Finding(path, "damaged", _after(path, error), Part("todo", name))
        return
    if batch.name != name or path.read_text() != batch.todo:
        yield Finding(path, "damaged", "not what a plan wrote under this name", Part("todo", name))


def _is_receipt(path: Path, said: Mapping[str, Any], store: Path, sha256: str) -> bool:
    """Whether a receipt says of a store what the store says of itself."""
    text = study_receipt_text(attributes_of(store), sha256)
    if KEY not in said:
        # of an earlier version, without a digest
        body = {key: value for key, value in json.loads(text).items() if key != KEY}
        text = json.dumps(body, sort_keys=True, indent=1) + "\n"
    return path.read_text(encoding="utf-8") == text


def _format(path: Path) -> object:
    """The number of a format, of a file that may be anything."""
    try:
        return json.loads(path.read_bytes())["format"]
    except (ValueError, KeyError, TypeError):
        return None


def _has_digest(path: Path, said: str) -> bool:
    try:
        return digest_once(path) == said
    except OSError:
        return False


def _after(path: Path, error: Exception) -> str:
    return str(error).removeprefix(f"{path}: ")


def _of(finding: Finding, part: Part) -> Finding:
    return Finding(finding.path, finding.kind, finding.what, part)


def batches_there(results: Path) -> list[str]:
    """Names of batches of which some file is there."""
    return _stems(_OF_BATCH, batches_folder(results))


def studies_there(results: Path) -> list[str]:
    """Names of studies of which some file is there, beside figures."""
    return _stems(_OF_STUDY, results / "studies")


def figures_there(results: Path) -> list[tuple[str, str]]:
    """Studies and names of figures of which some file is there."""
    folder = results / "figures"
    studies = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return [(study, figure) for study in studies for figure in _stems(_OF_FIGURE, folder / study)]


def strays(results: Path) -> Iterator[Finding]:
    """Files and folders that have no business where results lie."""
    folders = [(batches_folder(results), _OF_BATCH), (results / "studies", _OF_STUDY)]
    figures = results / "figures"
    if figures.is_dir():
        yield from (_stray(figures / name) for name in file_names(figures))
        folders += [(path, _OF_FIGURE) for path in sorted(figures.iterdir()) if path.is_dir()]
    for folder, pattern in folders:
        if not folder.is_dir():
            continue
        for path in sorted(folder.iterdir()):
            if path.name[0] != "." and (path.is_dir() or not pattern.fullmatch(path.name)):
                yield _stray(path)


def _stray(path: Path) -> Finding:
    return Finding(path, "stray", "nothing that deeplimits wrote there")


def _stems(pattern: re.Pattern[str], folder: Path) -> list[str]:
    return sorted({found[1] for name in file_names(folder) if (found := pattern.fullmatch(name))})
