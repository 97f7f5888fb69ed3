"""The `rag` command. Only the modules of `rag/shell/` print; the rest of the package never does."""

import logging
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rag.config import Config
from rag.errors import RagError
from rag.shell.articles import articles, show_article
from rag.shell.ask import ask, chat, search
from rag.shell.doctor import doctor
from rag.shell.index import index
from rag.shell.models import models
from rag.shell.options import ANSWERED, FAILED, INTERRUPTED, Load
from rag.shell.serve import mcp, serve

if TYPE_CHECKING:
    from rag.assistant import Assistant

logger = logging.getLogger(__name__)

COMMANDS: Sequence[click.Command] = (
    ask, search, chat, articles, show_article, index, models, doctor, serve, mcp,
)  # fmt: skip


def _load(config: Config) -> "Assistant":
    from rag.assistant import Assistant

    return Assistant.load(config)


def main(arguments: Sequence[str] | None = None, load: Load = _load) -> None:
    """Run a command and exit: 0 if it succeeded, 2 if the articles do not answer, 1 on an error, 130 on Ctrl-C."""
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
        logger.debug("unexpected error", exc_info=True)
        click.echo(f"rag: unexpected {type(error).__name__}: {error}. Please report it.", err=True)
    sys.exit(FAILED)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rag-assistant")
def cli() -> None:
    """Ask a folder of articles in many languages, and get answers that cite the exact words.

    Each setting can be given as an environment variable: RAG_ and its name, such as RAG_GENERATOR.
    """


for command in COMMANDS:
    cli.add_command(command)
