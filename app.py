"""The chat page: one Assistant, its events onto the page. `python app.py` prints the address."""

import html
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr

from rag import Answer, Assistant, Citation, Passage, RagError, Turn
from rag.language import name_of
from rag.types import Answered, Evidence, Queued, Reading, Words

NEAREST = 3
ASKERS = 16
FONTS = ["system-ui", "Noto Sans", "sans-serif"]
CSS = """
.source { margin: .6rem 0 0; padding: .5rem .8rem; border-inline-start: 3px solid var(--color-accent);
          background: var(--background-fill-secondary); border-radius: 4px; }
.source figcaption { font-size: .85em; color: var(--body-text-color-subdued); overflow-wrap: anywhere; }
.source blockquote { margin: .2rem 0 0; overflow-wrap: anywhere; }
footer { display: none !important; }
"""

Messages = list[dict[str, Any]]
Exchange = tuple[str, Answer | str]


def build_page(assistant: Assistant) -> gr.Blocks:
    """The page over one assistant; nothing in it is loaded from elsewhere."""
    label = assistant.prompts.label
    with gr.Blocks(title=label("title", "en"), analytics_enabled=False, fill_height=True) as page:
        past = gr.State([])
        gr.Markdown(f"# {label('title', 'en')}\n{_describe_corpus(assistant)}")
        chat = gr.Chatbot(
            show_label=False,
            render_markdown=False,
            feedback_options=None,
            buttons=["copy"],
            scale=1,
            min_height=320,
            elem_id="chat",
        )
        with gr.Row():
            box = gr.Textbox(
                placeholder=label("placeholder", "en"),
                label=label("placeholder", "en"),
                show_label=False,
                autofocus=True,
                scale=8,
                max_lines=6,
                elem_id="question",
            )
            ask = gr.Button(label("ask", "en"), variant="primary", scale=1, min_width=90)
            stop = gr.Button(label("stop", "en"), scale=1, min_width=90)
        gr.Examples(list(map(list, zip(assistant.prompts.examples))), box, label=label("examples", "en"))

        def respond(question: str, past: list[Exchange]) -> Iterator[tuple[str, Messages, list[Exchange]]]:
            for outcome in _follow(assistant, question, past):
                asked = [*past, (question, outcome)]
                yield "", _render(asked, assistant), asked

        running = gr.on(
            [ask.click, box.submit], respond, [box, past], [box, chat, past], show_progress="hidden", api_name="ask"
        )
        stop.click(None, cancels=[running], api_visibility="private")
    return page.queue(default_concurrency_limit=ASKERS)


def _follow(assistant: Assistant, question: str, past: Sequence[Exchange]) -> Iterator[Answer | str]:
    """What to show while the question is being answered, then the answer, or one sentence on what went wrong."""
    label = assistant.prompts.label
    turns = [Turn(asked, outcome.text) for asked, outcome in past if isinstance(outcome, Answer)]
    said = ""
    yield label("searching", "en")
    try:
        with closing(assistant.ask(question, turns)) as events:
            for event in events:
                match event:
                    case Queued(place):
                        yield label("queued", "en", place=str(place))
                    case Reading(hit):
                        said = ""
                        yield label("reading", "en", source=hit.passage.source)
                    case Words(text):
                        said += text
                        yield said
                    case Answered(answer):
                        yield answer
                    case Evidence():
                        pass
    except RagError as error:
        yield str(error)


def _render(exchanges: Sequence[Exchange], assistant: Assistant) -> Messages:
    messages: Messages = []
    for question, outcome in exchanges:
        messages.append({"role": "user", "content": question})
        if isinstance(outcome, str):
            messages.append({"role": "assistant", "content": outcome})
        else:
            messages.append({"role": "assistant", "content": [outcome.text, gr.HTML(_draw(outcome, assistant))]})
    return messages


def _draw(answer: Answer, assistant: Assistant) -> str:
    """The sources of an answer, or the nearest passages where there are none."""
    heading = assistant.prompts.say("nearest" if answer.abstained else "sources", answer.language, answer.script)
    if answer.abstained:
        cards = [_draw_card("", hit.passage, hit.passage.text, answer) for hit in answer.hits[:NEAREST]]
    else:
        cards = [_draw_card(f"[{citation.number}] ", citation, citation.quote, answer) for citation in answer.citations]
    return f"<p>{_escape(heading)}</p>{''.join(cards)}" if cards else ""


def _draw_card(number: str, origin: Citation | Passage, words: str, answer: Answer) -> str:
    facts = [origin.source, name_of(origin.language, answer.language, answer.script), origin.date]
    caption = number + " · ".join(fact for fact in facts if fact)
    return (
        f'<figure class="source"><figcaption>{_escape(caption)}</figcaption>'
        f'<blockquote lang="{_escape(origin.language)}-{_escape(origin.script)}" dir="auto">{_escape(words)}</blockquote>'
        "</figure>"
    )


def _escape(text: str) -> str:
    # The page's own templates give a meaning to $ and { as well.
    return html.escape(text).replace("$", "&#36;").replace("{", "&#123;").replace("`", "&#96;")


def _describe_corpus(assistant: Assistant) -> str:
    files = assistant.index.manifest.files
    languages = sorted({name_of(file["language"], "en") for file in files})
    return assistant.prompts.label("intro", "en", articles=str(len(files)), languages=", ".join(languages))


def main() -> None:
    """Serve the page on this machine alone, unless GRADIO_SERVER_NAME says otherwise."""
    try:
        assistant = Assistant.load()
    except RagError as error:
        sys.exit(f"rag: {error}")
    threading.Thread(target=assistant.warm, daemon=True).start()
    theme = gr.themes.Default(font=FONTS, font_mono=["ui-monospace", "monospace"])
    build_page(assistant).launch(share=False, ssr_mode=False, theme=theme, css=CSS, footer_links=[])


if __name__ == "__main__":
    main()
