"""Show an answer on the terminal while it is being made, and stop at once on Ctrl-C."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from rag.shell.output import NEAREST
from rag.text.invisible import mark_hidden

if TYPE_CHECKING:
    from rag.answering.answer import Answer
    from rag.answering.events import Event
    from rag.assistant import Assistant
    from rag.text.prompts import Prompts
    from rag.types import Filter, Hit, Turn


def stream_answer(assistant: "Assistant", question: str, among: "Filter", history: "Sequence[Turn]" = ()) -> "Answer":
    """Return the answer. Until it is complete, show on the terminal what is found and said.

    The caller prints the answer itself.
    """
    import asyncio

    from rag.answering.streams import adrain, step_in_thread

    # Ctrl-C reaches the main thread. In the middle of a step it would leave the generator half done, or be lost in a
    # callback of llama.cpp; so steps run in another thread and the main one only waits.
    events = step_in_thread(assistant.ask(question, history, among))
    return asyncio.run(adrain(_show(events, assistant.prompts)))


async def _show(events: "AsyncGenerator[Event, None]", prompts: "Prompts") -> "AsyncGenerator[Event, None]":
    """Pass the events on, and draw each on standard error. The drawing is erased at the end."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from rag.answering.events import Evidence, Judged, Queued, Reading, Words

    shown = Text(style="dim")
    hits: Sequence[Hit] = ()
    with Live(shown, console=Console(stderr=True), transient=True, auto_refresh=False) as live:
        async with aclosing(events):
            async for event in events:
                match event:
                    case Evidence(hits) | Judged(hits):
                        shown.plain = _list_nearest(hits)
                    case Queued(place):
                        shown.plain = prompts.label("queued", "en", place=str(place))
                    case Reading(hit, standing):
                        # Replaces the words about an earlier passage, which no longer count.
                        lines = (*map(mark_hidden, standing), f"{mark_hidden(hit.passage.source)}: ")
                        shown.plain = "\n".join((_list_nearest(hits), *lines))
                    case Words(text):
                        shown.append(mark_hidden(text))
                live.refresh()
                yield event


def _list_nearest(hits: "Sequence[Hit]") -> str:
    lines = (f"{hit.rank}. {hit.passage.source}: {hit.passage.text[:70]}…" for hit in hits[:NEAREST])
    return "".join(f"{mark_hidden(line)}\n" for line in lines)
