"""The table of limits in docs/limits.md, from what they declare; ``tools/pages.py`` writes it."""

from __future__ import annotations

import re
from pathlib import Path

from deeplimits.limits import registry

PAGE = Path(__file__).parent.parent / "docs" / "limits.md"


def table() -> str:
    """A row for each limit of this package, with the page of ``docs/limits`` that it is on."""
    pages = {path.name: path.read_text(encoding="utf-8") for path in (PAGE.parent / "limits").glob("*.md")}
    rows = ["| limit | observables | law | networks | page |", "| --- | --- | --- | --- | --- |"]
    for name, limit in sorted(registry().own.items()):
        (place,) = [place for place, text in pages.items() if f"* `{name}`: {limit.source}." in text]
        networks = "; ".join(map(str, limit.regimes))
        cells = [f"`{name}`", ", ".join(limit.spoken).replace("_", " "), limit.equation, networks]
        cells.append(f"[{place.removesuffix('.md')}](limits/{place})")
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def page() -> str:
    """The page with the table written anew."""
    return re.sub(
        r"(<!-- limits -->\n).*?(<!-- end -->)",
        lambda match: f"{match[1]}{table()}\n{match[2]}",
        PAGE.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
