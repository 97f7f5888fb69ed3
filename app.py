"""The chat page: one Assistant, its events onto the page. `python app.py` prints the address."""

import logging
import os
import sys
import threading
from collections.abc import AsyncGenerator, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag import Answer, Assistant, Filter, Hit, RagError, Turn
from rag.asking import run_in_thread
from rag.drawing import draw_answer, draw_card, draw_cards, escape
from rag.errors import ConfigError
from rag.language import name_of
from rag.prompts import Prompts
from rag.types import Answered, Event, Evidence, Judged, Queued, Reading, Words

if TYPE_CHECKING:
    import gradio as gr

# Gradio reads them when it is imported: it is to call nobody, and to reach itself past any proxy.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["no_proxy"] = ",".join(filter(None, [os.environ.get("no_proxy"), "localhost", "127.0.0.1"]))

logger = logging.getLogger(__name__)

ASKERS = 16
STYLE = Path(__file__).with_name("app.css")
# A question that is taken up leaves the box and moves to the top, where its answer can be read while it grows.
FOLLOW = """
let taken = element.querySelectorAll("article").length;
watch("value", () => {
    const exchanges = element.querySelectorAll("article");
    if (exchanges.length > taken) {
        const box = document.querySelector("#question textarea");
        box.value = "";
        box.dispatchEvent(new Event("input", {bubbles: true}));
        exchanges[exchanges.length - 1].scrollIntoView();
    }
    taken = exchanges.length;
});
"""
FOCUS = "() => document.querySelector('#question textarea').focus()"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what there is to be seen of its answer."""

    question: str
    doing: str | None = None
    """What is being done; None when nothing is any more."""
    words: str = ""
    """What was said so far."""
    reading: Hit | None = None
    answer: Answer | None = None
    notice: str | None = None
    """Why there is no answer."""


def build_page(assistant: Assistant) -> "gr.Blocks":
    """The page over one assistant; nothing in it is loaded from elsewhere."""
    import gradio as gr

    prompts = assistant.prompts

    async def respond(
        question: str, past: list[Exchange], languages: list[str], sources: list[str], since: str, until: str
    ) -> AsyncGenerator[tuple[str, list[Exchange]], None]:
        among = Filter(tuple(languages), tuple(sources), since.strip() or None, until.strip() or None)
        # Gradio itself tries for a minute to close a generator that is running, while Stop hangs, and then gives up.
        async for exchange in run_in_thread(follow(assistant, question, past, among)):
            asked = [*past, exchange]
            yield draw(asked, prompts), asked

    def give_up(past: list[Exchange]) -> tuple[str, list[Exchange]]:
        left = [leave(exchange, prompts) for exchange in past]
        return draw(left, prompts), left

    page = gr.Blocks(title=prompts.label("title", "en"), analytics_enabled=False, fill_height=True)
    with page:
        past = gr.State([])
        gr.HTML(_draw_header(assistant), elem_id="header")
        conversation = _place_conversation(prompts)
        with gr.Column(elem_id="composer"):
            box, ask, stop = _place_composer(prompts)
            filters = _place_filters(assistant)
            _place_examples(box, prompts)
        running = gr.on(
            [ask.click, box.submit],
            respond,
            [box, past, *filters],
            [conversation, past],
            show_progress="hidden",
            api_name="ask",
            api_description="Ask the articles; the conversation so far comes as HTML, again and again while it grows.",
        )
        stopped = stop.click(None, cancels=[running], api_visibility="private")
        stopped.then(give_up, past, [conversation, past], queue=False, api_visibility="private")
    page.queue(default_concurrency_limit=ASKERS)
    return page


def _place_conversation(prompts: Prompts) -> "gr.HTML":
    import gradio as gr

    label = escape(prompts.label("conversation", "en"))
    return gr.HTML(
        "",
        html_template=f'<div role="log" aria-label="{label}">${{value}}</div>',
        js_on_load=FOLLOW,
        apply_default_css=False,
        elem_id="conversation",
    )


def _place_composer(prompts: Prompts) -> "tuple[gr.Textbox, gr.Button, gr.Button]":
    import gradio as gr

    placeholder = prompts.label("placeholder", "en")
    with gr.Row():
        box = gr.Textbox(
            placeholder=placeholder,
            label=placeholder,
            show_label=False,
            container=False,
            autofocus=True,
            max_lines=6,
            elem_id="question",
        )
        ask = gr.Button(prompts.label("ask", "en"), variant="primary", scale=0, elem_id="ask")
        stop = gr.Button(prompts.label("stop", "en"), scale=0, elem_id="stop")
    return box, ask, stop


def _place_examples(box: "gr.Textbox", prompts: Prompts) -> None:
    import gradio as gr

    questions = [[question] for question in prompts.examples]
    offered = gr.Examples(questions, box, label=prompts.label("examples", "en"), elem_id="examples", preload=False)
    offered.dataset.click(None, js=FOCUS, api_visibility="private")


def _place_filters(assistant: Assistant) -> "list[gr.components.Component]":
    import gradio as gr

    say, index = assistant.prompts.label, assistant.index
    languages = sorted((name_of(language, "en"), language) for language in index.read_languages())
    with gr.Accordion(say("filters", "en"), open=False, elem_id="filters"), gr.Row():
        return [
            gr.Dropdown(languages, value=[], multiselect=True, label=say("languages", "en")),
            gr.Dropdown(
                [file["source"] for file in index.manifest.files], value=[], multiselect=True, label=say("files", "en")
            ),
            gr.Textbox(value="", label=say("since", "en"), placeholder="2023-10", max_length=10),
            gr.Textbox(value="", label=say("until", "en"), placeholder="2023-10", max_length=10),
        ]


def follow(
    assistant: Assistant, question: str, past: Sequence[Exchange], among: Filter | None = None
) -> Generator[Exchange, None, None]:
    """The exchange at each step from the question to its answer, or to one sentence on why there is none."""
    prompts = assistant.prompts
    history = [Turn(one.answer.question, one.answer.text) for one in past if one.answer]
    seen = Exchange(question, prompts.label("searching", "en"))
    yield seen
    try:
        with closing(assistant.ask(question, history, among)) as events:
            for event in events:
                seen = _advance(seen, event, prompts)
                yield seen
    except RagError as error:
        yield Exchange(question, notice=str(error))
    except Exception as error:
        logger.exception("unexpected")
        yield Exchange(question, notice=f"Unexpected {type(error).__name__}: {error}. Please report it.")


def _advance(seen: Exchange, event: Event, prompts: Prompts) -> Exchange:
    match event:
        case Evidence() | Judged():
            return seen
        case Queued(place):
            return replace(seen, doing=prompts.label("queued", "en", place=str(place)))
        case Reading(hit):
            doing = prompts.label("reading", "en", source=hit.passage.source)
            return replace(seen, doing=doing, words="", reading=hit)
        case Words(text):
            return replace(seen, words=seen.words + text)
        case Answered(answer):
            return Exchange(seen.question, answer=answer)


def leave(exchange: Exchange, prompts: Prompts) -> Exchange:
    """The exchange when nothing more will come: as it is, or stopped."""
    if exchange.doing is None:
        return exchange
    return replace(exchange, doing=None, reading=None, notice=prompts.label("stopped", "en"))


def draw(exchanges: Sequence[Exchange], prompts: Prompts) -> str:
    """The conversation as HTML. Whatever stands in questions, answers and articles is text in it."""
    return "".join(_draw_exchange(exchange, prompts) for exchange in exchanges)


def _draw_exchange(exchange: Exchange, prompts: Prompts) -> str:
    parts = [f'<h2 class="asked" dir="auto">{escape(exchange.question.strip())}</h2>']
    if exchange.words:
        parts.append(f'<p class="said" dir="auto">{escape(exchange.words)}</p>')
    if exchange.doing:
        parts.append(f'<p class="doing">{escape(exchange.doing)}</p>')
    if exchange.reading:
        passage = exchange.reading.passage
        parts.append(draw_cards([draw_card(passage, passage.text, "en")]))
    if exchange.notice:
        parts.append(f'<p class="notice">{escape(exchange.notice)}</p>')
    if exchange.answer:
        parts.append(draw_answer(exchange.answer, prompts))
    # Nothing is read out before it is whole.
    return f'<article aria-busy="{"true" if exchange.doing else "false"}">{"".join(parts)}</article>'


def _draw_header(assistant: Assistant) -> str:
    say = assistant.prompts.label
    files = assistant.index.manifest.files
    languages = ", ".join(sorted({name_of(file["language"], "en") for file in files}))
    intro = say("intro", "en", articles=str(len(files)), languages=languages)
    return f"<h1>{escape(say('title', 'en'))}</h1><p>{escape(intro)}</p>"


def open_page(assistant: Assistant, port: int) -> "gr.Blocks":
    """Serve the page on this machine alone, unless GRADIO_SERVER_NAME says otherwise. Raises ConfigError."""
    import gradio as gr

    # Gradio brings this font along, with Greek and Cyrillic; what it lacks comes from the reader's system.
    font = gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700))
    theme = gr.themes.Default(primary_hue="indigo", neutral_hue="slate", font=[font, "system-ui", "sans-serif"])
    # White on anything lighter is too faint to read.
    theme.set(button_primary_background_fill="*primary_600", button_primary_background_fill_hover="*primary_700")
    page = build_page(assistant)
    try:
        page.launch(
            server_port=port,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
            run_history=False,
            footer_links=[],
            theme=theme,
            css_paths=STYLE,
        )
    except OSError as error:
        raise ConfigError(
            f"The page cannot be served on port {port}: another program may use it. "
            "Choose another with GRADIO_SERVER_PORT."
        ) from error
    return page


def read_ahead(assistant: Assistant) -> None:
    """Prepare the assistant for its first questions; what fails now fails again, and is told, when they come."""
    try:
        assistant.prepare()
    except RagError as error:
        logger.info("The articles cannot be read ahead: %s", error)


def main() -> None:
    """Open the page, print its address, load the model, and serve until Ctrl-C."""
    page = None
    port = os.environ.get("GRADIO_SERVER_PORT", "7860")
    try:
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise ConfigError(f"GRADIO_SERVER_PORT must be a port, from 1 to 65535, not “{port}”. Correct it.")
        assistant = Assistant.load()
        page = open_page(assistant, int(port))
        # Before the model: llama.cpp silences the whole process while it loads one.
        click.echo(f"Running on local URL: {page.local_url} (Ctrl-C stops it)")
        # In a thread: llama.cpp also calls back while it loads, and a Ctrl-C that comes then is lost.
        ThreadPoolExecutor().submit(assistant.warm).result()
        threading.Thread(target=read_ahead, args=[assistant], daemon=True).start()
        threading.Event().wait()
    except RagError as error:
        sys.exit(f"rag: {error}")
    except KeyboardInterrupt:
        click.echo("Stopped.")
    finally:
        if page:
            page.close(verbose=False)


if __name__ == "__main__":
    main()
