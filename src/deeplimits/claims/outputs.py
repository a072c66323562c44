"""Verdicts on claims as files: for programs, as a page, as a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deeplimits.sweep.config import Config


def write_claims(
    rows: list[dict[str, Any]],
    text: str,
    results: Path,
    out: Path | None,
    page: Path | None,
    figure: Path | None,
    config: Config | None = None,
) -> None:
    """Write verdicts as JSON, as HTML and as a figure, each where a path is given.

    Those that the workflow names, in the folder of results, get their digests beside them.

    Parameters
    ----------
    text
        The rows as JSON.
    config
        The configuration whose studies the page leads to.
    """
    from deeplimits.store.atomic import write_text

    written = []
    if out is not None:
        write_text(out, text + "\n")
        written.append(out)
    if page is not None:
        from deeplimits.claims.links import links_of
        from deeplimits.claims.page import page_of

        write_text(page, page_of(rows, links_of(page, rows, results, config)))
        written.append(page)
    if figure is not None:
        from deeplimits.claims.scoreboard import draw
        from deeplimits.drawing.style import house_style, save
        from deeplimits.store.paths import FIGURE_FORMATS

        with house_style():
            drawn = draw(rows)
        written += save(drawn, tuple(figure.with_suffix(f".{suffix}") for suffix in FIGURE_FORMATS))
    _write_digests(results, written)


def _write_digests(results: Path, written: list[Path]) -> None:
    from deeplimits.store.digests import digest_once, read_digests, write_digests
    from deeplimits.store.paths import claims_digests, claims_files

    here, beside, files = (
        {path.absolute() for path in written},
        claims_digests(results),
        claims_files(results),
    )
    fresh = {path.name: digest_once(path) for path in files if path.absolute() in here}
    if not fresh:
        return
    try:
        held = read_digests(beside) or {}
    except FileNotFoundError:
        held = {}
    # one that names others is damaged
    write_digests(beside, (held if held.keys() <= {path.name for path in files} else {}) | fresh)
