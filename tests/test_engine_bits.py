"""The number contract: known answers, and the same bits for any split, thread count, recording and
instruction set."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from deeplimits.activations import Activation, OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.engines import SAMPLER_VERSION, simulate_block
from deeplimits.engines.contract.arithmetic import kernel, u4
from deeplimits.engines.contract.normals import cosine_sine, logarithm, minus_two_log, normal_pair
from deeplimits.engines.contract.philox import philox
from deeplimits.networks.network import Network, Shaping
from known_networks import KNOWN, PATHS, digest, known_network, path_digest

NETWORK = Network(ReluLike(0.0, -1.0), 37, 6, ((1.0, 0.3), (0.3, 2.0)), shaping=Shaping("width", 0.5))
SMOOTH_ONE = Smooth.of("softplus", 0.4, -0.5)
GRAM_5 = tuple(tuple(1.0 if a == b else 0.2 for b in range(5)) for a in range(5))


@kernel
def words(counter, key):
    return philox(u4(counter[0]), u4(counter[1]), u4(counter[2]), u4(counter[3]), u4(key[0]), u4(key[1]))


@kernel
def tables(bits, radius, cosine, sine):
    for i in range(len(bits)):
        radius[i] = minus_two_log(bits[i])
        cosine[i], sine[i] = cosine_sine(bits[i])


@kernel
def logarithms(values, exponents, out):
    for i in range(len(values)):
        out[i] = logarithm(values[i], exponents[i])


@kernel
def pair(radius_word, angle_word):
    return normal_pair(u4(radius_word), u4(angle_word))


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_known_answers(counter: list[int], key: list[int], answer: list[int]) -> None:
    """The vectors published with Random123."""
    assert list(words(np.array(counter, np.uint32), np.array(key, np.uint32))) == answer


def test_elementary_functions_against_float64() -> None:
    """Largest errors over a scan of all words in steps of a prime, the ends included."""
    bits = np.concatenate(
        [np.arange(0, 1 << 32, 1009, dtype=np.uint64), [0, 1, 2, 3, 2**31, 2**32 - 1]]
    ).astype(np.uint32)
    radius, cosine, sine = (np.empty(len(bits), np.float32) for _ in range(3))
    tables(bits, radius, cosine, sine)
    u = (
        ((bits >> 1).astype(np.float32).astype(np.float64) * 2.0**-31 + 2.0**-33)
        .astype(np.float32)
        .astype(np.float64)
    )
    exact = -2 * np.log(u)
    spacing = np.spacing(np.maximum(exact, 2.0**-24).astype(np.float32)).astype(float)
    assert np.max(np.abs(radius - exact) / spacing) <= 2.5
    theta = bits.astype(np.int32).astype(np.float64) * (2 * np.pi / 2**32)
    assert np.max(np.abs(cosine - np.cos(theta))) <= 6e-7
    assert np.max(np.abs(sine - np.sin(theta))) <= 6e-7
    assert np.max(np.abs(cosine.astype(float) ** 2 + sine.astype(float) ** 2 - 1)) <= 1.5e-6


def test_logarithm_against_float64() -> None:
    generator = np.random.default_rng(0)
    values = generator.uniform(1, 2, 100_000).astype(np.float32)
    exponents = generator.integers(-400, 400, len(values)).astype(np.int32)
    exponents[:20_000] = generator.integers(-1, 1, 20_000)
    out = np.empty(len(values), np.float32)
    logarithms(values, exponents, out)
    exact = np.log(values.astype(float)) + exponents * np.log(2)
    assert np.max(np.abs(out - exact) / np.maximum(np.spacing(np.abs(exact).astype(np.float32)), 6e-8)) <= 1.5


def test_known_answer_of_normals() -> None:
    got = np.array(pair(0x6627E8D5, 0xE169C58D), np.float32)
    assert got.view(np.uint32).tolist() == KNOWN["normals"]


KINDS = {
    "network": (1, 2, 3),
    "smooth": (1, 2, 3),
    "layered": (2, 3),
    "layered-smooth": (1,),
    "residual": (1, 2, 3),
    "residual-smooth": (2,),
    "residual-exotic": (2,),
}
NETWORKS = [f"{kind}-{inputs}" for kind, several in KINDS.items() for inputs in several]


SLOW = {"residual-3", "residual-smooth-2", "residual-exotic-2"}
"""To compile."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in NETWORKS]
)
def test_known_answer_of_a_small_network(name: str) -> None:
    assert SAMPLER_VERSION == 1, "a new contract needs new answers"
    assert digest(known_network(name)) == KNOWN[name]


@pytest.mark.parametrize("name", PATHS)
def test_known_answer_of_sampled_paths(name: str) -> None:
    assert path_digest(name) == KNOWN[name]


