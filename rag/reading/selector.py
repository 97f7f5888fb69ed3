"""Select the hits that are likely to hold the answer, and reject those whose articles cannot answer the question."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.config import Config
from rag.encoding.query import Query
from rag.errors import GenerationError
from rag.protocols import Reader
from rag.reading.judge import Ask, Judge, rank_by_judge, rank_by_retrieval
from rag.types import EncoderSettings, Hit, Rejection, Statement

logger = logging.getLogger(__name__)

FindUnmet = Callable[[Query, Hit], str | None]
"""Returns why the article of a hit cannot answer the question, or None if it may."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The hits of a question, ordered by the evidence that they hold the answer."""

    hits: tuple[Hit, ...]
    """All hits, the likeliest first."""
    promising: tuple[Hit, ...] = ()
    """The hits with enough evidence to be quoted, the likeliest first."""
    rejected: tuple[Rejection, ...] = ()
    """The hits that have as much evidence, but lack something that the question takes for granted."""


def read_hits(hits: Sequence[Hit], question: str, reader: Reader) -> tuple[Hit, ...]:
    """Return the hits with the result of reading each that was not read before."""
    unread = [hit.passage for hit in hits if hit.reading is None]
    readings = dict(zip(unread, reader.read(question, unread), strict=True))
    return tuple(hit if hit.reading else replace(hit, reading=readings[hit.passage]) for hit in hits)


class Selector:
    """Ranks hits by the evidence of a judge, or of retrieval alone where there is no judge.

    Without a judge, the evidence is the score of a hit and its lead over the others. A reader reads the promising hits,
    and, if its odds count for the judge, those that are judged.
    """

    def __init__(
        self,
        config: Config,
        judge: Judge | None,
        settings: EncoderSettings,
        ask: Ask,
        find_unmet: FindUnmet,
        reader: Reader | None = None,
    ) -> None:
        self._judge = judge
        self._reader = reader
        self._settings = settings
        self._ask = ask
        self._find_unmet = find_unmet
        self._most = config.reads
        self._least = (judge.least if judge else settings.least_evidence) + config.caution

    def select(self, query: Query, hits: Sequence[Hit], raised: float = 0.0) -> Iterator[Ranking]:
        """Yield a ranking, and a second one if all promising hits of the first were rejected.

        The judge is asked about the hits near the best. It is asked about more of them only if what the question takes
        for granted is in none of those articles. `raised` is the amount that was added to the score of
        some hits for reasons other than their text. Raises GenerationError.
        """
        if self._judge is None or not hits:
            yield self._choose(query, rank_by_retrieval(hits, self._settings))
            return
        if self._reader and self._judge.reading:
            read = read_hits(hits[: self._judge.judged], query.text, self._reader)
            hits = (*read, *hits[len(read) :])
        for margin in (self._judge.margin + self._judge.weight * raised, math.inf):
            hits = rank_by_judge(query.text, hits, self._judge, self._ask, margin)
            ranking = self._choose(query, hits)
            yield ranking
            if (
                ranking.promising
                or not ranking.rejected
                or all(hit.odds is not None for hit in hits[: self._judge.judged])
            ):
                return

    def may_answer(self, hit: Hit) -> bool:
        """Return whether a hit has enough evidence, or has not been judged yet."""
        return hit.odds is None or self._is_promising(hit)

    def confirm(self, query: Query, hits: Sequence[Hit], in_time: bool) -> tuple[Hit, ...]:
        """Return the hits that are promising. If `in_time`, hits without odds are judged first."""
        if in_time:
            hits = self._judge_remaining(query, hits)
        return self._choose(query, hits).promising

    def _judge_remaining(self, query: Query, hits: Sequence[Hit]) -> list[Hit]:
        """Return the hits with odds for each, or unchanged if the generator fails, since an answer exists already."""
        remaining = [hit for hit in hits if hit.odds is None]
        if self._judge is None or not remaining:
            return list(hits)
        try:
            odds = self._ask(query.text, [hit.passage for hit in remaining])
        except GenerationError as error:
            logger.warning("Other articles were not checked for the same answer: %s", error)
            return list(hits)
        judged = {
            hit: replace(hit, odds=of_one, evidence=of_one + self._judge.weight * hit.score)
            for hit, of_one in zip(remaining, odds, strict=True)
        }
        return [judged.get(hit, hit) for hit in hits]

    def _choose(self, query: Query, hits: Sequence[Hit]) -> Ranking:
        promising: list[Hit] = []
        rejected: list[Rejection] = []
        for hit in filter(self._is_promising, hits[: self._most]):
            if reason := self._find_unmet(query, hit):
                rejected.append(Rejection(Statement("", hit), reason))
            else:
                promising.append(hit)
        if self._reader:
            read = dict(zip(promising, read_hits(promising, query.text, self._reader), strict=True))
            hits, promising = [read.get(hit, hit) for hit in hits], [*read.values()]
        return Ranking(tuple(hits), tuple(promising), tuple(rejected))

    def _is_promising(self, hit: Hit) -> bool:
        return hit.evidence is not None and hit.evidence >= self._least
