"""The components of the page and their texts. handlers.py defines what they do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from rag.assistant import Assistant
from rag.ingest.formats import FORMATS
from rag.page.conversation import Conversation
from rag.page.labels import Wording, name_natively
from rag.page.rendering import render
from rag.text.folding import fold
from rag.text.prompts import FALLBACK

STYLE = Path(__file__).with_name("page.css")
SCRIPT = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
Texts = Callable[[Wording], dict[str, Any]]
"""Returns the arguments of a component that depend on the language."""
C = TypeVar("C", bound=gr.blocks.Block)


@dataclass(slots=True)
class Localizer:
    """The components whose texts follow the reader's language."""

    assistant: Assistant
    localized: list[tuple[gr.blocks.Block, Texts]] = field(default_factory=list)

    @property
    def components(self) -> list[gr.blocks.Block]:
        """The components, in the order of `updates`."""
        return [component for component, _ in self.localized]

    def add(self, kind: Callable[..., C], texts: Texts, **fixed: Any) -> C:
        """Add a component to the page, with its texts in English until the reader's language is known."""
        component = kind(**texts(self.wording(FALLBACK)), **fixed)
        self.localized.append((component, texts))
        return component

    def wording(self, tag: str) -> Wording:
        """Return the texts of the page in the language of that tag."""
        return Wording(self.assistant.prompts, tag)

    def updates(self, wording: Wording) -> list[dict[str, Any]]:
        """Return the updates that put all components into a language."""
        return [gr.update(**texts(wording)) for _, texts in self.localized]


@dataclass(frozen=True, slots=True)
class ArticlePanel:
    """The list of articles and its controls."""

    find: gr.Textbox
    listed: gr.HTML
    filters: list[gr.components.Component]
    """Languages, sources, first date, last date."""
    files: gr.File
    change: gr.HTML
    """Progress of a change to the corpus."""


@dataclass(frozen=True, slots=True)
class Composer:
    """The text box for a question, and the buttons around it."""

    question: gr.Textbox
    ask: gr.Button
    stop: gr.Button
    examples: gr.HTML
    saves: list[gr.Button]
    """Save as Markdown, save as JSON."""


@dataclass(frozen=True, slots=True)
class Components:
    """The components that handlers read or change."""

    tab: gr.Textbox
    """Secret name of the browser's tab, not shown."""
    conversation: gr.State
    saved: gr.JSON
    """The file that is about to be saved, not shown."""
    language: gr.Dropdown
    articles: ArticlePanel
    view: gr.HTML
    """The conversation."""
    composer: Composer
    reader: gr.HTML
    """The article that is open."""
    figures_tab: gr.Tab
    figures: gr.HTML


def add_components(localizer: Localizer) -> Components:
    """Add all components to the page that is being built."""
    tab = gr.Textbox(visible=False)
    conversation = gr.State(Conversation)
    saved = gr.JSON(visible=False)
    with gr.Row(elem_id="header"):
        localizer.add(gr.HTML, lambda wording: {"value": _draw_header(localizer.assistant, wording)})
        language = _add_language(localizer)
    with gr.Tabs():
        with localizer.add(gr.Tab, _label("tab_ask")), gr.Row(elem_id="columns"):
            with gr.Column(elem_id="corpus"):
                articles = _add_articles(localizer)
            with gr.Column(elem_id="chat"):
                _add_toggle(localizer, "articles", "list-open")
                view = gr.HTML(
                    elem_id="conversation",
                    html_template='<div role="log" aria-label="${name}">${value}</div>',
                    js_on_load=SCRIPT,
                    apply_default_css=False,
                    name="",
                )
                composer = _add_composer(localizer)
            reader = gr.HTML(elem_id="reader", js_on_load=SCRIPT, apply_default_css=False)
        with localizer.add(gr.Tab, _label("tab_figures")) as figures_tab:
            figures = gr.HTML(elem_id="figures", apply_default_css=False)
    return Components(tab, conversation, saved, language, articles, view, composer, reader, figures_tab, figures)


