"""The events of an answer on its way, in the order in which they may come."""

from dataclasses import dataclass

from rag.answering.answer import Answer
from rag.types import Hit


@dataclass(frozen=True, slots=True)
class Queued:
    """The generator is busy; `place` questions are ahead of this one."""

    place: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found, before anything was read."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """The same hits, ordered by whether they hold the answer."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """The generator begins to read this hit; words that came before belong to another and are void."""

    hit: Hit
    standing: tuple[str, ...] = ()
    """What was said of other articles and is shown in any case, before the words that come."""


@dataclass(frozen=True, slots=True)
class Words:
    """The next piece of what the generator says."""

    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The end of every stream."""

    answer: Answer


Event = Queued | Evidence | Judged | Reading | Words | Answered
