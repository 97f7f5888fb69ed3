"""An answer while it comes: shown on a terminal, and stopped with Ctrl-C at once."""

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from rag.shell.output import NEAREST
from rag.text.invisible import mark_hidden

if TYPE_CHECKING:
    from rag.answering.answer import Answer
    from rag.assistant import Assistant
    from rag.types import Filter, Hit, Turn

Step = TypeVar("Step")


def stream_answer(assistant: "Assistant", question: str, among: "Filter", history: "Sequence[Turn]" = ()) -> "Answer":
    """Show on a terminal what is found and said while it comes; the answer itself is for the caller to print."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from rag.answering.events import Answered, Evidence, Judged, Queued, Reading, Words

    shown = Text(style="dim")
    hits: Sequence[Hit] = ()
    with Live(shown, console=Console(stderr=True), transient=True, auto_refresh=False) as live:
        for event in run_in_thread(assistant.ask(question, history, among)):
            match event:
                case Evidence(hits) | Judged(hits):
                    shown.plain = _list_nearest(hits)
                case Queued(place):
                    shown.plain = assistant.prompts.label("queued", "en", place=str(place))
                case Reading(hit, standing):
                    # What else was said of the passages before is void.
                    lines = (*map(mark_hidden, standing), f"{mark_hidden(hit.passage.source)}: ")
                    shown.plain = "\n".join((_list_nearest(hits), *lines))
                case Words(text):
                    shown.append(mark_hidden(text))
                case Answered(answer):
                    return answer
            live.refresh()
    raise AssertionError("every stream ends with Answered")


def run_in_thread(steps: Generator[Step, None, None]) -> Iterator[Step]:
    """The steps, each waited for in a thread of their own, which closes them when nobody listens any more.

    Ctrl-C comes to the main thread. In the midst of a step it would leave the generator half done, or be lost where
    llama.cpp calls back.
    """
    thread = ThreadPoolExecutor(max_workers=1)
    try:
        while (step := thread.submit(next, steps, None).result()) is not None:
            yield step
    finally:
        thread.submit(steps.close)
        thread.shutdown(wait=False)


def _list_nearest(hits: "Sequence[Hit]") -> str:
    lines = (f"{hit.rank}. {hit.passage.source}: {hit.passage.text[:70]}…" for hit in hits[:NEAREST])
    return "".join(f"{mark_hidden(line)}\n" for line in lines)
