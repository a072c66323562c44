"""docs/data.md, what is stored, from its description in the package; ``tools/pages.py`` writes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deeplimits.architectures import architectures
from deeplimits.observable_kind import Kind
from deeplimits.observables import OBSERVABLES
from deeplimits.store.arrays import COLUMNS, GROUPS
from deeplimits.store.table_columns import TABLES
from deeplimits.sweep.axes import AXES
from deeplimits.tangent_kernels import KernelKind
from deeplimits.variables import CONTAINER, Variable

PAGE = Path(__file__).parent.parent / "docs" / "data.md"
HEAD = """# What is stored

Every array and every column, with its dimensions and units. The attributes `long_name`, `units` and
`description` of the arrays that `deeplimits.open_study`, `open_samples` and `simulate` return say the same,
and so does `deeplimits query --tables`, or `--tables TABLE` for the columns of one. Units are `1` of a pure
number, `networks` or `layers` of a count of them, and empty of names, texts and seeds.
`make docs` writes this page from `variables.py`, `observables.py`, `store/arrays.py` and
`store/table_columns.py`.

## Samples

A container, `results/batches/HASH.zarr.zip`, has a group for each block, by its name; one that
`deeplimits simulate POINT` writes has the arrays at its root. Numbers are float32, whole numbers int32 or
int64. `deeplimits.simulate` and `open_samples` give the same arrays. Without this package,
`xarray.open_zarr(zarr.storage.ZipStore("networks.zarr.zip", mode="r"), consolidated=False)` opens what
`simulate` wrote, and `group="HASH"` a block of a batch.

"""
OBSERVED = """
## Observables

What studies compare with limits, and what study stores, claims, `deeplimits limit` and `open_samples` (where
`correlation` is `rho`, beside the axis ρ₀) know by these names. `correlation_0_2` is that of inputs 0 and 2,
`log_variance_1` belongs to input 1; without numbers, to the first ones. A network has an observable where it
has the arrays that it is made of; outputs are those of the last layer, and so are
tangent kernels, for which gradients and all layers (`layers: all`) have to be recorded.

"""
STUDIES = """
## Study stores

`results/studies/NAME.zarr.zip` has these groups. Where something has no meaning there is NaN, −1 or an empty
text. All groups over `point` share the arrays of the first table.

"""
TABLES_HEAD = """
## Tables

`deeplimits query "SELECT …"` and `deeplimits.query` see these tables. `--out FILE.csv`, `FILE.json` or
`FILE.parquet` writes the rows to a file, `--format csv` or `json` prints them; what has no value is empty in
CSV and null in JSON, and so is what is not finite. A column whose name is a word of SQL stands in double
quotes: `WHERE "limit" = 'variance'`. An array becomes a column, with a row for each place along its
dimensions, the names of which are columns too. Columns of the axes of a sweep (`architecture` to `seed`,
as in the first table above) are left out below where a table has all of them.

"""


def arrays(variables: Mapping[str, Variable]) -> str:
    """A row for each array."""
    rows = ["| array | dimensions | units | meaning |", "| --- | --- | --- | --- |"]
    for name, variable in variables.items():
        cells = [f"`{name}`", ", ".join(variable.dimensions), variable.units, variable.meaning]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def observables() -> str:
    """A row for each observable."""
    rows = ["| observable | of | made of | meaning |", "| --- | --- | --- | --- |"]
    for name, record in OBSERVABLES.items():
        since = " since layer 0" * record.since_start + " at all layers" * record.all_layers
        cells = [f"`{name}`", "an input" if record.inputs == 1 else "two inputs"]
        cells += [", ".join(f"`{each}`" for each in _made_of(record)) + since, record.meaning]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _made_of(record: Kind) -> list[str]:
    """Stored variables, with those that only some architectures have."""
    found = dict.fromkeys(record.variables)
    if isinstance(record, KernelKind):
        for kernel in (kind.tangent_kernel for kind in architectures().values()):
            if kernel is not None:
                found |= dict.fromkeys(
                    kernel.of_input if record.inputs == 1 else kernel.of_pair + kernel.of_input
                )
    return [*found]


def columns(variables: Mapping[str, Variable]) -> str:
    """A row for each column that is not an axis."""
    rows = ["| column | units | meaning |", "| --- | --- | --- |"]
    for name, variable in variables.items():
        cells = [f"`{name}`", variable.units, variable.meaning]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def page() -> str:
    """The page."""
    points = {*COLUMNS, "layer"}
    parts = [HEAD, arrays(CONTAINER), OBSERVED, observables(), STUDIES]
    parts.append("Of every point:\n\n" + arrays({n: v for n, v in GROUPS["moments"].items() if n in points}))
    for name, variables in GROUPS.items():
        own = {n: v for n, v in variables.items() if not (points <= variables.keys() and n in points)}
        parts.append(f"\n### {name}\n\n" + arrays(own))
    parts.append(TABLES_HEAD)
    for name, table in TABLES.items():
        left_out = set(AXES) if set(AXES) <= table.columns.keys() else set()
        own = {n: v for n, v in table.columns.items() if n not in left_out}
        more = " With the columns of the axes." if left_out else ""
        parts.append(f"### Table {name}\n\nA row is {table.rows}; from {table.source}.{more}\n\n")
        parts.append(columns(own) + "\n")
    return "".join(parts).rstrip() + "\n"
