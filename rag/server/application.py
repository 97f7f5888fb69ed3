"""Build the server from its parts and bind it to an address."""

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
from rag.server.error_replies import add_error_handlers
from rag.server.mcp_tools import build_tools, has_mcp
from rag.server.middleware import MAX_BODY_BYTES, AccessMiddleware
from rag.server.schemas import ErrorResponse, Health
from rag.server.service import Service

MAX_CONNECTIONS = 1000
SHUTDOWN_SECONDS = 5
"""How long requests in progress may go on after the server is told to stop."""


def build_app(service: Service, local: bool) -> AccessMiddleware:
    """Return the application. If `local`, it serves only requests whose Host header names this machine."""
    tools = build_tools(service) if has_mcp() else None
    token = service.assistant.config.server_token

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if tools:
                await stack.enter_async_context(tools.session_manager.run())
            yield

    app = FastAPI(
        title="Ask the articles",
        version=version("rag-assistant"),
        description=(
            "Ask questions in any language about a folder of articles in many languages. Every answer cites the exact "
            "words. Errors have OpenAI's format; after a 503, try again in `Retry-After` seconds."
        ),
        # FastAPI's documentation pages load scripts from other sites.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        max_body_size=MAX_BODY_BYTES,
        responses={"default": {"model": ErrorResponse, "description": "An error, in OpenAI's format"}},
    )
    add_error_handlers(app)
    # The middleware checks the token; this only describes it in /openapi.json.
    described = [Depends(HTTPBearer(auto_error=False, description="RAG_SERVER_TOKEN"))] if token else []
    app.include_router(build_chat(service), dependencies=described)
    app.include_router(build_articles(service), dependencies=described)

    @app.get("/health")
    def report_health() -> Health:
        """Report that the server is running. Needs no token."""
        return Health()

    if tools:
        # No host to check against: the middleware has already checked it.
        app.routes.extend(tools.streamable_http_app(stateless_http=True, json_response=True, host="").routes)
    return AccessMiddleware(app, token, local)


def is_local(host: str) -> bool:
    """Return whether only this machine can reach a socket bound to `host`."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int, token: str | None) -> socket.socket:
    """Return a listening socket; port 0 picks a free one.

    Raises ConfigError if the address cannot be used, or if other machines could reach it and there is no token.
    """
    if not is_local(host) and not token:
        raise ConfigError(
            f"Other machines can reach {host}. Set RAG_SERVER_TOKEN to a token that clients must send, "
            "or leave out --host."
        )
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(f"Cannot listen on {host}, port {port}: {error}. Choose another address or port.") from error


def build_server(service: Service, bound: socket.socket) -> uvicorn.Server:
    """Return the server. Run it on the socket that was bound for it."""
    config = uvicorn.Config(
        build_app(service, is_local(bound.getsockname()[0])),
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return uvicorn.Server(config)
