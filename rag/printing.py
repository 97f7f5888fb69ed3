"""What the shell shows: answers, hits, progress. On a terminal more than in a pipe."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from rag.hidden import drop_hidden

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.types import Answer, Citation, Filter, Hit, Passage, Progress

NEAREST = 3


def stream_answer(assistant: "Assistant", question: str, among: "Filter") -> "Answer":
    """Show on a terminal what is found and said while it comes; the answer itself is printed after."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from rag.types import Answered, Evidence, Judged, Reading, Words

    shown = Text(style="dim")
    hits: Sequence[Hit] = ()
    with Live(shown, console=Console(stderr=True), transient=True, auto_refresh=False) as live:
        for event in assistant.ask(question, among=among):
            match event:
                case Evidence(hits):
                    shown.plain = _list_nearest(hits)
                case Judged(hits):
                    shown.plain = _list_nearest(hits)
                case Reading(hit):
                    # What was said of the passage before is void.
                    shown.plain = f"{_list_nearest(hits)}\n{drop_hidden(hit.passage.source)}: "
                case Words(text):
                    shown.append(drop_hidden(text))
                case Answered(answer):
                    return answer
            live.refresh()
    raise AssertionError("every stream ends with Answered")


def _list_nearest(hits: "Sequence[Hit]") -> str:
    return drop_hidden(
        "".join(f"{hit.rank}. {hit.passage.source}: {hit.passage.text[:70]}…\n" for hit in hits[:NEAREST])
    )


def print_answer(answer: "Answer", assistant: "Assistant") -> None:
    """The answer with its sources below, or with the nearest passages where it abstained."""
    say, written = assistant.prompts.say, (answer.language, answer.script)
    _echo(answer.text)
    if answer.abstained and answer.hits:
        click.echo(f"\n{say('nearest', *written)}")
        for hit in answer.hits[:NEAREST]:
            print_hit(hit, *written)
    elif answer.citations:
        click.echo(f"\n{say('sources', *written)}")
        for citation in answer.citations:
            _echo(f"[{citation.number}] {_describe(citation, *written)}\n    “{citation.quote}”")


def print_hit(hit: "Hit", language: str = "en", script: str | None = None) -> None:
    """A hit, its passage's language named in the given one."""
    _echo(f"{hit.rank}. {_describe(hit.passage, language, script)} · {hit.score:.3f}\n   {hit.passage.text}")


def _echo(text: str) -> None:
    """Print what articles say; what they hide would command the terminal."""
    click.echo(drop_hidden(text))


def _describe(origin: "Citation | Passage", language: str, script: str | None) -> str:
    from rag.language import name_of

    return " · ".join(filter(None, (origin.source, name_of(origin.language, language, script), origin.date)))


def describe_size(count: int) -> str:
    """Bytes as people say them."""
    from rich.filesize import decimal

    return decimal(count)


@contextmanager
def show_progress(what: str, in_bytes: bool = False) -> Iterator["Progress"]:
    """A bar on standard error while the context lasts; nothing when that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    amount = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(bar, completed=done, total=total)


def print_json(value: dict[str, Any]) -> None:
    """Exactly one JSON object."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
