"""Exit codes, options shared by several commands, and their completion in the shell."""

from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import fields
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from rag.config import Config
from rag.errors import RagError
from rag.index.manifest import list_indexes
from rag.shell.output import show_status

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.types import Article

ANSWERED, FAILED, ABSTAINED, INTERRUPTED = 0, 1, 2, 130

Load = Callable[[Config], "Assistant"]
Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def completes(find: Callable[[Config], Iterable[str]]) -> Complete:
    """Return a click completion that offers the words from `find` that begin as typed, or none if `find` fails."""

    def complete(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
        with suppress(RagError):
            return sorted(word for word in set(find(_configure(context))) if word.startswith(begun))
        return []

    return complete


def _configure(context: click.Context) -> Config:
    """Return the settings, with the index that an earlier --index on the command line selects."""
    return Config.from_env(index=context.params.get("index"))


def _list_articles(config: Config) -> "tuple[Article, ...]":
    from rag.index.index import Index

    with closing(Index.open(config.indexes / config.index)) as index:
        return index.list_articles()


def _list_models(_: Config) -> Iterable[str]:
    from rag.models.registry import known_models

    return (model.name for model in known_models())


complete_sources = completes(lambda config: (article.source for article in _list_articles(config)))
complete_languages = completes(lambda config: (article.language for article in _list_articles(config)))
complete_indexes = completes(lambda config: list_indexes(config.indexes))
complete_models = completes(_list_models)


def as_text(word: str) -> str:
    r"""Return the argument with bytes that are not UTF-8 written as `\xff`, as in the names of articles."""
    return word.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _as_code(word: str) -> str:
    return as_text(word).lower()


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
of_index = click.option(
    "--index", metavar="NAME", shell_complete=complete_indexes, help="The index to use; “default” by default."
)
how_many = click.option(
    "-k", "hits", type=click.IntRange(1, 100), metavar="N", help="The number of passages to retrieve."
)
filters = (
    click.option(
        "--language",
        "languages",
        multiple=True,
        type=_as_code,
        metavar="CODE",
        shell_complete=complete_languages,
        help="Only passages in this language, such as el. Can be repeated.",
    ),
    click.option(
        "--source",
        "sources",
        multiple=True,
        type=as_text,
        metavar="FILE",
        shell_complete=complete_sources,
        help="Only this file; * matches anything. Can be repeated.",
    ),
    click.option("--since", metavar="DATE", help="Only articles of this date or later: 2023, 2023-10 or 2023-10-18."),
    click.option("--until", metavar="DATE", help="Only articles of this date or earlier."),
)


def with_assistant(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that select an index and its passages, and call the command with an Assistant and a Filter."""

    @wraps(command)
    def run(load: Load, hits: int | None, index: str | None, **given: Any) -> Any:
        from rag.types import Filter

        among = Filter(**{field.name: given.pop(field.name) for field in fields(Filter)})
        with show_status("Loading the models. `rag chat` and the page keep them loaded."):
            assistant = load(Config.from_env(hits=hits, index=index))
        return command(assistant, among=among, **given)

    for option in reversed((how_many, *filters, of_index)):
        run = option(run)
    return click.pass_obj(run)
