"""The main path: from a question to a cited answer.

1. Small talk is answered at once. The language of any other question is detected, and a follow-up is completed by the
   earlier questions that it depends on.
2. Questions about the collection itself, such as which articles there are, are answered from the index.
3. Retrieval finds passages. Reading ranks them by the evidence that they hold the answer.
4. The reader marks the words that answer. The sentence that holds them is quoted and cited; without enough evidence
   the answer is that the articles do not say.
5. A generator that is trusted in the question's language answers in its own words instead, and each of its statements
   is checked against its passage. The default generator is trusted in no language.
"""

import logging
import threading
import time
from collections.abc import Generator as Stream
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from typing import Self

from rag.answering.accounts import add_contrary
from rag.answering.answer import Answer
from rag.answering.collection import Collection
from rag.answering.events import Answered, Event, Evidence, Judged, Queued
from rag.answering.phrasing import Phrased, phrase
from rag.answering.small_talk import drop_small_talk, find_small_talk
from rag.answering.speaking import Speaker, Speech
from rag.answering.streams import PendingAnswer, drain
from rag.answering.timing import Clock
from rag.config import Config
from rag.encoding.load import load_encoder
from rag.encoding.query import Query, check_question
from rag.errors import QuestionError, RagError
from rag.generation.llama import load_generator
from rag.generation.queue import FairQueue
from rag.index.index import Index
from rag.index.manifest import read_pointer
from rag.index.milvus import open_store
from rag.protocols import Encoder, Generator, Reader
from rag.reading.judge import Judge, ask_generator
from rag.reading.known_judges import find_judge
from rag.reading.load import load_reader
from rag.reading.selector import Ranking, Selector
from rag.retrieval.bounds import find_bounds
from rag.retrieval.followups import complete
from rag.retrieval.languages import detect_asked, weigh_languages
from rag.retrieval.periods import Period, find_period
from rag.retrieval.search import retrieve
from rag.retrieval.topics import changes_topic
from rag.text.dates import is_date
from rag.text.language import detect
from rag.text.prompts import Prompts
from rag.types import Article, Document, Filter, Hit, Turn
from rag.verification.verify import find_unmet

logger = logging.getLogger(__name__)

MOST_PREPARED = 100
"""The largest corpus that is read ahead, in passages. Reading it takes some minutes and half a gigabyte of disk."""


