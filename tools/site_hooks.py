"""What the site has beside the pages of ``docs``: files of the repository that they link to, and mathematics.

MkDocs calls these functions (``hooks`` in mkdocs.yml). Pages link to files as GitHub shows them, relative to
where they lie in the repository. What lies outside of ``docs`` is copied into the site under its own path, a
page as a page; the links follow. Formulas, blocks ``math`` in LaTeX, become MathML, which browsers draw by
themselves.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latex2mathml.converter import convert
from mkdocs.structure.files import File, Files
from pymdownx.superfences import SuperFencesException

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "config/README.md", "benchmarks/README.md")
"""Pages outside of docs that the site has."""
INSTEAD = {"README.md": "index.md", "docs/index.md": "index.md"}
"""Pages of the repository that another stands for."""
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)#\s:]+)(?P<anchor>#[^)\s]*)?\)")
"""A link that leads to a file."""


def formula(source: str, *_: Any, **__: Any) -> str:
    """Lines of LaTeX as MathML; what wide spaces part goes side by side where there is room."""
    try:
        return "".join(_line(line) for line in source.split("\n\n") if line.strip())
    except Exception as error:  # what is raised otherwise is taken for a block of another kind
        raise SuperFencesException(f"no formula: {source}") from error


def _line(source: str) -> str:
    parts = re.split(r"\\qquad", source)
    drawn = "".join(convert(part.strip(), display="block") for part in parts)
    return f'<div class="formula">{drawn}</div>'


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Let blocks of mathematics be drawn."""
    fences = config.mdx_configs.setdefault("pymdownx.superfences", {})
    fences["custom_fences"] = [{"name": "math", "class": "math", "format": formula}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the repository, and the files that pages link to."""
    for name in PAGES:
        files.append(File.generated(config, name, content=(ROOT / name).read_text(encoding="utf-8")))
    pages = [page for page in files if page.is_documentation_page()]
    for page in pages:
        source = _source(page.src_uri)
        for link in LINK.finditer(source.read_text(encoding="utf-8")):
            path = _repository_path(source, link["target"])
            if path is None or path in INSTEAD or path.startswith("docs/") or path in PAGES:
                continue
            if files.get_file_from_path(path) is None and (ROOT / path).is_file():
                files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, files: Files, **_: Any) -> str:
    """Let links lead to where their targets lie in the site, and say their titles in place of file names."""
    source = _source(page.file.src_uri)

    def moved(link: re.Match[str]) -> str:
        path = _repository_path(source, link["target"])
        there = INSTEAD.get(path or "", (path or "").removeprefix("docs/"))
        if not path or files.get_file_from_path(there) is None:
            return link[0]
        text = link["text"]
        if text.endswith(".md") and not link["anchor"]:
            text = _title(ROOT / path)
        way = os.path.relpath(there, Path(page.file.src_uri).parent)
        return f"[{text}]({way}{link['anchor'] or ''})"

    return LINK.sub(moved, markdown)


def _title(page: Path) -> str:
    match = re.search(r"^# (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else page.name


def _source(uri: str) -> Path:
    return ROOT / uri if uri in PAGES else DOCS / uri


def _repository_path(source: Path, target: str) -> str | None:
    """A target of a link as a path in the repository."""
    path = Path(os.path.normpath(source.parent / target))
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else None
