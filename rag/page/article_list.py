"""The list of articles, grouped by language, the newest first, and the progress of a change to it."""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import groupby

from rag.assistant import Assistant
from rag.errors import ArticleMissing
from rag.page.labels import Wording
from rag.page.rendering import render
from rag.page.uploads import Change, list_added
from rag.text.folding import fold
from rag.types import Article

Entry = tuple[Article, str]
"""An article and its name in the list."""
NAME_CHARS = 90
"""Longest name that is made of an article's first words, in characters."""
SHOWN = 300
"""Articles that the list shows at once, divided between the languages; the search finds the others."""


def draw_list(assistant: Assistant, words: str, wording: Wording) -> str:
    """Return the HTML of the articles whose names hold all of the words; articles that were added can be removed."""
    articles = assistant.list_articles()
    entries = find_articles([(one, name_article(one, assistant)) for one in articles], words)
    groups = {code: list(group) for code, group in groupby(entries, lambda entry: entry[0].language)}
    shares = divide_limit(SHOWN, {code: len(group) for code, group in groups.items()})
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), fold(wording.name(group[0]))))
    return render(
        "article_list.html",
        found=len(entries),
        total=len(articles),
        groups=[
            (wording.name(code), _count(shares[code], len(group), wording), group[: shares[code]])
            for code, group in ordered
        ],
        added=list_added(assistant),
        wording=wording,
    )


def divide_limit(limit: int, wanted: Mapping[str, int]) -> dict[str, int]:
    """Divide `limit` evenly between the keys of `wanted`; what one does not need goes to the others."""
    shares: dict[str, int] = {}
    for name in sorted(wanted, key=wanted.__getitem__):
        shares[name] = min(wanted[name], (limit - sum(shares.values())) // (len(wanted) - len(shares)))
    return shares


def find_articles(entries: Sequence[Entry], words: str) -> list[Entry]:
    """Return the entries that hold all of the words in name or source, in any script; by language, newest first."""
    wanted = fold(words).split()
    found = [entry for entry in entries if all(word in fold(f"{entry[1]} {entry[0].source}") for word in wanted)]
    # Sorting is stable, so that the dates stay in order within a language.
    newest = sorted(found, key=lambda entry: entry[0].date or "", reverse=True)
    return sorted(newest, key=lambda entry: entry[0].language)


def name_article(article: Article, assistant: Assistant) -> str:
    """Return the title of an article, or its first words if it has none."""
    if article.title:
        return article.title
    try:
        text = assistant.open_article(article.source).text
    except ArticleMissing:
        # The assistant has switched to another generation of the index in the meantime.
        return article.source
    return textwrap.shorten(text, NAME_CHARS, placeholder="…") or article.source


def draw_change(change: Change, wording: Wording) -> str:
    """Return the HTML of a change to the corpus: its progress or its result, and the files that were left out."""
    return render("change.html", change=change, progress=_describe_progress(change, wording), wording=wording)


def _count(shown: int, found: int, wording: Wording) -> str:
    return str(found) if shown == found else wording.label("found", found=shown, all=found)


def _describe_progress(change: Change, wording: Wording) -> str | None:
    if change.adding:
        return wording.label("adding", source=change.adding)
    if change.removing:
        return wording.label("removing", source=change.removing)
    return wording.label("encoding", done=change.done, total=change.total) if change.total else None
