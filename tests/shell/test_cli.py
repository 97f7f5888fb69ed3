"""The `rag` command as users see it: streams, formats and exit codes."""

import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from filelock import FileLock

from rag.assistant import Assistant
from rag.cli import cli
from rag.config import ROOT, Config
from rag.ingest.build import LOCK, build_index
from rag.models.registry import RECORD, find
from rag.shell.options import ABSTAINED, ANSWERED, FAILED, INTERRUPTED
from rag.testing import UNLIKELY, ScriptedGenerator, WordEncoder
from rag.text.prompts import Prompts
from tests.command_line import (
    ARTICLES,
    QUESTION,
    REPLY,
    BreakingGenerator,
    Outcome,
    Run,
    assert_one_line,
    load_with,
    read_terminal,
    start,
)

pytestmark = pytest.mark.usefixtures("home")

CITATION = {"number", "source", "language", "date", "quote", "start", "end"}
HIT = {"rank", "score", "source", "language", "date", "text", "start", "end"}


def commands(group: click.Group = cli, path: str = "rag") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def test_an_answer_is_printed_with_its_sources_and_nothing_else(run: Run) -> None:
    assert run("ask", QUESTION) == Outcome(
        ANSWERED,
        "It cost nine million. [1]\n\n"
        "Sources\n[1] harbour.txt · English · 53:85\n    “It cost nine million in the end.”\n",
        "",
    )


def test_an_answer_as_json_is_one_object_with_every_field(run: Run) -> None:
    outcome = run("ask", QUESTION, "--json")
    answer = outcome.json
    assert (outcome.code, outcome.err) == (ANSWERED, "")
    assert answer["text"] == "It cost nine million. [1]"
    assert (answer["language"], answer["abstained"]) == ("en", False)
    assert answer["models"] == {"encoder": "words", "generator": "scripted"}
    assert answer["timings"].keys() == {"evidence", "judged", "first_word", "total"}
    (citation,) = answer["citations"]
    assert citation.keys() >= CITATION
    assert ARTICLES[citation["source"]][citation["start"] : citation["end"]] == citation["quote"]
    assert all(hit.keys() >= HIT for hit in answer["hits"])


def test_abstaining_has_its_own_exit_code_and_shows_the_nearest_passages(run: Run) -> None:
    outcome = run("ask", "Kdy byl přístav otevřen a kolik stál?", load=load_with(ScriptedGenerator("", odds=UNLIKELY)))
    sentence, _, heading, *nearest = outcome.out.splitlines()
    assert (outcome.code, outcome.err) == (ABSTAINED, "")
    assert sentence == Prompts.load(ROOT / "prompts").say("abstain", "cs")
    assert heading == Prompts.load(ROOT / "prompts").say("nearest", "cs")
    assert nearest[0].startswith("1. ")
    assert "angličtina" in nearest[0]


def test_abstaining_as_json_says_so_and_cites_nothing(run: Run) -> None:
    outcome = run("ask", "--json", QUESTION, load=load_with(ScriptedGenerator("", odds=UNLIKELY)))
    assert outcome.code == ABSTAINED
    assert (outcome.json["abstained"], outcome.json["citations"]) == (True, [])
    assert outcome.json["hits"]


def test_languages_are_named_in_the_script_of_the_answer(run: Run) -> None:
    outcome = run("ask", "Kada su se Putin i Kim poslednji put sreli?")
    assert "· engleski" in outcome.out


def test_hits_as_json_are_one_object_ordered_and_as_many_as_asked_for(run: Run) -> None:
    outcome = run("search", QUESTION, "--json", "-k", "2")
    hits = outcome.json["hits"]
    assert (outcome.code, outcome.err) == (ANSWERED, "")
    assert [hit["rank"] for hit in hits] == [1, 2]
    assert hits[0]["score"] >= hits[1]["score"]
    for hit in hits:
        assert hit.keys() >= HIT
        assert ARTICLES[hit["source"]][hit["start"] : hit["end"]] == hit["text"]


def test_options_filter_the_passages(run: Run) -> None:
    found = run("search", "What did the harbour cost?", "--json", "--since", "2025", "--source", "*.txt").json["hits"]
    assert {hit["source"] for hit in found} == {"orchard.txt"}
    outcome = run("ask", "What did the harbour cost?", "--language", "tlh")
    assert outcome.code == 1
    assert "No passage matches the filter" in outcome.err


def test_a_language_may_be_in_capitals(run: Run) -> None:
    found = run("search", QUESTION, "--json", "--language", "EN").json["hits"]
    assert {hit["language"] for hit in found} == {"en"}


def test_bytes_that_are_not_utf8_are_dropped_from_a_question(run: Run) -> None:
    assert run("search", "harbour\udcff", "--json").json["question"] == "harbour"


