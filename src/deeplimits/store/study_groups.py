"""Reading a study store: its groups as xarray datasets by name, or all of them as a tree, and what it says of
itself.

Arrays are read when their values are asked for, all from the file that was opened: another that takes its
place meanwhile is not seen.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplimits.store.errors import StoreError, named
from deeplimits.store.layout import CANNOT_BE_READ, check_group, read_metadata
from deeplimits.store.studies import checked_study_store

if TYPE_CHECKING:
    import xarray as xr

_ATTRIBUTES = {
    "study": str,
    "title": str,
    "samples": int,
    "points": int,
    "deeplimits": str,
    "made_from": dict,
}
Groups = Mapping[str, "xr.Dataset"]
"""Groups by name, the root's is ``/`` and another's ``/laws``: what ``xarray.open_groups`` gives."""


def study_attributes(results: Path, study: str) -> dict[str, Any]:
    """What the store of a study says of itself: ``title``, ``samples``, ``points``, ``made_from``.

    Parameters
    ----------
    results
        The folder of results.
    study
        The study, by the name of its file.

    Returns
    -------
    Attributes by name.

    Raises
    ------
    StoreError
        As ``checked_study_store`` does.
    """
    return attributes_of(checked_study_store(results, study))


def attributes_of(path: Path) -> dict[str, Any]:
    """What a study store, by its file, says of itself.

    Parameters
    ----------
    path
        The file of a study store.

    Returns
    -------
    Attributes by name.

    Raises
    ------
    StoreError
        If it cannot be read.
    """
    with _reraised_as_store_error(path), zipfile.ZipFile(path) as archive:
        found: dict[str, Any] = read_metadata(archive, "")["attributes"]
        for name, kind in _ATTRIBUTES.items():
            if type(found.get(name)) is not kind:
                raise ValueError(f"its attribute {name} is {str(found.get(name))[:40]}")
    return found


@contextmanager
def _reraised_as_store_error(path: Path) -> Iterator[None]:
    """What goes wrong in reading a store, told of it; errors of the operating system stay what they are."""
    try:
        with named(path):
            yield
    except (FileNotFoundError, *CANNOT_BE_READ) as error:
        hidden = error.__context__
        if isinstance(error, zipfile.BadZipFile) and isinstance(hidden, OSError):
            # of a disk that fails zipfile makes an error of its own
            raise OSError(hidden.errno, hidden.strerror, str(path)) from error
        raise StoreError(f"{path}: cannot be read: {str(error) or type(error).__name__}") from error


def open_study_groups(results: Path, study: str) -> Groups:
    """The reduced data of a study, of which each group is opened when it is first asked for.

    Parameters
    ----------
    results
        The folder of results.
    study
        The study, by the name of its file.

    Returns
    -------
    Datasets by group.

    Raises
    ------
    StoreError
        As ``checked_study_store`` does.
    """
    return _LazyGroups(checked_study_store(results, study))


def open_study_tree(results: Path, study: str) -> xr.DataTree:
    """The reduced data of a study, lazily, NaN where whole numbers have no meaning.

    Parameters
    ----------
    results
        The folder of results.
    study
        The study, by the name of its file.

    Returns
    -------
    A tree of datasets, whose arrays are read when their values are asked for.

    Raises
    ------
    StoreError
        As ``checked_study_store`` does.
    """
    import xarray as xr

    groups = open_study_groups(results, study)
    return xr.DataTree.from_dict({name: xr.decode_cf(group) for name, group in groups.items()})


class _LazyGroups(Mapping[str, "xr.Dataset"]):
    """The groups of one file. To open one takes longer than to read its arrays, about 15 ms."""

    def __init__(self, path: Path) -> None:
        import xarray as xr
        from zarr import open_group

        from deeplimits.store.study_file import StudyFile

        attributes = attributes_of(path)
        self._path = path
        with _reraised_as_store_error(path):
            self._archive = zipfile.ZipFile(path)
            # a store of Zarr, which xarray takes and its hints leave out
            self._store: Any = StudyFile(path, mode="r")
            # opens the file, which the store itself leaves for its first use
            root = open_group(self._store, mode="r", use_consolidated=False)
        self._opened = {"/": xr.Dataset(attrs=attributes)}
        self._names = ["/", *(f"/{name}" for name in root.group_keys())]

    def __getitem__(self, name: str) -> xr.Dataset:
        import xarray as xr

        if name not in self._opened:
            if name not in self._names:
                raise KeyError(name)
            with _reraised_as_store_error(self._path):
                check_group(self._archive, name[1:])
                # indexes are made of the texts below
                group = xr.open_dataset(
                    self._store,
                    group=name,
                    engine="zarr",
                    consolidated=False,
                    mask_and_scale=False,
                    create_default_indexes=False,
                )
                self._opened[name] = _with_texts(group)
        return self._opened[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _with_texts(held: xr.Dataset) -> xr.Dataset:
    """The dataset with texts as objects, which NumPy's functions and pandas take."""
    import xarray as xr

    from deeplimits.store.texts import as_objects

    variables = {
        str(name): as_objects(variable) if variable.dtype.kind == "T" else variable
        for name, variable in held.variables.items()
    }
    coordinates = {name: variable for name, variable in variables.items() if name in held.coords}
    arrays = {name: variable for name, variable in variables.items() if name not in coordinates}
    return xr.Dataset(arrays, coordinates, held.attrs)
