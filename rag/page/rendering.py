"""Render the page's HTML templates."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.answering import html
from rag.text.markup import load_templates

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, **values: Any) -> str:
    """Return the HTML of a template in `templates/`, with every value escaped as text."""
    return _load().get_template(template).render(values)


@cache
def _load() -> "Environment":
    # The cards that notebooks show are part of the page too.
    return load_templates(TEMPLATES, html.TEMPLATES)
