"""Hits to what is said: judged, read one at a time, and checked, until a statement stands up to its passage."""

import time
from collections.abc import Generator as Stream
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from rag.config import Config
from rag.judges import Judge, find_judge
from rag.judging import judge
from rag.language import Language, detect
from rag.prompts import Prompts
from rag.reading import clean, read
from rag.types import Encoder, Event, Generator, Hit, Judged, Reading, Rejection, Statement, Words
from rag.verification import verify

TELLING_WORDS = 4
"""Of fewer words the language cannot be told."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of reading."""

    hits: tuple[Hit, ...]
    """As they were judged."""
    statement: Statement | None = None
    """What was said in the language of the question and stands up to its passage."""
    quoted: Hit | None = None
    """The passage to be quoted, when there is nothing that may be shown in the generator's words."""
    rejected: tuple[Rejection, ...] = ()


class Answerer:
    """Finds what a question is answered with. One caller at a time."""

    def __init__(self, config: Config, encoder: Encoder, generator: Generator, prompts: Prompts) -> None:
        self._config = config
        self._encoder = encoder
        self._generator = generator
        self._prompts = prompts

    def find(self, question: str, language: Language, hits: Sequence[Hit]) -> Stream[Event, None, Finding]:
        """Judge and read the hits in turn; what is said must be in `language`. Raises GenerationError.

        It ends with the first statement that is supported, and at the latest when `Config.reads` or
        `Config.seconds` are spent.
        """
        end = time.monotonic() + self._config.seconds
        rule = find_judge(self._generator, self._config, self._prompts)
        ordered = tuple(hits)
        if rule and hits:
            ordered = judge(question, hits, self._generator, self._prompts, rule)
            yield Judged(ordered)
        promising = [hit for hit in ordered[: self._config.reads] if self._promises(hit, rule)]
        rejected: list[Rejection] = []
        for hit in promising if rule is None or language.code in rule.speaks else ():
            if rejected and time.monotonic() > end:
                break
            statement = yield from self._read(question, language, hit)
            reason = self._find_fault(statement, question, language)
            if reason is None:
                return Finding(ordered, statement, rejected=tuple(rejected))
            rejected.append(Rejection(statement, reason))
        # Without a judge there is nothing that tells whether the passage answers.
        return Finding(ordered, quoted=promising[0] if rule and promising else None, rejected=tuple(rejected))

    def _promises(self, hit: Hit, rule: Judge | None) -> bool:
        """Whether a hit is worth reading; without a judge all are."""
        return rule is None or (hit.odds is not None and rule.weigh(hit) >= rule.least + self._config.caution)

    def _read(self, question: str, language: Language, hit: Hit) -> Stream[Event, None, Statement]:
        yield Reading(hit)
        reply = ""
        words = read(question, language, hit, self._generator, self._prompts, self._config.max_answer_tokens)
        with closing(words):
            for word in words:
                reply += word
                yield Words(word)
        return Statement(clean(reply), hit)

    def _find_fault(self, statement: Statement, question: str, language: Language) -> str | None:
        """Why a statement must not be shown, or None."""
        if not statement.text:
            return "Nothing was said."
        if len(statement.text.split()) >= TELLING_WORDS:
            spoken = detect(statement.text, home=language)
            if spoken != language:
                return f"It is in {spoken.code} ({spoken.script}), not in {language.code} ({language.script})."
        verdict = verify(statement.text, statement.hit.passage, question, self._encoder)
        return None if verdict.outcome == "supported" else verdict.reason
