"""The list of articles: by language, the newest first, with counts."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from itertools import groupby

from rag.answering.html import escape, tag
from rag.assistant import Assistant
from rag.errors import ArticleMissing
from rag.page.labels import Wording
from rag.page.uploads import Change, list_own
from rag.text.folding import fold
from rag.types import Article

Entry = tuple[Article, str]
"""An article and what it is called."""
NAME_CHARS = 90
SHOWN = 300
"""Articles in the list at once, shared between the languages; the search finds the others."""


def draw_shelf(assistant: Assistant, words: str, wording: Wording) -> str:
    """The articles that have all of the words in their names; those that were added can be removed."""
    entries = find_articles([(one, name_article(one, assistant)) for one in assistant.list_articles()], words)
    own = list_own(assistant)
    groups = {code: list(group) for code, group in groupby(entries, lambda one: one[0].language)}
    shares = share_room({code: len(group) for code, group in groups.items()}, SHOWN)
    drawn = "".join(
        f"<details open><summary>{escape(wording.name(code))} "
        f"<small>{escape(_say_count(shares[code], len(group), wording))}</small></summary>"
        f"<ul>{''.join(_draw_article(*one, one[0].source in own, wording) for one in group[: shares[code]])}</ul>"
        "</details>"
        for code, group in sorted(groups.items(), key=lambda group: (-len(group[1]), fold(wording.name(group[0]))))
    )
    count = escape(wording.label("found", found=len(entries), all=len(assistant.list_articles())))
    return f'<p class="count" role="status">{count}</p>{drawn}'


def share_room(wanted: Mapping[str, int], room: int) -> dict[str, int]:
    """How much of the room each gets: all the same, but what one does not want goes to the others."""
    shares: dict[str, int] = {}
    for name in sorted(wanted, key=wanted.__getitem__):
        shares[name] = min(wanted[name], (room - sum(shares.values())) // (len(wanted) - len(shares)))
    return shares


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


def _say_count(shown: int, found: int, wording: Wording) -> str:
    return str(found) if shown == found else wording.label("found", found=shown, all=found)


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
