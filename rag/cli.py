"""`rag …`: the shell. It prints; the rooms below never do."""

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rag.config import Config
from rag.errors import ConfigError, RagError
from rag.printing import describe_size, print_answer, print_hit, print_json, show_progress, stream_answer
from rag.server.command import mcp, serve
from rag.types import Filter

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.models import Model

logger = logging.getLogger(__name__)

Load = Callable[[Config], "Assistant"]

ANSWERED, FAILED, ABSTAINED, INTERRUPTED = 0, 1, 2, 130


def _load(config: Config) -> "Assistant":
    from rag.assistant import Assistant

    return Assistant.load(config)


def main(arguments: Sequence[str] | None = None, load: Load = _load) -> None:
    """Run a command; the exit code is 0 for answered, 2 for abstained, 1 for an error, 130 for Ctrl-C."""
    try:
        sys.exit(cli.main(arguments, "rag", standalone_mode=False, obj=load) or ANSWERED)
    except click.ClickException as error:
        error.show()
    except RagError as error:
        click.echo(f"rag: {error}", err=True)
    except (click.Abort, KeyboardInterrupt):
        click.echo("rag: interrupted", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        logger.debug("unexpected", exc_info=True)
        click.echo(f"rag: unexpected {type(error).__name__}: {error}. Please report it.", err=True)
    sys.exit(FAILED)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rag-assistant")
def cli() -> None:
    """Ask a folder of articles in many languages; get answers cited to the exact words.

    Every setting can be given in the environment as RAG_ and its name, such as RAG_GENERATOR.
    """


cli.add_command(serve)
cli.add_command(mcp)

as_json = click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object.")
of_index = click.option("--index", metavar="NAME", help="Which index; “default” by default.")
how_many = click.option("-k", "hits", type=click.IntRange(1, 100), metavar="N", help="How many passages to retrieve.")
filters = (
    click.option("--language", "languages", multiple=True, metavar="CODE", help="Only passages in it, such as el."),
    click.option("--source", "sources", multiple=True, metavar="FILE", help="Only this file; * stands for anything."),
    click.option("--since", metavar="DATE", help="Only articles of that date or later: 2023, 2023-10 or 2023-10-18."),
    click.option("--until", metavar="DATE", help="Only articles of that date or earlier."),
)


def asks(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every command takes that looks into the articles; the command gets an Assistant and a Filter."""

    @wraps(command)
    def run(load: Load, hits: int | None, index: str | None, **given: Any) -> Any:
        among = Filter(**{field.name: given.pop(field.name) for field in fields(Filter)})
        return command(load(Config.from_env(hits=hits, index=index)), among=among, **given)

    for option in reversed((click.argument("question"), as_json, how_many, *filters, of_index)):
        run = option(run)
    return click.pass_obj(run)


@cli.command()
@asks
def ask(assistant: "Assistant", question: str, as_json: bool, among: Filter) -> int:
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


@cli.command()
@asks
def search(assistant: "Assistant", question: str, as_json: bool, among: Filter) -> None:
    """Print the passages nearest to QUESTION.

    They are not read, so it takes no time; nearness is that of meaning, whatever the language.
    """
    found = assistant.search(question, among=among)
    if as_json:
        print_json({"question": question, "hits": [hit.as_dict() for hit in found]})
    for hit in () if as_json else found:
        print_hit(hit)


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--rebuild", is_flag=True, help="Encode everything anew, also what has not changed.")
@as_json
@of_index
def index(paths: tuple[Path, ...], rebuild: bool, as_json: bool, index: str | None) -> None:
    """Build the index, or bring it up to date.

    PATHS are folders and files. Without them, those of the last time are taken; the first time, the
    configured corpus. Only what is new or has changed is encoded; what is gone is removed.
    """
    from rag.build import build_index

    with show_progress("Encoding passages") as progress:
        summary = build_index(paths, Config.from_env(index=index), rebuild=rebuild, progress=progress)
    if as_json:
        print_json(summary.as_dict())
        return
    for entry in summary.skipped:
        click.echo(f"warning: {entry.source}: {entry.reason}", err=True)
    for entry in summary.kept:
        click.echo(f"warning: {entry.source}: {entry.reason} What was read of it before is kept.", err=True)
    click.echo(str(summary))


@cli.group()
def models() -> None:
    """List, fetch and check the models."""


named = click.argument("names", nargs=-1, metavar="[NAME]…")


@models.command("list")
@as_json
def list_models(as_json: bool) -> None:
    """Print the known models, and which are here."""
    from rag.models import known_models

    config = Config.from_env()
    known = [(model, _locate(model, config)) for model in known_models()]
    if as_json:
        facts = [
            {"name": model.name, "title": model.title, "purpose": model.purpose, "licence": model.licence,
             "size": model.size, "tested": model.tested, "path": str(path) if path else None}
            for model, path in known
        ]  # fmt: skip
        print_json({"models": facts})
        return
    for model, path in known:
        size = describe_size(model.size or 0)
        state = "here" if path else "not fetched"
        tested = "" if model.tested else ", not tested here"
        click.echo(f"{model.name:24} {model.purpose:10} {size:>9}  {model.licence:18} {state}{tested}")


@models.command("fetch")
@named
def fetch_models(names: tuple[str, ...]) -> None:
    """Bring models to the cache.

    Without NAME, the configured encoder and generator. A fetch that was interrupted goes on where it was.
    """
    from rag.fetching import fetch, plan

    config = Config.from_env()
    for model in _choose_models(names, config):
        coming = plan(model, config.cache)
        if not coming.download:
            click.echo(f"{model.name} is here: {coming.source}")
            continue
        click.echo(f"{model.name}: {describe_size(coming.download)} from {coming.source}, {model.licence}")
        with show_progress(model.name, in_bytes=True) as progress:
            path = fetch(model, config.cache, progress)
        click.echo(f"{model.name} is here: {path}")


@models.command("verify")
@named
def verify_models(names: tuple[str, ...]) -> int:
    """Compare the checksums of models.

    Their files are read again, those of the configured encoder and generator without NAME.
    """
    from rag.models import verify

    config = Config.from_env()
    checks = [check for model in _choose_models(names, config) for check in verify(model, config.cache)]
    for check in checks:
        click.echo(f"{'ok  ' if check.ok else 'FAIL'} {check.file}")
    if all(check.ok for check in checks):
        return ANSWERED
    click.echo("rag: Files marked FAIL are damaged. Fetch them anew with `rag models fetch`.", err=True)
    return FAILED


@models.command("path")
@named
def print_paths(names: tuple[str, ...]) -> None:
    """Print where models lie.

    Without NAME, the configured encoder and generator.
    """
    from rag.models import locate

    config = Config.from_env()
    for model in _choose_models(names, config):
        click.echo(str(locate(model, config.cache)))


@cli.command()
@as_json
def doctor(as_json: bool) -> int:
    """Check that everything is there and works.

    Looks at the machine, the models and the index, and says what to do about what is wrong.
    """
    from rag.doctor import examine

    checks = examine(Config.from_env())
    if as_json:
        print_json({"checks": [check.as_dict() for check in checks]})
    for check in () if as_json else checks:
        mark = {True: "ok  ", False: "FAIL", None: "  – "}[check.ok]
        click.echo(f"{mark} {check.name}: {check.detail}")
        if check.remedy:
            click.echo(f"       → {check.remedy}")
    return FAILED if any(check.ok is False for check in checks) else ANSWERED


@cli.command("eval")
@click.option("--xquad", type=click.Path(path_type=Path), metavar="FOLDER", help="Also ask the mixed pool in FOLDER.")
@click.option("--development", is_flag=True, help="Ask the half that settings are chosen on, not the one held back.")
def evaluate(xquad: Path | None, development: bool) -> None:
    """Measure retrieval on the project's own cases.

    The figures are printed and written to evaluation/results/.
    """
    from rich.console import Console

    try:
        from evaluation import report, run
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{error.name} is missing. `rag eval` is run in the project's folder, with its extra: "
            "`pip install -e '.[dev]'`."
        ) from error
    config = Config.from_env()
    suite = run.Suite.load("development" if development else "held-back", xquad)
    encoders = run.load_encoders(config)
    with show_progress("Asking") as progress:
        figures = run.evaluate(suite, encoders, config, progress)
    console = Console()
    for table in report.tables(figures, suite.half):
        console.print(table)
    for file in (report.save(figures, suite, encoders, config), report.draw_heat_map(figures)):
        if file:
            click.echo(f"Written: {file}")


def _choose_models(names: tuple[str, ...], config: Config) -> "list[Model]":
    """The models of these names; without names, those configured that are not paths or servers."""
    from rag.models import find

    if names:
        return [find(name) for name in names]
    configured = [config.encoder] if config.is_remote else [config.encoder, config.generator]
    return [find(name) for name in configured if not Path(name).expanduser().exists()]


def _locate(model: "Model", config: Config) -> Path | None:
    from rag.errors import ModelMissing
    from rag.models import locate

    try:
        return locate(model, config.cache)
    except ModelMissing:
        return None
