"""Escape text for HTML and Markdown, and load HTML templates that escape their values."""

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

# Gradio inserts the page into a template of its own, in which $, { and ` are special.
_TEMPLATE_SIGNS = {sign: f"&#{ord(sign)};" for sign in "$`{}"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$&:@])")
_ACTIVE = re.compile(r"[\\<]|(?<=\])[(:]")
_LAYOUT = re.compile(r"(?<=[>}])\s*\n\s*|\s*\n\s*(?=[<{])")


def escape_html(text: str) -> str:
    """Return `text` escaped for HTML, without its invisible characters."""
    escaped = html.escape(drop_hidden(text))
    for sign, reference in _TEMPLATE_SIGNS.items():
        escaped = escaped.replace(sign, reference)
    return escaped


def tag_language(language: str, script: str) -> str:
    """Return the value of the HTML attribute `lang`, such as `sr-Cyrl`."""
    return f"{language}-{script}"


def escape_markdown(text: str) -> str:
    """Return `text` escaped for Markdown, as one paragraph."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def escape_links(text: str) -> str:
    """Return `text` escaped so that it makes no link, image or HTML tag in Markdown.

    Other characters stay as they are, so that the result can also be read as plain text.
    """
    return _ACTIVE.sub(r"\\\g<0>", text)


def split_spans(text: str, spans: Sequence[Span]) -> list[tuple[str, bool]]:
    """Split `text` at `spans`, which are ordered and do not overlap. Return each part, with True if it is a span."""
    parts, end = [], 0
    for start, stop in spans:
        parts += [(text[end:start], False), (text[start:stop], True)]
        end = stop
    return [*parts, (text[end:], False)]


def load_templates(*folders: Path) -> "Environment":
    """Return a Jinja2 environment for the HTML templates in `folders`, which escapes every value.

    Values pass through `escape_html`, except the output of macros, which is HTML already. The operator `~` and the
    filters `join` and `escape` must not be used, because they escape by Jinja2's own rules. Line breaks and indentation
    beside a tag are removed from the output.
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
