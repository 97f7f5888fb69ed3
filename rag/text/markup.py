"""Escaping of text for HTML and Markdown, and the environment in which HTML templates are filled."""

import html
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.text.invisible import drop_hidden
from rag.text.language import name_of
from rag.text.sentences import Span

if TYPE_CHECKING:
    from jinja2 import Environment

# Gradio fills a template of its own with the page, in which $, { and ` have a meaning.
_TEMPLATE_SIGNS = {sign: f"&#{ord(sign)};" for sign in "$`{}"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$&:@])")
_ACTIVE = re.compile(r"[\\<]|(?<=\])[(:]")
_LAYOUT = re.compile(r"(?<=[>}])\s*\n\s*|\s*\n\s*(?=[<{])")


def escape_html(text: str) -> str:
    """Return HTML that shows `text`, without its invisible characters."""
    escaped = html.escape(drop_hidden(text))
    for sign, reference in _TEMPLATE_SIGNS.items():
        escaped = escaped.replace(sign, reference)
    return escaped


def tag_language(language: str, script: str) -> str:
    """Return the value of an HTML attribute `lang`, such as `sr-Cyrl`."""
    return f"{language}-{script}"


def escape_markdown(text: str) -> str:
    """Return Markdown that shows `text` as it is, in one paragraph."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def escape_links(text: str) -> str:
    """Return Markdown in which `text` makes no link, no image and no HTML tag.

    Other characters stay as they are, so that the result can also be read as plain text.
    """
    return _ACTIVE.sub(r"\\\g<0>", text)


def split_spans(text: str, spans: Sequence[Span]) -> list[tuple[str, bool]]:
    """Split `text` into parts, each with True where it is one of `spans`, which are ordered and do not overlap."""
    parts, end = [], 0
    for start, stop in spans:
        parts += [(text[end:start], False), (text[start:stop], True)]
        end = stop
    return [*parts, (text[end:], False)]


def load_templates(*folders: Path) -> "Environment":
    """Return a Jinja2 environment over the HTML templates in `folders`, in which every value is text.

    Values pass through `escape_html`; only the output of a macro is HTML already. The operator `~` and the filters
    `join` and `escape` must not be used, as they escape by Jinja2's own rules. Line breaks and indentation beside a
    tag are not part of the output.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from jinja2.ext import Extension
    from markupsafe import Markup

    class WithoutLayout(Extension):
        def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
            return _LAYOUT.sub("", source.strip())

    def insert(value: object) -> Markup:
        return value if isinstance(value, Markup) else Markup(escape_html(str(value)))  # noqa: S704

    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        finalize=insert,
        undefined=StrictUndefined,
        extensions=[WithoutLayout],
        auto_reload=False,
    )
    environment.filters["json"] = json.dumps
    environment.globals.update(name_of=name_of, split_spans=split_spans, tag_language=tag_language)
    return environment
