"""Where things stand on the page, and in which words; wiring.py says what they do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from rag.answering.html import escape
from rag.assistant import Assistant
from rag.ingest.formats import FORMATS
from rag.page.conversation import Conversation
from rag.page.labels import Wording, name_tongue
from rag.text.folding import fold
from rag.text.prompts import FALLBACK

STYLE = Path(__file__).with_name("page.css")
SCRIPT = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
Look = Callable[[Wording], dict[str, Any]]
C = TypeVar("C", bound=gr.blocks.Block)


@dataclass(slots=True)
class Board:
    """The components whose words follow the reader's language."""

    assistant: Assistant
    dressed: list[tuple[gr.blocks.Block, Look]] = field(default_factory=list)

    def place(self, kind: Callable[..., C], look: Look, **fixed: Any) -> C:
        """Put a component here, looking as `look` has it in a language."""
        component = kind(**look(self.speak(FALLBACK)), **fixed)
        self.dressed.append((component, look))
        return component

    def speak(self, tag: str) -> Wording:
        """The page's words in the language of that tag."""
        return Wording(self.assistant.prompts, tag)

    def dress(self, wording: Wording) -> list[dict[str, Any]]:
        """How each of them looks in a language, in their order."""
        return [gr.update(**look(wording)) for _, look in self.dressed]


@dataclass(frozen=True, slots=True)
class Corpus:
    """The list of articles, and what can be done with it."""

    find: gr.Textbox
    shelf: gr.HTML
    filters: list[gr.components.Component]
    """Languages and articles to choose from, and two dates."""
    files: gr.File
    change: gr.HTML
    """How far a change to the corpus is."""


@dataclass(frozen=True, slots=True)
class Composer:
    """Where a question is written, and what can be done with the conversation."""

    question: gr.Textbox
    ask: gr.Button
    stop: gr.Button
    examples: gr.HTML
    """Questions that are offered."""
    saves: list[gr.Button]
    """As Markdown, and as JSON."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What there is on the page that something happens to."""

    tab: gr.Textbox
    """The name of the browser's tab."""
    conversation: gr.State
    saved: gr.JSON
    """The file that is being saved."""
    tongue: gr.Dropdown
    corpus: Corpus
    view: gr.HTML
    """The conversation as it is seen."""
    composer: Composer
    reader: gr.HTML
    """The article that is open."""
    figures_tab: gr.Tab
    figures: gr.HTML


def place_parts(board: Board) -> Parts:
    """Put everything onto the page that is being built."""
    tab = gr.Textbox(visible=False)
    conversation = gr.State(Conversation)
    saved = gr.JSON(visible=False)
    with gr.Row(elem_id="header"):
        board.place(gr.HTML, lambda wording: {"value": _draw_header(board.assistant, wording)})
        tongue = _place_tongue(board)
    with gr.Tabs():
        with board.place(gr.Tab, _label("tab_ask")), gr.Row(elem_id="desk"):
            with gr.Column(elem_id="corpus"):
                corpus = _place_corpus(board)
            with gr.Column(elem_id="chat"):
                _place_toggle(board, "articles", "shelf-open")
                view = gr.HTML(
                    elem_id="conversation",
                    html_template='<div role="log" aria-label="${name}">${value}</div>',
                    js_on_load=SCRIPT,
                    apply_default_css=False,
                    name="",
                )
                composer = _place_composer(board)
            reader = gr.HTML(elem_id="reader", js_on_load=SCRIPT, apply_default_css=False)
        with board.place(gr.Tab, _label("tab_figures")) as figures_tab:
            figures = gr.HTML(elem_id="figures", apply_default_css=False)
    return Parts(tab, conversation, saved, tongue, corpus, view, composer, reader, figures_tab, figures)


def _label(key: str) -> Look:
    return lambda wording: {"label": wording.label(key)}


def _value(key: str) -> Look:
    return lambda wording: {"value": wording.label(key)}


