"""Tables fit the terminal, whatever is in them, and say all that they hold."""

from __future__ import annotations

import pandas as pd
import pytest

from deeplimits.cli.tables import print_table

WIDE = pd.DataFrame({f"column_{i}": [f"one_{i}", f"two_{i}"] for i in range(30)})
SHARED = pd.DataFrame({"limit": "x" * 50, "nothing": float("nan"), "width": [8, 16], "value": [0.5, 0.25]})
RUNS = pd.DataFrame(
    {
        "network": ["a network of a long name"] * 2 + ["another of a long name"] * 2,
        "width": [8, 16, 8, 16],
        "value": [0.5, 0.25, 0.125, 0.0625],
    }
)


def printed(capsys, frame, width=None):
    print_table(frame, "title", width)
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [30, 40, 80, 200])
@pytest.mark.parametrize(
    "frame", [WIDE, WIDE[:1], SHARED, RUNS, RUNS[:0]], ids=lambda frame: str(frame.shape)
)
def test_no_line_is_longer_than_the_terminal_and_no_value_is_left_out(capsys, frame, width):
    text = printed(capsys, frame, width)
    assert max(map(len, text.splitlines())) <= width
    joined = "".join(text.split())
    for value in frame.drop(columns="nothing", errors="ignore").to_numpy().ravel():
        assert "".join((f"{value:g}" if isinstance(value, float) else str(value)).split()) in joined


def test_what_all_rows_share_stands_above_a_table_that_would_not_fit(capsys):
    text = printed(capsys, SHARED, 60)
    assert text.count("x" * 50) == 1
    assert "without a value: nothing" in text
    assert printed(capsys, SHARED, 100).count("x" * 50) == 2


def test_rows_that_follow_one_another_share_a_heading(capsys):
    text = printed(capsys, RUNS, 36)
    assert [line.strip() for line in text.splitlines() if line.startswith("network: ")] == [
        "network: a network of a long name",
        "network: another of a long name",
    ]
    assert text.count("width") == 2
    alternating = RUNS.iloc[[0, 2, 1, 3]]
    assert "network: " not in printed(capsys, alternating, 36)


def test_a_file_gets_a_table_as_wide_as_it_is(capsys):
    lines = printed(capsys, WIDE).splitlines()
    assert sum("one_0" in line and "one_29" in line for line in lines) == 1
