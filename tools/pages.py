"""Write every page and schema that is made from the package: ``python tools/pages.py``, or ``make docs``.

``--check`` writes nothing and fails where a file is out of date; so do ``make lint`` and the tests.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import command_line_page
import data_page
import gallery_page
import limits_page
import study_keys

from deeplimits.schemas import SCHEMAS, schema_text

ROOT = Path(__file__).parent.parent


def generated() -> dict[Path, str]:
    """The text of every file that is generated."""
    found = {path: study_keys.filled(path.read_text(encoding="utf-8")) for path in study_keys.PAGES}
    for made in (command_line_page, data_page, gallery_page, limits_page):
        found[made.PAGE] = made.page()
    for kind in SCHEMAS:
        found[ROOT / "workflow" / "schemas" / f"{kind}.schema.json"] = schema_text(kind)
    return found


def main() -> None:
    """Write what is out of date, or with ``--check`` name it."""
    parser = argparse.ArgumentParser(description="Write every page and schema that is made from the package.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is stale")
    check = parser.parse_args().check
    stale = [
        path
        for path, text in generated().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        sys.stdout.write(
            f"{path.relative_to(ROOT)} {'is out of date: run make docs' if check else 'written'}\n"
        )
        if not check:
            path.write_text(generated()[path], encoding="utf-8")
    if check and stale:
        sys.exit(1)


if __name__ == "__main__":
    main()
