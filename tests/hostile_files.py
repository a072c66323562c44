"""Files that a stranger might hand in, by chance: study, point, configuration and claim files whose bytes, text, YAML,
values, numbers, formulas and matrices are damaged or made up.
"""

from __future__ import annotations

import copy
import itertools
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hostile_values import FORMULAS, TEXTS, Draw
from input_files import LAYERED, POINT, RESIDUAL, STUDY

ROOT = Path(__file__).parent.parent


def bases() -> dict[str, list[str]]:
    """Good files of every kind, as text."""
    smooth = """activation: {name: expression, expression: 'tanh(x)', a: 1.0, center: 0.0, centered: true}
width: 8
depth: 4
inputs: {correlation: 0.3}
"""
    listed = """architecture: mlp
activation: {name: leaky_relu, slope: 0.1}
width: [4, 8, 4]
inputs: {gram: [[1.0, 0.5, 0.1], [0.5, 2.0, 0.2], [0.1, 0.2, 1.0]]}
record: {layers: [0, 1, 3], gradients: true, output: true}
"""
    from_file = smooth.replace("correlation: 0.3", "gram_file: g.csv")
    exotic = """architecture: resnet
activation: {name: ornstein_uhlenbeck, alpha: 1.0, beta: 0.5}
branch_exponent: 0.5
width: 4
depth: 8
inputs: {gram: [[1.0]]}
"""
    growing = """title: Growth
networks:
  - {architecture: resnet, activation: {name: relu}, branch_exponent: [0.5, 1.0], grid: {gram: [[1.0]]}}
  - {architecture: resnet, activation: {name: softplus, center: 0.1}, grid: {width: [3, 5], depth: 5, correlation: 0.5}}
grid: {width: [4, 6], depth: [8, 16], start: [1.0, -1.0], seed: [0, 1], zip: [width, seed]}
samples: 64
record: {layers: 3}
compare: [{observable: log_growth, limit: hayou_sde}, {observable: log_variance, limit: resnet_ode, distances: [rms]}]
growth: {times: [0.5, 1.0], depths: [4, 8], samples: 64}
figures: [law_against_limit]
"""
    studies = [path.read_text() for path in sorted((ROOT / "config" / "studies").glob("*.yaml"))[::4]]
    claims = [
        yaml.safe_dump({"paper": "A paper", "claims": yaml.safe_load(path.read_text())["claims"][i : i + 3]})
        for path in sorted((ROOT / "claims").glob("*.yaml"))
        for i in range(0, 12, 3)
    ]
    config = """studies: [one, two]
scale: papers
results: results
target_minutes: 0.5
claims: claims
dask: {cluster: slurm, workers: 4, cores: 2, memory: 4GB, queue: q, account: a, walltime: '01:00:00'}
"""
    return {
        "point": [POINT, RESIDUAL, LAYERED, smooth, smooth, smooth, listed, from_file, from_file, exotic],
        "study": [STUDY, growing, *studies],
        "config": [
            config,
            "studies: all\n",
            config.replace("cluster: slurm", "scheduler: 'tcp://10.0.0.7:8786'"),
        ],
        "claims": [text for text in claims if "id:" in text],
    }


LARGEST = 20_000
"""Values of a tree that is changed once more."""


def places(tree: Any) -> list[tuple[Any, ...]]:
    """Paths of the values of a tree, of the first ``LARGEST``."""
    found: list[tuple[Any, ...]] = []
    left: list[tuple[tuple[Any, ...], Any]] = [((), tree)]
    while left and len(found) < LARGEST:
        path, value = left.pop()
        if isinstance(value, dict | list):
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            inner = [((*path, key), each) for key, each in itertools.islice(pairs, LARGEST)]
            found += [each for each, _ in inner]
            left += reversed(inner)
    return found


