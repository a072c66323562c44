"""A network by options: what was understood, why this limit, networks beside it; and help that can be followed."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main

import deeplimits
from deeplimits.activations import ReluLike
from deeplimits.cli import EXAMPLES, app, main
from deeplimits.laws import noise_floor
from deeplimits.networks.network import Network, Shaping
from tiny import strict_json

TANH = "--activation tanh --width 300 --depth 40 --correlation 0.3"
SHAPED = "--activation relu --c-minus -1 --shaping width:0.5 --width 40 --depth 40 --correlation 0.3"
POINT = """
activation: {name: relu, c_plus: 0.5, c_minus: -0.5}
shaping: {by: width, exponent: 0.5}
width: 40
depth: 40
inputs: {correlation: 0.3}
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Exit code, standard output and standard error of a command line, in this process."""

    def command(line: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["deeplimits", *shlex.split(line)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return command


def answer(run: Any, line: str) -> dict[str, Any]:
    code, out, err = run(f"limit {line} --json")
    assert (code, err) == (0, "")
    found: dict[str, Any] = strict_json(out)
    return found


def test_options_stand_for_a_file(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "point.yaml"
    path.write_text(POINT)
    options = "--activation relu --c-plus 0.5 --c-minus -0.5 --shaping width:0.5 --width 40 --depth 40"
    quick = "--observable log_variance"
    given = answer(run, f"{path} {quick}")
    assert given == answer(run, f"{options} --correlation 0.3 {quick}")
    assert given == answer(run, f"{options} --gram '1,0.3;0.3,1' {quick}")
    other = answer(run, f"{path} --width 20 --seed 7 {quick}")
    assert (other["network"]["width"], other["network"]["seed"], other["time"]) == (20, 7, 2.0)
    # another activation: the file's slopes go with the file's activation
    identity = answer(run, f"{path} --activation identity {quick}")["network"]["activation"]
    assert identity == {"name": "identity"}
    start = answer(run, f"{path} --architecture resnet --shaping none --start 0.5 --observable log_growth")
    assert start["network"]["start"] == 0.5 and start["network"]["correlation"] is None


def test_the_answer_says_what_was_understood(run: Any) -> None:
    found = answer(run, TANH)
    network = found["network"]
    assert (network["architecture"], network["width"], network["depth"]) == ("mlp", 300, 40)
    assert network["depth_over_width"] == pytest.approx(40 / 300)
    assert network["activation"] == {"name": "tanh", "formula": "tanh(x)", "a": 1.0, "center": 0.0}
    (layer,) = network["layers"]
    assert (layer["units"], layer["count"], layer["scale"]) == (300, 40, 1.0)
    assert layer["normalizer"] == pytest.approx(2.5361754, rel=1e-7)
    assert (network["gram"], network["correlation"]) == ([[1.0, 0.3], [0.3, 1.0]], 0.3)
    assert "smooth" in network["regime"] and "smooth" in found["reason"]
    assert found["layer"] == 40 and found["source"]
    slopes = answer(run, f"{SHAPED} --observable variance")["network"]["layers"][0]["slopes"]
    assert slopes == pytest.approx([1.0, 1 - 1 / np.sqrt(40)])
    uneven = answer(run, "--activation relu --width 5,10,5 --gram 2 --observable variance")["network"]
    assert [(each["units"], each["count"]) for each in uneven["layers"]] == [(5, 2), (10, 1)]
    assert uneven["depth_over_width"] == pytest.approx(0.5)
    assert answer(run, "--expression 'x/(1+exp(-x))' --width 8 --depth 2 --correlation 0")["network"][
        "activation"
    ]["name"] in {"silu", "expression"}


def test_networks_beside_the_law(run: Any) -> None:
    """4,096 networks of n = d = 40 against the law with their own constants: within 2.2 noise floors, and the
    interval holds what the law of infinite width would be off by.
    """
    found = answer(run, f"{SHAPED} --matched --simulate 4096 --quantiles 0.1,0.5")
    drawn = found["simulated"]
    assert (drawn["samples"], drawn["dead"]) == (4096, 0)
    assert drawn["noise_floor"] == pytest.approx(noise_floor(4096)) == pytest.approx(0.869 / 64, rel=1e-3)
    assert drawn["ks"] < 2.2 * drawn["noise_floor"]
    assert 0 <= drawn["ks_interval"][0] <= drawn["ks"] <= drawn["ks_interval"][1] + 1e-4
    assert list(drawn["quantiles"]) == ["0.1", "0.5"]
    assert drawn["quantiles"]["0.5"] == pytest.approx(found["quantiles"]["0.5"], abs=0.1)
    arrays = deeplimits.simulate(shaped(), (0, 4096), layers=[40])
    values = 1 - arrays["correlation_gap"].values[:, 0, 0].astype(float)
    assert drawn["mean"] == pytest.approx(values.mean())
    law = deeplimits.limit(shaped(), matched=True)
    assert law.distance(values) == pytest.approx(drawn["ks"], abs=1e-6)


def test_a_number_has_a_root_mean_square(run: Any) -> None:
    found = answer(
        run, "--activation relu --width 30 --depth 5 --correlation 0.3 --limit infinite_width --simulate 500"
    )
    drawn = found["simulated"]
    assert drawn["rms_interval"][0] < drawn["rms"] < drawn["rms_interval"][1]
    assert 0.3 < drawn["ks_interval"][0] < drawn["ks"] < drawn["ks_interval"][1] <= 1


def shaped() -> Network:
    return Network(ReluLike(0.0, -1.0), 40, 40, ((1.0, 0.3), (0.3, 1.0)), shaping=Shaping("width", 0.5))


def test_the_text_has_what_json_has(run: Any) -> None:
    code, text, _ = run(f"limit {SHAPED} --simulate 300 --quantiles 0.5")
    assert code == 0
    lines = text.splitlines()
    assert lines[0].startswith("network: perceptron, width 40")
    assert "limit: exact, correlation at layer 40, time 1" in lines
    for word in (
        "chosen: ",
        "the limit of its regime is correlation_sde",
        "mean",
        "std",
        "quantile 0.5",
        "300 networks",
        "noise taken off",
        "s₋ = 0.84",
        "ρ₀ = 0.3",
    ):
        assert word in text
    assert "nan" not in text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "SOURCE: found nothing, expected POINT.yaml, or options such as --activation"),
        ("--activation tahn --width 8 --depth 8 --correlation 0.3", "--activation: found 'tahn'"),
        ("--activation relu --depth 8 --correlation 0.3", "--width: found nothing"),
        ("--activation relu --width 8 --depth 8", "--correlation, --gram or --start: found nothing"),
        ("--activation relu --width many --depth 8 --correlation 0.3", "--width: found 'many'"),
        ("--activation relu --width 8 --depth 0 --correlation 0.3", "--depth: found 0"),
        ("--activation relu --width 8 --depth 8 --correlation 2", "--correlation: found 2"),
        ("--activation relu --width 8 --depth 8 --correlation 0.3 --start 1", "--start"),
        ("--activation relu --width 8 --depth 8 --gram '1,2;2,1'", "--gram: found smallest eigenvalue"),
        ("--activation relu --width 8 --depth 8 --gram '1,b'", "--gram: found '1,b'"),
        ("--activation relu --width 8 --depth 8 --correlation 0 --shaping widht:0.5", "did you mean 'width'?"),
        ("--activation relu --width 8 --depth 8 --correlation 0 --shaping width:-1", "--shaping: found -1"),
        ("--activation tanh --c-plus 1 --width 8 --depth 8 --correlation 0", "tanh"),
        ("--activation relu --slope 0.2 --shaping width:0.5 --width 8 --depth 8 --correlation 0", "--c-minus"),
        ("--activation leaky_relu --c-minus -0.9 --width 8 --depth 8 --correlation 0", "takes slope; c_minus is a key of relu"),
        ("--activation tanh --centered yes --width 8 --depth 8 --correlation 0", "--centered: found 'yes'"),
        ("--expression 1/(1+exp(-x)) --width 8 --depth 8 --correlation 0", "--expression: found '1/(1+exp(-x))'"),
        ("--activation relu --width 1_0 --depth 8 --correlation 0", "--width: found '1_0'"),
        ("--activation relu --branch-exponent 1 --width 8 --depth 8 --correlation 0", "--branch-exponent"),
        ("--activation relu --width 8 --depth 8 --correlation 0 --layer 9", "--layer: found 9"),
        ("--activation relu --width 8 --depth 8 --correlation 0 --limit correlation_sde", "limits of this network: unshaped"),
        ("--activation relu --width 8 --depth 8 --correlation 0 --simulate 9 --observable gradient_log_norm --layer 0", "layer 1"),
    ],
)  # fmt: skip
def test_messages_name_the_option(run: Any, line: str, message: str) -> None:
    code, out, err = run(f"limit {line}")
    assert (code, out) == (2, "")
    assert message in err and len(err.splitlines()) == 1


def test_simulate_takes_options_too(run: Any, tmp_path: Path) -> None:
    import xarray as xr
    import zarr

    out = tmp_path / "drawn.zarr.zip"
    code, _, err = run(f"simulate {SHAPED} --samples 5:25 --layers 0,40 --output --out {out}")
    assert (code, err) == (0, "")
    held = xr.open_zarr(zarr.storage.ZipStore(out, mode="r"), consolidated=False)
    drawn = deeplimits.simulate(shaped(), (5, 25), layers=[0, 40], output=True)
    assert held["layer"].values.tolist() == [0, 40]
    for name in ("correlation_gap", "output"):
        assert held[name].values.tobytes() == drawn[name].values.tobytes()


def test_what_a_number_is_not_is_said_in_words(run: Any) -> None:
    line = "--activation relu --width 8 --depth 8 --correlation 1 --observable rescaled_correlation"
    found = answer(run, line)
    assert found["mean"] is None and found["std"] == 0
    assert found["not_finite"]["mean"] == found["not_finite"]["0.5"]
    _, text, _ = run(f"limit {line}")
    assert found["not_finite"]["mean"] in text


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_every_help_has_an_example_that_is_read(run: Any, option: str) -> None:
    """The last line of each help is a command line, which the verb's own options parse."""
    group = typer.main.get_command(app)
    assert set(group.commands) == {verb.__name__ for verb in EXAMPLES}  # type: ignore[attr-defined]
    for name, verb in group.commands.items():  # type: ignore[attr-defined]
        code, text, _ = run(f"{name} {option}")
        assert code == 0
        assert "Example:" in text and text.startswith("Usage: ")
        program, shown, *words = shlex.split(text.strip().splitlines()[-1])
        assert (program, shown) == ("deeplimits", name)
        with verb.make_context(name, words) as context:
            # what `run` is given goes to Snakemake
            assert context.params or context.args
    assert "Example:" in run(option)[1]


