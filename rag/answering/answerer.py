"""Hits to what is said: judged, read one at a time, and checked, until what is likely to answer has been said."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from collections.abc import Generator as Stream
from contextlib import closing
from dataclasses import dataclass, replace

from rag.answering.events import Event, Judged, Reading, Words
from rag.answering.speaking import clean, read
from rag.config import Config
from rag.errors import GenerationError
from rag.protocols import Encoder, Generator
from rag.reading.judge import ALONE, JUDGED, MARGIN, judge, trust_retrieval, weigh
from rag.reading.trust import Judge
from rag.text.language import Language, detect
from rag.text.prompts import Prompts
from rag.types import Document, Hit, Rejection, Statement
from rag.verification.verify import find_unmet, state_bounds, verify

logger = logging.getLogger(__name__)

TELLING_WORDS = 4
"""Of fewer words the language cannot be told."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of reading."""

    hits: tuple[Hit, ...]
    """As they were judged."""
    statements: tuple[Statement, ...] = ()
    """What was said in the language of the question and stands up to its passage: one of an article, the best first."""
    quoted: Hit | None = None
    """The passage to be quoted, when there is nothing that may be shown in the generator's words."""
    rejected: tuple[Rejection, ...] = ()


class Answerer:
    """Finds what a question is answered with. One caller at a time.

    Without a judge nothing tells whether a passage answers, and what a generator makes of one that does not may well
    stand up to it. So it is not asked, and the passage is quoted that retrieval puts well before the others.
    """

    def __init__(
        self,
        config: Config,
        encoder: Encoder,
        generator: Generator,
        prompts: Prompts,
        open_article: Callable[[str], Document],
        judge: Judge | None,
    ) -> None:
        self._config = config
        self._encoder = encoder
        self._generator = generator
        self._prompts = prompts
        self._open_article = open_article
        self._rule = judge
        self._least = (judge.least if judge else ALONE) + config.caution

    def find(
        self, question: str, language: Language, hits: Sequence[Hit], lifted: float = 0.0
    ) -> Stream[Event, None, Finding]:
        """Judge and read the hits in turn; what is said must be in `language`. Raises GenerationError.

        The generator reads until a statement stands up to its passage, and then only other articles that do not bear it
        and are likely to answer too: they may say otherwise. It ends at the latest when `Config.reads` or
        `Config.seconds` are spent. `lifted` is by how much the score of some of the hits was raised, whatever they say.
        """
        end = time.monotonic() + self._config.seconds
        rule = self._rule
        if rule is None or not hits:
            return self._trust_retrieval(question, language, hits)
        near = MARGIN + rule.weight * lifted
        ordered, promising, rejected = yield from self._judge(question, language, tuple(hits), rule, near)
        told = yield from self._tell(question, language, promising, ordered, rule, end)
        said = tuple(one for one in told if isinstance(one, Statement))
        rejected += [one for one in told if isinstance(one, Rejection)]
        agreeing = {hit.passage: hit for statement in said for hit in statement.agreeing}
        ordered = tuple(agreeing.get(hit.passage, hit) for hit in ordered)
        return Finding(ordered, said, None if said or not promising else promising[0], tuple(rejected))

    def _trust_retrieval(self, question: str, language: Language, hits: Sequence[Hit]) -> Finding:
        ordered = trust_retrieval(hits)
        promising, rejected = self._choose(question, language, ordered)
        return Finding(ordered, quoted=promising[0] if promising else None, rejected=tuple(rejected))

    def _judge(
        self, question: str, language: Language, hits: tuple[Hit, ...], rule: Judge, near: float
    ) -> Stream[Event, None, tuple[tuple[Hit, ...], list[Hit], list[Rejection]]]:
        """Judge the hits near the first, and all where what the question names is not in the articles of those."""
        for margin in (near, math.inf):
            hits = judge(question, hits, self._generator, self._prompts, rule, margin)
            yield Judged(hits)
            promising, rejected = self._choose(question, language, hits)
            if promising or not rejected or all(hit.odds is not None for hit in hits[:JUDGED]):
                break
        return hits, promising, rejected

    def _choose(self, question: str, language: Language, hits: Sequence[Hit]) -> tuple[list[Hit], list[Rejection]]:
        """The hits that are worth reading, and those whose articles lack what the question takes for granted."""
        promising: list[Hit] = []
        rejected: list[Rejection] = []
        for hit in (hit for hit in hits[: self._config.reads] if self._promises(hit)):
            lacking = find_unmet(question, language.code, self._open_article(hit.passage.source))
            if lacking:
                rejected.append(Rejection(Statement("", hit), lacking))
            else:
                promising.append(hit)
        return promising, rejected

    def _promises(self, hit: Hit) -> bool:
        """Whether a hit is worth reading, or quoting."""
        return hit.evidence is not None and hit.evidence >= self._least

    def _tell(
        self,
        question: str,
        language: Language,
        promising: Sequence[Hit],
        hits: Sequence[Hit],
        rule: Judge,
        end: float,
    ) -> Stream[Event, None, list[Statement | Rejection]]:
        """What is said of the promising ones among the hits, once of an article, and what must not be shown."""
        told: list[Statement | Rejection] = []
        said: list[Statement] = []
        for hit in promising if language.code in rule.speaks else ():
            if told and time.monotonic() > end:
                break
            if hit.passage.source in {one.passage.source for statement in said for one in statement.hits}:
                continue
            try:
                one = yield from self._state(question, language, hit, said)
            except GenerationError as error:
                if not said:
                    raise
                logger.warning("What other articles say was not read: %s", error)
                break
            if isinstance(one, Statement):
                one = replace(one, agreeing=self._find_agreeing(one, question, language, hits, rule, end))
                said.append(one)
            told.append(one)
        return told

    def _state(
        self, question: str, language: Language, hit: Hit, said: Sequence[Statement]
    ) -> Stream[Event, None, Statement | Rejection]:
        """What is said of a hit, once more where it is in another language; rejected where it must not be shown."""
        standing = tuple(statement.text for statement in said)
        for insist in (False, True):
            yield Reading(hit, standing)
            statement = yield from self._read(question, language, hit, insist)
            foreign = find_foreign(statement.text, language)
            if not foreign:
                break
        reason = foreign or self._find_fault(statement, question)
        return Rejection(statement, reason) if reason else statement

    def _read(self, question: str, language: Language, hit: Hit, insist: bool) -> Stream[Event, None, Statement]:
        reply = ""
        most = self._config.max_answer_tokens
        words = read(question, language, hit, self._generator, self._prompts, most, insist)
        with closing(words):
            for word in words:
                reply += word
                yield Words(word)
        return Statement(state_bounds(clean(reply), hit.passage, question), hit)

    def _find_agreeing(
        self,
        statement: Statement,
        question: str,
        language: Language,
        hits: Sequence[Hit],
        rule: Judge,
        end: float,
    ) -> tuple[Hit, ...]:
        """The best hit from each other article whose passage bears the statement too."""
        found: dict[str, Hit] = {}
        for hit in hits[: self._config.reads]:
            source = hit.passage.source
            if source in (statement.hit.passage.source, *found) or not (hit.odds is None or self._promises(hit)):
                continue
            if verify(statement.text, hit.passage, question, self._encoder).outcome == "supported":
                found[source] = hit
        judged = list(found.values())
        if time.monotonic() < end:
            judged = self._judge_late(question, judged, rule)
        return tuple(self._choose(question, language, judged)[0])

    def _judge_late(self, question: str, hits: list[Hit], rule: Judge) -> list[Hit]:
        """The hits, of which those far behind are judged now; where the generator fails, they stay as they were."""
        far = [hit for hit in hits if hit.odds is None]
        try:
            odds = weigh(question, [hit.passage for hit in far], self._generator, self._prompts) if far else []
        except GenerationError as error:
            logger.warning("Whether other articles say the same was not judged: %s", error)
            return hits
        judged = {
            hit: replace(hit, odds=of_one, evidence=of_one + rule.weight * hit.score)
            for hit, of_one in zip(far, odds, strict=True)
        }
        return [judged.get(hit, hit) for hit in hits]

    def _find_fault(self, statement: Statement, question: str) -> str | None:
        """Why a statement must not be shown, or None."""
        if not any(map(str.isalnum, statement.text)):
            return "Nothing was said."
        verdict = verify(statement.text, statement.hit.passage, question, self._encoder)
        return None if verdict.outcome == "supported" else verdict.reason


def find_foreign(text: str, language: Language) -> str | None:
    """In which other language or script a text is; None where it is in the one asked for, or too short to tell."""
    if len(text.split()) < TELLING_WORDS:
        return None
    spoken = detect(text, home=language)
    if spoken == language:
        return None
    return f"It is in {spoken.code} ({spoken.script}), not in {language.code} ({language.script})."
