"""A question and what there is to be seen of its answer, from step to step; no Gradio, no markup."""

import logging
from collections import OrderedDict
from collections.abc import Generator
from contextlib import closing
from copy import copy
from dataclasses import dataclass, replace

from rag.answering.answer import Answer, Citation
from rag.answering.events import Answered, Event, Evidence, Judged, Queued, Reading, Words
from rag.assistant import Assistant
from rag.errors import RagError
from rag.types import Filter, Hit, Turn

logger = logging.getLogger(__name__)

KEPT = 200
"""Conversations that are remembered; the one that was used least recently is forgotten."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what there is to be seen of its answer."""

    question: str
    hits: tuple[Hit, ...] = ()
    """What was found so far."""
    ahead: int = 0
    """How many questions the model answers first."""
    reading: Hit | None = None
    words: str = ""
    """What was said so far."""
    answer: Answer | None = None
    error: RagError | None = None
    """Why there is no answer."""
    surprise: str | None = None
    """The same for what nobody expected: its kind and message."""
    stopped: bool = False
    renewed: int | None = None
    """How many articles the index has, when it is another than before."""

    @property
    def busy(self) -> bool:
        """Whether more is to come."""
        return not (self.answer or self.error or self.surprise or self.stopped)


class Conversation:
    """The exchanges of one tab, of which several may be under way."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.tongue = ""
        """The tag of the language that it is seen in; empty until that is told."""
        self._generation: str | None = None

    @property
    def citations(self) -> list[Citation]:
        """All that was cited, in the order in which it can be gone through."""
        return [citation for one in self.exchanges if one.answer for citation in one.answer.citations]

    @property
    def history(self) -> list[Turn]:
        """What was answered so far."""
        return [Turn(one.answer.question, one.answer.text) for one in self.exchanges if one.answer]

    def begin(self, question: str) -> int:
        """Take up a question; gives its place among the exchanges."""
        self.exchanges.append(Exchange(question))
        return len(self.exchanges) - 1

    def put(self, place: int, exchange: Exchange) -> bool:
        """Show how far an exchange is; False when it was stopped in the meantime, and stays so."""
        if self.exchanges[place].stopped:
            return False
        self.exchanges[place] = exchange
        return True

    def stop(self) -> None:
        """Leave all that is under way as it is."""
        for place in range(len(self.exchanges)):
            self.leave(place)

    def leave(self, place: int) -> None:
        """Leave one exchange as it is, if more was to come."""
        if self.exchanges[place].busy:
            self.exchanges[place] = replace(self.exchanges[place], stopped=True)

    def meet(self, generation: str) -> bool:
        """Whether the index is another than that which was asked last."""
        met, self._generation = self._generation, generation
        return met not in (None, generation)


class Conversations:
    """Those of all tabs, so that a tab that is loaded again finds its own."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Conversation] = OrderedDict()

    def recall(self, tab: str, begun: Conversation) -> Conversation:
        """The conversation of the tab of that name, which nobody else can guess; a new tab keeps what it has begun."""
        if not tab:
            return begun
        conversation = self._kept.setdefault(tab, begun)
        self._kept.move_to_end(tab)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return conversation


def follow(
    assistant: Assistant, question: str, conversation: Conversation, among: Filter | None = None
) -> Generator[Exchange, None, None]:
    """The exchange at each step from the question to its answer, or to one sentence on why there is none."""
    history = conversation.history
    take_up(assistant)
    index = assistant.index
    seen = Exchange(question, renewed=index.manifest.articles if conversation.meet(index.generation) else None)
    yield seen
    try:
        with closing(assistant.ask(question, history, among)) as events:
            for event in events:
                seen = _advance(seen, event)
                yield seen
    except RagError as error:
        # The copy has nothing of the frames in which the error was raised.
        yield replace(seen, error=copy(error))
    except Exception as error:
        logger.exception("unexpected")
        yield replace(seen, surprise=f"{type(error).__name__}: {error}")


def take_up(assistant: Assistant) -> None:
    """Go over to the index as it is now; one that cannot be opened leaves the old one in use."""
    try:
        assistant.refresh()
    except RagError as error:
        logger.warning("The index that is in use now cannot be opened: %s", error)


def _advance(seen: Exchange, event: Event) -> Exchange:
    match event:
        case Evidence(hits) | Judged(hits):
            return replace(seen, hits=hits, ahead=0)
        case Queued(place):
            return replace(seen, ahead=place)
        case Reading(hit, standing):
            return replace(seen, ahead=0, words="".join(f"{line}\n" for line in standing), reading=hit)
        case Words(text):
            return replace(seen, words=seen.words + text)
        case Answered(answer):
            return replace(seen, reading=None, words="", hits=(), answer=answer)
