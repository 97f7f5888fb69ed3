"""`rag …`: the shell. It prints; the rooms below never do."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rag.config import Config
from rag.errors import RagError

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.types import Answer, Citation, Hit, Progress

ANSWERED, FAILED, ABSTAINED, INTERRUPTED = 0, 1, 2, 130
NEAREST = 3


def main() -> None:
    """Run a command; the exit code is 0 for answered, 2 for abstained, 1 for an error, 130 for Ctrl-C."""
    try:
        sys.exit(cli.main(standalone_mode=False) or ANSWERED)
    except click.ClickException as error:
        error.show()
    except RagError as error:
        click.echo(f"rag: {error}", err=True)
    except (click.Abort, KeyboardInterrupt):
        click.echo("rag: interrupted", err=True)
        sys.exit(INTERRUPTED)
    sys.exit(FAILED)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rag-assistant")
def cli() -> None:
    """Ask a folder of articles in many languages; get answers cited to the exact words.

    Every setting can be given in the environment as RAG_ and its name, such as RAG_GENERATOR.
    """


as_json = click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object.")
of_index = click.option("--index", metavar="NAME", help="Which index; “default” by default.")
how_many = click.option("-k", "hits", type=click.IntRange(1, 100), metavar="N", help="How many passages to retrieve.")


@cli.command()
@click.argument("question")
@as_json
@how_many
@of_index
def ask(question: str, as_json: bool, hits: int | None, index: str | None) -> int:
    """Answer QUESTION, with its sources below.

    Exit code 0 when it was answered, 2 when the articles do not answer it, 1 on an error.
    """
    assistant = _load(hits=hits, index=index)
    if as_json:
        answer = assistant.answer(question)
        _print_json(answer.as_dict())
    else:
        answer = _stream(assistant, question)
        _print_answer(answer, assistant)
    return ABSTAINED if answer.abstained else ANSWERED


@cli.command()
@click.argument("question")
@as_json
@how_many
@of_index
def search(question: str, as_json: bool, hits: int | None, index: str | None) -> None:
    """Print the passages nearest in meaning to QUESTION, without reading them."""
    assistant = _load(hits=hits, index=index)
    found = assistant.search(question)
    if as_json:
        _print_json({"question": question, "hits": [hit.as_dict() for hit in found]})
    for hit in () if as_json else found:
        _print_hit(hit)


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--rebuild", is_flag=True, help="Encode everything anew, also what has not changed.")
@as_json
@of_index
def index(paths: tuple[Path, ...], rebuild: bool, as_json: bool, index: str | None) -> None:
    """Build the index over PATHS, or bring it up to date.

    PATHS are folders and files. Without them, those of the last time are taken; the first time, the
    configured corpus. Only what is new or has changed is encoded; what is gone is removed.
    """
    from rag.build import build_index

    with _show_progress("Encoding passages") as progress:
        summary = build_index(paths, Config.from_env(index=index), rebuild=rebuild, progress=progress)
    if as_json:
        _print_json(summary.as_dict())
        return
    for skipped in summary.skipped:
        click.echo(f"warning: {skipped.source}: {skipped.reason}", err=True)
    click.echo(str(summary))


@cli.group()
def models() -> None:
    """List, fetch and check the models."""


@models.command("list")
@as_json
def list_models(as_json: bool) -> None:
    """Print the models that are known by name."""


@cli.command()
@as_json
def doctor(as_json: bool) -> int:
    """Check the machine, the models and the index, and say what to do about what is wrong."""
    from rag.doctor import examine

    checks = examine(Config.from_env())
    if as_json:
        _print_json({"checks": [check.as_dict() for check in checks]})
    for check in () if as_json else checks:
        mark = {True: "ok  ", False: "FAIL", None: "  – "}[check.ok]
        click.echo(f"{mark} {check.name}: {check.detail}")
        if check.remedy:
            click.echo(f"       → {check.remedy}")
    return FAILED if any(check.ok is False for check in checks) else ANSWERED


def _load(**given: Any) -> "Assistant":
    from rag.assistant import Assistant

    return Assistant.load(Config.from_env(**given))


def _stream(assistant: "Assistant", question: str) -> "Answer":
    """Show on a terminal what is found and said while it comes; the answer itself is printed after."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from rag.types import Answered, Evidence, Reading, Words

    shown = Text(style="dim")
    with Live(shown, console=Console(stderr=True), transient=True, auto_refresh=False) as live:
        for event in assistant.ask(question):
            match event:
                case Evidence(hits):
                    shown.append("".join(f"{hit.rank}. {hit.passage.source}: {hit.passage.text[:70]}…\n" for hit in hits[:NEAREST]))
                case Reading():
                    shown.append("\n")
                case Words(text):
                    shown.append(text)
                case Answered(answer):
                    return answer
            live.refresh()
    raise AssertionError("every stream ends with Answered")


def _print_answer(answer: "Answer", assistant: "Assistant") -> None:
    say = assistant.prompts.say
    click.echo(answer.text)
    if answer.abstained and answer.hits:
        click.echo(f"\n{say('nearest', answer.language, answer.script)}")
        for hit in answer.hits[:NEAREST]:
            _print_hit(hit)
    elif answer.citations:
        click.echo(f"\n{say('sources', answer.language, answer.script)}")
        for citation in answer.citations:
            click.echo(f"[{citation.number}] {_describe(citation, answer.language)}\n    “{citation.quote}”")


def _print_hit(hit: "Hit") -> None:
    click.echo(f"{hit.rank}. {_describe(hit.passage, 'en')} · {hit.score:.3f}\n   {hit.passage.text}")
