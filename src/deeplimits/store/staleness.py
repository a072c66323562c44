"""Whether what a store holds of a study is what the study file and the configuration ask for now: in words,
key by key, and the command that mends it.
"""

from __future__ import annotations

import inspect
import json
import shlex
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deeplimits import __version__
from deeplimits.errors import InputError
from deeplimits.store.commands import snakemake_command
from deeplimits.store.errors import StaleStore, StoreError
from deeplimits.store.study_groups import study_attributes
from deeplimits.sweep.config import DEFAULT_PATH, SCALES, Config, load_config
from deeplimits.sweep.description import described, differences
from deeplimits.sweep.study import Study, read_study


@dataclass(frozen=True)
class Staleness:
    """In what a study store is not of today.

    Attributes
    ----------
    differences
        What the store holds and what is asked for now, a key each; none where the store is up to date.
    version
        The same of the version that made the store, which alone does not change what its data are of.
    mended_by
        The command that makes the store anew.
    """

    study: str
    differences: tuple[str, ...]
    version: str | None
    mended_by: str

    def __bool__(self) -> bool:
        return bool(self.differences) or self.version is not None

    def __str__(self) -> str:
        """One sentence; empty where the store is up to date."""
        if not self:
            return ""
        said = [*self.differences, *([self.version] if self.version else [])]
        return f"the store of {self.study} is stale: {'; '.join(said)}. `{self.mended_by}` makes it anew"


def staleness(held: Mapping[str, Any], study: Study, config: Config | None = None) -> Staleness:
    """In what a store, by what it says of itself, differs from what a study asks for now."""
    made_from, asked = held["made_from"], described(study)
    scale = f", at scale {config.scale}" if config and config.scale != "papers" else ""
    said = []
    for key, one, other in differences(made_from, asked):
        where = f"{study.path}{scale}" if key.endswith("samples") else str(study.path)
        said.append(f"{key}: {_difference(one, other, where)}")
    version = None
    if held["deeplimits"] != __version__:
        version = f"deeplimits: the store was made by {held['deeplimits']}, this is {__version__}"
    return Staleness(study.name, tuple(said), version, mending_command(study.name, config))


def compared(held: Mapping[str, Any], name: str, config: Config) -> str:
    """The same as a sentence, of a study by its name, whose file is read without checking what its networks
    are; empty where the store is up to date.
    """
    try:
        study = read_study(config.study_path(name), SCALES[config.scale])
    except InputError as error:
        return f"the store of {name} cannot be compared with its study file: {error}"
    return str(staleness(held, study, config))


def stale_studies(config: Config, names: Iterable[str]) -> list[str]:
    """A sentence for each of the studies that have a store and are not up to date."""
    said = []
    for name in names:
        try:
            said.append(compared(study_attributes(config.results, name), name, config))
        except StoreError as error:
            said.append(str(error))
    return [sentence for sentence in said if sentence]


def warn(stale: object) -> None:
    """Warn of a store that is stale, or of what is said of one."""
    if stale:
        warnings.warn(str(stale), StaleStore, stacklevel=_levels_to_the_caller())


def _levels_to_the_caller() -> int:
    """How far up the stack ``warn`` was called from outside this package: there the warning belongs."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("deeplimits."):
        frame, level = frame.f_back, level + 1
    return level


def mending_command(study: str, config: Config | None) -> str:
    """The command that makes a study anew as this configuration asks for it."""
    words = [snakemake_command(study)]
    if config is None:
        return words[0]
    if config.path != DEFAULT_PATH:
        words += ["--configfile", shlex.quote(str(config.path))]
    written = load_config(config.path)
    options = []
    if config.scale != written.scale:
        options.append(f"scale={config.scale}")
    if config.results != written.results:
        options.append(shlex.quote(f"results={config.results}"))
    if study not in config.study_names:
        options.append(shlex.quote(f"studies=[{study}]"))
    return " ".join([*words, *(["--config", *options] if options else [])])


def _difference(held: Any, asked: Any, where: str) -> str:
    """A key of two descriptions in words; None is what is not there, and of two lists only what differs."""
    if held is None:
        return f"the store lacks {_short(asked)}, which {where} asks for"
    if asked is None:
        return f"the store holds {_short(held)}, which {where} does not ask for"
    return f"the store holds {_short(held)}, {where} asks for {_short(asked)}"


def _short(value: Any, limit: int = 100) -> str:
    """A value in a sentence."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= limit else text[: limit - 1] + "…"
