"""Laws of sampled limits that are kept on disk: the same as drawn, whatever has happened to their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from deeplimits.activations import ReluLike
from deeplimits.laws import EmpiricalLaw, Law
from deeplimits.limits import together
from deeplimits.limits.together import Request
from deeplimits.networks.network import Network
from deeplimits.store import kept_laws

NETWORK = Network(ReluLike(), 16, 6, ((1.0, 0.3), (0.3, 1.0)))
ASKED: list[Request] = [(NETWORK, [0, 6], "correlation"), (NETWORK, [3], "rescaled_correlation")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kept_laws, "_folder", lambda: tmp_path / "laws")
    return tmp_path / "laws"


def held(answers: Sequence[Sequence[Law]]) -> list[tuple[str, bool, bytes]]:
    found = []
    for law in (law for laws in answers for law in laws):
        assert isinstance(law, EmpiricalLaw)
        found.append((type(law).__name__, law.bounded, law.samples.tobytes()))
    return found


def undrawn(_: str, requests: Sequence[Request]) -> list[list[Law]]:
    return [pytest.fail("drawn") for _ in requests]


def test_what_is_read_is_what_was_drawn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = held(together.marginals("markov_chain", ASKED))
    assert held(kept_laws.marginals("markov_chain", ASKED)) == drawn
    assert len(list(folder.iterdir())) == 2
    monkeypatch.setattr(together, "marginals", undrawn)
    assert held(kept_laws.marginals("markov_chain", ASKED[::-1])[::-1]) == drawn
    with pytest.raises(pytest.fail.Exception, match="drawn"):
        kept_laws.marginals("markov_chain", [(NETWORK, [5], "correlation")])


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "folder"])
def test_a_damaged_file_is_drawn_again(folder: Path, damage: str) -> None:
    drawn = held(kept_laws.marginals("markov_chain", ASKED))
    for file in folder.iterdir():
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.unlink()
        if damage == "folder":
            file.mkdir()
        else:
            file.write_bytes({"flip": bytes(content), "cut": bytes(content[:100]), "empty": b""}[damage])
    assert held(kept_laws.marginals("markov_chain", ASKED)) == drawn


def test_no_folder_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(kept_laws, "_folder", lambda: tmp_path / "file" / "laws")
    assert len(kept_laws.marginals("markov_chain", ASKED)) == 2


def test_what_was_not_read_for_longest_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept_laws.marginals("markov_chain", ASKED[:1])
    size = sum(file.stat().st_size for file in folder.iterdir())
    monkeypatch.setattr(kept_laws, "LARGEST", int(2.5 * size))
    for layer in range(1, 7):
        kept_laws.marginals("markov_chain", [(NETWORK, [0, layer], "correlation")])
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 2.5 * size


def test_solved_laws_are_not_kept(folder: Path) -> None:
    laws = kept_laws.marginals("unshaped", [(NETWORK, [6], "correlation")])
    assert np.isfinite(laws[0][0].mean)
    assert not folder.exists()