def test_examples_about_networks_run(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for verb in (deeplimits.cli.networks.simulate, deeplimits.cli.networks.limit):
        example = re.sub(r"\b(4096|1024)\b", "16", EXAMPLES[verb])
        assert run(example.removeprefix("deeplimits "))[0] == 0
    assert (tmp_path / "networks.zarr.zip").is_file()


def test_version_and_completion(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code, text, _ = run("--version")
    assert (code, text.strip()) == (0, f"deeplimits {deeplimits.__version__}")
    help_text = run("--help")[1]
    assert "--install-completion" in help_text and "--show-completion" in help_text


def test_python_for_a_notebook() -> None:
    names = dir(deeplimits)
    for name in (
        "Network",
        "Shaping",
        "Law",
        "Point",
        "InputError",
        "ReluLike",
        "simulate",
        "limit",
        "query",
    ):
        assert name in names and getattr(deeplimits, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = deeplimits.nothing
    mapping = {
        "activation": {"name": "relu", "c_minus": np.float64(-1)},
        "shaping": {"exponent": 0.5},
        "width": np.int64(40),
        "depth": 40,
        "inputs": {"gram": np.array([[1.0, 0.3], [0.3, 1.0]])},
    }
    laws = [deeplimits.limit(given) for given in (mapping, shaped(), deeplimits.Point(shaped(), (40,)))]
    assert len({float(law.quantile(0.3)) for law in laws}) == 1
    about = laws[0].about
    assert about is not None
    assert (about.limit, about.observable, about.layer, about.time) == (
        "exact",
        "correlation",
        40,
        1.0,
    )
    assert about.network == shaped() and "ReLU-like" in about.reason
    assert "exact" in repr(laws[0]) and "exact" in laws[0]._repr_html_()
    drawn = deeplimits.simulate(mapping, (0, 4))
    assert drawn.sizes == {"sample": 4, "record": 17, "input": 2, "cross": 1}
    assert drawn.attrs["physics"] == shaped().fingerprint
    for wrong in ({"width": 8}, mapping | {"widht": 9}):
        with pytest.raises(deeplimits.InputError, match="point"):
            deeplimits.limit(wrong)
    with pytest.raises(deeplimits.InputError, match="samples"):
        deeplimits.simulate(mapping, (4, 4))
    with pytest.raises(deeplimits.InputError, match="semi-definite"):
        deeplimits.limit(Network(ReluLike(), 8, 8, ((1.0, 2.0), (2.0, 1.0))))
    with pytest.raises(deeplimits.InputError, match="not zero everywhere"):
        deeplimits.simulate(Network(ReluLike(-1.0, -1.0), 8, 8, ((1.0,),)), (0, 4))
    with pytest.raises(deeplimits.InputError, match="a Network, a Point, a mapping"):
        deeplimits.limit(None)  # type: ignore[arg-type]


def test_a_law_that_is_shared_keeps_to_itself() -> None:
    """What one prediction is about does not appear on another, nor on the limit's own law."""
    first, second = deeplimits.limit(shaped(), layer=0), deeplimits.limit(shaped(), "log_variance", layer=0)
    assert first.about is not None and second.about is not None
    assert (first.about.observable, second.about.observable) == ("correlation", "log_variance")
    assert type(first).about is None
    assert json.dumps(first.mean)
