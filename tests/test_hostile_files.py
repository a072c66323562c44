"""Files from strangers: refused in one short sentence or read, within 5 s of the processor and a gigabyte each.

The files are those of ``hostile_files``, of which ``try_hostile_files`` reads some in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from deeplimits.errors import LONGEST, InputError
from deeplimits.sweep.grams import checked_gram
from deeplimits.sweep.point_files import load_point
from deeplimits.sweep.study import load_study
from deeplimits.sweep.yamlfile import read_mapping
from input_files import POINT, STUDY

PORTIONS = 50
"""In which 5,000 files come."""
TRIED = Path(__file__).parent / "try_hostile_files.py"


@pytest.mark.slow
@pytest.mark.parametrize(
    "portion", [0, *(pytest.param(each, marks=pytest.mark.exhaustive) for each in range(1, PORTIONS))]
)
def test_files_from_strangers_are_refused_or_read(tmp_path: Path, portion: int) -> None:
    size = 5000 // PORTIONS
    command = [sys.executable, str(TRIED), str(tmp_path), str(portion * size), str((portion + 1) * size)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=1800, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *broken, counts = map(json.loads, done.stdout.splitlines())
    assert broken == [], broken[0]["said"]
    assert sum(counts["counts"].values()) == size
    assert {"point read", "point refused", "study refused", "claims refused"} <= counts["counts"].keys()


TAGS = ("map", "seq", "str", "int", "float", "bool", "null", "set", "omap", "binary", "python/none")
VALUES = ("maybe", "''", "[1]", "[]", "{b: 1}", "{}", "~", "5", "true")


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("long", [False, True])
def test_a_tag_does_not_make_a_value(tmp_path: Path, tag: str, long: bool) -> None:
    """It is refused, or says what the value is already; of text it may say that it is text, of no text that it is nothing."""
    path, head = tmp_path / "x.yaml", "#" * 30_000 * long + "\n"
    for value in VALUES:
        path.write_text(f"{head}a: {value}\n")
        plain = read_mapping(path)["a"]
        path.write_text(f"{head}a: !!{tag} {value}\n")
        tagged = plain
        with suppress(InputError):
            tagged = read_mapping(path)["a"]
        same = type(tagged) is type(plain) or {type(tagged), type(plain)} == {int, float}
        assert (same and tagged == plain) or (tag, tagged, value) in (
            ("str", value, value),
            ("null", None, "''"),
        ), value


def test_a_long_file_is_read_as_a_short_one(tmp_path: Path) -> None:
    """By another parser, with the same scalars, keys and bounds."""
    path = tmp_path / "x.yaml"
    long = "#" * 30_000 + "\n"
    text = "a: [1, 010, 1:30, 1_0, .5, yes, true, ~, 0x1, 1e3, 2020-01-01]\non: {1: &b [x], c: *b}\n"
    path.write_text(text)
    short = read_mapping(path)
    path.write_text(long + text)
    assert repr(read_mapping(path)) == repr(short)
    for wrong in (
        "a: 1\na: 2\n",
        "a: " + "[" * 5000,
        "a: &a [*a]",
        "a: !!python/name:os.system\n",
        "a: {b\n",
        "a: \x07",
    ):
        path.write_text(long + wrong)
        with pytest.raises(InputError):
            read_mapping(path)


def test_a_message_is_short_and_can_be_seen(tmp_path: Path) -> None:
    """Wherever the long text or the control character is: path, key, value, or what is expected."""
    odd = "\x1b[31m\u202e" + "a" * 3000
    said = [
        str(InputError("f" * 3000, odd, odd, odd, "near")),
        str(InputError(f"a\nb{odd}", "key", f"<{odd}>", "one of " + ", ".join(["name"] * 1000))),
    ]
    path = tmp_path / "x.yaml"
    for old, new in [
        ("compare: [", f"{odd}: ["),
        ("[ks_against_width]", "9" * 4000),
        ("correlation,", f'"{"z" * 5000}",'),
    ]:
        path.write_text(STUDY.replace(old, new))
        with pytest.raises(InputError) as caught:
            load_study(path)
        said.append(str(caught.value))
    for text in said:
        assert len(text) <= LONGEST and text.isprintable(), text


@pytest.mark.parametrize(
    "rows",
    [
        [[5e-324, 0.0], [0.0, 1.0]],
        [[1e308, 1e308], [1e308, 1e308]],
        [[1e-300, 1e-300], [1e-300, 1e-300]],
    ],
)
def test_a_gram_matrix_of_any_size_is_one(rows: list[list[float]]) -> None:
    assert checked_gram(rows, Path("x"), "gram") == tuple(map(tuple, rows))


@pytest.mark.parametrize("rows", [[[1e200, 5e200], [5e200, 1e200]], [[1e-200, 1e200], [1e200, 1e-200]]])
def test_a_matrix_of_any_size_that_is_no_gram_matrix_is_none(rows: list[list[float]]) -> None:
    with pytest.raises(InputError, match="positive semi-definite"):
        checked_gram(rows, Path("x"), "gram")


@pytest.mark.parametrize("widths", ["[8, 1, 8]", str(list(range(1, 600)))])
def test_a_steep_activation_is_checked_in_no_time(tmp_path: Path, widths: str) -> None:
    """Its normaliser at one width alone; it took a quarter of a minute to know that there is no table."""
    phi = "name: expression, expression: log(1+exp(10*x))/10, a: 0.01, center: 0.01, centered: true"
    text = POINT.replace("name: relu, c_plus: 0.0, c_minus: -1", phi).replace("depth: 30\n", "")
    path = tmp_path / "x.yaml"
    path.write_text(text.replace("width: 150", f"width: {widths}"))
    with pytest.raises(InputError, match="bends less"):
        load_point(path)
    assert len(load_point(path, simulated=False).network.layer_kinds) >= 2