def test_hits_are_printed_with_source_language_date_and_words(run: Run) -> None:
    outcome = run("search", "apples ripened early", "-k", "1")
    facts, words = outcome.out.splitlines()
    assert re.fullmatch(r"1\. orchard\.txt · English · 2025-07 · 0\.\d{3}", facts)
    assert words.strip() == "Apples ripened early this year in the whole valley."


def test_another_index_can_be_asked(run: Run, home: Path) -> None:
    (home / "corpus" / "orchard.txt").unlink()
    build_index(config=Config.from_env(index="harbour"), encoder=WordEncoder())
    found = run("search", "apples", "--index", "harbour", "--json").json["hits"]
    assert {hit["source"] for hit in found} == {"harbour.txt"}
    assert "orchard.txt" in run("search", "apples", "--json").out


def test_while_the_models_are_loaded_a_line_on_the_terminal_says_so_and_is_then_erased(run: Run) -> None:
    ours, theirs = pty.openpty()
    code = "(['search', 'apples'], load_with(ScriptedGenerator()))"
    with start(code, stdout=subprocess.PIPE, stderr=theirs):
        os.close(theirs)
        first, second, rest = read_terminal(ours).split("\r")
    assert first.startswith("Loading the models. `rag chat`")
    assert (len(second), second.strip(), rest) == (len(first), "", "")
    assert run("search", "apples").err == ""


def test_words_appear_on_the_terminal_as_they_arrive_and_the_answer_goes_to_standard_output() -> None:
    ours, theirs = pty.openpty()
    code = f"(['ask', {QUESTION!r}], load_with(ScriptedGenerator('It cost nine million in the end.')))"
    with start(code, stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, "TERM": "xterm"}) as process:
        os.close(theirs)
        shown = read_terminal(ours)
        assert process.stdout
        out = process.stdout.read()
    assert process.returncode == ANSWERED
    assert "nine million" in shown
    assert "harbour.txt" in shown
    assert shown.index("cost nine") < shown.index("cost nine million")
    assert out.startswith("It cost nine million in the end. [1]\n\nSources\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ask", "  "], "The question is empty"),
        (["ask", "why " * 1000, "--json"], "at most 2000 are accepted"),
        (["search", QUESTION, "--json", "--source", "\udcff"], "No passage matches the filter"),
        (["search", QUESTION, "--index", "none"], "rag index --index none"),
        (["search", QUESTION, "--index", "no/ne", "--json"], "letters, digits"),
        (["models", "path"], "rag models fetch multilingual-e5-small"),
        (["models", "verify", "qwen2.5-coder-0.5b"], "rag models fetch qwen2.5-coder-0.5b"),
        (["models", "fetch", "nothing-of-that-name"], "The known models are multilingual-e5-small"),
        (["index"], "rag models fetch multilingual-e5-small"),
    ],
)
def test_errors_are_one_line_on_standard_error(run: Run, arguments: list[str], message: str) -> None:
    outcome = run(*arguments)
    assert (outcome.code, outcome.out) == (FAILED, "")
    assert message in outcome.err
    assert_one_line(outcome.err)


def test_an_invalid_setting_is_an_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_HITS", "many")
    outcome = run("search", QUESTION)
    assert outcome.code == FAILED
    assert_one_line(outcome.err)


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_generator_that_fails_leaves_no_partial_answer(run: Run, form: list[str]) -> None:
    outcome = run("ask", QUESTION, *form, load=load_with(BreakingGenerator(REPLY)))
    assert outcome == Outcome(FAILED, "", "rag: The generator broke. Ask again.\n")


def test_an_unexpected_error_is_one_line_too(run: Run) -> None:
    def load(_: Config) -> Assistant:
        raise ZeroDivisionError("division by zero")

    outcome = run("ask", QUESTION, load=load)
    assert (outcome.code, outcome.out) == (FAILED, "")
    assert "ZeroDivisionError: division by zero" in outcome.err
    assert_one_line(outcome.err)


def test_a_busy_index_cannot_be_built_but_still_answers(run: Run, home: Path) -> None:
    with FileLock(home / "indexes" / "default" / LOCK):
        outcome = run("index")
        assert run("search", QUESTION).code == ANSWERED
    assert outcome.code == FAILED
    assert "Another process is building" in outcome.err
    assert_one_line(outcome.err)


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask"],
        ["ask", "one", "two"],
        ["search", "x", "-k", "0"],
        ["search", "x", "-k", "many"],
        ["sing"],
        ["models", "x"],
    ],
)
def test_wrong_usage_fails_with_a_hint_on_standard_error(run: Run, arguments: list[str]) -> None:
    outcome = run(*arguments)
    assert (outcome.code, outcome.out) == (FAILED, "")
    assert "Try 'rag" in outcome.err
    assert "--help" in outcome.err


