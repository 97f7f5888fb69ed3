"""`rag serve` and `rag mcp`."""

import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

import click

from rag.config import Config
from rag.hardware import share_memory
from rag.shell.options import INTERRUPTED

if TYPE_CHECKING:
    from rag.assistant import Assistant

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
    from rag.server.application import bind, build_server
    from rag.server.logs import set_up_logs
    from rag.server.service import Service

    share_memory()
    config = Config.from_env()
    with bind(host, port, config.server_token) as bound:
        assistant = load(config)
        assistant.start()
        set_up_logs()
        address, port, *_ = bound.getsockname()
        click.echo(f"Serving on http://{f'[{address}]' if ':' in address else address}:{port}/v1 (Ctrl-C stops it)")
        build_server(Service(assistant), bound).run(sockets=[bound])


@click.command()
@click.pass_obj
def mcp(load: Load) -> None:
    """Offer tools over MCP, on standard input and output.

    For programs that start it themselves; `rag serve` offers the same at /mcp.
    """
    from rag.server.logs import set_up_logs
    from rag.server.mcp_tools import build_tools
    from rag.server.service import Service

    share_memory()
    assistant = load(Config.from_env())
    assistant.start()
    set_up_logs()
    # Whoever starts it may have it ignore Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    build_tools(Service(assistant)).run()


def _leave(*_: object) -> NoReturn:
    """End the process at once: the thread that waits for standard input cannot be called off, only left behind."""
    try:
        # Not through the stream, which may be in the midst of writing.
        os.write(sys.stderr.fileno(), b"\nrag: interrupted\n")
    finally:
        os._exit(INTERRUPTED)
