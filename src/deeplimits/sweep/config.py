"""The configuration: which studies, at which scale, into which folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deeplimits.errors import InputError, nearest_name, one_of
from deeplimits.sweep.config_models import ConfigModel, DaskModel
from deeplimits.sweep.study import Study, load_study
from deeplimits.sweep.validation import validated
from deeplimits.sweep.yamlfile import read_mapping

SCALES = {"papers": 1, "deep": 64}
"""Factor on the samples of every study."""

DEFAULT_PATH = Path("config/config.yaml")
DEFAULT_CLAIMS = Path("claims")
TEMPLATE = "template"
"""The documented example among the studies; ``studies: all`` leaves it out."""


@dataclass(frozen=True)
class Config:
    """A validated configuration; ``studies`` in the order of the file."""

    path: Path
    scale: str
    results: Path
    target_seconds: float
    study_names: tuple[str, ...]
    claims: Path | None = None
    """Folder of the files of claims."""
    dask: DaskModel | None = None
    """Where studies are aggregated, if not on the machine of the job."""

    @property
    def studies_folder(self) -> Path:
        return self.path.parent / "studies"

    def study(self, name: str) -> Study:
        """The study called ``name``, listed in the configuration or not.

        Raises
        ------
        InputError
            If there is no such file, or something is wrong with it.
        """
        return load_study(self.study_path(name), SCALES[self.scale])

    def study_path(self, name: str) -> Path:
        """The file of the study called ``name``.

        Raises
        ------
        InputError
            If there is no such file.
        """
        path = self.studies_folder / f"{name}.yaml"
        if not path.is_file():
            names = sorted(file.stem for file in self.studies_folder.glob("*.yaml"))
            raise InputError(
                self.studies_folder, "", name, one_of(names, "a study: "), nearest_name(name, names)
            )
        return path

    def studies(self) -> list[Study]:
        """Every study of the configuration."""
        return [self.study(name) for name in self.study_names]


def load_config(
    path: Path = DEFAULT_PATH,
    overrides: Mapping[str, Any] | None = None,
    default_claims: Path | None = DEFAULT_CLAIMS,
) -> Config:
    """Read a configuration; ``overrides`` (as from ``--config key=value``) replace its keys.

    Parameters
    ----------
    default_claims
        Folder of claims where the configuration names none; it may be missing.

    Raises
    ------
    InputError
        For whatever is wrong with the file or the overrides.
    """
    model = validated(ConfigModel, read_mapping(path) | dict(overrides or {}), path)
    folder = path.parent / "studies"
    present = sorted(file.stem for file in folder.glob("*.yaml"))
    names = [name for name in present if name != TEMPLATE] if model.studies == "all" else list(model.studies)
    for index, name in enumerate(names):
        if names.count(name) > 1:
            raise InputError(path, f"studies.{index}", name, "each study once")
        if name not in present:
            raise InputError(
                path, f"studies.{index}", name, one_of(present, "a study: "), nearest_name(name, present)
            )
    _check_results(model.results, path)
    claims = (
        _claims(model.claims, path) if "claims" in model.model_fields_set else present_claims(default_claims)
    )
    _check_dask(model.dask, path)
    return Config(
        path,
        model.scale,
        Path(model.results),
        model.target_minutes * 60,
        tuple(names),
        claims,
        model.dask,
    )


def _check_results(results: str, path: Path) -> None:
    """What Snakemake takes for a wildcard, or a shell for a home, names no folder that all steps agree on."""
    unlike = re.search(r"[{}\x00-\x1f\x7f]", results) or results.startswith(("~", "-"))
    if unlike or Path(results) == Path():
        expected = (
            "a folder of its own, without braces and control characters, that begins neither with ~ nor -"
        )
        raise InputError(path, "results", results, expected)


_ADDRESS = re.compile(r"(tcp|tls|ucx|ws|wss)://[^\s/]+:\d+/?|inproc://\S+")
_OF_A_CLUSTER = ("workers", "cores", "memory", "queue", "account", "walltime")


def _check_dask(dask: DaskModel | None, path: Path) -> None:
    """A scheduler or a cluster, and what belongs to it."""
    if dask is None:
        return
    if (dask.scheduler is None) == (dask.cluster is None):
        found = "<both>" if dask.scheduler else "<neither>"
        raise InputError(path, "dask", found, "one of scheduler, an address, and cluster, a batch system")
    if dask.scheduler is None:
        return
    if not _ADDRESS.fullmatch(dask.scheduler):
        expected = "the address of a scheduler of dask, such as tcp://10.0.0.7:8786"
        raise InputError(path, "dask.scheduler", dask.scheduler, expected)
    for name in _OF_A_CLUSTER:
        if name in dask.model_fields_set:
            expected = "nothing beside scheduler: a scheduler that runs has its workers"
            raise InputError(path, f"dask.{name}", getattr(dask, name), expected)


def _claims(named: str | None, path: Path) -> Path | None:
    """The folder that a configuration names: in the working folder, as results are, or beside its file."""
    if named is None or named in ("none", "null"):
        return None
    places = [Path(named), path.parent / named]
    for place in places:
        if place.is_dir():
            return place
    expected = "a folder of files of claims, NAME.yaml, in the working folder or beside this file; or none"
    beside = [each.name for each in places[-1].parent.glob("*/")] if places[-1].parent.is_dir() else []
    raise InputError(path, "claims", named, expected, nearest_name(named, beside))


def present_claims(folder: Path | None) -> Path | None:
    """A folder, if it has files of claims."""
    return folder if folder is not None and any(folder.glob("*.yaml")) else None