@pytest.mark.parametrize("arguments", [[""], ["", "--verify"], ["corpus", ""]])
def test_an_empty_path_is_not_the_current_folder(run: Run, arguments: list[str]) -> None:
    outcome = run("index", *arguments)
    assert (outcome.code, outcome.out) == (FAILED, "")
    assert "A path is empty; perhaps a shell variable is not set. Name a file or a folder.\n" in outcome.err


def test_an_interrupt_is_reported_in_one_line() -> None:
    code = "(['ask', 'Why?'], lambda config: (print('ready', flush=True), time.sleep(60)))"
    with start(code, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        err = process.stderr.read()
    assert process.returncode == INTERRUPTED
    assert err.strip() == "rag: interrupted"


def test_a_closed_pipe_is_not_reported() -> None:
    with start("(['models', 'list'])", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == FAILED


def test_known_models_are_listed_as_lines_and_as_json(run: Run) -> None:
    listed = run("models", "list")
    known = run("models", "list", "--json").json["models"]
    assert listed.code == ANSWERED
    assert [line.split()[0] for line in listed.out.splitlines()] == [model["name"] for model in known]
    assert {model["path"] for model in known} == {None}
    assert "not tested here" in listed.out
    assert listed.out.count("not fetched") == len(known)


def test_verifying_names_the_damaged_file_and_fails(run: Run, home: Path) -> None:
    model = find("qwen2.5-coder-0.5b")
    ((name, sha256),) = model.files.items()
    folder = model.folder(home / "cache")
    folder.mkdir(parents=True)
    (folder / name).write_bytes(b"GGUF?")
    (folder / RECORD).write_text(json.dumps({name: {"size": 5, "sha256": sha256}}))
    assert run("models", "path", model.name).out == f"{folder / name}\n"
    outcome = run("models", "verify", model.name)
    assert outcome.code == FAILED
    assert outcome.out == f"FAIL {folder / name}\n"
    assert "rag models fetch" in outcome.err


@pytest.mark.parametrize("command", ["path", "verify"])
def test_a_models_name_comes_before_a_folder_of_that_name(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(home)
    for name in (Config().encoder, Config().generator):
        (home / name).mkdir()
    outcome = run("models", command)
    assert (outcome.code, outcome.out) == (FAILED, "")
    assert f"rag models fetch {Config().encoder}" in outcome.err


def test_a_generator_with_a_shipped_calibration_is_not_calibrated(run: Run) -> None:
    outcome = run("models", "calibrate")
    assert (outcome.code, outcome.err) == (ANSWERED, "")
    assert outcome.out.startswith("qwen2.5-coder-1.5b needs no calibration: it judges passages")


def test_a_generator_that_is_not_fetched_cannot_be_calibrated(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_GENERATOR", "qwen2.5-coder-0.5b")
    outcome = run("models", "calibrate")
    assert (outcome.code, outcome.out) == (FAILED, "")
    assert "rag models fetch qwen2.5-coder-0.5b" in outcome.err
    assert_one_line(outcome.err)


def test_the_doctor_fails_and_names_remedies_if_something_is_missing(run: Run) -> None:
    outcome = run("doctor")
    checks = run("doctor", "--json").json["checks"]
    missing = {check["name"]: check for check in checks if check["ok"] is False}
    assert outcome.code == FAILED
    assert {"encoder", "generator"} <= missing.keys()
    assert f"→ {missing['encoder']['remedy']}" in outcome.out
    assert "FAIL encoder" in outcome.out


def test_the_doctor_checks_the_index_of_that_name(run: Run) -> None:
    checks = {check["name"]: check for check in run("doctor", "--index", "mine", "--json").json["checks"]}
    assert "rag index --index mine" in checks["index"]["remedy"]


@pytest.mark.parametrize(("name", "command"), [("rag", cli), *commands()])
def test_help_reads_well(run: Run, name: str, command: click.Command) -> None:
    outcome = run(*name.split()[1:], "--help")
    assert (outcome.code, outcome.err) == (ANSWERED, "")
    assert outcome.out.startswith(f"Usage: {name} ")
    assert command.help
    assert all(text.strip()[0].isupper() and text.strip()[-1] == "." for text in command.help.split("\n\n"))
    assert all(option.help for option in command.params if isinstance(option, click.Option))
    # Click shortens a first sentence that does not fit beside the command's name.
    assert not any(line.endswith("...") for line in outcome.out.splitlines()[1:])


def test_without_a_command_the_help_is_shown(run: Run) -> None:
    outcome = run()
    assert outcome.code == FAILED
    assert "Usage: rag" in outcome.err
