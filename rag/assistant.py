"""The main path: from a question to a cited answer. Everything it works with is handed in."""

import logging
import threading
import time
from collections.abc import Generator as Stream
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from typing import Self, TypeVar, cast

from rag.answering.answer import Answer, Citation
from rag.answering.answerer import Answerer, Finding
from rag.answering.collection import Collection
from rag.answering.events import Answered, Event, Evidence, Judged, Queued, Words
from rag.answering.phrasing import phrase
from rag.answering.streams import Asking
from rag.config import Config
from rag.encoding.encoder import SentenceEncoder
from rag.errors import QuestionError
from rag.generation.llama import load_generator
from rag.generation.queue import FairQueue
from rag.index.index import Index
from rag.index.manifest import read_pointer
from rag.index.milvus import open_store
from rag.protocols import Encoder, Generator
from rag.reading.trust import Judge, find_judge
from rag.retrieval.followups import complete, tell_language
from rag.retrieval.periods import Period, find_period
from rag.retrieval.search import PREFERENCE, retrieve
from rag.text.dates import is_date
from rag.text.language import Language, detect
from rag.text.prompts import Prompts
from rag.types import Article, Document, Filter, Hit, Turn

logger = logging.getLogger(__name__)

SMALL = 100
"""A corpus of up to so many passages is read ahead; that takes some minutes and half a gigabyte of disk."""
STAMPS: dict[type, str] = {Judged: "judged", Words: "first_word"}
Result = TypeVar("Result")


