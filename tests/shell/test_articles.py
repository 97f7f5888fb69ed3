"""`rag articles` and `rag show`: list the index, print an article, and mark a citation in it."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from rag.config import Config
from rag.ingest.build import build_index
from rag.shell.options import ANSWERED, FAILED
from rag.testing import WordEncoder
from tests.command_line import ARTICLES, QUESTION, Outcome, Run, read_terminal, start

pytestmark = pytest.mark.usefixtures("home")

HARBOUR = ARTICLES["harbour.txt"]
EVIL = (
    "The lake \x1b]0;owned\x07 froze \x9b2J over in January. " + "It stayed so for weeks, and people skated on it. " * 8
)


def test_articles_are_listed_as_lines_and_as_json(run: Run) -> None:
    assert run("articles") == Outcome(ANSWERED, "harbour.txt · English\norchard.txt · English · 2025-07\n", "")
    listed = run("articles", "--json").json["articles"]
    assert [(article["source"], article["date"], article["passages"]) for article in listed] == [
        ("harbour.txt", None, 1),
        ("orchard.txt", "2025-07", 1),
    ]


def test_an_article_is_printed_as_it_was_indexed(run: Run, home: Path) -> None:
    (home / "corpus" / "harbour.txt").write_text("Something else by now.")
    assert run("show", "harbour.txt") == Outcome(ANSWERED, f"harbour.txt · English\n\n{HARBOUR}", "")


def test_a_citation_of_an_answer_is_marked_in_its_article(run: Run) -> None:
    (citation,) = run("ask", QUESTION, "--json").json["citations"]
    shown = run("show", citation["source"], "--cite", f"{citation['start']}:{citation['end']}")
    assert shown.out.endswith("\n\n⟦It cost nine million in the end.⟧\n")
    assert shown.out.replace("⟦", "").replace("⟧", "") == run("show", "harbour.txt").out


def test_a_quote_is_found_across_line_breaks(run: Run) -> None:
    cited = run("show", "harbour.txt", "--quote", "of work. It\ncost nine", "--json").json["cited"]
    assert cited["quote"] == "of work.\n\nIt cost nine"
    assert HARBOUR[cited["start"] : cited["end"]] == cited["quote"]


def test_an_article_as_json_has_its_text_and_facts(run: Run) -> None:
    article = run("show", "orchard.txt", "--json").json
    assert (article["text"].strip(), article["date"], article["cited"]) == (
        "Apples ripened early this year in the whole valley.",
        "2025-07",
        None,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.txt"], "Name one that it lists"),
        (["harbour.txt", "--cite", "7"], f"from 0 to {len(HARBOUR)}"),
        (["harbour.txt", "--cite", "9:3"], "two offsets"),
        (["harbour.txt", "--cite", f"0:{len(HARBOUR) + 1}"], "two offsets"),
        (["harbour.txt", "--cite", f"0:{'9' * 5000}"], "two offsets"),
        (["\udcff.txt"], r"has no article “\xff.txt”. Name one that it lists."),
        (["harbour.txt", "--quote", "no such words"], "The article does not contain"),
        (["harbour.txt", "--quote", " "], "The article does not contain"),
        (["harbour.txt", "--quote", "It", "--cite", "0:1"], "either"),
        (["harbour.txt", "--index", "none"], "rag index --index none"),
    ],
)
def test_an_invalid_request_is_an_error(run: Run, arguments: list[str], message: str) -> None:
    outcome = run("show", *arguments)
    assert (outcome.code, outcome.out) == (FAILED, "")
    assert message in outcome.err
    assert "Please report it" not in outcome.err


def test_on_a_terminal_the_citation_is_coloured() -> None:
    shown = show_on_terminal("(['show', 'harbour.txt', '--cite', '53:85'])")
    before, cited = shown.split("⟦It cost nine million in the end.⟧")[0].rsplit("\x1b", 1)
    assert "The harbour opened" in before
    assert cited.endswith("m")


def test_an_article_cannot_send_commands_to_the_terminal(run: Run, home: Path) -> None:
    (home / "corpus" / "evil.txt").write_text(EVIL)
    build_index(config=Config.from_env(), encoder=WordEncoder())
    shown = show_on_terminal("(['show', 'evil.txt'])")
    assert "The lake \ufffd]0;owned\ufffd froze \ufffd2J over" in shown
    for command in (["show", "evil.txt"], ["search", "lake"], ["search", "lake", "--json"]):
        assert not {"\x1b", "\x07", "\x9b"} & set(run(*command).out)
    assert run("show", "evil.txt", "--json").json["text"] == EVIL


def show_on_terminal(code: str) -> str:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    with start(code, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = read_terminal(ours)
    assert process.returncode == ANSWERED
    return shown