@pytest.mark.parametrize(
    "gram",
    [((1.0,),), NETWORK.gram, pytest.param(GRAM_5, marks=pytest.mark.slow)],
    ids=["m=1", "m=2", "m=5"],
)
@pytest.mark.parametrize("width", [1, 16, 37, 1100])
@pytest.mark.parametrize(
    ("activation", "architecture"),
    [
        (NETWORK.activation, "mlp"),
        (SMOOTH_ONE, "mlp"),
        (NETWORK.activation, "resnet"),
        pytest.param(SMOOTH_ONE, "resnet", marks=pytest.mark.slow),
        pytest.param(OrnsteinUhlenbeck(), "resnet", marks=pytest.mark.slow),
    ],
    ids=["relu", "smooth", "residual", "residual-smooth", "residual-exotic"],
)
def test_any_split_and_thread_count_give_the_same_bits(
    gram: tuple[tuple[float, ...], ...],
    width: int,
    activation: Activation,
    architecture: Literal["mlp", "resnet"],
) -> None:
    network = replace(NETWORK, gram=gram, width=width, activation=activation, architecture=architecture)
    if network.residual:
        network = replace(network, shaping=None)
    whole = simulate_block(network, [0, 2, 6], 3, 50, threads=1)
    pieces = [simulate_block(network, [0, 2, 6], a, b - a, threads=2) for a, b in [(3, 4), (4, 20), (20, 53)]]
    for name, array in whole.items():
        assert array.tobytes() == b"".join(piece[name].tobytes() for piece in pieces)


@pytest.mark.parametrize(
    "network",
    [NETWORK, known_network("layered-3"), known_network("layered-smooth-1"), known_network("residual-2")],
    ids=["mlp", "layered", "layered-smooth", "residual"],
)
def test_what_is_recorded_does_not_change_the_samples(network: Network) -> None:
    every = simulate_block(network, range(7), 0, 20)
    for layers in ([6], [0, 3], [2, 5, 6]):
        some = simulate_block(network, layers, 0, 20)
        for name in some:
            if name.endswith("_at"):
                later = every[name] > layers[-1]
                assert (some[name] == np.where(later, -1, every[name])).all()
            else:
                assert some[name].tobytes() == every[name][:, layers].tobytes()


INSTRUCTION_SETS = {"generic": "", "haswell": "+avx2,+fma", "x86-64-v4": None}
"""Features of processors, None for all that theirs has."""
QUICK = [name for name in NETWORKS if name not in SLOW]


@pytest.mark.parametrize(
    "names",
    [
        pytest.param([*QUICK, *PATHS], marks=pytest.mark.slow, id="quick"),
        pytest.param([name for name in NETWORKS if name in SLOW], marks=pytest.mark.exhaustive, id="slow"),
    ],
)
@pytest.mark.parametrize(
    "processor", ["generic", "haswell", pytest.param("x86-64-v4", marks=pytest.mark.exhaustive)]
)
def test_instruction_set_leaves_no_trace(tmp_path: Path, processor: str, names: list[str]) -> None:
    """The same kernels compiled for another processor, the first without vector multiply-add, in a process of its
    own.
    """
    features = INSTRUCTION_SETS[processor]
    if features is None and "avx512f" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this processor has no AVX-512")
    environment = os.environ | {"NUMBA_CPU_NAME": processor, "NUMBA_CACHE_DIR": str(tmp_path)}
    if features is not None:
        environment["NUMBA_CPU_FEATURES"] = features
    code = "import sys; sys.path.insert(0, sys.argv[1]); import known_networks as t; print(t.digests(sys.argv[2:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent), *names],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str({name: KNOWN[name] for name in names})


def test_far_samples_and_other_seeds_differ() -> None:
    near = simulate_block(NETWORK, [6], 0, 4)["log_variance"]
    for other in (
        simulate_block(NETWORK, [6], 1 << 40, 4),
        simulate_block(replace(NETWORK, seed=1), [6], 0, 4),
    ):
        assert not np.intersect1d(near, other["log_variance"]).size


@pytest.mark.slow
def test_damaged_machine_code_is_compiled_anew(tmp_path: Path) -> None:
    """In processes of their own: one compiles, one finds half a file, one finds it whole and never loads Numba."""
    code = (
        "import sys; from deeplimits.engines import simulate_block;"
        "from deeplimits.activations import ReluLike; from deeplimits.networks.network import Network;"
        "drawn = simulate_block(Network(ReluLike(), 5, 3, ((2.0,),)), [3], 0, 9);"
        "print(drawn['log_variance'].tobytes().hex(), 'numba' in sys.modules)"
    )
    answers = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"XDG_CACHE_HOME": str(tmp_path), "NUMBA_CACHE_DIR": ""},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        answers.append(done.stdout.split())
        (kept,) = tmp_path.rglob("*.o")
        if len(answers) == 1:
            kept.write_bytes(kept.read_bytes()[:-100])
    assert [numba for _, numba in answers] == ["True", "True", "False"]
    assert len({bits for bits, _ in answers}) == 1


def test_a_kernel_that_could_raise_is_refused() -> None:
    from deeplimits.engines.compile.compiler import machine_code

    with pytest.raises(AssertionError, match="raises or allocates"):
        machine_code("engines.contract.arithmetic", "kernel", _raising, [("i8", 1)])


def _raising(x):
    if x[0] > 0:
        raise ValueError
