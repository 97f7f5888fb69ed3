"""`rag index`: build the index, update it, watch its files, and verify it."""

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
@click.option("--rebuild", is_flag=True, help="Encode every passage again, including unchanged ones.")
@click.option("--watch", is_flag=True, help="Keep updating the index as files are added, changed or removed.")
@click.option("--verify", is_flag=True, help="Build nothing; check the existing index for errors.")
@as_json
@of_index
def index(
    paths: tuple[str, ...], rebuild: bool, watch: bool, verify: bool, as_json: bool, index: str | None
) -> int | None:
    """Build the index or bring it up to date.

    PATHS are files and folders. By default these are the paths of the last build or, the first time, the configured
    corpus. Only new and changed articles are encoded; deleted ones are removed from the index.

    With --watch, a summary is printed after each update, as one JSON object with --json. Ctrl-C stops it.

    With --verify, the index is compared with its own checksums, with the corpus and with the cache of passages. The
    exit code is 1 if anything is wrong.
    """
    from rag.ingest.build import build_index

    config = Config.from_env(index=index)
    if "" in paths:
        # Path("") would silently mean the current folder.
        raise click.UsageError("A path is empty; perhaps a shell variable is not set. Name a file or a folder.")
    if verify:
        if paths or rebuild or watch:
            raise click.UsageError("--verify can be combined with --index and --json only.")
        return _verify(config, as_json)
    with show_progress("Encoding passages") as progress:
        summary = build_index([Path(path) for path in paths], config, rebuild=rebuild, progress=progress)
    _print_summary(summary, as_json)
    if watch:
        _watch(config, summary, as_json)
    return None


def _verify(config: Config, as_json: bool) -> int:
    from rag.ingest.audit import verify_index

    audit = verify_index(config)
    if as_json:
        print_json(audit.as_dict())
    else:
        for note in audit.noted:
            click.echo(f"note: {note}")
        for problem in audit.wrong:
            click.echo(f"wrong: {problem}", err=True)
        click.echo(str(audit))
    return FAILED if audit.wrong else ANSWERED


def _watch(config: Config, last: "Summary", as_json: bool) -> None:
    """Update the index until Ctrl-C, printing a summary of each update that differs from the last one printed."""
    from rag.ingest.watch import keep_index

    for news in keep_index(config):
        if isinstance(news, RagError):
            click.echo(f"rag: {news}", err=True)
            continue
        if news.new or news.changed or news.removed or (news.skipped, news.kept) != (last.skipped, last.kept):
            _print_summary(news, as_json)
        last = news


def _print_summary(summary: "Summary", as_json: bool) -> None:
    if as_json:
        print_json(summary.as_dict())
        return
    for entry in (*summary.skipped, *summary.incomplete):
        click.echo(f"warning: {entry.source}: {entry.reason}", err=True)
    for entry in summary.kept:
        click.echo(f"warning: {entry.source}: {entry.reason} Its earlier version stays in the index.", err=True)
    click.echo(str(summary))
