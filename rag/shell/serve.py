"""`rag serve` and `rag mcp`: answer questions of other programs."""

import os
import signal
import sys
from typing import NoReturn

import click

from rag.config import Config
from rag.hardware import share_memory
from rag.shell.options import INTERRUPTED, Load


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on. If other machines can reach it, RAG_SERVER_TOKEN must be set.",
)
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The port to listen on; 0 picks a free one.",
)
@click.pass_obj
def serve(load: Load, host: str, port: int) -> None:
    """Serve other programs over HTTP.

    Offers an OpenAI-compatible API under /v1, search and the articles as plain endpoints, and MCP tools at /mcp.
    /openapi.json describes all but the tools. If RAG_SERVER_TOKEN is set, clients must send it as a bearer token.
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
    """Serve MCP tools on standard input and output.

    For programs that start the server themselves. `rag serve` offers these tools over HTTP at /mcp.
    """
    from rag.server.logs import set_up_logs
    from rag.server.mcp_tools import build_tools
    from rag.server.service import Service

    share_memory()
    assistant = load(Config.from_env())
    assistant.start()
    set_up_logs()
    # The parent process may have set SIGINT to be ignored; that is kept.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _exit)
    build_tools(Service(assistant)).run()


def _exit(*_: object) -> NoReturn:
    """End the process at once, because the thread that waits for standard input cannot be cancelled."""
    try:
        # Bypasses sys.stderr, which may be in the middle of a write.
        os.write(sys.stderr.fileno(), b"\nrag: interrupted\n")
    finally:
        os._exit(INTERRUPTED)
