"""Run the commands of `rag` in tests: in this process or another one, each test with its own index and cache."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rag.assistant import Assistant
from rag.cli import main
from rag.config import ROOT, Config
from rag.errors import GenerationError
from rag.index.index import Index
from rag.ingest.build import build_index
from rag.protocols import Generator
from rag.shell.options import Load
from rag.testing import SPEAKING, ScriptedGenerator, WordEncoder
from rag.text.prompts import Prompts
from rag.types import Reply

ARTICLES = {
    "harbour.txt": "The harbour opened in May after nine years of work.\n\nIt cost nine million in the end.\n",
    "orchard.txt": " date 2025-07 Apples ripened early this year in the whole valley.\n",
}
QUESTION = "How many million has the harbour cost in the end?"
REPLY = "It cost nine million."


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, parsed as one JSON object."""
        found: dict[str, Any] = json.loads(self.out)
        return found


class BreakingGenerator(ScriptedGenerator):
    """Fails in the middle of its reply."""

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        yield "It "
        raise GenerationError("The generator broke. Ask again.")


Run = Callable[..., Outcome]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an index of two articles and a cache without models, set up in the environment."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name, text in ARTICLES.items():
        (corpus / name).write_text(text, encoding="utf-8")
    for variable in [name for name in os.environ if name.startswith("RAG_")]:
        monkeypatch.delenv(variable)
    for name in ("corpus", "indexes", "cache"):
        monkeypatch.setenv(f"RAG_{name.upper()}", str(tmp_path / name))
    build_index(config=Config.from_env(), encoder=WordEncoder())
    return tmp_path


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:  # noqa: ARG001 - it sets the environment
    def run(*arguments: str, load: Load | None = None) -> Outcome:
        with pytest.raises(SystemExit) as end:
            main(arguments, load or load_with(ScriptedGenerator(REPLY)))
        assert isinstance(end.value.code, int)
        return Outcome(end.value.code, *capsys.readouterr())

    return run


def load_with(generator: Generator) -> Load:
    def load(config: Config) -> Assistant:
        index = Index.open(config.indexes / config.index)
        return Assistant(config, index, WordEncoder(), generator, Prompts.load(ROOT / "prompts"), SPEAKING)

    return load


def start(code: str, **streams: Any) -> "subprocess.Popen[str]":
    """Start `rag` in a new process. `code` is the argument list of `main`, as Python source."""
    script = f"import sys, time; from rag.cli import main; from tests.command_line import *; main{code}"
    return subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, text=True, **streams)


def read_terminal(descriptor: int) -> str:
    shown = b""
    with os.fdopen(descriptor, "rb", buffering=0) as terminal:
        try:
            while piece := terminal.read(4096):
                shown += piece
        except OSError:  # Linux raises it when the other end is closed
            pass
    return shown.decode()


def assert_one_line(err: str) -> None:
    """Check that an error is one line that names the program."""
    assert err.startswith("rag: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
