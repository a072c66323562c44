"""The scoreboard as a page: one row a claim, the verdict by word and colour, the effect with its interval
against its margin. It is one file without scripts, and the same rows give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Any

from deeplimits.sweep.amounts import in_short

_VERDICTS = ("holds", "fails", "undecided")
_REACH = 2.0
"""Margins to each side of what is claimed that a bar shows; what lies beyond ends in an arrow."""
_WIDTH, _HEIGHT = 260, 24

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; color: #1c1c1c; background: #fff; margin: 2rem auto;
  max-width: 84rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th { text-align: left; font-weight: 600; border-bottom: 2px solid #999; position: sticky; top: 0;
  background: #fff; }
th, td { padding: .35rem .6rem; vertical-align: top; overflow-wrap: anywhere; }
td { border-bottom: 1px solid #ddd; }
th:nth-child(1) { width: 15%; } th:nth-child(2) { width: 27%; } th:nth-child(3) { width: 8%; }
th:nth-child(4) { width: 27%; } th:nth-child(5) { width: 23%; }
.printed td { background: #fdf6f1; } .printed .id { font-style: italic; }
.id { font-family: ui-monospace, monospace; font-size: .85em; }
.note { color: #555; font-size: .82em; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.verdict { font-weight: 700; padding: .1rem .5rem; border-radius: .3rem; white-space: nowrap; }
.holds { background: #d3ecdd; color: #0b5230; } .fails { background: #f8d9cf; color: #8a2408; }
.undecided { background: #e6e6e6; color: #444; }
svg { display: block; max-width: 100%; }
@media (max-width: 60rem) {
  th { display: none; } td { display: block; border: 0; padding: .15rem .6rem; }
  tr { display: block; border-bottom: 1px solid #999; padding: .6rem 0; }
}
"""


def page_of(rows: Sequence[dict[str, Any]]) -> str:
    """The page for rows as ``claims.verdicts.verdicts`` gives them."""
    papers = [
        f"<h2>{escape(paper)}</h2>\n{_table(list(of_paper))}"
        for paper, of_paper in groupby(rows, lambda row: str(row["paper"]))
    ]
    counts = ", ".join(
        f'{sum(row["verdict"] == name for row in rows)} <span class="verdict {name}">{name}</span>'
        for name in _VERDICTS
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Claims and verdicts</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Claims and verdicts</h1>
<p>{len(rows)} claims: {counts}.</p>
<p>An effect is what simulated networks show, less what is claimed. A claim <b>holds</b> where the whole
interval of its effect lies within the margin (shaded), <b>fails</b> where it lies wholly beyond it, and is
<b>undecided</b> otherwise; either of the first two is wrong with {_rates(rows)}. Bars show the effect
with its interval; what lies more than {_REACH:g} margins away ends in an arrow. An id that ends in
<code>.printed</code> is a statement as a paper prints it that the project holds to be a slip; the corrected
one stands beside it.</p>
{"".join(papers)}
</body>
</html>
"""


def _rates(rows: Sequence[dict[str, Any]]) -> str:
    """The largest probability of a wrong verdict, in words."""
    rates = sorted({row["error_rate"] for row in rows})
    return "a probability of at most " + (f"{rates[-1]:g}" if rates else "the error rate of the claim")


def _table(rows: Sequence[dict[str, Any]]) -> str:
    heads = "".join(f"<th>{name}</th>" for name in ("claim", "statement", "verdict", "effect", "evidence"))
    return f"<table>\n<tr>{heads}</tr>\n{''.join(map(_row, rows))}</table>\n"


def _row(row: dict[str, Any]) -> str:
    reason = f'<div class="note">{escape(row["reason"])}</div>' if row["reason"] else ""
    if row["effect"] is None:
        effect = ""
    else:
        low, high = row["interval"]
        numbers = f"{row['effect']:.3g} [{low:.3g}, {high:.3g}]".replace("-", "\N{MINUS SIGN}")
        effect = f'{_bar(row)}<span class="number">{numbers}</span>'
    about = f"{escape(row['about'])}<br>" if row["about"] else ""
    kind = ' class="printed"' if row["id"].endswith(".printed") else ""
    return f"""<tr id="{escape(row["id"])}"{kind}>
<td><span class="id">{escape(row["id"])}</span><div class="note">{escape(row["source"])}</div></td>
<td>{escape(row["statement"])}</td>
<td><span class="verdict {row["verdict"]}">{row["verdict"]}</span></td>
<td>{effect}{reason}<div class="note">margin {_margin(row)}: {escape(row["because"])}</div></td>
<td class="note">{escape(row["statistic"])}, study {escape(row["study"])}<br>{about}
{row["samples"]:,} networks, {in_short(row["normals"])} normals</td>
</tr>
"""


def _margin(row: dict[str, Any]) -> str:
    return {"equal": "±", "at_most": "at most ", "at_least": "at least −"}[
        row["sense"]
    ] + f"{row['margin']:g}"


def _bar(row: dict[str, Any]) -> str:
    """The interval on an axis of margins, as SVG."""
    margin, (low, high) = row["margin"], row["interval"]

    def place(value: float) -> float:
        part = min(max(value / margin, -_REACH), _REACH)
        return round((part + _REACH) / (2 * _REACH) * _WIDTH, 1)

    first = 0.0 if row["sense"] == "at_most" else place(-margin)
    last = float(_WIDTH) if row["sense"] == "at_least" else place(margin)
    middle = _HEIGHT / 2
    color = {"holds": "#0b7a46", "fails": "#b83410", "undecided": "#666"}[row["verdict"]]
    marks = [
        f'<rect x="{first}" y="2" width="{last - first:.1f}" height="{_HEIGHT - 4}" fill="#eef3ee"/>',
        f'<line x1="{place(0)}" x2="{place(0)}" y1="2" y2="{_HEIGHT - 2}" stroke="#999"/>',
        f'<path d="M{place(low)} {middle} H{place(high)}" stroke="{color}" stroke-width="3"/>',
    ]
    if abs(row["effect"]) <= _REACH * margin:
        marks.append(f'<circle cx="{place(row["effect"])}" cy="{middle}" r="4" fill="{color}"/>')
    for beyond, x, tip in ((low < -_REACH * margin, 0, 7), (high > _REACH * margin, _WIDTH, _WIDTH - 7)):
        if beyond:
            marks.append(
                f'<path d="M{x} {middle} L{tip} {middle - 5} L{tip} {middle + 5} Z" fill="{color}"/>'
            )
    label = f"effect {row['effect']:.3g}, interval {low:.3g} to {high:.3g}, margin {margin:g}"
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="{label}">'
        + "".join(marks)
        + "</svg>"
    )
