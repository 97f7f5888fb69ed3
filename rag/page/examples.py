"""Questions that the page offers, one a language, each about something that an article of the index names.

The name stands in quotation marks, so the sentence around it is right in every language, whatever the name. A question
is offered only if it is plainly in its language, and if it finds that name in that article before anything else.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby, zip_longest

from rag.answering.html import escape
from rag.assistant import Assistant
from rag.index.index import Index
from rag.page.labels import Wording
from rag.page.topics import find_topics, list_names
from rag.retrieval.search import retrieve
from rag.text.language import detect, script_of
from rag.text.lexicon import find_base
from rag.types import Article, Document

LOOKED = 12
"""Articles that are looked at, of each language as many."""
TRIES = 6
"""Questions that are tried in a language; each is a search."""


@dataclass(slots=True)
class _Subject:
    """An article, and what it can be asked about."""

    document: Document
    topics: list[str]
    asked: list[str] = field(default_factory=list)
    """Those that questions are about."""


class Examples:
    """One question in each language of the page, made once for each generation of the index."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._generation: str | None = None
        self._made: dict[str, str] = {}
        self._making = threading.Lock()

    def draw(self, wording: Wording) -> str:
        """As HTML, that in the reader's own language first; of a language in two scripts one alone."""
        made = self._make()
        tags = sorted(made, key=lambda tag: (tag != wording.tag, tag))
        chosen = {tag.partition("-")[0]: tag for tag in reversed(tags)}
        drawn = "".join(
            f'<li><button type="button" data-ask="{escape(made[tag])}" lang="{tag}">{escape(made[tag])}</button></li>'
            for tag in tags
            if tag in chosen.values()
        )
        return f"<h2>{escape(wording.label('examples'))}</h2><ul>{drawn}</ul>" if drawn else ""

    def _make(self) -> dict[str, str]:
        """Tags and questions for the index that is in use."""
        with self._making:
            index = self._assistant.index
            if index.generation != self._generation:
                subjects = _find_subjects(index)
                asked = {tag: self._ask(tag, subjects, index) for tag in self._assistant.prompts.page}
                self._made = {tag: question for tag, question in asked.items() if question}
                self._generation = index.generation
            return self._made

    def _ask(self, tag: str, subjects: Sequence[_Subject], index: Index) -> str | None:
        """A question in a language; rather about an article in another, and one that none asks about yet."""
        wording = Wording(self._assistant.prompts, tag)
        language = wording.written[0]
        script = script_of(wording.label("example", name=""))
        # The first topic of each before the second of any.
        dealt = chain.from_iterable(zip_longest(*([(one, topic) for topic in one.topics] for one in subjects)))
        fresh = sorted(
            filter(None, dealt),
            key=lambda turn: (turn[0].document.language == language, bool(turn[0].asked), script_of(turn[1]) != script),
        )
        proven = [(one, topic) for one in subjects if one.document.language != language for topic in one.asked]
        for subject, topic in (*fresh[:TRIES], *proven[:1]):
            question = wording.label("example", name=topic)
            if not _is_in(question, language):
                continue
            if self._finds(question, topic, subject.document.source, index):
                subject.asked.append(topic)
                return question
            # It will hardly do better in another language, so others come before it.
            subject.topics.remove(topic)
            subject.topics.append(topic)
        return None

    def _finds(self, question: str, topic: str, source: str, index: Index) -> bool:
        hits = retrieve(question, index, self._assistant.encoder, 1)
        return any(source in (hit.passage.source, *hit.also) and topic in hit.passage.text for hit in hits)


def _is_in(question: str, language: str) -> bool:
    code = detect(question).code
    return language in (code, find_base(code))


def _find_subjects(index: Index) -> list[_Subject]:
    documents = [index.open_article(article.source) for article in _choose(index.list_articles())]
    named = [(document.language, list_names(document)) for document in documents]
    subjects = []
    for document in documents:
        elsewhere = set().union(*(names for language, names in named if language != document.language))
        subjects.append(_Subject(document, find_topics(document, elsewhere)))
    return subjects


def _choose(articles: Sequence[Article]) -> list[Article]:
    """Of each language as many, the newest first."""
    newest = sorted(articles, key=lambda one: one.date or "", reverse=True)
    grouped = groupby(sorted(newest, key=lambda one: one.language), lambda one: one.language)
    turns = chain.from_iterable(zip_longest(*(list(group) for _, group in grouped)))
    return [article for article in turns if article][:LOOKED]
