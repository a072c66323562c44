"""Tests compute as the command line does, before anything reads NumPy; and fixtures that files share."""

from __future__ import annotations

import signal

import pytest

from deeplimits.processor import hold

hold()
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # as a shell starts what runs in the background; processes that tests start and interrupt would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

from workflow_runs import STUDY  # noqa: E402 -- which may read NumPy


@pytest.fixture
def project(tmp_path):
    """A folder with a configuration and one small study, as a user has it."""
    (tmp_path / "config/studies").mkdir(parents=True)
    (tmp_path / "config/config.yaml").write_text("studies: all\n")
    (tmp_path / "config/studies/small.yaml").write_text(STUDY)
    return tmp_path
