"""`rag ask`, `rag search` and `rag chat`: questions and what comes of them."""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import click

from rag.errors import RagError
from rag.shell.live import stream_answer
from rag.shell.options import ABSTAINED, ANSWERED, as_json, looks
from rag.shell.output import print_answer, print_hit, print_json

if TYPE_CHECKING:
    from rag.answering.answer import Answer
    from rag.assistant import Assistant
    from rag.types import Filter, Turn

PROMPT = "› "


@click.command()
@click.argument("question")
@as_json
@looks
def ask(assistant: "Assistant", question: str, as_json: bool, among: "Filter") -> int:
    """Answer QUESTION, with its sources below.

    Exit code 0 when it was answered, 2 when the articles do not answer it, 1 on an error.
    """
    if as_json:
        answer = assistant.answer(question, among=among)
        print_json(answer.as_dict())
    else:
        answer = stream_answer(assistant, question, among)
        print_answer(answer, assistant)
    return ABSTAINED if answer.abstained else ANSWERED


@click.command()
@click.argument("question")
@as_json
@looks
def search(assistant: "Assistant", question: str, as_json: bool, among: "Filter") -> None:
    """Print the passages nearest to QUESTION.

    They are not read, so it takes no time; nearness is that of meaning, whatever the language.
    """
    found = assistant.search(question, among=among)
    if as_json:
        print_json({"question": question, "hits": [hit.as_dict() for hit in found]})
    for hit in () if as_json else found:
        print_hit(hit)


@click.command()
@looks
def chat(assistant: "Assistant", among: "Filter") -> None:
    """Answer one question after another.

    A question may follow up on the one before it. Ctrl-C stops an answer, Ctrl-D leaves.
    """
    from rag.types import Turn

    # Whoever types needs longer than the model to load; if it cannot be loaded, the first question tells.
    ThreadPoolExecutor(1).submit(assistant.warm)
    history: list[Turn] = []
    while (question := _read_question()) is not None:
        if question and (answer := _reply(assistant, question, history, among)):
            history.append(Turn(answer.question, answer.text))


def _read_question() -> str | None:
    """The next line, empty when it was given up with Ctrl-C; None when there are no more."""
    interactive = sys.stdin.isatty()
    if interactive:
        import readline  # noqa: F401 - lets lines be edited and brought back
    try:
        return input(PROMPT if interactive else "").strip()
    except KeyboardInterrupt:
        click.echo()
        return ""
    except EOFError:
        if interactive:
            click.echo()
        return None


def _reply(assistant: "Assistant", question: str, history: "list[Turn]", among: "Filter") -> "Answer | None":
    """Print the answer; None when there is none, and why."""
    try:
        answer = stream_answer(assistant, question, among, history)
    except RagError as error:
        click.echo(f"rag: {error}", err=True)
        return None
    except KeyboardInterrupt:
        click.echo(assistant.prompts.label("stopped", "en"), err=True)
        return None
    print_answer(answer, assistant)
    click.echo()
    return answer
