"""Render answers and citations as HTML for notebooks. Text from articles, questions and models is always escaped."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.text.markup import load_templates

if TYPE_CHECKING:
    from jinja2 import Environment

    from rag.answering.answer import Answer, Citation

TEMPLATES = Path(__file__).with_name("templates")


def draw_cited(answer: "Answer") -> str:
    """Return an answer with its citations, below the completed question if that differs from the one asked."""
    return _render("answer.html", answer=answer)


def draw_citation(citation: "Citation") -> str:
    """Return a citation with its quote."""
    return _render("citation.html", citation=citation)


def _render(template: str, **values: Any) -> str:
    return _load().get_template(template).render(values)


@cache
def _load() -> "Environment":
    return load_templates(TEMPLATES)