class Assistant:
    """Answers questions over one index. Safe to call from several threads.

    Retrieval never waits for the generator. The generator answers questions in the order in which they arrive: one at a
    time, or a few at a time if it is a server.
    """

    def __init__(
        self,
        config: Config,
        index: Index,
        encoder: Encoder,
        generator: Generator,
        prompts: Prompts,
        judge: Judge | None = None,
        reader: Reader | None = None,
    ) -> None:
        """Store the parts.

        Without a `judge`, the generator's calibration decides whether and how it judges. Without a `reader`, no
        answering words are marked, and sentences to quote are chosen by their tokens alone.
        """
        self.config = config
        self.index = index
        self.encoder = encoder
        self.generator = generator
        self.prompts = prompts
        self.reader = reader
        self._judge = judge
        self._warned = False
        self._queue = FairQueue(config.generator_calls if config.is_remote else 1)
        self._collection = Collection(encoder, prompts)

    @classmethod
    def load(cls, config: Config | None = None) -> Self:
        """Open the configured index and models, without using the network.

        Raises StoreError or ModelError if something is missing, with the command that provides it.
        """
        config = config or Config.from_env()
        prompts = Prompts.load(config.prompts)
        index = Index.open(config.indexes / config.index, open_store(config))
        encoder = load_encoder(config, index.projection)
        index.check(encoder.describe(), config.passage_tokens)
        return cls(config, index, encoder, load_generator(config), prompts, reader=load_reader(config))

    def start(self) -> None:
        """Load the models, then read a small corpus ahead in the background. Raises ModelError."""
        # llama.cpp calls Python back while it loads a model, and a Ctrl-C during such a call would be lost. In another
        # thread it is not.
        ThreadPoolExecutor().submit(self.warm).result()
        threading.Thread(target=self._prepare_quietly, daemon=True).start()

    def warm(self) -> None:
        """Load what the first question would otherwise wait for. Raises ModelError."""
        self.encoder.warm()
        if self.reader:
            self.reader.warm()
        # For a server, `_find_judge` would already send a request, before there is any question.
        if self.config.is_remote or self._find_judge():
            self.generator.warm()

    def prepare(self) -> None:
        """Have the generator read all passages of a small corpus, letting waiting questions go first before each one.

        The results are kept on disk for later questions, so each passage is read only once.
        Raises ModelError, GenerationError.
        """
        index = self.index
        if index.manifest.passages > MOST_PREPARED or self.config.is_remote or not self._find_judge():
            return
        for article in index.list_articles():
            for passage in index.read_passages(article.source):
                with self._queue.join() as places:
                    for _ in places:
                        pass
                    self.generator.prepare(self.prompts.fill("excerpt", passage=passage.text))

    def list_articles(self) -> tuple[Article, ...]:
        """Return the articles in the index, ordered by source."""
        return self.index.list_articles()

    def open_article(self, source: str) -> Document:
        """Return an article as it was when it was indexed. Raises ArticleMissing."""
        return self.index.open_article(source)

    def refresh(self) -> bool:
        """Switch to the newest generation of the index; return False if it is in use already.

        Questions under way finish on the generation that they began with. Raises StoreError if the new generation
        cannot be opened, and keeps the old one.
        """
        folder = self.config.indexes / self.config.index
        if read_pointer(folder) == self.index.generation:
            return False
        index = Index.open(folder, self.index.store)
        index.check(self.encoder.describe(), self.config.passage_tokens)
        self.index = index
        return True

    def search(self, question: str, count: int | None = None, among: Filter | None = None) -> tuple[Hit, ...]:
        """Return the passages nearest to the question, best first. Raises QuestionError."""
        text = check_question(question, self.config.max_question_chars)
        _check_dates(among)
        likelier = weigh_languages(text, self.index, self.encoder)
        query = Query(text, detect(text, likelier=likelier), self.encoder)
        period = find_period(query.text, query.language.code)
        return self._retrieve(query, self.index, count or self.config.hits, among, period)

    def answer(self, question: str, history: Sequence[Turn] = (), among: Filter | None = None) -> Answer:
        """Return the complete answer. Raises QuestionError, GenerationError."""
        return drain(self.ask(question, history, among))

    def ask(
        self, question: str, history: Sequence[Turn] = (), among: Filter | None = None
    ) -> Stream[Event, None, None]:
        """Stream the events that lead to the answer. The last one holds the answer.

        Only passages that match `among` are read. Nothing happens before the first event is requested; closing
        the stream stops the generator. Raises QuestionError, GenerationError.
        """
        clock = Clock()
        text = check_question(question, self.config.max_question_chars)
        if talk := find_small_talk(text, detect_asked(text, history, {}), opens=not history):
            said = self.prompts.say(talk.sentence, talk.language.code, talk.language.script)
            yield Answered(self._conclude_early(Query(text, talk.language, self.encoder), (said, ()), clock))
            return
        index, history = self.index, drop_small_talk(history)
        likelier = weigh_languages(text, index, self.encoder)
        asked = Query(text, detect_asked(text, history, likelier), self.encoder)
        is_filtered = among is not None and among != Filter()
        if not is_filtered and (listed := self._collection.answer(asked, index)):
            yield Answered(self._conclude_early(asked, listed, clock))
            return
        _check_dates(among)
        query = self._complete(asked, history, index, among)
        period = _find_period(asked, query, history)
        hits = self._retrieve(query, index, self.config.hits, among, period)
        clock.stamp("evidence")
        yield Evidence(hits)
        with self._queue.join() as places:
            yield from map(Queued, places)
            judge = self._find_judge()
            deadline = time.monotonic() + self.config.seconds
            selector = self._make_selector(judge, index)
            ranking = Ranking(hits)
            for ranking in selector.select(query, hits, self.encoder.settings.preference if period else 0.0):
                if judge and hits:
                    clock.stamp("judged")
                    yield Judged(ranking.hits)
            speech = Speech()
            if judge and query.language.code in judge.speaks:
                speaker = Speaker(self.config, self.generator, self.encoder, self.prompts, selector)
                speech = yield from clock.watch(speaker.speak(query, ranking, deadline))
        phrased = phrase(query, ranking.promising, speech.statements, self.prompts, index.open_article)
        if not speech.statements:
            phrased = add_contrary(phrased, ranking.promising, query, self.prompts, index.open_article)
        yield Answered(self._conclude(text, query, phrased, ranking, speech, clock))

    def aask(self, question: str, history: Sequence[Turn] = (), among: Filter | None = None) -> PendingAnswer:
        """Ask from asynchronous code: `await` the result for the answer, or iterate over its events with `async for`.

        Awaiting or iterating raises QuestionError and GenerationError; calling this raises nothing.
        """
        return PendingAnswer(self.ask(question, history, among))

    def _complete(self, query: Query, history: Sequence[Turn], index: Index, among: Filter | None) -> Query:
        """Return the query preceded by the questions that it depends on; the query itself if it stands alone."""
        queries = {query.text: query}

        def ask(text: str) -> Query:
            return queries.setdefault(text, replace(query, text=text))

        def is_new(question: str, completed: str) -> bool:
            return changes_topic(ask(question), ask(completed), index, among)

        return ask(complete(query.text, query.language, history, self.config.max_question_chars, is_new))

    def _retrieve(
        self, query: Query, index: Index, count: int, among: Filter | None, period: Period | None
    ) -> tuple[Hit, ...]:
        hits = retrieve(query, index, count, among, period)
        if among and not hits and index.manifest.passages:
            raise QuestionError(
                "No passage matches the filter. Allow more languages, sources or dates.", "nothing_passes"
            )
        return hits

    def _find_judge(self) -> Judge | None:
        judge = self._judge or find_judge(self.generator, self.config, self.prompts)
        if judge is None and not self._warned:
            self._warned = True
            logger.warning(
                "%s is not known to judge passages well, so it is not asked and articles are quoted. "
                "`rag doctor` says more.",
                self.generator.name,
            )
        return judge

    def _make_selector(self, judge: Judge | None, index: Index) -> Selector:
        def find_unmet_of(query: Query, hit: Hit) -> str | None:
            language = query.language.code
            article = index.open_article(hit.passage.source)
            return find_unmet(query.text, language, article, find_bounds(query.text, language))

        ask = partial(ask_generator, self.generator, self.prompts)
        return Selector(self.config, judge, self.encoder.settings, ask, find_unmet_of, self.reader)

    def _conclude_early(self, asked: Query, phrased: Phrased, clock: Clock) -> Answer:
        """Return an answer that needed no search. It does not abstain, even if it has nothing to cite."""
        answer = self._conclude(asked.text, asked, phrased, Ranking(()), Speech(), clock)
        return replace(answer, abstained=False)

    def _conclude(
        self, question: str, query: Query, phrased: Phrased, ranking: Ranking, speech: Speech, clock: Clock
    ) -> Answer:
        clock.stamp("total")
        text, citations = phrased
        return Answer(
            question=question,
            completed=query.text,
            text=text,
            citations=citations,
            language=query.language.code,
            script=query.language.script,
            abstained=not citations,
            quoted=bool(citations) and not speech.statements,
            hits=speech.update(ranking.hits),
            rejected=(*ranking.rejected, *speech.rejected),
            timings=clock.times,
            models={"encoder": self.encoder.name, "generator": self.generator.name},
        )

    def _prepare_quietly(self) -> None:
        try:
            self.prepare()
        except RagError as error:
            # The next question fails in the same way, and its user sees the error.
            logger.info("The articles cannot be read ahead: %s", error)


def _check_dates(among: Filter | None) -> None:
    """Raise QuestionError if a date of the filter is not one."""
    for date in filter(None, (among.since, among.until) if among else ()):
        if not is_date(date):
            raise QuestionError(
                f"“{date}” is not a date. Write it as 2023, 2023-10 or 2023-10-18.", "no_date", date=date
            )


def _find_period(asked: Query, query: Query, history: Sequence[Turn]) -> Period | None:
    """Return the period that the question names, or else the one named by the latest question that completes it.

    Each question may be in a different language.
    """
    before = [turn.question for turn in reversed(history) if query is not asked and turn.question in query.text]
    texts = [(asked.text, asked.language.code), *((text, detect(text).code) for text in before)]
    return next(filter(None, (find_period(text, code) for text, code in texts)), None)


_loading = threading.Lock()


def answer(question: str, history: Sequence[Turn] = (), among: Filter | None = None) -> Answer:
    """Answer from the default index. The first call opens it and loads its models, and later calls reuse them.

    Raises RagError, which says what is missing and how to get it, or what is wrong with the question.
    """
    with _loading:
        assistant = _load_default()
    return assistant.answer(question, history, among)


@cache
def _load_default() -> Assistant:
    return Assistant.load()
