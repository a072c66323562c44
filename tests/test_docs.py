"""The documentation says what is so: tables come from the code, links lead somewhere, examples are valid."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

from deeplimits.sweep.study import load_study

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [ROOT / "README.md", ROOT / "config/README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_page_is_in_the_index():
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in index


def test_tables_of_study_files_are_those_of_the_models():
    spec = importlib.util.spec_from_file_location("study_keys", ROOT / "tools/study_keys.py")
    study_keys = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study_keys)
    for path in study_keys.PAGES:
        page = path.read_text(encoding="utf-8")
        assert study_keys.filled(page) == page, "run: python tools/study_keys.py"
        assert page.count("| key | type |") == page.count("<!-- keys of ")


def test_every_dependency_has_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    entries = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *(entry for extra in project["project"]["optional-dependencies"].values() for entry in extra),
    ]
    declared = {re.split(r"[<>=]", entry)[0] for entry in entries}
    table = re.findall(
        r"^\|([^|]+)\|([^|]+)\|", (ROOT / "docs/dependencies.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    named = {name.strip() for cells in table for cell in cells for name in cell.split(",")}
    assert declared <= named


def test_template_is_a_valid_study():
    study = load_study(ROOT / "config/studies/template.yaml")
    assert study.points
    assert study.figures


def test_study_of_the_readme_is_valid(tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    studies = re.findall(r"```yaml\n# config/studies/([\w-]+)\.yaml\n(.*?)```", readme, re.DOTALL)
    assert studies
    for name, text in studies:
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        assert load_study(path).figures
