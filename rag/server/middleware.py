"""In front of every request: who may come in, under which id, and what is logged of it."""

import hmac
import logging
import re
import time
from urllib.parse import urlsplit
from uuid import uuid4

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.server.error_replies import refuse
from rag.server.logs import current_request

logger = logging.getLogger(__name__)

BODY_BYTES = 1 << 20
"""The longest body of a request."""
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
OPEN = "/health"
"""The only path that needs no token."""


class Guard:
    """Lets through to `app` what names this machine, where `local`, and shows the token, where there is one."""

    def __init__(self, app: ASGIApp, token: str | None, local: bool) -> None:
        self.app = app
        self._token = token
        self._local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and log it without anything that somebody wrote."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        identity = _identify(headers)
        current_request.set(identity)
        status = 500
        started = time.perf_counter()

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                marked = MutableHeaders(scope=message)
                marked["x-request-id"] = identity
                marked["x-content-type-options"] = "nosniff"
            await send(message)

        try:
            await (self._refuse(scope, headers) or self.app)(scope, receive, send_marked)
        finally:
            facts = {
                "method": scope["method"],
                "route": getattr(scope.get("route"), "path", None),
                "status": status,
                "seconds": round(time.perf_counter() - started, 3),
            }
            logger.info("request", extra={"facts": facts})

    def _refuse(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        host = headers.get("host", "")
        if self._local and re.sub(r":\d+$", "", host.lower()) not in LOCAL_HOSTS:
            # A page elsewhere whose name was made to mean this machine would be let in by its browser.
            return refuse(403, "host", "This server is for this machine alone. Ask it as http://127.0.0.1.")
        origin = headers.get("origin")
        if origin is not None and not _names(origin, host):
            return refuse(403, "origin", "This server is not for pages from elsewhere. Ask it from a program.")
        if self._token and scope["path"] != OPEN and not self._knows(headers.get("authorization", "")):
            challenge = {"WWW-Authenticate": "Bearer"}
            return refuse(401, "token", "The token is missing or wrong. Send it as a bearer token.", challenge)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > BODY_BYTES:
            return refuse(413, "length", f"A request has at most {BODY_BYTES} bytes. Send a shorter one.")
        return None

    def _knows(self, shown: str) -> bool:
        # Headers are read as Latin-1, whatever bytes they are.
        scheme, _, token = shown.encode("latin-1").partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), str(self._token).encode())


def _names(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def _identify(headers: Headers) -> str:
    """The id that the client gave its request, if it is one, or a new one."""
    given = headers.get("x-request-id", "")
    return given if re.fullmatch(r"[\w-]{1,64}", given, re.ASCII) else uuid4().hex