def list_choices(assistant: Assistant, wording: Wording) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the choices of the first two filters, languages and sources, as pairs of a label and a value."""
    languages = ((wording.name(one), one) for one in assistant.index.read_languages())
    sources = [(one.source, one.source) for one in assistant.list_articles()]
    return sorted(languages, key=lambda one: fold(one[0])), sources


def _label(key: str) -> Texts:
    return lambda wording: {"label": wording.label(key)}


def _value(key: str) -> Texts:
    return lambda wording: {"value": wording.label(key)}


def _draw_header(assistant: Assistant, wording: Wording) -> str:
    articles = assistant.list_articles()
    languages = ", ".join(sorted({wording.name(article.language) for article in articles}, key=fold))
    return render("header.html", articles=len(articles), languages=languages, wording=wording)


def _add_language(localizer: Localizer) -> gr.Dropdown:
    languages = [(name_natively(tag), tag) for tag in localizer.assistant.prompts.page]
    return localizer.add(
        gr.Dropdown,
        _label("tongue"),
        choices=sorted(languages),
        value=FALLBACK,
        filterable=False,
        show_label=False,
        container=False,
        scale=0,
        elem_id="language",
    )


def _add_toggle(localizer: Localizer, label: str, name: str) -> None:
    """Add a button that shows or hides the list of articles where it does not fit beside the chat."""
    button = localizer.add(gr.Button, _value(label), size="sm", elem_id=name)
    button.click(None, js="() => { document.body.classList.toggle('list-shown'); }", api_visibility="private")


def _add_articles(localizer: Localizer) -> ArticlePanel:
    _add_toggle(localizer, "close", "list-close")
    localizer.add(gr.HTML, lambda wording: {"value": render("heading.html", text=wording.label("articles"))})
    find = localizer.add(
        gr.Textbox,
        lambda wording: {"label": wording.label("find"), "placeholder": wording.label("find")},
        show_label=False,
        container=False,
        elem_id="find",
    )
    listed = gr.HTML(elem_id="article-list", js_on_load=SCRIPT, apply_default_css=False)
    filters = _add_filters(localizer)
    files = localizer.add(
        gr.File,
        # Without a value, so that the box is empty again once the files are added.
        lambda wording: {"label": wording.label("add"), "value": None},
        file_count="multiple",
        file_types=list(FORMATS),
        height=90,
        elem_id="files",
    )
    change = gr.HTML(elem_id="change", html_template='<div role="status">${value}</div>', apply_default_css=False)
    return ArticlePanel(find, listed, filters, files, change)


def _add_filters(localizer: Localizer) -> list[gr.components.Component]:
    languages, sources = list_choices(localizer.assistant, localizer.wording(FALLBACK))
    with localizer.add(gr.Accordion, _label("filters"), open=False, elem_id="filters"):
        return [
            localizer.add(gr.Dropdown, _label("languages"), choices=languages, value=[], multiselect=True),
            localizer.add(gr.Dropdown, _label("files"), choices=sources, value=[], multiselect=True),
            localizer.add(gr.Textbox, _label("since"), value="", placeholder="2023-10", max_length=10),
            localizer.add(gr.Textbox, _label("until"), value="", placeholder="2023-10", max_length=10),
        ]


def _add_composer(localizer: Localizer) -> Composer:
    with gr.Column(elem_id="composer"):
        with gr.Row():
            question = localizer.add(
                gr.Textbox,
                lambda wording: {"label": wording.label("placeholder"), "placeholder": wording.label("placeholder")},
                show_label=False,
                container=False,
                autofocus=True,
                max_lines=6,
                elem_id="question",
            )
            ask = localizer.add(gr.Button, _value("ask"), variant="primary", scale=0, elem_id="ask")
            stop = localizer.add(gr.Button, _value("stop"), scale=0, elem_id="stop")
        examples = gr.HTML(elem_id="examples", js_on_load=SCRIPT, apply_default_css=False)
        with gr.Row(elem_id="saves"):
            saves = [
                localizer.add(gr.Button, _value(key), size="sm", scale=0) for key in ("save_markdown", "save_json")
            ]
    return Composer(question, ask, stop, examples, saves)
