"""The package of ``docs/extending.md`` in a folder, as an installer would leave it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "extending.md"
NAME = "more-limits"


def files() -> dict[str, str]:
    """The files of the page by path: each block that begins with the path of a file."""
    blocks = re.findall(
        r"^```\w+\n# (\S+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return dict(blocks)


def entry_points() -> dict[str, dict[str, str]]:
    """Those that the page declares, by group."""
    declared: dict[str, dict[str, str]] = tomllib.loads(files()["pyproject.toml"])["project"]["entry-points"]
    return declared


def install(folder: Path, groups: Mapping[str, Mapping[str, str]], package: str = NAME) -> None:
    """Write the modules of the page and the metadata of a package that offers ``groups``."""
    for path, text in files().items():
        if path.endswith(".py"):
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            (place.parent / "__init__.py").touch()
            place.write_text(text, encoding="utf-8")
    metadata = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = []
    for group, points in groups.items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
