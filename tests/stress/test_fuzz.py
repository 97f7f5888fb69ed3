"""A short form of `python -m stress.fuzz`."""

import subprocess
import sys

import pytest

from rag.config import ROOT


@pytest.mark.slow(reason="It tries new inputs for ten seconds.")
def test_any_bytes_become_an_article_or_are_skipped() -> None:
    pytest.importorskip("atheris", reason="atheris is not made for this machine")
    command = [sys.executable, "-m", "stress.fuzz", "--seconds", "10"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Done" in done.stderr
