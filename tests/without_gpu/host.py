"""Kernel instances run on the host: the same source as on a device, built by g++ around the emulator."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deeplimits.engines.compile.cache import cache_folder
from deeplimits.engines.cuda.source import Instance, library

FOLDER = Path(__file__).parent
FORWARD, REVERSE, RANDOM = 0, 1, 2

# A sum and a product are two roundings, so contraction is off; fma in software would be slow.
_FLAGS = ["-std=c++20", "-ffp-contract=off", "-mfma", "-Wall", "-Wno-unknown-pragmas", f"-I{FOLDER}"]
BUILDS = {
    "plain": ["-O1"],
    "address": ["-O1", "-g", "-fsanitize=address", "-fno-omit-frame-pointer"],
    "thread": ["-O1", "-g", "-fsanitize=thread", "-DEMULATE_THREADS", "-pthread"],
}


class Fault(AssertionError):
    """What the emulator or a sanitizer found."""


@dataclass(frozen=True)
class Program:
    """Instances in one executable."""

    path: Path

    def run(
        self,
        instance: Instance,
        arguments: Sequence[Any],
        samples_per_block: int,
        order: int = FORWARD,
        seed: int = 0,
    ) -> None:
        """Fill the output arrays, the last of ``arguments``.

        Raises
        ------
        Fault
            If a fault was found.
        """
        self.run_together([(instance, arguments)], samples_per_block, order, seed)

    def run_together(
        self,
        calls: Sequence[tuple[Instance, Sequence[Any]]],
        samples_per_block: int,
        order: int = FORWARD,
        seed: int = 0,
    ) -> None:
        """As ``run``, for calls that share a launch; their instances differ in what they keep of a sample alone."""
        outputs = [output for instance, arguments in calls for output in arguments[-instance.outputs :]]
        samples = max(len(arguments[-1]) for _, arguments in calls)
        sizes = [-(-samples // samples_per_block), len(calls), order, seed]
        given = b"".join(part for instance, arguments in calls for part in _packed(instance, arguments))
        done = subprocess.run(
            [str(self.path), calls[0][0].name, *map(str, sizes)], input=given, capture_output=True
        )
        if done.returncode:
            raise Fault(done.stderr.decode(errors="replace"))
        at = 0
        for output in outputs:
            found = np.frombuffer(done.stdout, output.dtype, output.size, at)
            output[...] = found.reshape(output.shape)
            at += output.nbytes
        assert at == len(done.stdout)


def _packed(instance: Instance, arguments: Sequence[Any]) -> list[bytes]:
    parts = []
    for (kind, dimensions), argument in zip(instance.types, arguments, strict=False):
        if not dimensions:
            parts.append(np.array(argument, kind).tobytes().ljust(8, b"\0"))
            continue
        assert (argument.dtype, argument.ndim) == (np.dtype(kind), dimensions), (instance.name, kind)
        parts += [np.array(argument.shape, np.int64).tobytes(), argument.tobytes()]
    return parts + [np.int64(instance.state).tobytes()] * (instance.state > 0)


def build(instances: Sequence[Instance], kind: str, fault: tuple[str, str] | None = None) -> Program:
    """An executable of ``instances``, kept beside the engine's machine code by the digest of what it is made of.

    Parameters
    ----------
    kind
        A key of ``BUILDS``.
    fault
        A text of the kernels and what to put in its place.
    """
    compiler = shutil.which("g++")
    assert compiler, "the CUDA kernels are tested on the host with g++: install it (apt-get install g++)"
    text = _source(instances)
    if fault:
        assert text.count(fault[0]) == 1, f"{text.count(fault[0])} places for the fault {fault[0]!r}"
        text = text.replace(*fault)
    headers = "".join((FOLDER / name).read_text() for name in ("emulator.hpp", "harness.hpp"))
    flags = _FLAGS + BUILDS[kind]
    digest = hashlib.sha256("\0".join([text, headers, *flags]).encode()).hexdigest()[:24]
    folder = cache_folder().parent / "emulated"
    folder.mkdir(exist_ok=True)
    path = folder / digest
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=folder) as aside:
            source, made = Path(aside) / "kernels.cpp", Path(aside) / "program"
            source.write_text(text)
            done = subprocess.run(
                [compiler, *flags, str(source), "-o", str(made)], capture_output=True, text=True
            )
            assert not done.returncode, done.stderr
            made.replace(path)
    return Program(path)


def _source(instances: Sequence[Instance]) -> str:
    modules = sorted({instance.kernel.module for instance in instances})
    lines = ['#include "emulator.hpp"', library(*modules), '#include "harness.hpp"']
    for number, instance in enumerate(instances):
        arguments = ", ".join(f"{{{kind[1:]}, {dimensions}}}" for kind, dimensions in instance.types)
        numbers = f"{instance.words}, {instance.outputs}, {int(instance.state > 0)}"
        lines += [
            f"static void run_{number}(harness::Launch &launch) {{",
            f"    using Instance = deeplimits::{instance.name};",
            f"    static const harness::Argument arguments[] = {{{arguments}}};",
            f"    launch.run<Instance>(arguments, {numbers}, [](void *memory, const harness::Word *table) {{",
            instance.from_table(),
            "    });",
            "}",
        ]
    table = ", ".join(f'{{"{instance.name}", run_{number}}}' for number, instance in enumerate(instances))
    lines += [f"int main(int argc, char **argv) {{ return harness::main(argc, argv, {{{table}}}); }}", ""]
    return "\n".join(lines)
