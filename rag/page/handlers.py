"""The event handlers of the page: for each event, what runs and which components it changes."""

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from rag.answering.streams import step_in_thread
from rag.assistant import Assistant
from rag.errors import ArticleMissing
from rag.page.api import add_endpoints
from rag.page.article import ArticleSpan, draw_article, draw_missing
from rag.page.article_list import draw_change, draw_list
from rag.page.conversation import Conversation, ConversationStore, follow, refresh_index
from rag.page.examples import Examples
from rag.page.export import write_json, write_markdown
from rag.page.figures import draw_figures
from rag.page.labels import choose_language
from rag.page.layout import Components, Localizer, add_components, list_choices
from rag.page.transcript import draw_conversation
from rag.page.uploads import Change, add, remove
from rag.text.prompts import FALLBACK
from rag.types import Filter

MAX_QUESTIONS = 16
"""Questions that are answered or queued at the same time."""
MAX_CHANGES = 8
"""Changes to the corpus that run at the same time; all but the first are refused by the index's lock."""
UPLOADS = (3600, 3600)
"""Seconds between two clean-ups of uploaded files, and the age in seconds at which a file is deleted."""
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
# The tab's name cannot be guessed: a tab that is reloaded finds its conversation, and no other tab does. The language
# is stored as `tongue` in readers' browsers already, and another name would lose their choice.
START = """() => {
    sessionStorage.tab ??= Array.from(crypto.getRandomValues(new Uint8Array(16)), b => b.toString(16)).join("");
    return [sessionStorage.tab, localStorage.tongue ?? null, null];
}"""
# A question is shown in the direction of its own script, not of the page's.
SET_DIRECTION = """() => { document.querySelector("#question textarea").dir = "auto"; }"""
SET_LANGUAGE = "tag => { document.documentElement.lang = tag; }"
KEEP_LANGUAGE = "tag => { document.documentElement.lang = localStorage.tongue = tag; }"
SAVE = """file => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([file.text], { type: file.type }));
    link.download = file.name;
    link.click();
    URL.revokeObjectURL(link.href);
}"""


def build_page(assistant: Assistant) -> gr.Blocks:
    """Return the page over an assistant. It loads nothing from other servers."""
    page = gr.Blocks(
        title=assistant.prompts.label("title", FALLBACK),
        analytics_enabled=False,
        fill_height=True,
        delete_cache=UPLOADS,
    )
    with page:
        localizer = Localizer(assistant)
        components = add_components(localizer)
        started = _handle_start(page, localizer, components)
        _handle_questions(localizer, components)
        _handle_reading(localizer, components)
        changed = _handle_changes(localizer, components)
        _update_filters([*started, *changed], localizer, components)
        _update_examples([*started, *changed], localizer, components)
        _handle_saving(localizer, components)
        add_endpoints(assistant)
    page.queue(default_concurrency_limit=MAX_QUESTIONS)
    return page


def _handle_start(page: gr.Blocks, localizer: Localizer, components: Components) -> list[Dependency]:
    """Show the page when it is loaded, and again when its reader chooses another language."""
    assistant = localizer.assistant
    store = ConversationStore()
    articles = components.articles

    def draw(conversation: Conversation, find: str, tag: str) -> list[Any]:
        conversation.language = tag
        wording = localizer.wording(tag)
        view = gr.update(value=draw_conversation(conversation.exchanges, wording), name=wording.label("conversation"))
        return [view, draw_list(assistant, find, wording), *localizer.updates(wording)]

    def start(tab: str, chosen: str | None, new: Conversation, request: gr.Request) -> list[Any]:
        refresh_index(assistant)
        tag = chosen if chosen in assistant.prompts.page else _choose_language(request, assistant)
        conversation = store.find(tab, new)
        return [tag, conversation, *draw(conversation, "", tag)]

    shown = [components.view, articles.listed, *localizer.components]
    known = [components.tab, components.language, components.conversation]
    started = page.load(start, known, [components.language, components.conversation, *shown], js=START, **QUIET)
    started.then(None, components.language, js=SET_LANGUAGE, api_visibility="private")
    started.then(None, js=SET_DIRECTION, api_visibility="private")
    chosen = components.language.input(
        draw, [components.conversation, articles.find, components.language], shown, **QUIET
    )
    chosen.then(None, components.language, js=KEEP_LANGUAGE, api_visibility="private")
    return [started, chosen]


def _choose_language(request: gr.Request, assistant: Assistant) -> str:
    return choose_language(request.headers.get("accept-language", ""), assistant.prompts.page)


def _handle_questions(localizer: Localizer, components: Components) -> None:
    assistant, composer = localizer.assistant, components.composer

    async def answer(
        question: str,
        conversation: Conversation,
        languages: list[str],
        sources: list[str],
        since: str,
        until: str,
        request: gr.Request,
    ) -> AsyncGenerator[str, None]:
        # A question can come before the page has reported its language.
        conversation.language = conversation.language or _choose_language(request, assistant)
        among = Filter(tuple(languages), tuple(sources), since.strip() or None, until.strip() or None)
        position = conversation.begin(question)
        steps = step_in_thread(follow(assistant, question, conversation, among))
        try:
            async with aclosing(steps):
                async for exchange in steps:
                    running = conversation.update(position, exchange)
                    # Also after a stop: Gradio repeats the last value at the end, which must show the stop.
                    yield draw_conversation(conversation.exchanges, localizer.wording(conversation.language))
                    if not running:
                        break
        finally:
            conversation.stop(position)

    def stop(conversation: Conversation) -> str:
        conversation.stop_all()
        return draw_conversation(conversation.exchanges, localizer.wording(conversation.language))

    gr.on(
        [composer.ask.click, composer.question.submit],
        answer,
        [composer.question, components.conversation, *components.articles.filters],
        components.view,
        show_progress="hidden",
        # A second question of the same tab is queued.
        trigger_mode="multiple",
        api_name="ask",
        api_description=assistant.prompts.programs["converse"],
    )
    composer.stop.click(stop, components.conversation, components.view, queue=False, **QUIET)


