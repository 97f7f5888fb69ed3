"""The events on the way to an answer, in the order in which they occur."""

from dataclasses import dataclass

from rag.answering.answer import Answer
from rag.types import Hit


@dataclass(frozen=True, slots=True)
class Queued:
    """The generator is busy, and `place` questions are ahead of this one."""

    place: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Passages were found. Nothing has been read yet."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """The hits were ordered by the evidence that they hold the answer."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """The generator begins to answer from this hit. Words that came before belong to another hit and are void."""

    hit: Hit
    standing: tuple[str, ...] = ()
    """Checked statements about other articles, to be shown before the words that follow."""


@dataclass(frozen=True, slots=True)
class Words:
    """The generator's next piece of text, which has not been checked yet."""

    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer is complete. Every stream ends with this event."""

    answer: Answer


Event = Queued | Evidence | Judged | Reading | Words | Answered
