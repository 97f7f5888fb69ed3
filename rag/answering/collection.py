"""Answer questions about the articles as a collection: which articles there are, the newest, what one is about.

A question is about the collection only if it has a word for an article or is an example in `data/collection.toml`, and
if it is clearly nearer in meaning to one of the examples there than to the questions that only look similar. Nothing is
generated: each line of the answer quotes its article.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from rag.answering.answer import Citation
from rag.answering.citations import cite
from rag.answering.phrasing import Phrased, name_origin
from rag.encoding.query import Query
from rag.index.index import Index
from rag.protocols import Encoder
from rag.text.folding import fold
from rag.text.language import Language, name_of
from rag.text.names import count_shared
from rag.text.prompts import Prompts
from rag.text.sentences import split_sentences
from rag.types import Article, Document, Vectors
from rag.verification.sought import find_sought

TABLE = Path(__file__).parent / "data" / "collection.toml"
KINDS = ("list", "newest", "oldest", "summary")
CONTENT = "content"
"""The kind of the examples that look similar but ask about the content of articles."""
MAX_LISTED = 20
"""The maximum number of articles in a list."""
SUMMARY_SENTENCES = 3
SENTENCES_READ = 60
"""The number of sentences, from the beginning of an article, that a summary is chosen from."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One sentence of an article, with its offsets."""

    document: Document
    start: int
    end: int

    def cite(self, number: int) -> Citation:
        """Return the sentence as a citation."""
        return cite(self.document, (self.start, self.end), number, self.document)


class Collection:
    """Answers questions about the articles as a collection."""

    def __init__(self, encoder: Encoder, prompts: Prompts) -> None:
        self._encoder = encoder
        self._prompts = prompts

    def answer(self, query: Query, index: Index) -> Phrased | None:
        """Return the answer with its citations, or None if the question is not about the collection."""
        question, language = query.text, query.language
        kind = self.classify(query)
        if kind is None:
            return None
        listed = index.list_articles()
        about = find_language(question, language, self._spoken | {article.language for article in listed})
        articles = [article for article in listed if about in (None, article.language)]
        dated = sorted((article for article in articles if article.date), key=lambda article: str(article.date))
        undated = [article for article in articles if not article.date]
        if kind == "summary" and len(articles) == 1:
            return self._compose("summary", self._summarise(articles[0], index), language)
        if kind in ("newest", "oldest") and dated:
            return self._compose(kind, _open_first([dated[-1 if kind == "newest" else 0]], index), language)
        entries = _open_first([*reversed(dated), *undated][:MAX_LISTED], index)
        return self._compose("articles", entries, language, count=str(len(articles)))

    def classify(self, query: Query) -> str | None:
        """Return which of `KINDS` a question asks for, or None if it is not about the collection."""
        question, language = query.text, query.language
        first, *words = _WORD.findall(question) or [""]
        known = any(question in _load_table()[kind] for kind in KINDS)
        if not known and not any(_means_article(word) for word in (first, *words)):
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
        if not word[0].isupper() or _means_article(word):
            return False
        return _is_country(word, language) or not find_language(word, language, self._spoken)

    @cached_property
    def _spoken(self) -> set[str]:
        """The languages that a question may name, even if no article is in them."""
        return {tag.partition("-")[0] for tag in self._prompts.sentences}

    @cached_property
    def _examples(self) -> dict[str, Vectors]:
        """The vectors of the examples by kind, each of shape `(examples, dimension)`."""
        return {kind: self._encoder.encode(_load_table()[kind], "query").vectors for kind in (*KINDS, CONTENT)}

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


def find_language(question: str, language: Language, among: Iterable[str]) -> str | None:
    """Return which of the languages `among` a question in `language` names, all as ISO 639-1 codes.

    Returns None if the question names none of them, or if it is unclear which.
    """
    first, *others = _WORD.findall(question) or [""]
    words = [fold(word) for word in (first, *(word for word in others if not _is_country(word, language)))]
    likeness: dict[str, int] = {}
    for code in among:
        name = fold(name_of(code, language.code, language.script))
        letters = max(_count_likeness(word, name, language) for word in words)
        if letters:
            likeness[code] = letters
    most = max(likeness.values(), default=0)
    named = [code for code, letters in likeness.items() if letters == most]
    return named[0] if len(named) == 1 else None


def _count_likeness(word: str, name: str, language: Language) -> int:
    """Return how many letters a word shares with the name of a language, or 0 if it does not mean that language.

    The word may be a form of the name or be derived from it, so any ending is allowed after the shared letters. The
    limits of `share_stem` on endings would be too strict.
    """
    rules = _load_name_rules(language.code)
    shared = count_shared(word, name)
    if shared >= max(rules["letters"], rules["share"] * len(name)):
        return shared
    stem = re.fullmatch(rules["name"], name) if "name" in rules else None
    return shared if stem and re.match(rf"{re.escape(stem[1])}{rules['adjective']}", word) else 0


def _means_article(word: str) -> bool:
    word = word.lower()
    # Scripts without case do not always separate words, so other words may be attached before or after the noun.
    return any(word.startswith(noun) if noun.islower() else noun in word for noun in _load_table()["nouns"])


def _is_country(word: str, language: Language) -> bool:
    """Return whether a capitalised word, such as Russia, is nearer to a country's name than to a language's."""
    if not word[0].isupper():
        return False
    word = fold(word)
    countries, languages = (
        min((len(word) + len(name) - 2 * count_shared(word, name) for name in names), default=0)
        for names in _list_names(language)
    )
    return countries <= languages and languages > 0


@cache
def _list_names(language: Language) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the folded names of countries, and of languages, in a language. Both are empty if babel lacks it."""
    from babel import Locale, UnknownLocaleError

    for tag in (f"{language.code}_{language.script}", language.code):
        try:
            locale = Locale.parse(tag)
        except (UnknownLocaleError, ValueError):
            continue
        return tuple(map(fold, locale.territories.values())), tuple(map(fold, locale.languages.values()))
    return (), ()


@cache
def _load_table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def _load_name_rules(language: str) -> dict[str, Any]:
    """Return the rules for recognising the names of languages in text of the given language."""
    rules: dict[str, Any] = _load_table()["names"]
    tables = {code: table for code, table in rules.items() if isinstance(table, dict)}
    own = (table for code, table in tables.items() if language in (code, *table.get("also", ())))
    return rules | next(own, {})


def _open_first(articles: Sequence[Article], index: Index) -> list[Entry]:
    """Return the first sentence of each article, which is its title if it has one."""
    documents = [index.open_article(article.source) for article in articles]
    return [Entry(document, *split_sentences(document.text, document.language)[0]) for document in documents]
