"""Questions that the page offers, one in each language, each about a topic of an article in the index.

The topic is in quotation marks, so that the sentence around it is correct in every language, whatever the topic. A
question is offered only if its language is detected rightly, and if its first hit is the topic in that article.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby, zip_longest

from rag.assistant import Assistant
from rag.encoding.query import Query
from rag.index.index import Index
from rag.page.labels import Wording
from rag.page.rendering import render
from rag.page.topics import find_topics, list_names
from rag.retrieval.search import retrieve
from rag.text.language import detect
from rag.text.lexicon import find_base
from rag.text.scripts import script_of
from rag.types import Article, Document

LOOKED = 12
"""Articles that topics are taken from, spread evenly over the languages."""
TRIES = 6
"""Questions that are tried in a language. Each try is a search."""


@dataclass(slots=True)
class _Subject:
    """An article and its topics."""

    document: Document
    topics: list[str]
    asked: list[str] = field(default_factory=list)
    """Topics that questions are already about."""


class Examples:
    """One question in each language of the page, made once for each generation of the index.

    Safe to use from several threads.
    """

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._generation: str | None = None
        self._made: dict[str, str] = {}
        self._making = threading.Lock()

    def draw(self, wording: Wording) -> str:
        """Return the questions as HTML, the one in the reader's language first, one script for each language."""
        made = self._make()
        tags = sorted(made, key=lambda tag: (tag != wording.tag, tag))
        chosen = {tag.partition("-")[0]: tag for tag in reversed(tags)}
        questions = [(tag, made[tag]) for tag in tags if tag in chosen.values()]
        return render("examples.html", questions=questions, wording=wording)

    def _make(self) -> dict[str, str]:
        """Return the questions for the index in use, by tag."""
        with self._making:
            index = self._assistant.index
            if index.generation != self._generation:
                subjects = _find_subjects(index)
                asked = {tag: self._ask(tag, subjects, index) for tag in self._assistant.prompts.page}
                self._made = {tag: question for tag, question in asked.items() if question}
                self._generation = index.generation
            return self._made

    def _ask(self, tag: str, subjects: Sequence[_Subject], index: Index) -> str | None:
        """Return a question in a language, or None if no topic gives one.

        Prefers an article in another language, and an article that no question is about yet.
        """
        wording = Wording(self._assistant.prompts, tag)
        language = wording.written[0]
        script = script_of(wording.label("example", name=""))
        # The first topic of each article comes before the second of any.
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
            # The topic will hardly do better in another language, so the other topics come first there.
            subject.topics.remove(topic)
            subject.topics.append(topic)
        return None

    def _finds(self, question: str, topic: str, source: str, index: Index) -> bool:
        hits = retrieve(Query(question, detect(question), self._assistant.encoder), index, 1)
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
    """Return up to `LOOKED` articles, newest first, taken from the languages in turn."""
    newest = sorted(articles, key=lambda one: one.date or "", reverse=True)
    grouped = groupby(sorted(newest, key=lambda one: one.language), lambda one: one.language)
    turns = chain.from_iterable(zip_longest(*(list(group) for _, group in grouped)))
    return [article for article in turns if article][:LOOKED]
