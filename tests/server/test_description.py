"""The server matches its OpenAPI description. The check runs in a process of its own."""

import subprocess
import sys

from rag.config import ROOT


def test_every_response_matches_the_description() -> None:
    # Hypothesis parses its own source, and CPython 3.11 fails at that if it collects garbage of other tests meanwhile.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/described.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
