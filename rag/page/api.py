"""The endpoints that programs can call on the page's server, with typed arguments and JSON results."""

from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import gradio as gr
from gradio.events import api

from rag.assistant import Assistant
from rag.errors import RagError

P = ParamSpec("P")
R = TypeVar("R")


def add_endpoints(assistant: Assistant) -> None:
    """Add the endpoints to the page that is being built."""

    def answer(question: str) -> dict[str, Any]:
        return assistant.answer(question).as_dict()

    def search(question: str, count: int = 8) -> list[dict[str, Any]]:
        return [hit.as_dict() for hit in assistant.search(question, count)]

    def list_articles() -> list[dict[str, Any]]:
        return [asdict(article) for article in assistant.list_articles()]

    def open_article(source: str) -> dict[str, Any]:
        return asdict(assistant.open_article(source))

    for endpoint in (answer, search, list_articles, open_article):
        name = endpoint.__name__
        api(_show_errors(endpoint), api_name=name, api_description=assistant.prompts.programs[name])


def _show_errors(endpoint: Callable[P, R]) -> Callable[P, R]:
    """Return the endpoint with RagError raised as gr.Error: Gradio hides the messages of other errors from clients."""

    @wraps(endpoint)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return endpoint(*args, **kwargs)
        except RagError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return call
