"""Print answers, hits, articles and progress: in colour on a terminal, as plain lines to a pipe."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from rag.text.invisible import mark_hidden
from rag.text.structure import PAGE_END

if TYPE_CHECKING:
    from rich.progress import TaskID

    from rag.answering.answer import Answer, Citation
    from rag.assistant import Assistant
    from rag.types import Article, Document, Hit, Passage, Progress

NEAREST = 3
"""The number of passages shown while an answer is prepared, or in place of one."""
CONTROL = re.compile(r"[\x7f-\x9f]")
"""Control characters that a terminal may obey and that JSON does not escape."""
MARKER = re.compile(r"(\[\d+\])")

Piece = tuple[str, str]
"""Text and its style on a terminal."""


@contextmanager
def show_status(text: str) -> Iterator[None]:
    """Show a line on standard error while something takes long, if that is a terminal, and erase it at the end."""
    waiting = sys.stderr.isatty()
    if waiting:
        click.echo(f"{text}\r", nl=False, err=True)
    try:
        yield
    finally:
        if waiting:
            click.echo(f"{' ' * len(text)}\r", nl=False, err=True)


def show(*pieces: Piece, indent: int = 0) -> None:
    """Print pieces one after another. Control characters in them are made visible, so none reaches the terminal."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(highlight=False)
    words = Text.assemble(*((mark_hidden(text), style) for text, style in pieces))
    if console.is_terminal:
        console.print(Padding(words, (0, 0, 0, indent), expand=False))
    else:
        click.echo(" " * indent + words.plain)


def print_answer(answer: "Answer", assistant: "Assistant") -> None:
    """Print the answer with its sources, or with the nearest passages if it abstained."""
    say, written = assistant.prompts.say, (answer.language, answer.script)
    show(*_style(answer))
    if answer.abstained and answer.hits:
        show((f"\n{say('nearest', *written)}", "bold"))
        for hit in answer.hits[:NEAREST]:
            print_hit(hit, *written)
    elif answer.citations:
        show((f"\n{say('sources', *written)}", "bold"))
        for citation in answer.citations:
            page = say("page", *written, page=str(citation.page)) if citation.page else ""
            facts = [page, *_name_facts(citation, *written), f"{citation.start}:{citation.end}"]
            show((f"[{citation.number}]", "cyan"), (f" {citation.source}", "bold"), _join(facts))
            show((f"“{citation.shown}”", ""), indent=4)


def _style(answer: "Answer") -> list[Piece]:
    """Return the text of an answer with its markers and its answering words in colour."""
    pieces: list[Piece] = []
    for part, is_marked in answer.split_marked():
        if is_marked:
            pieces.append((part, "bold yellow"))
        else:
            pieces += [(piece, "cyan" if MARKER.fullmatch(piece) else "") for piece in MARKER.split(part)]
    return pieces


def print_hit(hit: "Hit", language: str = "en", script: str | None = None) -> None:
    """Print a hit. The name of its language is written in `language` and `script`."""
    facts = [*_name_facts(hit.passage, language, script), f"{hit.score:.3f}"]
    show((f"{hit.rank}.", "cyan"), (f" {hit.passage.source}", "bold"), _join(facts))
    show((hit.passage.text.replace(PAGE_END, " "), ""), indent=3)


def print_entry(article: "Article") -> None:
    """Print one line about an article."""
    facts = [*_name_facts(article, "en"), article.title or ""]
    show((article.source, "bold"), _join(facts))


def print_article(document: "Document", span: tuple[int, int] | None) -> None:
    """Print a heading and the article, with the characters of `span` marked."""
    show((document.source, "bold"), _join(_name_facts(document, "en")))
    start, end = span or (0, 0)
    text = document.text.replace(PAGE_END, " ")
    marked = [(f"⟦{text[start:end]}⟧", "bold yellow")] if span else []
    show(("\n" + text[:start], ""), *marked, (text[end:].rstrip("\n"), ""))


def _name_facts(
    origin: "Citation | Passage | Article | Document", language: str, script: str | None = None
) -> list[str]:
    """Return the name of the origin's language, written in `language` and `script`, and its date or ""."""
    from rag.text.language import name_of

    return [name_of(origin.language, language, script), origin.date or ""]


def _join(facts: list[str]) -> Piece:
    return "".join(f" · {fact}" for fact in facts if fact), "dim"


def describe_size(count: int) -> str:
    """Return a number of bytes in readable form, such as `1.1 GB`."""
    from rich.filesize import decimal

    return decimal(count)


@contextmanager
def show_progress(label: str, in_bytes: bool = False) -> Iterator["Progress"]:
    """Show a progress bar on standard error inside the context, if that is a terminal.

    Yields the callable that updates it.
    """
    with show_stages(label, in_bytes=in_bytes) as (progress,):
        yield progress


@contextmanager
def show_stages(*labels: str, in_bytes: bool = False) -> Iterator["tuple[Progress, ...]"]:
    """Show a progress bar for each label like `show_progress`; all but the first appear when they are first updated."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    amount = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn())
    console = Console(stderr=True)

    def advance(bar: "TaskID", done: int, total: int) -> None:
        bars.update(bar, completed=done, total=total, visible=True)

    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks = [bars.add_task(label, total=None, visible=number == 0) for number, label in enumerate(labels)]
        yield tuple(partial(advance, bar) for bar in tasks)


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object."""
    # A shell may pass bytes in a question that are not UTF-8; they arrive as lone surrogates.
    text = json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "ignore").decode()
    click.echo(CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text))
