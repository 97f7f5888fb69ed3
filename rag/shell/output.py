"""What the shell shows: answers, hits, articles, progress. On a terminal in colour, in a pipe as plain lines."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from rag.text.invisible import mark_hidden

if TYPE_CHECKING:
    from rag.answering.answer import Answer, Citation
    from rag.assistant import Assistant
    from rag.types import Article, Document, Hit, Passage, Progress

NEAREST = 3
CONTROL = re.compile(r"[\x7f-\x9f]")
"""What a terminal takes for a command and JSON lets through."""
MARKER = re.compile(r"(\[\d+\])")

Piece = tuple[str, str]
"""Words, and the style that a terminal shows them in."""


def show(*pieces: Piece, indent: int = 0) -> None:
    """Print pieces side by side. What stands in them is text, never a command to the terminal."""
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
    """The answer with its sources below, or with the nearest passages where it abstained."""
    say, written = assistant.prompts.say, (answer.language, answer.script)
    show(*((part, "cyan" if MARKER.fullmatch(part) else "") for part in MARKER.split(answer.text)))
    if answer.abstained and answer.hits:
        show((f"\n{say('nearest', *written)}", "bold"))
        for hit in answer.hits[:NEAREST]:
            print_hit(hit, *written)
    elif answer.citations:
        show((f"\n{say('sources', *written)}", "bold"))
        for citation in answer.citations:
            facts = [*_name_facts(citation, *written), f"{citation.start}:{citation.end}"]
            show((f"[{citation.number}]", "cyan"), (f" {citation.source}", "bold"), _join(facts))
            show((f"“{citation.quote}”", ""), indent=4)


def print_hit(hit: "Hit", language: str = "en", script: str | None = None) -> None:
    """A hit, its passage's language named in the given one."""
    facts = [*_name_facts(hit.passage, language, script), f"{hit.score:.3f}"]
    show((f"{hit.rank}.", "cyan"), (f" {hit.passage.source}", "bold"), _join(facts))
    show((hit.passage.text, ""), indent=3)


def print_entry(article: "Article") -> None:
    """One line about an article."""
    facts = [*_name_facts(article, "en"), article.title or ""]
    show((article.source, "bold"), _join(facts))


def print_article(document: "Document", span: tuple[int, int] | None) -> None:
    """An article under one line about it, the span of it marked."""
    show((document.source, "bold"), _join(_name_facts(document, "en")))
    start, end = span or (0, 0)
    marked = [(f"⟦{document.text[start:end]}⟧", "bold yellow")] if span else []
    show(("\n" + document.text[:start], ""), *marked, (document.text[end:].rstrip("\n"), ""))


def _name_facts(
    origin: "Citation | Passage | Article | Document", language: str, script: str | None = None
) -> list[str]:
    """Language and date of what is from an article."""
    from rag.text.language import name_of

    return [name_of(origin.language, language, script), origin.date or ""]


def _join(facts: list[str]) -> Piece:
    return "".join(f" · {fact}" for fact in facts if fact), "dim"


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
    # Bytes that are no text, as a shell may hand over in a question, have no place in it.
    text = json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "ignore").decode()
    click.echo(CONTROL.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text))
