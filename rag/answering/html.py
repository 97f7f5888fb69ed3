"""Render the templates of answers and citations. Text from articles, questions and models is always escaped."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.text.markup import load_templates

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, **values: Any) -> str:
    """Return a template of `templates/` as HTML, filled with the values."""
    return _load().get_template(template).render(values)


@cache
def _load() -> "Environment":
    return load_templates(TEMPLATES)
