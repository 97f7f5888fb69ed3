"""What happens on the page: each event, and what of the page it changes."""

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from rag.answering.streams import run_in_thread
from rag.assistant import Assistant
from rag.errors import ArticleMissing
from rag.page.api import offer
from rag.page.article import Place, draw_missing, open_article
from rag.page.article_list import draw_change, draw_shelf
from rag.page.conversation import Conversation, Conversations, follow, take_up
from rag.page.conversation_html import draw_conversation
from rag.page.examples import Examples
from rag.page.export import write_json, write_markdown
from rag.page.figures import draw_figures
from rag.page.labels import choose_tongue
from rag.page.layout import Board, Parts, list_choices, place_parts
from rag.page.uploads import Change, add, remove
from rag.text.prompts import FALLBACK
from rag.types import Filter

ASKERS = 16
UPLOADS = (3600, 3600)
"""Seconds between looking for uploads, of which copies were taken over, and their age at which they are deleted."""
CHANGERS = 8
"""Changes to the corpus that are waited for at once; each but the first is told that another is under way."""
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
# A name that nobody can guess, so that a tab which is loaded again finds its conversation, and no other tab does.
START = """() => {
    sessionStorage.tab ??= Array.from(crypto.getRandomValues(new Uint8Array(16)), b => b.toString(16)).join("");
    return [sessionStorage.tab, localStorage.tongue ?? null, null];
}"""
# A question runs in the direction of its own script, whatever the page's.
SET_DIRECTION = """() => { document.querySelector("#question textarea").dir = "auto"; }"""
SPEAK = "tongue => { document.documentElement.lang = tongue; }"
CHOOSE = "tongue => { document.documentElement.lang = localStorage.tongue = tongue; }"
SAVE = """file => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([file.text], { type: file.type }));
    link.download = file.name;
    link.click();
    URL.revokeObjectURL(link.href);
}"""


def build_page(assistant: Assistant) -> gr.Blocks:
    """The page over one assistant; nothing in it is loaded from elsewhere."""
    page = gr.Blocks(
        title=assistant.prompts.label("title", FALLBACK),
        analytics_enabled=False,
        fill_height=True,
        delete_cache=UPLOADS,
    )
    with page:
        board = Board(assistant)
        parts = place_parts(board)
        started = _wire_start(page, board, parts)
        _wire_asking(board, parts)
        _wire_reading(board, parts)
        changed = _wire_changes(board, parts)
        _wire_filters([*started, *changed], board, parts)
        _wire_examples([*started, *changed], board, parts)
        _wire_saving(board, parts)
        offer(assistant)
    page.queue(default_concurrency_limit=ASKERS)
    return page


def _wire_start(page: gr.Blocks, board: Board, parts: Parts) -> list[Dependency]:
    """What is seen first, and in another language."""
    conversations = Conversations()
    offered = board.assistant.prompts.page

    def draw(conversation: Conversation, find: str, tag: str) -> list[Any]:
        conversation.tongue = tag
        wording = board.speak(tag)
        shelf = draw_shelf(board.assistant, find, wording)
        view = gr.update(value=draw_conversation(conversation.exchanges, wording), name=wording.label("conversation"))
        return [view, shelf, *board.dress(wording)]

    def start(tab: str, chosen: str | None, begun: Conversation, request: gr.Request) -> list[Any]:
        take_up(board.assistant)
        tag = chosen if chosen in offered else _choose_tongue(request, board)
        conversation = conversations.recall(tab, begun)
        return [tag, conversation, *draw(conversation, "", tag)]

    dressed = [component for component, _ in board.dressed]
    seen = [parts.view, parts.corpus.shelf, *dressed]
    known = [parts.tab, parts.tongue, parts.conversation]
    started = page.load(start, known, [parts.tongue, parts.conversation, *seen], js=START, **QUIET)
    started.then(None, parts.tongue, js=SPEAK, api_visibility="private")
    started.then(None, js=SET_DIRECTION, api_visibility="private")
    spoken = parts.tongue.input(draw, [parts.conversation, parts.corpus.find, parts.tongue], seen, **QUIET)
    spoken.then(None, parts.tongue, js=CHOOSE, api_visibility="private")
    return [started, spoken]


def _choose_tongue(request: gr.Request, board: Board) -> str:
    return choose_tongue(request.headers.get("accept-language", ""), board.assistant.prompts.page)


def _wire_asking(board: Board, parts: Parts) -> None:
    async def respond(
        question: str,
        conversation: Conversation,
        languages: list[str],
        sources: list[str],
        since: str,
        until: str,
        request: gr.Request,
    ) -> AsyncGenerator[str, None]:
        # Whoever is quick asks before the page has told; what comes last would stay in another language.
        conversation.tongue = conversation.tongue or _choose_tongue(request, board)
        among = Filter(tuple(languages), tuple(sources), since.strip() or None, until.strip() or None)
        place = conversation.begin(question)
        steps = run_in_thread(follow(board.assistant, question, conversation, among))
        try:
            async with aclosing(steps):
                async for exchange in steps:
                    wanted = conversation.put(place, exchange)
                    # Gradio shows what came last once more at the end, so that must be how it was left.
                    yield draw_conversation(conversation.exchanges, board.speak(conversation.tongue))
                    if not wanted:
                        break
        finally:
            conversation.leave(place)

    def stop(conversation: Conversation) -> str:
        conversation.stop()
        return draw_conversation(conversation.exchanges, board.speak(conversation.tongue))

    gr.on(
        [parts.composer.ask.click, parts.composer.question.submit],
        respond,
        [parts.composer.question, parts.conversation, *parts.corpus.filters],
        parts.view,
        show_progress="hidden",
        # A question that is asked while another is answered stands in line.
        trigger_mode="multiple",
        api_name="ask",
        api_description=board.assistant.prompts.programs["converse"],
    )
    parts.composer.stop.click(stop, parts.conversation, parts.view, queue=False, **QUIET)


