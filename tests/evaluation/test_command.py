"""`python -m evaluation` as a developer meets it. Whole runs are in test_runs.py."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from evaluation.__main__ import main


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    monkeypatch.setenv("RAG_CACHE", str(tmp_path / "cache"))
    return CliRunner()


def test_help_lists_the_options(runner: CliRunner) -> None:
    outcome = runner.invoke(main, ["--help"])
    assert outcome.exit_code == 0
    assert {"--xquad", "--development"} <= set(outcome.output.split())


def test_a_folder_without_a_pool_is_a_one_line_error(runner: CliRunner, tmp_path: Path) -> None:
    outcome = runner.invoke(main, ["--xquad", str(tmp_path)])
    assert outcome.exit_code == 1
    assert str(tmp_path) in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_a_missing_model_is_named_with_the_command_that_fetches_it(runner: CliRunner) -> None:
    outcome = runner.invoke(main, ["--development"])
    assert outcome.exit_code == 1
    assert "rag models fetch multilingual-e5-small" in outcome.stderr
