"""`rag index`: the index built, brought up to date, and kept so."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.config import Config
from rag.errors import RagError
from rag.shell.options import ANSWERED, FAILED, as_json, of_index
from rag.shell.output import print_json, show_progress

if TYPE_CHECKING:
    from rag.ingest.build import Summary


@click.command()
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--rebuild", is_flag=True, help="Encode everything anew, also what has not changed.")
@click.option("--watch", is_flag=True, help="Then keep it up to date as files come, change and go, until Ctrl-C.")
@click.option("--verify", is_flag=True, help="Build nothing; count everything anew and say what is wrong.")
@as_json
@of_index
def index(
    paths: tuple[str, ...], rebuild: bool, watch: bool, verify: bool, as_json: bool, index: str | None
) -> int | None:
    """Build the index, or bring it up to date.

    PATHS are folders and files. Without them, those of the last time are taken; the first time, the
    configured corpus. Only what is new or has changed is encoded; what is gone is removed. With --watch, every
    build that changed something is told, with --json as one object each. With --verify, the index is compared with
    itself, with the corpus, and with what is kept of its passages; the exit code is 1 if anything is wrong.
    """
    from rag.ingest.build import build_index

    config = Config.from_env(index=index)
    if "" in paths:
        # To Path it is the current folder.
        raise click.UsageError("A path is empty, as a variable that is not set makes it. Name a folder or a file.")
    if verify:
        if paths or rebuild or watch:
            raise click.UsageError("--verify builds nothing: give it alone, with --index at most.")
        return _verify(config, as_json)
    with show_progress("Encoding passages") as progress:
        summary = build_index([Path(path) for path in paths], config, rebuild=rebuild, progress=progress)
    _print_summary(summary, as_json)
    if watch:
        _keep(config, summary, as_json)
    return None


def _verify(config: Config, as_json: bool) -> int:
    from rag.ingest.audit import verify_index

    audit = verify_index(config)
    if as_json:
        print_json(audit.as_dict())
    else:
        for said in audit.noted:
            click.echo(f"note: {said}")
        for said in audit.wrong:
            click.echo(f"wrong: {said}", err=True)
        click.echo(str(audit))
    return FAILED if audit.wrong else ANSWERED


def _keep(config: Config, told: "Summary", as_json: bool) -> None:
    """Print what is new beside what was told before."""
    from rag.ingest.watch import keep_index

    for news in keep_index(config):
        if isinstance(news, RagError):
            click.echo(f"rag: {news}", err=True)
            continue
        if news.new or news.changed or news.removed or (news.skipped, news.kept) != (told.skipped, told.kept):
            _print_summary(news, as_json)
        told = news


def _print_summary(summary: "Summary", as_json: bool) -> None:
    if as_json:
        print_json(summary.as_dict())
        return
    for entry in summary.skipped:
        click.echo(f"warning: {entry.source}: {entry.reason}", err=True)
    for entry in summary.kept:
        click.echo(f"warning: {entry.source}: {entry.reason} What was read of it before is kept.", err=True)
    click.echo(str(summary))