def _handle_reading(localizer: Localizer, components: Components) -> None:
    """Open articles from the conversation, from the list and from one citation to the next; search; show figures."""
    assistant, articles = localizer.assistant, components.articles

    def read(conversation: Conversation, tag: str, event: gr.EventData) -> str:
        wording = localizer.wording(tag)
        try:
            return draw_article(assistant, ArticleSpan.parse(event._data), conversation.citations, wording)
        except ArticleMissing:
            return draw_missing(wording)

    # Not named "search": a handler takes its name from the endpoints of api.py.
    def search_list(find: str, tag: str) -> str:
        return draw_list(assistant, find, localizer.wording(tag))

    def measure(conversation: Conversation, tag: str) -> str:
        return draw_figures(assistant, conversation.exchanges, localizer.wording(tag))

    asked = [components.conversation, components.language]
    for source in (components.view, articles.listed, components.reader):
        source.open(read, asked, components.reader, queue=False, **QUIET)
    articles.find.change(search_list, [articles.find, components.language], articles.listed, queue=False, **QUIET)
    components.figures_tab.select(measure, asked, components.figures, queue=False, **QUIET)


def _handle_changes(localizer: Localizer, components: Components) -> list[Dependency]:
    """Add and remove articles; once the new index is in use, update everything that lists articles."""
    assistant, articles = localizer.assistant, components.articles
    unchanged = [gr.skip()] * len(localizer.components)

    async def show(steps: Generator[Change, None, None], find: str, tag: str) -> AsyncGenerator[list[Any], None]:
        wording = localizer.wording(tag)
        async with aclosing(step_in_thread(steps)) as changes:
            async for change in changes:
                yield [draw_change(change, wording), gr.skip(), *unchanged]
        yield [gr.skip(), draw_list(assistant, find, wording), *localizer.updates(wording)]

    async def add_files(files: list[str], find: str, tag: str) -> AsyncGenerator[list[Any], None]:
        async with aclosing(show(add([Path(file) for file in files], assistant), find, tag)) as steps:
            async for step in steps:
                yield step

    async def remove_source(find: str, tag: str, event: gr.EventData) -> AsyncGenerator[list[Any], None]:
        async with aclosing(show(remove(str(event.source), assistant), find, tag)) as steps:
            async for step in steps:
                yield step

    shown = [articles.change, articles.listed, *localizer.components]
    limited: dict[str, Any] = {"concurrency_limit": MAX_CHANGES, **QUIET}
    given = [articles.find, components.language]
    return [
        articles.files.upload(add_files, [articles.files, *given], shown, **limited),
        articles.listed.remove(remove_source, given, shown, **limited),
    ]


def _update_filters(after: list[Dependency], localizer: Localizer, components: Components) -> None:
    """Update the choices of the filters after each of these events, and deselect what no longer exists."""
    filters = components.articles.filters[:2]

    def update(languages: list[str], sources: list[str], tag: str) -> list[dict[str, Any]]:
        updates = []
        offered = list_choices(localizer.assistant, localizer.wording(tag))
        for choices, chosen in zip(offered, (languages, sources), strict=True):
            values = {value for _, value in choices}
            updates.append(gr.update(choices=choices, value=[one for one in chosen if one in values]))
        return updates

    # A step of its own, which keeps what was chosen while the step before it ran.
    for event in after:
        event.then(update, [*filters, components.language], filters, **QUIET)


def _update_examples(after: list[Dependency], localizer: Localizer, components: Components) -> None:
    """Update the questions that are offered after each of these events, as finding them takes several searches."""
    examples = Examples(localizer.assistant)

    def draw(tag: str) -> str:
        return examples.draw(localizer.wording(tag))

    for event in after:
        event.then(draw, components.language, components.composer.examples, **QUIET)


def _handle_saving(localizer: Localizer, components: Components) -> None:
    def as_markdown(conversation: Conversation, tag: str) -> dict[str, str]:
        text = write_markdown(conversation.exchanges, localizer.wording(tag))
        return {"name": "answers.md", "type": "text/markdown", "text": text}

    def as_json(conversation: Conversation) -> dict[str, str]:
        return {"name": "answers.json", "type": "application/json", "text": write_json(conversation.exchanges)}

    conversation, saved = components.conversation, components.saved
    markdown, json = components.composer.saves
    for written in (
        markdown.click(as_markdown, [conversation, components.language], saved, queue=False, **QUIET),
        json.click(as_json, conversation, saved, queue=False, **QUIET),
    ):
        written.then(None, saved, js=SAVE, api_visibility="private")
