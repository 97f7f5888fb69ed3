"""Completion in bash, zsh and fish, through the scripts that click generates."""

import os
import subprocess
from pathlib import Path

import pytest

from rag.config import Config
from rag.ingest.build import build_index
from rag.testing import WordEncoder
from tests.command_line import start

pytestmark = pytest.mark.usefixtures("home")


def complete(line: str) -> list[str]:
    """Return what bash offers for the last word of a line."""
    words = line.split(" ")
    asked = {"_RAG_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    with start("()", stdout=subprocess.PIPE, env={**os.environ, **asked}) as process:
        assert process.stdout
        return [offer.split(",", 1)[1] for offer in process.stdout.read().splitlines() if offer]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str) -> None:
    environment = {**os.environ, "_RAG_COMPLETE": f"{shell}_source"}
    with start("()", stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout
        script = process.stdout.read()
    assert f"_RAG_COMPLETE={shell}_complete" in script
    assert "_rag_completion" in script


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("rag mo", ["models"]),
        ("rag models fetch multilingual", ["multilingual-e5-large", "multilingual-e5-small"]),
        ("rag show ", ["harbour.txt", "orchard.txt"]),
        ("rag show o", ["orchard.txt"]),
        ("rag search --language ", ["en"]),
        ("rag search --source h", ["harbour.txt"]),
        ("rag ask --index d", ["default"]),
        ("rag show --index apples ", ["orchard.txt"]),
        ("rag show --index none ", []),
    ],
)
def test_names_are_completed(home: Path, line: str, offers: list[str]) -> None:
    if "apples" in line:
        build_index([home / "corpus" / "orchard.txt"], Config.from_env(index="apples"), WordEncoder())
    assert complete(line) == offers
