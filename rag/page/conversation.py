"""The state of a conversation, and its progress from a question to the answer, without Gradio or HTML."""

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
"""Maximum number of conversations kept. Beyond it, the least recently used one is dropped."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question, and its answer or the progress towards it."""

    question: str
    hits: tuple[Hit, ...] = ()
    """Passages found so far."""
    ahead: int = 0
    """Number of questions that the model will answer before this one."""
    reading: Hit | None = None
    """The passage that the generator is reading."""
    words: str = ""
    """The generator's words so far."""
    answer: Answer | None = None
    error: RagError | None = None
    """The reason why there is no answer."""
    unexpected: str | None = None
    """Kind and message of an exception that is not a RagError."""
    stopped: bool = False
    new_articles: int | None = None
    """Number of articles in the index, if the index has changed since the previous question."""

    @property
    def busy(self) -> bool:
        """True until the exchange is complete or stopped."""
        return not (self.answer or self.error or self.unexpected or self.stopped)


class Conversation:
    """The exchanges of one browser tab. Several of them can be in progress."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.language = ""
        """Tag of the language that the page is shown in; empty until the browser has reported it."""
        self._generation: str | None = None

    @property
    def citations(self) -> list[Citation]:
        """All citations, in the order of the answers."""
        return [citation for one in self.exchanges if one.answer for citation in one.answer.citations]

    @property
    def history(self) -> list[Turn]:
        """The questions answered so far, with their answers."""
        return [Turn(one.answer.question, one.answer.text) for one in self.exchanges if one.answer]

    def begin(self, question: str) -> int:
        """Add an exchange for a question and return its position."""
        self.exchanges.append(Exchange(question))
        return len(self.exchanges) - 1

    def update(self, position: int, exchange: Exchange) -> bool:
        """Replace an exchange by its next step and return True, or return False if it was stopped."""
        if self.exchanges[position].stopped:
            return False
        self.exchanges[position] = exchange
        return True

    def stop(self, position: int) -> None:
        """Stop an exchange, unless it is complete."""
        if self.exchanges[position].busy:
            self.exchanges[position] = replace(self.exchanges[position], stopped=True)

    def stop_all(self) -> None:
        """Stop every exchange that is in progress."""
        for position in range(len(self.exchanges)):
            self.stop(position)

    def note_generation(self, generation: str) -> bool:
        """Remember the generation of the index in use, and return whether it has changed since the last question."""
        previous, self._generation = self._generation, generation
        return previous not in (None, generation)


class ConversationStore:
    """The conversations of all tabs, so that a tab that is reloaded keeps its own."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Conversation] = OrderedDict()

    def find(self, tab: str, new: Conversation) -> Conversation:
        """Return the conversation of the tab with this secret name. An unknown tab gets `new`."""
        if not tab:
            return new
        conversation = self._kept.setdefault(tab, new)
        self._kept.move_to_end(tab)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return conversation


def follow(
    assistant: Assistant, question: str, conversation: Conversation, among: Filter | None = None
) -> Generator[Exchange, None, None]:
    """Ask a question and yield the exchange at each step, up to its answer or the reason why there is none."""
    history = conversation.history
    refresh_index(assistant)
    index = assistant.index
    changed = conversation.note_generation(index.generation)
    exchange = Exchange(question, new_articles=index.manifest.articles if changed else None)
    yield exchange
    try:
        with closing(assistant.ask(question, history, among)) as events:
            for event in events:
                exchange = _advance(exchange, event)
                yield exchange
    except RagError as error:
        # A copy, because the error itself would keep alive the frames in which it was raised.
        yield replace(exchange, error=copy(error))
    except Exception as error:
        logger.exception("A question failed with an unexpected error.")
        yield replace(exchange, unexpected=f"{type(error).__name__}: {error}")


def refresh_index(assistant: Assistant) -> None:
    """Switch to the newest index. If it cannot be opened, log the reason and keep the one in use."""
    try:
        assistant.refresh()
    except RagError as error:
        logger.warning("The newest index cannot be opened; the previous one stays in use: %s", error)


def _advance(exchange: Exchange, event: Event) -> Exchange:
    match event:
        case Evidence(hits) | Judged(hits):
            return replace(exchange, hits=hits, ahead=0)
        case Queued(place):
            return replace(exchange, ahead=place)
        case Reading(hit, standing):
            return replace(exchange, ahead=0, words="".join(f"{line}\n" for line in standing), reading=hit)
        case Words(text):
            return replace(exchange, words=exchange.words + text)
        case Answered(answer):
            return replace(exchange, reading=None, words="", hits=(), answer=answer)