def _wire_reading(board: Board, parts: Parts) -> None:
    """Articles are opened from the conversation, from the list, and from one citation to the next."""

    def read(conversation: Conversation, tongue: str, event: gr.EventData) -> str:
        wording = board.speak(tongue)
        try:
            return open_article(board.assistant, Place.parse(event._data), conversation.citations, wording)
        except ArticleMissing:
            return draw_missing(wording)

    def look(find: str, tongue: str) -> str:
        return draw_shelf(board.assistant, find, board.speak(tongue))

    def count(conversation: Conversation, tongue: str) -> str:
        return draw_figures(board.assistant, conversation.exchanges, board.speak(tongue))

    for source in (parts.view, parts.corpus.shelf, parts.reader):
        source.open(read, [parts.conversation, parts.tongue], parts.reader, queue=False, **QUIET)
    parts.corpus.find.change(look, [parts.corpus.find, parts.tongue], parts.corpus.shelf, queue=False, **QUIET)
    parts.figures_tab.select(count, [parts.conversation, parts.tongue], parts.figures, queue=False, **QUIET)


def _wire_changes(board: Board, parts: Parts) -> list[Dependency]:
    """Articles are added and removed; what lists them is drawn anew when the new index is in use."""
    dressed = [component for component, _ in board.dressed]

    async def show(steps: Generator[Change, None, None], find: str, tongue: str) -> AsyncGenerator[list[Any], None]:
        wording = board.speak(tongue)
        async with aclosing(run_in_thread(steps)) as changes:
            async for change in changes:
                yield [draw_change(change, wording), gr.skip(), *[gr.skip()] * len(dressed)]
        shelf = draw_shelf(board.assistant, find, wording)
        yield [gr.skip(), shelf, *board.dress(wording)]

    async def take_in(files: list[str], find: str, tongue: str) -> AsyncGenerator[list[Any], None]:
        async with aclosing(show(add([Path(file) for file in files], board.assistant), find, tongue)) as steps:
            async for step in steps:
                yield step

    async def take_out(find: str, tongue: str, event: gr.EventData) -> AsyncGenerator[list[Any], None]:
        async with aclosing(show(remove(str(event.source), board.assistant), find, tongue)) as steps:
            async for step in steps:
                yield step

    changed = [parts.corpus.change, parts.corpus.shelf, *dressed]
    limited: dict[str, Any] = {"concurrency_limit": CHANGERS, **QUIET}
    return [
        parts.corpus.files.upload(take_in, [parts.corpus.files, parts.corpus.find, parts.tongue], changed, **limited),
        parts.corpus.shelf.remove(take_out, [parts.corpus.find, parts.tongue], changed, **limited),
    ]


def _wire_filters(before: list[Dependency], board: Board, parts: Parts) -> None:
    """What can be chosen follows the articles and the language of the page; what is gone is chosen no more."""
    filters = parts.corpus.filters[:2]

    def renew(languages: list[str], sources: list[str], tongue: str) -> list[dict[str, Any]]:
        updates = []
        for choices, chosen in zip(
            list_choices(board.assistant, board.speak(tongue)), (languages, sources), strict=True
        ):
            there = {value for _, value in choices}
            updates.append(gr.update(choices=choices, value=[one for one in chosen if one in there]))
        return updates

    # A step of its own, so that what was chosen during the one before it stays chosen.
    for step in before:
        step.then(renew, [*filters, parts.tongue], filters, **QUIET)


def _wire_examples(before: list[Dependency], board: Board, parts: Parts) -> None:
    """Questions are offered after the page is there: to find them takes some searches."""
    examples = Examples(board.assistant)

    def draw(tongue: str) -> str:
        return examples.draw(board.speak(tongue))

    for step in before:
        step.then(draw, parts.tongue, parts.composer.examples, **QUIET)


def _wire_saving(board: Board, parts: Parts) -> None:
    def write_for_people(conversation: Conversation, tongue: str) -> dict[str, str]:
        text = write_markdown(conversation.exchanges, board.speak(tongue))
        return {"name": "answers.md", "type": "text/markdown", "text": text}

    def write_for_programs(conversation: Conversation) -> dict[str, str]:
        return {"name": "answers.json", "type": "application/json", "text": write_json(conversation.exchanges)}

    for_people, for_programs = parts.composer.saves
    for written in (
        for_people.click(write_for_people, [parts.conversation, parts.tongue], parts.saved, queue=False, **QUIET),
        for_programs.click(write_for_programs, parts.conversation, parts.saved, queue=False, **QUIET),
    ):
        written.then(None, parts.saved, js=SAVE, api_visibility="private")
