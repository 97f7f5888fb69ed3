"""The commands and examples of README.md and docs/usage.md work as they are written there."""

import json
import re
import shlex
import subprocess
import sys

import pytest

from rag.config import ROOT

pytestmark = pytest.mark.slow(reason="Each command and example loads the real models in its own process.")
PAGES = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/usage.md"))
PYTHON, ASYNCHRONOUS = re.findall(r"```python\n(.*?)```", PAGES, re.DOTALL)
COMMANDS = sorted(set(re.findall(r"^((?:RAG_\w+=\S+ )?rag (?:ask|search|show) .*)$", PAGES, re.MULTILINE)))


EXPECTED = {
    "Kdo pozval Lavrova do KLDR?": r"000_6546eb5d104e4df2\.txt",
    "Ilu inżynierów wojskowych Korea Północna wyśle do obwodu kurskiego?": r"^1\. 002_f479d6fd843f1435\.txt · Estonian",
    "Kiedy Ławrow przyjechał do Wonsanu?": r"^1\. (001_a8bb7df5b9a08b73|002_f479d6fd843f1435)\.txt",
    "Who is the spokesman of the National Security Council?": r"^1\. 004_1f69318a9cec8a4d\.txt · Polish · 2023-09",
    "000_6546eb5d104e4df2.txt": r"⟦Lavrov navštíví KLDR⟧",
    "How many engineers will be sent to Kursk?": r"6,?000.*\n\nSources\n\[1\] 002_f479d6fd843f1435\.txt",
}
"""By question or file: what the output of a command that does not print JSON contains."""


def test_the_example_in_python_prints_an_answer_and_its_source(environment: dict[str, str]) -> None:
    child = subprocess.run(
        [sys.executable, "-c", PYTHON], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    answer, *citations = child.stdout.splitlines()
    assert answer.endswith("[1]")
    assert citations[0].startswith("1 000_6546eb5d104e4df2.txt cs None Lavrov navštíví KLDR")


def test_the_asynchronous_example_prints_an_answer_and_the_events_on_the_way(environment: dict[str, str]) -> None:
    child = subprocess.run(
        [sys.executable, "-c", ASYNCHRONOUS], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    answer, *events = child.stdout.splitlines()
    assert answer.endswith("[1]")
    assert (events[0], events[-1]) == ("Evidence", "Answered")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_that_answers_succeeds(environment: dict[str, str], command: str) -> None:
    words = shlex.split(command)
    settings = dict(word.split("=", 1) for word in words if word.startswith("RAG_"))
    arguments = words[words.index("rag") + 1 :]
    child = subprocess.run(
        [sys.executable, "-c", "from rag.cli import main; main()", *arguments],
        cwd=ROOT,
        env={**environment, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    if "--json" in arguments:
        json.loads(child.stdout)
    else:
        assert re.search(EXPECTED[words[words.index("rag") + 2]], child.stdout)


def test_the_pages_show_commands() -> None:
    assert len(COMMANDS) >= 4
