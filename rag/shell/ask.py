"""`rag ask`, `rag search` and `rag chat`: answer questions from the articles."""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import click

from rag.errors import RagError
from rag.shell.live import stream_answer
from rag.shell.options import ABSTAINED, ANSWERED, as_json, with_assistant
from rag.shell.output import print_answer, print_hit, print_json

if TYPE_CHECKING:
    from rag.answering.answer import Answer
    from rag.assistant import Assistant
    from rag.types import Filter, Turn

PROMPT = "› "


@click.command()
@click.argument("question")
@as_json
@with_assistant
def ask(assistant: "Assistant", question: str, as_json: bool, among: "Filter") -> int:
    """Answer QUESTION and list the sources below.

    The exit code is 0 if it was answered, 2 if the articles do not answer it, and 1 on an error.
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
@with_assistant
def search(assistant: "Assistant", question: str, as_json: bool, among: "Filter") -> None:
    """Print the passages closest in meaning to QUESTION.

    Passages in all languages are compared. No answer is generated, so this takes only a moment.
    """
    found = assistant.search(question, among=among)
    if as_json:
        print_json({"question": question, "hits": [hit.as_dict() for hit in found]})
    for hit in () if as_json else found:
        print_hit(hit)


@click.command()
@with_assistant
def chat(assistant: "Assistant", among: "Filter") -> None:
    """Answer one question after another.

    A question may follow up on earlier ones. Ctrl-C stops an answer and Ctrl-D ends the chat.
    """
    from rag.types import Turn

    # Typing takes longer than loading the model. If loading fails, the first question reports the error.
    ThreadPoolExecutor(1).submit(assistant.warm)
    history: list[Turn] = []
    while (question := _read_question()) is not None:
        if question and (answer := _reply(assistant, question, history, among)):
            history.append(Turn(answer.question, answer.text))


def _read_question() -> str | None:
    """Return the next line, "" if Ctrl-C discarded it, or None at the end of the input."""
    interactive = sys.stdin.isatty()
    if interactive:
        import readline  # noqa: F401 - gives input() editing and history
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
    """Print and return the answer, or print why there is none and return None."""
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