def at(tree: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        tree = tree[part]
    return tree


def changed(draw: Draw, tree: Any) -> Any:
    """A tree with one value replaced, renamed, moved, doubled or left out."""
    path = draw.one(places(tree) or [()])
    if not path:
        return tree
    parent, last = at(tree, path[:-1]), path[-1]
    old = parent[last]
    how = draw.one(
        (
            "number",
            "number",
            "number",
            "value",
            "value",
            "drop",
            "list",
            "rename",
            "swap",
            "deep",
            "long",
            "near",
        )
    )
    if how == "number" or (how == "near" and (isinstance(old, bool) or not isinstance(old, int | float))):
        parent[last] = draw.number()
    elif how == "value":
        parent[last] = draw.value()
    elif how == "drop":
        del parent[last]
    elif how == "list":
        parent[last] = draw.one(
            ([old], [old, old], [old, draw.number()], [old] * 9, [[old, old], [old, old]])
        )
    elif how == "rename" and isinstance(parent, dict):
        text = str(last)
        i = int(draw.random.integers(len(text) + 1))
        new = draw.one(
            (text[:i] + text[i + 1 :], text.upper(), text.replace("_", "-"), text + "s", draw.one(TEXTS))
        )
        parent[new] = parent.pop(last)
    elif how == "swap":
        other = at(tree, draw.one(places(tree)))
        with suppress(RecursionError):  # as deep as none can be copied
            parent[last] = copy.deepcopy(other)
    elif how == "deep":
        value: Any = old
        for _ in range(draw.one((2, 20, 90, 400))):
            value = [value] if draw.chance(0.7) else {"a": value}
        parent[last] = value
    elif how == "long":
        parent[last] = draw.one(
            ([draw.number() for _ in range(3000)], list(range(5000)), [old] * 20_000, "9" * 4000)
        )
    elif how == "near" and abs(old) < 1e300:
        parent[last] = draw.one(
            (old + 1, old * 2, old * 10, -old, old * 0.3, old * 1e-9, str(old), old * 1000)
        )
    return tree


def all_numbers(draw: Draw, tree: Any) -> Any:
    """A tree with many of its numbers replaced by other ones that are allowed more often."""
    for path in places(tree):
        parent = at(tree, path[:-1])
        value = parent[path[-1]]
        if isinstance(value, int | float) and not isinstance(value, bool) and draw.chance(0.3):
            size = 10.0 ** float(draw.random.uniform(-6, 6))
            parent[path[-1]] = max(1, int(size)) if isinstance(value, int) else size
    return tree


def with_formula(draw: Draw, tree: Any) -> Any:
    """A tree whose activations are formulas that nobody means, at numbers that nobody means."""
    formula = draw.one(FORMULAS) if draw.chance(0.3) else draw.formula()
    phi: dict[str, Any] = {"name": "expression", "expression": formula}
    if draw.chance(0.8):
        phi["centered"] = True
    for key, values in (
        ("a", (0.01, 0.1, 0.3, 3.0, 50.0, 1e-6, 1e6)),
        ("center", (0.01, -0.5, 3.0, 10.0, 1e3, -1e6)),
    ):
        if draw.chance(0.5):
            phi[key] = draw.number() if draw.chance(0.2) else draw.one(values)
    if draw.chance(0.1):
        phi = {
            "name": draw.one(("tanh", "gelu", "sin", "softplus", "arctan")),
            "a": draw.number(),
            "center": draw.number(),
        }
    place = tree
    if "networks" in tree:
        place = tree["networks"][0] = {}
    place["activation"] = phi
    if draw.chance(0.4) and place.get("architecture") != "resnet":
        place["shaping"] = {
            "by": draw.one(("width", "depth")),
            "exponent": draw.one((0.0, 0.1, 0.5, 2.0, 300.0)),
        }
    return tree


def as_yaml(draw: Draw, tree: Any) -> str:
    """A tree as YAML of one style or another, or as JSON."""
    style = draw.one(("block", "flow", "mixed", "json", "quoted"))
    if style == "json":
        return json.dumps(tree, ensure_ascii=draw.chance(0.5))
    flow = {"block": False, "flow": True}.get(style)
    quote = '"' if style == "quoted" else None
    return yaml.safe_dump(
        tree, allow_unicode=draw.chance(0.5), default_flow_style=flow, default_style=quote, sort_keys=False
    )


# fmt: off
SNIPPETS = (
    "<<: *a\n", "<<: {width: 3}\n", "? [a, b]\n: 1\n", "? {a: 1}\n: 2\n", "- a\n", "--- \n", "...\n",
    "%YAML 1.1\n---\n", "%TAG ! tag:x,2000:\n---\n", "seed: !!python/object/apply:os.system ['id']\n",
    "seed: !!python/name:os.system\n", "seed: !!binary aGVsbG8=\n", "seed: !!timestamp 2001-12-14\n",
    "seed: !!set {a, b}\n", "seed: !!omap [a: 1]\n", "seed: !!int 0x10\n", "seed: !!int ''\n",
    "seed: !!float abc\n", "seed: !!bool maybe\n", "seed: !!null x\n", "seed: !x 1\n", "seed: !!map [1]\n",
    "seed: !!seq {a: 1}\n", "seed: !!str [1]\n", "!!map : 1\n", "seed: &a [*a]\n", "seed: *nobody\n",
    "seed: &a 1\nwidth: *a\n", "seed: |\n  a\n b\n", "seed: >-\n  1\n",
    'seed: "\\x41\\u0000\\U0010ffff"\n', "seed: '\n", "\tseed: 1\n", "seed:\t1\n", "seed: 1 # \x07\n",
    "seed: 2001-12-14t21:59:43.10-05:00\n", "=: 1\n", "seed: =\n", "*: 1\n", "@: 1\n", "`: 1\n",
    "seed: [1, 2\n", "seed: {a: 1\n", "seed: 1: 2\n", "\u2028seed: 1\n", "\x85seed: 1\n",
    "seed: " + "1" * 5000, "a: &b [1]\n" + "c: [" + "*b, " * 5000 + "]\n", "? " + "k" * 2000 + "\n: 1\n",
    "seed: " + "{a: " * 300 + "1" + "}" * 300, "".join(f"k{i}: {i}\n" for i in range(3000)), "-" * 3000,
    "seed: " + "- " * 900 + "1\n", "[" * 900 + "]" * 900, "\n" * 9000,
)
# fmt: on


def spoilt(draw: Draw, text: str) -> str:
    """Text with lines doubled, left out, moved, indented or put in."""
    lines = text.splitlines(keepends=True) or [""]
    i = int(draw.random.integers(len(lines)))
    how = draw.one(
        (
            "double",
            "drop",
            "indent",
            "dedent",
            "insert",
            "insert",
            "insert",
            "append",
            "swap",
            "tabs",
            "character",
        )
    )
    if how == "double":
        lines.insert(i, lines[i])
    elif how == "drop":
        del lines[i]
    elif how == "indent":
        lines[i] = draw.one((" ", "   ", "\t", "\u00a0")) + lines[i]
    elif how == "dedent":
        lines[i] = lines[i].lstrip()
    elif how == "insert":
        lines.insert(i, draw.one(SNIPPETS))
    elif how == "append":
        lines.append(draw.one(SNIPPETS))
    elif how == "swap":
        j = int(draw.random.integers(len(lines)))
        lines[i], lines[j] = lines[j], lines[i]
    elif how == "tabs":
        lines = [line.replace("  ", "\t") for line in lines]
    else:
        j = int(draw.random.integers(len(lines[i]) + 1))
        lines[i] = (
            lines[i][:j]
            + draw.one((*"{}[]:,&*!|>'\"%@`#?-\n\t \x00\x07\u202e9.eE_~", *TEXTS[30:60]))
            + lines[i][j + 1 :]
        )
    return "".join(lines)


def bytes_of(draw: Draw, text: str) -> bytes:
    """Text as bytes, mostly UTF-8 and whole."""
    data = text.encode("utf-8", "surrogatepass")
    how = draw.one(
        (
            *(["plain"] * 30),
            "bom",
            "utf-16",
            "utf-32",
            "latin",
            "crlf",
            "flip",
            "cut",
            "noise",
            "nul",
            "doubled",
            "cr",
        )
    )
    if how == "bom":
        return b"\xef\xbb\xbf" + data
    if how in ("utf-16", "utf-32"):
        return text.encode(draw.one((how, f"{how}-le", f"{how}-be")), "surrogatepass")
    if how == "latin":
        return text.encode("latin-1", "replace") + b"\xe9"
    if how in ("crlf", "cr"):
        return data.replace(b"\n", b"\r\n" if how == "crlf" else b"\r")
    if how == "cut":
        return data[: int(draw.random.integers(len(data) + 1))]
    if how == "doubled":
        return data + data
    if how in ("flip", "noise", "nul"):
        array = np.frombuffer(data, np.uint8).copy()
        count = 1 if how == "flip" else max(1, len(array) // 50)
        for i in draw.random.integers(max(1, len(array)), size=count):
            if len(array):
                array[i] = (
                    0
                    if how == "nul"
                    else array[i] ^ (1 << draw.one(range(8)))
                    if how == "flip"
                    else draw.one(range(256))
                )
        return array.tobytes()
    return data


def matrix(draw: Draw, path: Path) -> None:
    """A file with a Gram matrix, or something in its place."""
    size = draw.one((1, 2, 2, 2, 3, 8, 9, 100))
    rows = np.eye(size).tolist()
    if size > 1 and draw.chance(0.5):
        rows[0][1] = rows[1][0] = draw.number()
    if draw.chance(0.3):
        rows[0][0] = draw.number()
    text = "\n".join(draw.one((",", ",", ";", ", ", "\t")).join(map(str, row)) for row in rows)
    how = draw.one(
        (
            "good",
            "good",
            "odd",
            "field",
            "quote",
            "bytes",
            "zero",
            "folder",
            "dangling",
            "pipe",
            "empty",
            "long",
        )
    )
    path.unlink(missing_ok=True)
    if how == "zero":
        path.symlink_to("/dev/zero")
    elif how == "folder":
        path.symlink_to("/")
    elif how == "dangling":
        path.symlink_to(path)
    elif how == "pipe":
        os.mkfifo(path)
    else:
        if how == "odd":
            text = draw.one(TEXTS) + text
        text = {
            "field": "1," + "9" * draw.one((200_000, 50_000)),
            "quote": '"' + text,
            "empty": "",
            "long": "1\n" * 40_000,
        }.get(how, text)
        path.write_bytes(bytes_of(draw, text))


def hostile(seed: int, folder: Path, known: dict[str, list[str]]) -> tuple[str, Path]:
    """Write the file of a seed, and what belongs to it; its kind and path."""
    draw = Draw(seed)
    kind = draw.one(("point", "point", "point", "study", "study", "config", "claims", "claims"))
    text = draw.one(known[kind])
    if draw.chance(0.75):
        tree = yaml.safe_load(text)
        if kind in ("point", "study") and draw.chance(0.35):
            tree = with_formula(draw, tree)
        if draw.chance(0.25):
            tree = all_numbers(draw, tree)
        for _ in range(draw.one((0, 1, 1, 1, 2, 3, 8))):
            if len(places(tree)) < LARGEST:
                tree = changed(draw, tree)
        try:
            text = as_yaml(draw, tree)
        except (RecursionError, yaml.YAMLError, ValueError):
            text = "[" * 2000
    for _ in range(draw.one((0, 0, 0, 0, 0, 1, 2))):
        text = spoilt(draw, text)
    name = {"study": "config/studies/x.yaml", "config": "config/config.yaml", "claims": "claims/x.yaml"}.get(
        kind, "x.yaml"
    )
    path = folder / name
    path.write_bytes(bytes_of(draw, text))
    if kind == "point":
        matrix(draw, folder / "g.csv")
    return kind, path
