"""The list of articles: by language, the newest first, with counts."""

import json
import textwrap
from collections.abc import Sequence
from itertools import groupby

from rag.assistant import Assistant
from rag.drawing import escape, tag
from rag.errors import ArticleMissing
from rag.language import fold
from rag.page.adding import Change, list_own
from rag.page.wording import Wording
from rag.types import Article

Entry = tuple[Article, str]
"""An article and what it is called."""
NAME_CHARS = 90
SHOWN = 300
"""Articles in the list at once; the search finds the others."""


def draw_shelf(assistant: Assistant, words: str, wording: Wording) -> str:
    """The articles that have all of the words in their names; those that were added can be removed."""
    entries = find_articles([(one, name_article(one, assistant)) for one in assistant.list_articles()], words)
    own = list_own(assistant)
    groups = [
        (wording.name(code), list(group)) for code, group in groupby(entries[:SHOWN], lambda one: one[0].language)
    ]
    drawn = "".join(
        f"<details open><summary>{escape(language)} <small>{len(group)}</small></summary>"
        f"<ul>{''.join(_draw_article(*entry, entry[0].source in own, wording) for entry in group)}</ul></details>"
        for language, group in sorted(groups, key=lambda group: (-len(group[1]), fold(group[0])))
    )
    count = escape(wording.label("found", found=len(entries), all=len(assistant.list_articles())))
    return f'<p class="count" role="status">{count}</p>{drawn}'


def find_articles(entries: Sequence[Entry], words: str) -> list[Entry]:
    """Those that have all of the words in their name or source, whatever the script; by language, newest first."""
    wanted = fold(words).split()
    found = [entry for entry in entries if all(word in fold(f"{entry[1]} {entry[0].source}") for word in wanted)]
    # Sorting keeps the order of equals.
    newest = sorted(found, key=lambda entry: entry[0].date or "", reverse=True)
    return sorted(newest, key=lambda entry: entry[0].language)


def name_article(article: Article, assistant: Assistant) -> str:
    """Its title, or the words that it begins with."""
    if article.title:
        return article.title
    try:
        text = assistant.open_article(article.source).text
    except ArticleMissing:
        # Another generation of the index was taken up meanwhile.
        return article.source
    return textwrap.shorten(text, NAME_CHARS, placeholder="…") or article.source


def _draw_article(article: Article, name: str, removable: bool, wording: Wording) -> str:
    place = escape(json.dumps({"source": article.source}))
    remove = _draw_remove(article, wording) if removable else ""
    return (
        f'<li><button type="button" class="title" data-open="{place}">'
        f'<span lang="{tag(article.language, article.script)}" dir="auto">{escape(name)}</span>'
        f"<small>{escape(article.date or wording.label('undated'))}</small></button>{remove}</li>"
    )


def _draw_remove(article: Article, wording: Wording) -> str:
    name = escape(wording.label("remove", source=article.source))
    sure = escape(wording.label("remove_sure"))
    source = escape(article.source)
    return (
        f'<button type="button" class="remove" data-remove="{source}" data-sure="{sure}" aria-label="{name}" '
        f'title="{name}">×</button>'
    )


def draw_change(change: Change, wording: Wording) -> str:
    """How far a change to the corpus is, and which files were left out of it."""
    warnings = "".join(
        f'<li><b>{escape(one.source)}</b> <span lang="en">{escape(one.reason)}</span></li>' for one in change.warnings
    )
    told = f'<p class="doing">{escape(_say_change(change, wording))}</p>' if not _is_over(change) else ""
    if change.articles is not None:
        told = f'<p class="done">{escape(wording.label("in_use", articles=change.articles))}</p>'
    if change.error:
        told = f'<p class="notice" lang="en">{escape(change.error)}</p>'
    return f"{told}<ul>{warnings}</ul>" if warnings else told


def _is_over(change: Change) -> bool:
    return not (change.adding or change.removing or change.total)


def _say_change(change: Change, wording: Wording) -> str:
    if change.adding:
        return wording.label("adding", source=change.adding)
    if change.removing:
        return wording.label("removing", source=change.removing)
    return wording.label("encoding", done=change.done, total=change.total)
