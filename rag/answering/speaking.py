"""Answer in the words of a generator that is trusted in the question's language, and check what it says.

The default generator is trusted in no language, so for it this module is not used: the article is quoted.
"""

import logging
import re
import time
from collections.abc import Generator as Stream
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from rag.answering.events import Event, Reading, Words
from rag.config import Config
from rag.encoding.query import Query
from rag.errors import GenerationError
from rag.protocols import Encoder, Generator
from rag.reading.selector import Ranking, Selector
from rag.text.language import Language, detect, name_of
from rag.text.prompts import Prompts
from rag.types import Hit, Rejection, Reply, Statement
from rag.verification.verify import state_bounds, verify

logger = logging.getLogger(__name__)

LEAST_WORDS = 4
"""The language of a text with fewer words cannot be told."""
BISCRIPTAL = {"sr", "bs", "uz", "az", "kk"}
"""Languages written in two scripts, of which the generator must be told one."""
SCRIPTS = {"Latn": "Latin", "Cyrl": "Cyrillic", "Arab": "Arabic"}
MARKER = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True, slots=True)
class Speech:
    """What a generator said to a question."""

    statements: tuple[Statement, ...] = ()
    """Statements that are in the question's language and supported by their passages, at most one for each article."""
    rejected: tuple[Rejection, ...] = ()

    def update(self, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """Return the hits with the odds that were found for some of them while speaking."""
        agreeing = {hit.passage: hit for statement in self.statements for hit in statement.agreeing}
        return tuple(agreeing.get(hit.passage, hit) for hit in hits)


class Speaker:
    """Has a trusted generator answer from one passage after another. Serves one caller at a time."""

    def __init__(
        self, config: Config, generator: Generator, encoder: Encoder, prompts: Prompts, selector: Selector
    ) -> None:
        self._config = config
        self._generator = generator
        self._encoder = encoder
        self._prompts = prompts
        self._selector = selector

    def speak(self, query: Query, ranking: Ranking, deadline: float) -> Stream[Event, None, Speech]:
        """Stream what the generator says of the promising hits; the result holds what of it may be shown.

        After the first statement that its passage supports, only articles that do not support it are read, since they
        may say otherwise. After `deadline`, by `time.monotonic()`, no further passage is read. Raises GenerationError
        if there is no statement yet; later it is only logged.
        """
        said: list[Statement] = []
        rejected: list[Rejection] = []
        for hit in ranking.promising:
            if (said or rejected) and time.monotonic() > deadline:
                break
            if hit.passage.source in {cited.passage.source for statement in said for cited in statement.hits}:
                continue
            try:
                result = yield from self._state(query, hit, [statement.text for statement in said])
            except GenerationError as error:
                if not said:
                    raise
                logger.warning("Other articles were not read: %s", error)
                break
            if isinstance(result, Statement):
                said.append(replace(result, agreeing=self._find_agreeing(result, query, ranking.hits, deadline)))
            else:
                rejected.append(result)
        return Speech(tuple(said), tuple(rejected))

    def _state(self, query: Query, hit: Hit, standing: Sequence[str]) -> Stream[Event, None, Statement | Rejection]:
        """Stream what is said of a hit, once more if it is in another language; reject it if it must not be shown."""
        for insist in (False, True):
            yield Reading(hit, tuple(standing))
            statement = yield from self._read(query, hit, insist)
            foreign = find_foreign(statement.text, query.language)
            if not foreign:
                break
        reason = foreign or self._find_fault(statement, query)
        return Rejection(statement, reason) if reason else statement

    def _read(self, query: Query, hit: Hit, insist: bool) -> Stream[Event, None, Statement]:
        reply = ""
        words = read(query, hit, self._generator, self._prompts, self._config.max_answer_tokens, insist)
        with closing(words):
            for word in words:
                reply += word
                yield Words(word)
        return Statement(state_bounds(clean(reply), hit.passage, query.text), hit)

    def _find_fault(self, statement: Statement, query: Query) -> str | None:
        """Return why a statement must not be shown, or None."""
        if not any(map(str.isalnum, statement.text)):
            return "Nothing was said."
        verdict = verify(statement.text, statement.hit.passage, query.text, self._encoder)
        return None if verdict.outcome == "supported" else verdict.reason

    def _find_agreeing(
        self, statement: Statement, query: Query, hits: Sequence[Hit], deadline: float
    ) -> tuple[Hit, ...]:
        """Return the best hit of each other article whose passage supports the statement too."""
        found: dict[str, Hit] = {}
        for hit in hits[: self._config.reads]:
            source = hit.passage.source
            if source in (statement.hit.passage.source, *found) or not self._selector.may_answer(hit):
                continue
            if verify(statement.text, hit.passage, query.text, self._encoder).outcome == "supported":
                found[source] = hit
        return self._selector.confirm(query, list(found.values()), in_time=time.monotonic() < deadline)


def read(
    query: Query, hit: Hit, generator: Generator, prompts: Prompts, max_tokens: int, insist: bool = False
) -> Reply:
    """Stream the generator's answer to a question from the hit's passage.

    The answer is requested in the question's language; `insist` asks for that again, more plainly. The passage comes
    before the question, so what the generator computes for a passage serves every question. Closing the stream stops
    the generator. Raises GenerationError.
    """
    prefix = prompts.fill("excerpt", passage=hit.passage.text)
    name = "insist" if insist else "question"
    suffix = prompts.fill(name, question=query.text, language=_name_language(query.language))
    return generator.generate(prefix, suffix, max_tokens, stop=("\n",))


def clean(reply: str) -> str:
    """Return the reply on one line, without markers: those that the generator writes cite nothing."""
    while (cleaned := MARKER.sub("", reply)) != reply:
        # What surrounds a marker may be a marker itself: `[[1]2]`.
        reply = cleaned
    return " ".join(reply.split())


def find_foreign(text: str, language: Language) -> str | None:
    """Return a sentence about the language of a text; None if it is `language`, or the text is too short to tell."""
    if len(text.split()) < LEAST_WORDS:
        return None
    spoken = detect(text, home=language)
    if spoken == language:
        return None
    return f"It is in {spoken.code} ({spoken.script}), not in {language.code} ({language.script})."


def _name_language(language: Language) -> str:
    name = name_of(language.code, "en")
    return f"{name} ({SCRIPTS.get(language.script, language.script)} script)" if language.code in BISCRIPTAL else name
