"""The server's description of itself, tried in a process of its own."""

import subprocess
import sys

from rag.config import ROOT


def test_every_reply_is_as_the_description_says() -> None:
    # Hypothesis parses its own source, and CPython 3.11 fails at that when it clears away what other tests left.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/described.py"]
    tried = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stdout