class Assistant:
    """Answers questions over one index. Safe to call from several threads.

    Retrieval never waits for the generator; the generator serves one question after the other, or a few at a time
    where it is a server, in the order in which they came. Without a `judge`, what was measured of the generator tells
    how it is used as one; it is asked nothing when that shows none.
    """

    def __init__(
        self,
        config: Config,
        index: Index,
        encoder: Encoder,
        generator: Generator,
        prompts: Prompts,
        judge: Judge | None = None,
    ) -> None:
        self.config = config
        self.index = index
        self.encoder = encoder
        self.generator = generator
        self.prompts = prompts
        self._judge = judge
        self._told = False
        """Whether it was said that there is none."""
        self._line = FairQueue(config.generator_calls if config.is_remote else 1)
        self._collection = Collection(encoder, prompts)

    @classmethod
    def load(cls, config: Config | None = None) -> Self:
        """Open the configured index and models, from disk alone.

        Raises the StoreError or ModelError of what is missing, with the command that makes it.
        """
        config = config or Config.from_env()
        prompts = Prompts.load(config.prompts)
        index = Index.open(config.indexes / config.index, open_store(config))
        encoder = SentenceEncoder.load(config, index.projection)
        index.check(encoder.describe(), config.passage_tokens)
        return cls(config, index, encoder, load_generator(config), prompts)

    def warm(self) -> None:
        """Load what the first questions would otherwise wait for. Raises ModelError."""
        self.encoder.warm()
        # Servers are left alone until there is a question.
        if self.config.is_remote or self._find_judge():
            self.generator.warm()

    def prepare(self) -> None:
        """Have the generator read all passages of a small corpus ahead, one by one behind whoever asks.

        What it computes is kept on disk, so it is done once, and the first questions wait no longer than later ones.
        Raises ModelError, GenerationError.
        """
        index = self.index
        if index.manifest.passages > SMALL or self.config.is_remote or not self._find_judge():
            return
        for article in index.list_articles():
            for passage in index.read_passages(article.source):
                with self._line.join() as places:
                    for _ in places:
                        pass
                    self.generator.prepare(self.prompts.fill("excerpt", passage=passage.text))

    def list_articles(self) -> tuple[Article, ...]:
        """What is in the index, in the order of the sources."""
        return self.index.list_articles()

    def open_article(self, source: str) -> Document:
        """An article as it was when it was indexed. Raises ArticleMissing."""
        return self.index.open_article(source)

    def refresh(self) -> bool:
        """Go over to the generation of the index that is in use now; False if it is the one that is asked already.

        Questions that are being answered stay with the one that they began with.
        Raises the StoreError of what cannot be opened, and keeps the old one then.
        """
        folder = self.config.indexes / self.config.index
        if read_pointer(folder) == self.index.generation:
            return False
        index = Index.open(folder, self.index.store)
        index.check(self.encoder.describe(), self.config.passage_tokens)
        self.index = index
        return True

    def search(self, question: str, count: int | None = None, among: Filter | None = None) -> tuple[Hit, ...]:
        """The passages nearest to the question, best first. Raises QuestionError."""
        question = self._check(question)
        period = find_period(question, detect(question).code)
        return self._find(question, period, count or self.config.hits, among, self.index)

    def answer(self, question: str, history: Sequence[Turn] = (), among: Filter | None = None) -> Answer:
        """The answer, when it is whole. Raises QuestionError, GenerationError."""
        for event in self.ask(question, history, among):
            if isinstance(event, Answered):
                return event.answer
        raise AssertionError("every stream ends with Answered")

    def ask(
        self, question: str, history: Sequence[Turn] = (), among: Filter | None = None
    ) -> Stream[Event, None, None]:
        """Stream what happens on the way to the answer, which comes last; only what `among` lets through is read.

        Nothing happens before the first event is asked for; closing the stream stops the generator.
        Raises QuestionError, GenerationError.
        """
        clock = _Clock()
        question = self._check(question)
        language = tell_language(question, history)
        index = self.index
        if told := None if among and among != Filter() else self._collection.answer(question, language, index):
            yield Answered(self._conclude(question, question, language, *told, Finding(()), clock))
            return
        completed = complete(question, language, history, self.config.max_question_chars)
        period = self._find_period(question, completed, language, history)
        hits = self._find(completed, period, self.config.hits, among, index)
        clock.stamp("evidence")
        yield Evidence(hits)
        with self._line.join() as places:
            yield from map(Queued, places)
            answerer = Answerer(
                self.config, self.encoder, self.generator, self.prompts, index.open_article, self._find_judge()
            )
            lifted = PREFERENCE if period else 0.0
            finding = yield from clock.watch(answerer.find(completed, language, hits, lifted))
            text, citations = phrase(finding, completed, language, self.prompts, self.encoder)
        yield Answered(self._conclude(question, completed, language, text, citations, finding, clock))

    def aask(self, question: str, history: Sequence[Turn] = (), among: Filter | None = None) -> Asking:
        """The same for asynchronous code: `await` it for the answer, or go over its events with `async for`.

        Raises QuestionError, GenerationError, once it is awaited.
        """
        return Asking(self.ask(question, history, among))

    def _conclude(
        self, question: str, completed: str, language: Language, text: str, citations: tuple[Citation, ...],
        finding: Finding, clock: "_Clock",
    ) -> Answer:  # fmt: skip
        clock.stamp("total")
        return Answer(
            question=question,
            completed=completed,
            text=text,
            citations=citations,
            language=language.code,
            script=language.script,
            abstained=not citations,
            quoted=bool(citations) and not finding.statements,
            hits=finding.hits,
            rejected=finding.rejected,
            timings=clock.times,
            models={"encoder": self.encoder.name, "generator": self.generator.name},
        )

    def _find_judge(self) -> Judge | None:
        judge = self._judge or find_judge(self.generator, self.config, self.prompts)
        if judge is None and not self._told:
            self._told = True
            logger.warning(
                "%s is not known to judge passages, so it is not asked: articles are quoted. `rag doctor` says more.",
                self.generator.name,
            )
        return judge

    def _find(
        self, question: str, period: Period | None, count: int, among: Filter | None, index: Index
    ) -> tuple[Hit, ...]:
        for date in filter(None, (among.since, among.until) if among else ()):
            if not is_date(date):
                raise QuestionError(
                    f"“{date}” is no date. Write it as 2023, 2023-10 or 2023-10-18.", "no_date", date=date
                )
        hits = retrieve(question, index, self.encoder, count, among, period)
        if among and not hits and index.manifest.passages:
            raise QuestionError(
                "No passage passes the filter. Widen it: other languages, sources or dates.", "nothing_passes"
            )
        return hits

    @staticmethod
    def _find_period(question: str, completed: str, language: Language, history: Sequence[Turn]) -> Period | None:
        """What the question names, or the last of those that it leans on, each in a language of its own."""
        before = [turn.question for turn in reversed(history) if completed != question and turn.question in completed]
        asked = [(question, language.code), *((text, detect(text).code) for text in before)]
        return next(filter(None, (find_period(text, code) for text, code in asked)), None)

    def _check(self, question: str) -> str:
        # Bytes that are no text, as a shell may hand over, have no place in one.
        question = " ".join(question.encode("utf-8", "ignore").decode().split())
        if not question:
            raise QuestionError("The question is empty. Ask something about the articles.", "empty_question")
        if len(question) > self.config.max_question_chars:
            most = self.config.max_question_chars
            raise QuestionError(
                f"The question has {len(question)} characters; at most {most} are read. Ask it more briefly.",
                "long_question",
                length=len(question),
                most=most,
            )
        return question


class _Clock:
    """Seconds since it was made, kept by the name of what was reached first then."""

    def __init__(self) -> None:
        self.times: dict[str, float] = {}
        self._start = time.perf_counter()

    def watch(self, stream: Stream[Event, None, Result]) -> Stream[Event, None, Result]:
        """Pass on the events of a stream and its result, noting when the first of each kind came."""
        with closing(stream):
            while True:
                try:
                    event = next(stream)
                except StopIteration as end:
                    return cast(Result, end.value)
                if name := STAMPS.get(type(event)):
                    self.stamp(name)
                yield event

    def stamp(self, name: str) -> None:
        self.times.setdefault(name, round(time.perf_counter() - self._start, 3))


_loading = threading.Lock()


def answer(question: str, history: Sequence[Turn] = (), among: Filter | None = None) -> Answer:
    """Answer from the default index, which is opened at the first call and kept, models and all.

    Raises RagError: what is missing and how to get it, or what is wrong with the question.
    """
    with _loading:
        assistant = _load_default()
    return assistant.answer(question, history, among)


@cache
def _load_default() -> Assistant:
    return Assistant.load()
