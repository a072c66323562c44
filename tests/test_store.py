"""Plans, blocks, containers and receipts: identity, what is computed when a study grows, equal bytes, and damage that is seen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplimits.activations import Identity, ReluLike
from deeplimits.engines import simulate_block
from deeplimits.errors import InputError
from deeplimits.jobs.simulate import simulate_batch
from deeplimits.jobs.workflow import prepare
from deeplimits.networks.network import Network, Shaping
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.container import write_container
from deeplimits.store.digests import digest
from deeplimits.store.paths import batches_folder
from deeplimits.store.receipts import read_receipt, read_todo
from deeplimits.store.zarr_zip import CorruptContainer, read_array
from deeplimits.sweep.blocks import Block, block_size
from deeplimits.sweep.plan import Batch
from deeplimits.sweep.points import Point, network_from_form, recorded_layers
from forked import deeplimits
from tiny import STUDY, compute, drawn, planned, project, simulated

NETWORK = Network(ReluLike(0.5, -0.5), 12, 12, ((1.0, 0.3), (0.3, 1.0)), shaping=Shaping("width", 0.5))


def test_physics_is_canonical() -> None:
    one = replace(NETWORK, activation=ReluLike(0, -1))
    assert one.fingerprint == replace(NETWORK, activation=ReluLike(-0.0, -1.0)).fingerprint
    assert replace(one, shaping=Shaping("depth", 0.0)).fingerprint == replace(one, shaping=None).fingerprint
    linear = replace(NETWORK, activation=Identity())
    assert linear.fingerprint == replace(linear, shaping=None).fingerprint
    others = [
        replace(one, seed=1),
        replace(one, depth=13),
        replace(one, width=13),
        replace(one, shaping=None),
        replace(one, gram=((1.0, 0.31), (0.31, 1.0))),
    ]
    assert len({network.fingerprint for network in [one, *others]}) == 6


def test_physics_hash_is_fixed_for_ever() -> None:
    """The key of every random stream ever drawn hangs on it."""
    assert (
        Network(
            ReluLike(0.0, -1.0), 150, 150, ((1.0, 0.3), (0.3, 1.0)), shaping=Shaping("width", 0.5)
        ).fingerprint
        == KNOWN_HASH
    )


KNOWN_HASH = json.loads((Path(__file__).parent / "known_answers.json").read_text())["physics"]


@given(
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    st.floats(-1, 1),
    st.integers(0, 2**63 - 1),
    st.floats(0, 3),
    st.sampled_from(["width", "depth"]),
)
@settings(max_examples=60, deadline=None)
def test_physics_survives_a_todo(
    width: int, depth: int, rho: float, seed: int, exponent: float, by: str
) -> None:
    network = Network(
        ReluLike(0.1, -0.7), width, depth, ((1.0, rho), (rho, 1.0)), seed, Shaping(by, exponent)
    )
    physics = json.loads(json.dumps(network.canonical_form()))
    assert network_from_form(physics).fingerprint == network.fingerprint


@pytest.mark.parametrize(
    ("width", "depth", "size"),
    [
        (8, 8, 8192),
        (2048, 2048, 4096),
        (2048, 2049, 4096),
        (4096, 4096, 1024),
        (10**5, 10**5, 2),
        (10**6, 10**6, 1),
    ],
)
def test_block_size_is_a_power_of_two_below_the_bound(width: int, depth: int, size: int) -> None:
    network = replace(NETWORK, width=width, depth=depth)
    assert block_size(network) == size
    assert size == 1 or size * network.normals_per_sample < 2**36
    assert size == 8192 or 2 * size * network.normals_per_sample >= 2**36


@given(st.integers(1, 200), st.integers(1, 500))
@settings(max_examples=100, deadline=None)
def test_evenly_spaced_layers_hold_both_ends(count: int, depth: int) -> None:
    layers = recorded_layers(count, depth, Path("x"), "record.layers")
    assert layers[-1] == depth and (count == 1 or layers[0] == 0)
    assert list(layers) == sorted(set(layers)) and len(layers) == min(count, depth + 1)


def test_equal_blocks_make_equal_bytes_however_they_are_computed(tmp_path: Path) -> None:
    blocks = [Block(Point(NETWORK, (0, 6, 12)), index) for index in range(3)]
    digests = set()
    for threads in (1, 2):
        container = tmp_path / f"{threads}.zarr.zip"
        simulate_batch(blocks, container, tmp_path / f"{threads}.json", threads=threads)
        digests.add(digest(container))
    assert len(digests) == 1
    receipt = read_receipt(tmp_path / "1.json")
    assert receipt.sha256 == digests.pop()
    apart = tmp_path / "apart.zarr.zip"
    simulate_batch(blocks[1:2], apart, tmp_path / "apart.json")
    for variable in ("log_variance", "correlation_gap", "sample", "layer"):
        assert (
            read_array(apart, blocks[1].id, variable).tobytes()
            == read_array(tmp_path / "1.zarr.zip", blocks[1].id, variable).tobytes()
        )


def test_a_point_simulated_by_hand_opens_as_a_dataset(tmp_path: Path) -> None:
    point = tmp_path / "point.yaml"
    point.write_text(
        "activation: {name: relu}\nwidth: 8\ndepth: 4\ninputs: {gram: [[1, 0.1, 0], [0.1, 2, 0], [0, 0, 1]]}\nrecord: {layers: [0, 4]}\n"
    )
    out = tmp_path / "x.zarr.zip"
    done = deeplimits("simulate", str(point), "--samples", "10:30", "--out", str(out))
    assert done.returncode == 0, done.stderr
    data = xr.open_zarr(zarr.storage.ZipStore(out, mode="r"), consolidated=False)
    assert dict(data.sizes) == {"sample": 20, "record": 2, "input": 3, "cross": 3}
    assert data["sample"].values.tolist() == list(range(10, 30))
    assert data["layer"].values.tolist() == [0, 4]
    np.testing.assert_allclose(data["log_variance"].isel(record=0), np.log([[1, 2, 1]] * 20), rtol=1e-6)
    assert not list(tmp_path.glob("*.json"))


def test_a_study_that_grows_computes_only_what_is_missing(tmp_path: Path) -> None:
    """More widths, more samples, other layers, then the same again; in the end every bit is that of a run from scratch."""
    config = project(tmp_path / "a")
    first = simulated(config)
    assert len(first) == 2 and simulated(config) == []
    project(tmp_path / "a", STUDY.replace("[8, 12]", "[8, 12, 16]"))
    wider = simulated(config)
    assert len(wider) == 1
    project(tmp_path / "a", STUDY.replace("[8, 12]", "[8, 12, 16]").replace("8192", "16384"))
    more = simulated(config)
    assert len(more) == 3 and not set(more) & {*first, *wider}
    final = (
        STUDY.replace("[8, 12]", "[8, 12, 16]").replace("8192", "16384").replace("layers: 3", "layers: all")
    )
    project(tmp_path / "a", final)
    assert len(simulated(config)) == 6
    scratch = project(tmp_path / "b", final)
    assert len(simulated(scratch)) == 6
    for point in config.studies()[0].points:
        grown, fresh = (drawn(each.results, point, 16384) for each in (config, scratch))
        for name in grown.variables:
            assert grown[name].values.tobytes() == fresh[name].values.tobytes()
    few = Point(config.studies()[0].points[0].network, (0, 4, 8))
    before, after = (
        drawn(config.results, few, 8192),
        drawn(config.results, config.studies()[0].points[0], 8192),
    )
    assert (
        before["correlation_gap"].values.tobytes()
        == after["correlation_gap"].isel(record=[0, 4, 8]).values.tobytes()
    )


def test_packing_leaves_no_trace(tmp_path: Path) -> None:
    configs = [project(tmp_path / name) for name in ("many", "one")]
    (together,) = planned(configs[0]).batches
    apart = [Batch((block,), 1.0) for block in reversed(together.blocks)]
    assert len(apart) == 2
    for config, batches in zip(configs, ([together], apart), strict=True):
        for batch in batches:
            compute(config, batch)
    for point in configs[0].studies()[0].points:
        one, other = (drawn(config.results, point, 8192)["log_variance"].values for config in configs)
        assert one.tobytes() == other.tobytes()


def test_studies_share_blocks(tmp_path: Path) -> None:
    config = project(tmp_path)
    project(tmp_path, STUDY.replace("[8, 12]", "[12, 16]"), name="other")
    config = replace(config, study_names=("tiny", "other"))
    plan = planned(config)
    assert plan.blocks_missing == 3 and plan.blocks_needed == 4
    simulated(config)
    done = planned(config)
    assert done.batches == () and set(done.receipts) == {"tiny", "other"}
    assert planned(config).receipts == done.receipts


@pytest.mark.slow
def test_a_large_plan_has_few_jobs_and_is_a_function_of_its_input(tmp_path: Path) -> None:
    many = ", ".join(str(i / 100) for i in range(50))
    study = STUDY.replace("0.3", f"[{many}]").replace(
        "seed: 0", "seed: [{}]".format(", ".join(map(str, range(40))))
    )
    config = project(tmp_path, study)
    plan = planned(config, 1.0)
    assert plan.blocks_missing == 4000
    assert len(plan.batches) <= 1000
    assert sorted(block.id for batch in plan.batches for block in batch.blocks) == sorted(
        {block.id for batch in plan.batches for block in batch.blocks}
    )
    assert [batch.name for batch in planned(config, 1.0).batches] == [batch.name for batch in plan.batches]
    assert not config.results.exists()


@pytest.mark.slow
def test_todo_files_are_read_back_and_checked(tmp_path: Path) -> None:
    config = project(tmp_path)
    prepare(config.path)
    (todo,) = list(batches_folder(config.results).glob("*.todo.json"))
    blocks = read_todo(todo)
    assert [block.id for block in blocks] == [
        block.id for batch in planned(config).batches for block in batch.blocks
    ]
    text = todo.read_text()
    for change in (
        text.replace('"width":8', '"width":9'),
        text.replace('"sampler_version":1', '"sampler_version":0'),
        text[:100],
        "[]",
        "{}",
    ):
        todo.write_text(change)
        with pytest.raises(InputError):
            read_todo(todo)
        assert deeplimits("simulate", str(todo)).returncode == 2
        assert not list(tmp_path.rglob("*.zarr.zip"))


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Path, Path]:
    config = project(tmp_path)
    simulated(config)
    (container,) = batches_folder(config.results).glob("*.zarr.zip")
    return config.results, container


def test_every_flipped_bit_in_an_array_is_seen(stored: tuple[Path, Path]) -> None:
    """Bits are flipped at 200 places spread over the file: reading gives the same values or an error, never other values."""
    results, container = stored
    whole = container.read_bytes()
    point = project(results.parent).studies()[0].points[0]
    block = Block(point, 0)
    truth = read_array(container, block.id, "correlation_gap").tobytes()
    refused = 0
    for at in np.linspace(0, len(whole) - 1, 200).astype(int):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        path = container.with_name(f"damaged-{at}.zarr.zip")
        path.write_bytes(bytes(damaged))
        try:
            assert read_array(path, block.id, "correlation_gap").tobytes() == truth
        except CorruptContainer:
            refused += 1
        path.unlink()
    assert refused > 10


def test_a_receipt_without_its_container_counts_for_nothing(stored: tuple[Path, Path]) -> None:
    results, container = stored
    config = project(results.parent)
    assert planned(config).batches == ()
    container.rename(container.with_suffix(".gone"))
    assert len(planned(config).batches) == 1
    container.write_bytes(b"half")
    catalogue = Catalogue(results)
    assert catalogue.held == {} and len(catalogue.unusable) == 1
    simulated(config)
    assert planned(config).batches == ()


def test_recomputing_a_block_with_the_oracle_never_enters_the_store(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="never writes to the store"):
        simulate_batch(
            [Block(Point(NETWORK, (12,)), 0)], tmp_path / "x.zarr.zip", tmp_path / "x.json", engine="oracle"
        )
    assert list(tmp_path.iterdir()) == []


def test_empty_arrays_and_one_input(tmp_path: Path) -> None:
    point = Point(replace(NETWORK, gram=((2.0,),)), (0, 12))
    arrays = dict(simulate_block(point.network, point.layers, 0, 4))
    write_container(tmp_path / "x.zarr.zip", [("g", arrays, {})])
    assert read_array(tmp_path / "x.zarr.zip", "g", "log_variance").shape == (4, 2, 1)
    with pytest.raises(CorruptContainer):
        read_array(tmp_path / "x.zarr.zip", "g", "correlation_gap")
