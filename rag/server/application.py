"""The server put together, and where it listens."""

import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version

import uvicorn
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

from rag.errors import ConfigError
from rag.server.articles import build_articles
from rag.server.chat import build_chat
from rag.server.error_replies import handle_failures
from rag.server.mcp_tools import build_tools, has_tools
from rag.server.middleware import BODY_BYTES, Guard
from rag.server.schemas import FailureReply, Health
from rag.server.service import Service

CONNECTIONS = 1000
GOODBYE_SECONDS = 5
"""For those that are being answered when the server is stopped."""


def build_app(desk: Service, local: bool) -> Guard:
    """The application over a desk; one that is `local` serves whoever names this machine alone."""
    tools = build_tools(desk) if has_tools() else None
    token = desk.assistant.config.server_token

    @asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if tools:
                await stack.enter_async_context(tools.session_manager.run())
            yield

    app = FastAPI(
        title="Ask the articles",
        version=version("rag-assistant"),
        description=(
            "Questions in any language over a folder of articles in many; every answer cites the exact words. "
            "Errors have OpenAI's form; 503 means that it is worth coming back after `Retry-After` seconds."
        ),
        # The pages that FastAPI offers load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        lifespan=live,
        max_body_size=BODY_BYTES,
        responses={"default": {"model": FailureReply, "description": "What went wrong, in OpenAI's form"}},
    )
    handle_failures(app)
    # The guard looks at the token; this describes it.
    shown = [Depends(HTTPBearer(auto_error=False, description="RAG_SERVER_TOKEN"))] if token else []
    app.include_router(build_chat(desk), dependencies=shown)
    app.include_router(build_articles(desk), dependencies=shown)

    @app.get("/health")
    def tell_health() -> Health:
        """The server answers. Needs no token."""
        return Health()

    if tools:
        # Without a host of its own to look for: the guard has done that.
        app.routes.extend(tools.streamable_http_app(stateless_http=True, json_response=True, host="").routes)
    return Guard(app, token, local)


def is_local(host: str) -> bool:
    """Whether only this machine reaches what is bound to `host`."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int, token: str | None) -> socket.socket:
    """A socket for the server; 0 takes any free port. Raises ConfigError."""
    if not is_local(host) and not token:
        raise ConfigError(
            f"On {host} others can ask too. Set RAG_SERVER_TOKEN to what they must show, or leave --host."
        )
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(f"Nothing can be served on {host}, port {port}: {error}. Choose another.") from error


def build_server(desk: Service, bound: socket.socket) -> uvicorn.Server:
    """The server of a desk, to be run on the socket that it is bound to."""
    config = uvicorn.Config(
        build_app(desk, is_local(bound.getsockname()[0])),
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
    )
    return uvicorn.Server(config)
