"""Where results lie, as a verb or a function was told: a folder of results, and the configuration that they
are compared with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from deeplimits.errors import InputError, nearest_name
from deeplimits.sweep.config import DEFAULT_PATH, Config, load_config


@dataclass(frozen=True)
class Place:
    """A folder of results; ``config`` is None where there is no configuration beside it."""

    results: Path
    config: Config | None


def find_place(
    config: Path = DEFAULT_PATH,
    results: Path | None = None,
    scale: str | None = None,
    option: str = "--results",
    must_exist: bool = True,
    root: Path = Path(),
) -> Place:
    """The folder of results that is named, or else that of the configuration.

    Parameters
    ----------
    option
        What messages call the name that was given.
    must_exist
        Whether the configuration's folder has to be there: before the first run it is not. One that is named
        always has to be.
    root
        What relative paths start from, in place of the working directory.

    Raises
    ------
    InputError
        If it is not there or is no folder, or if there is a mistake in the configuration. Where the results
        are named, the default configuration may be missing.
    """
    path = root / config
    named = None if results is None else root / results
    if named is not None and config == DEFAULT_PATH and scale is None and not path.exists():
        return Place(_checked(named, option, ""), None)
    given = {"results": None if named is None else str(named), "scale": scale}
    settings = load_config(path, {key: value for key, value in given.items() if value is not None})
    if named is None:
        settings = replace(settings, results=root / settings.results)
    else:
        _checked(named, option, "")
    if named is None and (must_exist or settings.results.exists()):
        _checked(settings.results, str(path), "results")
    return Place(settings.results, settings)


def _checked(results: Path, where: str, key: str) -> Path:
    if results.is_dir():
        return results
    found = f"<{results}, a file>" if results.exists() else f"<{results}, no such folder>"
    above = next((folder for folder in results.absolute().parents if folder.is_dir()), Path("/"))
    expected = "a folder of results"
    if above != results.absolute().parent:
        raise InputError(where, key, found, f"{expected}; the nearest that exists is {above}")
    try:
        folders = {path.name: path for path in results.parent.iterdir() if path.is_dir()}
    except OSError:
        folders = {}
    close = nearest_name(results.name, folders)
    raise InputError(where, key, found, expected, str(folders[close]) if close else None)
