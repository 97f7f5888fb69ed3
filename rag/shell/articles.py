"""`rag articles` and `rag show`: list the indexed articles and print one."""

import re
from contextlib import closing

import click

from rag.config import Config
from rag.shell.options import as_json, as_text, complete_sources, of_index
from rag.shell.output import print_article, print_entry, print_json


@click.command()
@as_json
@of_index
def articles(as_json: bool, index: str | None) -> None:
    """List the articles in the index.

    Each line gives the file, its language, its date and its title.
    """
    from dataclasses import asdict

    from rag.index.index import Index

    config = Config.from_env(index=index)
    with closing(Index.open(config.indexes / config.index)) as opened:
        listed = opened.list_articles()
    if as_json:
        print_json({"articles": [asdict(article) for article in listed]})
    for article in () if as_json else listed:
        print_entry(article)


@click.command("show")
@click.argument("source", metavar="FILE", type=as_text, shell_complete=complete_sources)
@click.option("--cite", metavar="START:END", help="Mark the characters between these offsets, as a citation has them.")
@click.option("--quote", metavar="WORDS", help="Mark these words. Line breaks between them do not matter.")
@as_json
@of_index
def show_article(source: str, cite: str | None, quote: str | None, as_json: bool, index: str | None) -> None:
    """Print an article as it was when it was indexed.

    The cited words are marked with ⟦ and ⟧.
    """
    from dataclasses import asdict

    from rag.index.index import Index

    config = Config.from_env(index=index)
    with closing(Index.open(config.indexes / config.index)) as opened:
        document = opened.open_article(source)
    span = _find_span(document.text, cite, quote)
    if as_json:
        cited = {"start": span[0], "end": span[1], "quote": document.text[slice(*span)]} if span else None
        print_json({**asdict(document), "cited": cited})
    else:
        print_article(document, span)


def _find_span(text: str, cite: str | None, quote: str | None) -> tuple[int, int] | None:
    """Return the offsets of the cited words, or None if nothing is cited. Raises UsageError."""
    if cite is not None and quote is not None:
        raise click.UsageError("Give either --cite or --quote, not both.")
    if cite is not None:
        # Python refuses to parse numbers of thousands of digits.
        found = re.fullmatch(r"(\d{1,18}):(\d{1,18})", cite, re.ASCII)
        start, end = map(int, found.groups()) if found else (0, 0)
        if not start < end <= len(text):
            raise click.UsageError(f"--cite takes two offsets into the article, from 0 to {len(text)}, such as 0:100.")
        return start, end
    if quote is not None:
        words = re.search(r"\s+".join(map(re.escape, quote.split())), text)
        if not words or words.start() == words.end():
            raise click.UsageError("The article does not contain the words of --quote. Copy them from it.")
        return words.span()
    return None
