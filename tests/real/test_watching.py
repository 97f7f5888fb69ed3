"""`rag index --watch` as a process of its own, with the real encoder, until Ctrl-C."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rag.config import ROOT
from rag.shell.options import INTERRUPTED

pytestmark = pytest.mark.slow(reason="Another process loads the real encoder and watches a folder.")


def test_it_reports_each_update_until_ctrl_c(environment: dict[str, str], tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "harbour.txt").write_text("The harbour opened in May.\n")
    command = [sys.executable, "-c", "from rag.cli import main; main()", "index", str(corpus), "--watch"]
    settings = {**environment, "RAG_INDEXES": str(tmp_path / "indexes")}
    with subprocess.Popen(
        command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert process.stderr
            assert process.stdout.readline() == "1 file: 1 new; 1 passage in “default”\n"
            (corpus / "lake.txt").write_text("The lake froze.\n")
            assert process.stdout.readline() == "2 files: 1 new, 1 unchanged; 2 passages in “default”\n"
            (corpus / "harbour.txt").unlink()
            assert process.stdout.readline() == "2 files: 1 unchanged, 1 removed; 1 passage in “default”\n"
            process.send_signal(signal.SIGINT)
            assert process.stderr.read().strip() == "rag: interrupted"
        finally:
            process.kill()
    assert process.returncode == INTERRUPTED
