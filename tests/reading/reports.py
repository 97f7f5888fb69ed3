"""Make hits about a harbour, and a generator that finds some of them likely."""

from collections.abc import Sequence
from functools import partial

from rag.config import ROOT, Config
from rag.encoding.query import Query
from rag.protocols import Reader
from rag.reading.judge import Judge, ask_generator
from rag.reading.selector import Selector
from rag.testing import ScriptedGenerator, WordEncoder
from rag.text.language import Language
from rag.text.prompts import Prompts
from rag.types import Document, Hit, Passage
from rag.verification.verify import find_unmet

PROMPTS = Prompts.load(ROOT / "prompts")
JUDGE = Judge(weight=12.0, least=7.25, speaks=())
QUESTION = "What did the harbour cost?"
ENGLISH, CZECH = Language("en", "Latn"), Language("cs", "Latn")


class WeighingGenerator(ScriptedGenerator):
    """Finds an excerpt likely to hold the answer if it contains a given word."""

    def __init__(self, likely: str, *replies: str) -> None:
        super().__init__(*replies)
        self.weighed: list[str] = []
        self._likely = likely

    def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
        assert replies == ("Yes", "No")
        assert QUESTION in suffix
        self.weighed += prefixes
        return [6.0 if self._likely in prefix else -6.0 for prefix in prefixes]


def find_hits(*texts: str) -> tuple[Hit, ...]:
    """Return hits in different articles, each with a slightly lower score than the one before it."""
    passages = [Passage(f"{n}.txt", text, 0, len(text), "en", "Latn", None, None) for n, text in enumerate(texts)]
    return tuple(Hit(rank, 0.5 - rank / 100, passage) for rank, passage in enumerate(passages, start=1))


HITS = find_hits("Pears ripened.", "It rained in May.", "The harbour cost nine million.", "Boats came.", "Snow fell.")


def make_query(text: str = QUESTION, language: Language = ENGLISH) -> Query:
    return Query(text, language, WordEncoder())


def make_selector(
    generator: ScriptedGenerator, judge: Judge | None = JUDGE, reader: Reader | None = None, **settings: float
) -> Selector:
    """Return a selector for articles that each consist of one passage."""

    def find_unmet_of(query: Query, hit: Hit) -> str | None:
        article = Document(hit.passage.source, hit.passage.text, "en", "Latn", None, None, "")
        return find_unmet(query.text, query.language.code, article)

    config = Config(**settings)  # type: ignore[arg-type]
    return Selector(
        config, judge, WordEncoder().settings, partial(ask_generator, generator, PROMPTS), find_unmet_of, reader
    )
