"""Questions about the articles as a collection, answered from the index: which there are, the newest, what one says.

A question is taken for one only if it has a word for an article, or is an example in `data/catalogue.toml` itself, and
is plainly nearer in meaning to one of these than to those that only look alike. Nothing is generated, and each line of
the answer quotes its article.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import takewhile
from pathlib import Path

from rag.answering.answer import Citation
from rag.answering.phrasing import name_origin
from rag.index.index import Index
from rag.protocols import Encoder
from rag.text.folding import fold
from rag.text.language import Language, name_of
from rag.text.prompts import Prompts
from rag.text.sentences import split_sentences
from rag.types import Article, Document, Vectors
from rag.verification.sought import find_sought

EXAMPLES = Path(__file__).parent / "data" / "collection.toml"
KINDS = ("list", "newest", "oldest", "summary")
CONTENT = "content"
"""What is asked by the examples that only look alike."""
LINE = 0.87
"""Least cosine to an example; of the development cases, the least of what is meant has 0.884."""
MARGIN = 0.02
"""How much nearer that example must be than any that only looks alike."""
LISTED = 20
"""Articles that a list names at most."""
SENTENCES = 3
"""Sentences of a summary."""
READ = 60
"""Sentences of an article that are looked at for its summary, from the first."""
ALIKE = (3, 0.7)
"""Letters, and share of the name of a language, that a word must begin with to mean it: ελληνικά, ελληνικό."""
UNINFLECTED = {"en"}
"""Languages whose words for languages have one form."""
_SLAVIC_NAME = re.compile(r"(.+?)[sc]?(?:tina|cina)")
"""Folded names in Czech, Slovak and Slovene, whose adjectives end otherwise: řečtina, řecký."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is told of an article: one of its sentences, with its offsets."""

    document: Document
    start: int
    end: int

    def cite(self, number: int) -> Citation:
        """Its words as a citation."""
        document = self.document
        return Citation(
            number=number,
            source=document.source,
            language=document.language,
            script=document.script,
            date=document.date,
            quote=document.text[self.start : self.end],
            start=self.start,
            end=self.end,
        )


class Catalogue:
    """Answers questions about a collection."""

    def __init__(self, encoder: Encoder, prompts: Prompts) -> None:
        self._encoder = encoder
        self._prompts = prompts
        self._table = tomllib.loads(EXAMPLES.read_text(encoding="utf-8"))

    def tell(self, question: str, language: Language, index: Index) -> tuple[str, tuple[Citation, ...]] | None:
        """The answer and its citations, or None where the question is about what the articles say."""
        kind = self.recognise(question, language)
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
        entries = _open_first([*reversed(dated), *undated][:LISTED], index)
        return self._compose("articles", entries, language, count=str(len(articles)))

    def recognise(self, question: str, language: Language) -> str | None:
        """What a question about the collection asks for, one of `KINDS`; None where it is not about it."""
        first, *words = _WORD.findall(question) or [""]
        known = any(question in self._table[kind] for kind in KINDS)
        if not known and not any(self._means_article(word) for word in (first, *words)):
            return None
        # Whoever names somebody, some place or a year asks what an article says of it.
        if any(self._is_name(word, language) for word in words) or any(map(str.isdigit, question)):
            return None
        asked = self._encoder.encode([question], "query").vectors[0]
        nearness = {kind: float((vectors @ asked).max()) for kind, vectors in self._examples.items()}
        # How many there are is told by a list, even of those in one language.
        kinds = ("list",) if find_sought(question, language.code) == "number" else KINDS
        best = max(kinds, key=nearness.__getitem__)
        return best if nearness[best] >= max(LINE, nearness[CONTENT] + MARGIN) else None

    def _means_article(self, word: str) -> bool:
        word = word.lower()
        # Where letters have no case, a word may begin with an article or run on from the one before.
        return any(word.startswith(noun) if noun.islower() else noun in word for noun in self._table["nouns"])

    def _is_name(self, word: str, language: Language) -> bool:
        """Whether a word that does not begin the question names something else than a language or an article."""
        if not word[0].isupper() or self._means_article(word):
            return False
        return _is_country(word, language) or not find_language(word, language, self._spoken)

    @cached_property
    def _spoken(self) -> set[str]:
        """Languages that a reader may name."""
        return {tag.partition("-")[0] for tag in self._prompts.sentences}

    @cached_property
    def _examples(self) -> dict[str, Vectors]:
        """Of each kind, the vectors of its examples, of shape `(examples, dimension)`."""
        return {kind: self._encoder.encode(self._table[kind], "query").vectors for kind in (*KINDS, CONTENT)}

    def _summarise(self, article: Article, index: Index) -> list[Entry]:
        """The sentences nearest to the middle of what the article says, in its order."""
        document = index.open_article(article.source)
        spans = split_sentences(document.text, document.language)[:READ]
        middle = index.read_embeddings(article.source).vectors.mean(axis=0)
        nearness = self._encoder.encode([document.text[start:end] for start, end in spans], "passage").vectors @ middle
        return [Entry(document, *spans[row]) for row in sorted((-nearness).argsort()[:SENTENCES])]

    def _compose(
        self, heading: str, entries: Sequence[Entry], language: Language, **values: str
    ) -> tuple[str, tuple[Citation, ...]]:
        citations = tuple(entry.cite(number) for number, entry in enumerate(entries, start=1))
        lines = [
            f"“{' '.join(cited.quote.split())}” ({name_origin(cited, language)}) [{cited.number}]"
            for cited in citations
        ]
        return "\n".join([self._prompts.say(heading, language.code, language.script, **values), *lines]), citations


def find_language(question: str, language: Language, among: Iterable[str]) -> str | None:
    """Which of some languages, by ISO 639-1, a question in `language` names; None where it is none, or not plain."""
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
    """Letters by which a word means the language of that name: its own, inflected, or of the adjective; 0 for none."""
    shared = _count_shared(word, name)
    if shared >= (len(name) if language.code in UNINFLECTED else max(ALIKE[0], ALIKE[1] * len(name))):
        return shared
    stem = _SLAVIC_NAME.fullmatch(name)
    return shared if stem and re.match(rf"{re.escape(stem[1])}\w?[sc]k", word) else 0


def _is_country(word: str, language: Language) -> bool:
    """Whether a word with a capital is rather what a country is called than a language: Russia, not Russian."""
    if not word[0].isupper():
        return False
    word = fold(word)
    countries, languages = (
        min((len(word) + len(name) - 2 * _count_shared(word, name) for name in names), default=0)
        for names in _list_names(language)
    )
    return countries <= languages and languages > 0


@cache
def _list_names(language: Language) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What countries, and languages, are called in a language, folded; none where babel does not know it."""
    from babel import Locale, UnknownLocaleError

    for tag in (f"{language.code}_{language.script}", language.code):
        try:
            locale = Locale.parse(tag)
        except (UnknownLocaleError, ValueError):
            continue
        return tuple(map(fold, locale.territories.values())), tuple(map(fold, locale.languages.values()))
    return (), ()


def _count_shared(word: str, name: str) -> int:
    """Letters that both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, name, strict=False)))


def _open_first(articles: Sequence[Article], index: Index) -> list[Entry]:
    """The first sentence of each, which is its title where it has one."""
    documents = [index.open_article(article.source) for article in articles]
    return [Entry(document, *split_sentences(document.text, document.language)[0]) for document in documents]