def _draw_header(assistant: Assistant, wording: Wording) -> str:
    articles = assistant.list_articles()
    languages = ", ".join(sorted({wording.name(article.language) for article in articles}, key=fold))
    intro = wording.label("intro", articles=len(articles), languages=languages)
    return f"<h1>{escape(wording.label('title'))}</h1><p>{escape(intro)}</p>"


def _place_tongue(board: Board) -> gr.Dropdown:
    tongues = [(name_tongue(tag), tag) for tag in board.assistant.prompts.page]
    return board.place(
        gr.Dropdown,
        _label("tongue"),
        choices=sorted(tongues),
        value=FALLBACK,
        filterable=False,
        show_label=False,
        container=False,
        scale=0,
        elem_id="tongue",
    )


def _place_toggle(board: Board, label: str, name: str) -> None:
    """A button that shows or hides the list of articles where there is no room for it beside the chat."""
    button = board.place(gr.Button, _value(label), size="sm", elem_id=name)
    button.click(None, js="() => { document.body.classList.toggle('shelf'); }", api_visibility="private")


def _place_corpus(board: Board) -> Corpus:
    _place_toggle(board, "close", "shelf-close")
    board.place(gr.HTML, lambda wording: {"value": f"<h2>{escape(wording.label('articles'))}</h2>"})
    find = board.place(
        gr.Textbox,
        lambda wording: {"label": wording.label("find"), "placeholder": wording.label("find")},
        show_label=False,
        container=False,
        elem_id="find",
    )
    shelf = gr.HTML(elem_id="shelf", js_on_load=SCRIPT, apply_default_css=False)
    filters = _place_filters(board)
    files = board.place(
        gr.File,
        # What was taken over leaves the box.
        lambda wording: {"label": wording.label("add"), "value": None},
        file_count="multiple",
        file_types=list(FORMATS),
        height=90,
        elem_id="files",
    )
    change = gr.HTML(elem_id="change", html_template='<div role="status">${value}</div>', apply_default_css=False)
    return Corpus(find, shelf, filters, files, change)


def list_choices(assistant: Assistant, wording: Wording) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What the first two filters let choose from, languages and articles: what each is called, and its value."""
    languages = ((wording.name(one), one) for one in assistant.index.read_languages())
    sources = [(one.source, one.source) for one in assistant.list_articles()]
    return sorted(languages, key=lambda one: fold(one[0])), sources


def _place_filters(board: Board) -> list[gr.components.Component]:
    languages, sources = list_choices(board.assistant, board.speak(FALLBACK))
    with board.place(gr.Accordion, _label("filters"), open=False, elem_id="filters"):
        return [
            board.place(gr.Dropdown, _label("languages"), choices=languages, value=[], multiselect=True),
            board.place(gr.Dropdown, _label("files"), choices=sources, value=[], multiselect=True),
            board.place(gr.Textbox, _label("since"), value="", placeholder="2023-10", max_length=10),
            board.place(gr.Textbox, _label("until"), value="", placeholder="2023-10", max_length=10),
        ]


def _place_composer(board: Board) -> Composer:
    with gr.Column(elem_id="composer"):
        with gr.Row():
            question = board.place(
                gr.Textbox,
                lambda wording: {"label": wording.label("placeholder"), "placeholder": wording.label("placeholder")},
                show_label=False,
                container=False,
                autofocus=True,
                max_lines=6,
                elem_id="question",
            )
            ask = board.place(gr.Button, _value("ask"), variant="primary", scale=0, elem_id="ask")
            stop = board.place(gr.Button, _value("stop"), scale=0, elem_id="stop")
        examples = gr.HTML(elem_id="examples", js_on_load=SCRIPT, apply_default_css=False)
        with gr.Row(elem_id="saves"):
            saves = [board.place(gr.Button, _value(key), size="sm", scale=0) for key in ("save_markdown", "save_json")]
    return Composer(question, ask, stop, examples, saves)
