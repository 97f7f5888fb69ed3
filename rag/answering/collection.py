"""Answer questions about the articles as a collection: which there are, how many, in which languages, about what.

What a question asks is read from its words where its language has a table of them. Otherwise it is about the collection
only if it has a word for an article or is an example in `data/collection.toml`, and if it is clearly nearer in meaning
to one of the examples there than to the questions that only look similar. Nothing is generated: each line of the answer
quotes its article.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath

from rag.answering.answer import Citation
from rag.answering.citations import cite
from rag.answering.mentions import find_mention
from rag.answering.named_languages import find_language, is_article, is_country, load_table
from rag.answering.phrasing import Phrased, name_origin
from rag.answering.quoting import choose_quote
from rag.answering.requests import Request, asks_for_summary, read_request
from rag.encoding.query import Query
from rag.index.index import Index
from rag.protocols import Encoder
from rag.retrieval.search import retrieve
from rag.text.dates import PartialDate
from rag.text.language import Language, name_of
from rag.text.prompts import Prompts
from rag.text.sentences import split_sentences
from rag.types import Article, Document, Hit, Vectors
from rag.verification.sought import find_sought

KINDS = ("list", "newest", "oldest", "summary")
CONTENT = "content"
"""The kind of the examples that look similar but ask about the content of articles."""
MAX_LISTED = 20
"""The maximum number of articles in a list."""
MAX_SEARCHED = 100
"""The maximum number of passages that are compared with a topic."""
MAX_READ = 3000
"""The maximum number of articles that are read to find a name. In more, passages about it are searched for instead."""
SUMMARY_SENTENCES = 3
SENTENCES_READ = 60
"""The number of sentences, from the beginning of an article, that a summary is chosen from."""
_WORD = re.compile(r"\w+")
_FILE = re.compile(r"\w\.\w")


@dataclass(frozen=True, slots=True)
class Entry:
    """A part of an article, with its offsets."""

    document: Document
    start: int
    end: int

    def cite(self, number: int) -> Citation:
        """Return the sentence as a citation."""
        return cite(self.document, (self.start, self.end), number)


class Collection:
    """Answers questions about the articles as a collection."""

    def __init__(self, encoder: Encoder, prompts: Prompts) -> None:
        self._encoder = encoder
        self._prompts = prompts

    def answer(self, query: Query, index: Index) -> Phrased | None:
        """Return the answer with its citations, or None if the question is not about the collection."""
        question, language = query.text, query.language
        if named := self._find_named(question, language, index):
            return self._compose("summary", self._summarise(named, index), language)
        if request := read_request(question, language, self._spoken):
            return self._fulfil(request, query, index)
        kind = self._classify_by_meaning(query)
        if kind is None:
            return None
        about = find_language(question, language, self._spoken)
        articles = [article for article in index.list_articles() if about in (None, article.language)]
        if kind == "summary" and len(articles) == 1:
            return self._compose("summary", self._summarise(articles[0], index), language)
        dated = [article for article in _sort_newest_first(articles) if article.date]
        if kind in ("newest", "oldest") and dated:
            return self._compose(kind, _open_first([dated[0 if kind == "newest" else -1]], index), language)
        return self._list(articles, index, language)

    def classify(self, query: Query) -> str | None:
        """Return what a question asks about the collection: one of `KINDS` or the kind of a request, or None."""
        request = read_request(query.text, query.language, self._spoken)
        return request.kind if request else self._classify_by_meaning(query)

    def _find_named(self, question: str, language: Language, index: Index) -> Article | None:
        """Return the article whose file a question names and asks a summary of."""
        if not _FILE.search(question) or not asks_for_summary(question, language):
            return None
        named = [article for article in index.list_articles() if PurePath(article.source).name in question]
        return named[0] if len(named) == 1 else None

    def _fulfil(self, request: Request, query: Query, index: Index) -> Phrased | None:
        """Return the answer to a request, or None if no article is near enough to its topic to be listed."""
        language = query.language
        articles = [article for article in index.list_articles() if _is_asked_for(article, request)]
        if request.kind == "uncounted":
            return self._compose("uncounted", [], language)
        if request.kind == "languages":
            counts = Counter(name_of(one.language, language.code, language.script) for one in articles)
            languages = ", ".join(f"{name} ({count})" for name, count in counts.most_common())
            return self._compose("languages", [], language, languages=languages)
        if request.kind == "list":
            return self._list(articles, index, language)
        mentioning = request.kind == "mentioning" and len(articles) <= MAX_READ
        entries = _find_mentioning(request.subject, language, articles, index) if mentioning else []
        if entries or (mentioning and request.subject[0].isupper()):
            shown = entries[:MAX_LISTED]
            return self._compose("mentioning", shown, language, name=request.subject, count=str(len(entries)))
        entries = self._find_concerning(request.subject, language, {article.source for article in articles}, index)
        if not entries:
            return None
        return self._compose("concerning", entries[:MAX_LISTED], language, count=str(len(entries)))

    def _find_concerning(self, subject: str, language: Language, among: Set[str], index: Index) -> list[Entry]:
        """Return the nearest sentence of each article that is about as near to the subject as the nearest article."""
        query = Query(subject, language, self._encoder)
        hits = retrieve(query, index, MAX_SEARCHED)
        settings = self._encoder.settings
        least = max(settings.concerning_least, *(hit.score - settings.concerning_lead for hit in hits[:1]))
        nearest: dict[str, Hit] = {}
        for hit in hits:
            if hit.score >= least and hit.passage.source in among:
                nearest.setdefault(hit.passage.source, hit)
        opened = ((hit, index.read_document(source)) for source, hit in nearest.items())
        return [_find_entry(query, hit, document) for hit, document in opened if document]

    def _list(self, articles: Sequence[Article], index: Index, language: Language) -> Phrased:
        entries = _open_first(_sort_newest_first(articles)[:MAX_LISTED], index)
        return self._compose("articles", entries, language, count=str(len(articles)))

    def _classify_by_meaning(self, query: Query) -> str | None:
        """Return which of `KINDS` a question asks for, or None if it is not about the collection."""
        question, language = query.text, query.language
        first, *words = _WORD.findall(question) or [""]
        known = any(question in load_table()[kind] for kind in KINDS)
        if not known and not any(is_article(word) for word in (first, *words)):
            return None
        # A question that names a person, a place or a year asks what an article says about it.
        if any(self._is_name(word, language) for word in words) or any(map(str.isdigit, question)):
            return None
        nearness = {kind: float((vectors @ query.vector).max()) for kind, vectors in self._examples.items()}
        # The list of articles, even of those in one language, begins with their number.
        kinds = ("list",) if find_sought(question, language.code) == "number" else KINDS
        best = max(kinds, key=nearness.__getitem__)
        settings = self._encoder.settings
        least = max(settings.collection_least, nearness[CONTENT] + settings.collection_lead)
        return best if nearness[best] >= least else None

    def _is_name(self, word: str, language: Language) -> bool:
        """Return whether a word, not the first of the question, names anything but a language or an article."""
        if not word[0].isupper() or is_article(word):
            return False
        return is_country(word, language) or not find_language(word, language, self._spoken)

    @cached_property
    def _spoken(self) -> set[str]:
        """The languages that a question may name, even if no article is in them."""
        return {tag.partition("-")[0] for tag in self._prompts.sentences}

    @cached_property
    def _examples(self) -> dict[str, Vectors]:
        """The vectors of the examples by kind, each of shape `(examples, dimension)`."""
        return {kind: self._encoder.encode(load_table()[kind], "query").vectors for kind in (*KINDS, CONTENT)}

    def _summarise(self, article: Article, index: Index) -> list[Entry]:
        """Return the sentences nearest to the mean vector of the article, in its order."""
        document = index.open_article(article.source)
        spans = split_sentences(document.text, document.language)[:SENTENCES_READ]
        middle = index.read_embeddings(article.source).vectors.mean(axis=0)
        nearness = self._encoder.encode([document.text[start:end] for start, end in spans], "passage").vectors @ middle
        return [Entry(document, *spans[row]) for row in sorted((-nearness).argsort()[:SUMMARY_SENTENCES])]

    def _compose(self, heading: str, entries: Sequence[Entry], language: Language, **values: str) -> Phrased:
        citations = tuple(entry.cite(number) for number, entry in enumerate(entries, start=1))
        lines = [
            f"“{' '.join(cited.shown.split())}” ({name_origin(cited, language)}) [{cited.number}]"
            for cited in citations
        ]
        return "\n".join([self._prompts.say(heading, language.code, language.script, **values), *lines]), citations


def _is_asked_for(article: Article, request: Request) -> bool:
    if request.language not in (None, article.language):
        return False
    return not request.period or bool(article.date and request.period.covers(PartialDate.parse(article.date)))


def _sort_newest_first(articles: Iterable[Article]) -> list[Article]:
    """Return the articles from the newest to the oldest, then those without a date in their order."""
    ordered = list(articles)
    dated = sorted((article for article in ordered if article.date), key=lambda one: str(one.date), reverse=True)
    return [*dated, *(article for article in ordered if not article.date)]


def _find_mentioning(name: str, language: Language, articles: Sequence[Article], index: Index) -> list[Entry]:
    """Return the first sentence of each article that mentions a name, the newest article first."""
    documents = [index.open_article(article.source) for article in _sort_newest_first(articles)]
    found = ((document, find_mention(name, language, document)) for document in documents)
    return [Entry(document, *span) for document, span in found if span]


def _find_entry(query: Query, hit: Hit, document: Document) -> Entry:
    start, end = choose_quote(query, hit, document).span
    return Entry(document, hit.passage.start + start, hit.passage.start + end)


def _open_first(articles: Sequence[Article], index: Index) -> list[Entry]:
    """Return the first sentence of each article, which is its title if it has one."""
    documents = [index.open_article(article.source) for article in articles]
    return [Entry(document, *split_sentences(document.text, document.language)[0]) for document in documents]
