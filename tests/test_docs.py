"""The documentation says what is so: tables come from the code, links lead somewhere, examples are valid."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from deeplimits.claims.files import load_claims
from deeplimits.figures import figures
from deeplimits.limits import registry
from deeplimits.sweep.point_files import load_point
from deeplimits.sweep.study import load_study

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "config/README.md",
        ROOT / "benchmarks/README.md",
        ROOT / "CHANGELOG.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
)
LIMIT_PAGES = sorted((ROOT / "docs/limits").glob("*.md"))
LIMIT_HEADINGS = [
    "Equation",
    "Observables",
    "Networks",
    "Coordinate and time",
    "How it is solved",
    "How accurate it is",
    "Rate",
    "When not to use it",
    "Source",
]
CLAIM_ID = re.compile(r"`((?:LN24|LNR22|H22)\.[\w.]*\w)`")
FIGURE = re.compile(r"\bfigures? ((?:`\w+`(?:, | and )?)+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        there = page.parent / target if target else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


WORKFLOWS = sorted([*(ROOT / ".github").rglob("*.yml"), ROOT / ".pre-commit-config.yaml"])


@pytest.mark.parametrize("path", [*WORKFLOWS, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_for_contributors_are_there(path):
    text = path.read_text(encoding="utf-8")
    assert path.suffix == ".md" or isinstance(yaml.safe_load(text), dict)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    used = re.findall(r"(?:`|run: |^)make ([\w-]+)`?", text, re.MULTILINE)
    assert set(used) <= targets


def test_every_page_is_in_the_index():
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        assert page.name == "index.md" or f"({page.relative_to(ROOT / 'docs')})" in index


def test_generated_pages_and_schemas_are_up_to_date():
    check = subprocess.run(
        [sys.executable, ROOT / "tools/pages.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (check.returncode, check.stdout) == (0, "")
    for path in ("docs/study-files.md", "docs/claims.md"):
        page = (ROOT / path).read_text(encoding="utf-8")
        assert page.count("| key | type |") == page.count("<!-- keys of ")


def test_figures_of_the_performance_page_are_those_that_were_measured():
    spec = importlib.util.spec_from_file_location("measured", ROOT / "tools/measured.py")
    measured = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(measured)
    page = measured.PAGE.read_text(encoding="utf-8")
    assert measured.filled(page) == page, "run: python tools/measured.py"
    shown = set(re.findall(r"<!-- results of (\w+) -->", page))
    assert shown == {path.stem for path in measured.RESULTS.glob("*.json")} - {
        "gpu",
        "sampled_paths_numpy",
        "laws_numbers",
    }


def test_every_benchmark_is_in_the_readme_of_benchmarks():
    named = re.findall(r"^\| `(\w+)\.py` \|", (ROOT / "benchmarks/README.md").read_text(), re.MULTILINE)
    assert sorted([*named, "measure"]) == sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))


def test_every_dependency_has_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    entries = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *(entry for extra in project["project"]["optional-dependencies"].values() for entry in extra),
    ]
    declared = {re.split(r"[<>=]", entry)[0] for entry in entries if not entry.startswith("deeplimits[")}
    table = re.findall(
        r"^\|([^|]+)\|([^|]+)\|", (ROOT / "docs/dependencies.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    named = {name.strip() for cells in table for cell in cells for name in cell.split(",")}
    assert declared <= named


def test_template_is_a_valid_study():
    study = load_study(ROOT / "config/studies/template.yaml")
    assert study.points
    assert study.figures


def test_alternatives_of_the_template_are_valid(tmp_path):
    """All that is commented out in the list of networks, with gradients and outputs; and a start."""
    text = (ROOT / "config/studies/template.yaml").read_text(encoding="utf-8")
    path = tmp_path / "alternatives.yaml"
    more = re.sub(r"^  # (- |  )", r"  \1", text, flags=re.MULTILINE)
    more = more.replace("gradients: false", "gradients: true").replace("output: false", "output: true")
    path.write_text(more, encoding="utf-8")
    networks = [point.network for point in load_study(path).points]
    assert len({network.activation for network in networks}) == 4
    assert any(network.residual for network in networks)
    residual = re.sub(
        r"(?s)networks:.*?  # - architecture: resnet", "networks:\n  # - architecture: resnet", text
    )
    residual = re.sub(r"^  # (- |  )", r"  \1", residual, flags=re.MULTILINE)
    residual = re.sub(r"(?m)^  correlation: 0.3.*$", "", residual).replace("  # start: ", "  start: ")
    residual = re.sub(r"(?s)compare:.*", "", residual)
    path.write_text(residual, encoding="utf-8")
    assert {point.network.start for point in load_study(path).points} == {1.0}


def test_study_of_the_readme_is_valid(tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    studies = re.findall(r"```yaml\n# config/studies/([\w-]+)\.yaml\n(.*?)```", readme, re.DOTALL)
    assert studies
    for name, text in studies:
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        assert load_study(path).figures


def test_points_of_the_quickstart_are_valid(tmp_path):
    page = (ROOT / "docs/quickstart.md").read_text(encoding="utf-8")
    points = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(points) == 2
    for text in points:
        path = tmp_path / "point.yaml"
        path.write_text(text, encoding="utf-8")
        assert load_point(path).network.width == 150 or load_point(path).gradients


def sections(page: Path) -> dict[str, str]:
    """The text under each heading of the second level."""
    _, *parts = re.split(r"^## (.*)\n", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def rows(table: str) -> dict[str, list[str]]:
    """The other cells of a table by the name in backticks in its first."""
    return {
        name: [cell.strip() for cell in rest.split("|")]
        for name, rest in re.findall(r"^\| `(\w+)` \|(.*)\|$", table, re.MULTILINE)
    }


@pytest.mark.parametrize("page", LIMIT_PAGES, ids=lambda page: page.stem)
def test_a_page_of_limits_has_every_heading_and_says_what_its_limits_declare(page):
    found = sections(page)
    assert list(found) == LIMIT_HEADINGS
    assert all(text.strip() for text in found.values())
    names = list(rows(found["Observables"]))
    assert names
    for name in names:
        limit = registry()[name]
        assert rows(found["Observables"])[name] == [", ".join(f"`{each}`" for each in limit.observables)]
        rate, remark = rows(found["Rate"])[name]
        assert rate == ("none" if limit.rate is None else f"{limit.rate:g}")
        assert remark == (limit.rate_reason or "measured")
        assert f"* `{name}`: {limit.source}." in found["Source"]
    assert list(rows(found["Rate"])) == names


def test_every_limit_has_one_page_and_one_row_of_the_index():
    pages = {name: page.name for page in LIMIT_PAGES for name in rows(sections(page)["Observables"])}
    assert sorted(pages) == sorted(registry())
    assert sum(len(rows(sections(page)["Observables"])) for page in LIMIT_PAGES) == len(registry())
    index = rows((ROOT / "docs/limits.md").read_text(encoding="utf-8").split("## Notation")[0])
    assert set(index) == set(registry())
    for name, cells in index.items():
        assert f"(limits/{pages[name]})" in cells[-1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_claims_figures_studies_and_tests_that_a_page_names_exist(page):
    text = re.sub(r"\s+", " ", page.read_text(encoding="utf-8"))
    claims = {claim.model.id for claim in load_claims(ROOT / "claims")}
    assert set(CLAIM_ID.findall(text)) <= claims
    drawn = {name for names in FIGURE.findall(text) for name in re.findall(r"`(\w+)`", names)}
    assert drawn <= set(figures())
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("*.py"))
    for name in re.findall(r"`(test_\w+)`", text):
        assert f"def {name}(" in tests
    for path in re.findall(r"`((?:tests|tools|src)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
    told = "".join((ROOT / f"docs/{page}.md").read_text(encoding="utf-8") for page in ("tutorial", "python"))
    for name in re.findall(r"stud(?:y|ies) `([\w-]+)`", text):
        if f"`config/studies/{name}.yaml`" in told:
            continue  # a study that the page tells to write
        assert (ROOT / f"config/studies/{name}.yaml").exists(), name


def test_every_printed_slip_on_the_scoreboard_is_in_the_errata():
    cited = set(CLAIM_ID.findall((ROOT / "docs/errata.md").read_text(encoding="utf-8")))
    printed = {
        claim.model.id for claim in load_claims(ROOT / "claims") if claim.model.id.endswith(".printed")
    }
    assert printed
    assert printed <= cited
    assert {claim.removesuffix(".printed") for claim in printed} <= cited
