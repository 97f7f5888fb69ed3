"""`rag serve` and `rag mcp`."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import click

from rag.config import Config
from rag.errors import RagError

if TYPE_CHECKING:
    from rag.assistant import Assistant

logger = logging.getLogger(__name__)

Load = Callable[[Config], "Assistant"]


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Elsewhere than on this machine wants a token.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.pass_obj
def serve(load: Load, host: str, port: int) -> None:
    """Serve other programs.

    As a model in OpenAI's form under /v1, with searching, the articles, and tools over MCP beside it;
    /openapi.json describes all but the tools. RAG_SERVER_TOKEN is what they must show.
    """
    from rag.server.desk import Desk
    from rag.server.logs import set_up_logs
    from rag.server.serving import bind, build_server

    config = Config.from_env()
    with bind(host, port, config.server_token) as bound:
        assistant = _make_ready(load(config))
        set_up_logs()
        address, port, *_ = bound.getsockname()
        click.echo(f"Serving on http://{f'[{address}]' if ':' in address else address}:{port}/v1 (Ctrl-C stops it)")
        build_server(Desk(assistant), bound).run(sockets=[bound])


@click.command()
@click.pass_obj
def mcp(load: Load) -> None:
    """Offer tools over MCP, on standard input and output.

    For programs that start it themselves; `rag serve` offers the same at /mcp.
    """
    from rag.server.desk import Desk
    from rag.server.logs import set_up_logs
    from rag.server.tools import build_tools

    desk = Desk(_make_ready(load(Config.from_env())))
    set_up_logs()
    build_tools(desk).run()


def _make_ready(assistant: "Assistant") -> "Assistant":
    """Load the model, and read a small corpus ahead from then on."""
    # In a thread: llama.cpp calls back while it loads, and a Ctrl-C that comes then is lost.
    ThreadPoolExecutor().submit(assistant.warm).result()
    threading.Thread(target=_read_ahead, args=[assistant], daemon=True).start()
    return assistant


def _read_ahead(assistant: "Assistant") -> None:
    try:
        assistant.prepare()
    except RagError as error:
        logger.warning("the articles cannot be read ahead: %s", error)
