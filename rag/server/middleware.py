"""Check, identify and log every request before the application sees it."""

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

MAX_BODY_BYTES = 1 << 20
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
PUBLIC_PATH = "/health"
"""The only path that needs no token."""


class AccessMiddleware:
    """Refuses requests that `app` must not serve, and gives each an id and a log entry.

    With a token, clients must send it. If `local`, the Host header must name this machine.
    """

    def __init__(self, app: ASGIApp, token: str | None, local: bool) -> None:
        self.app = app
        self._token = token
        self._local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. The log entry contains nothing that a user wrote."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _identify(headers)
        current_request.set(request_id)
        status = 500
        started = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                added = MutableHeaders(scope=message)
                added["x-request-id"] = request_id
                added["x-content-type-options"] = "nosniff"
            await send(message)

        try:
            await (self._refuse(scope, headers) or self.app)(scope, receive, send_with_headers)
        finally:
            facts = {
                "method": scope["method"],
                "route": getattr(scope.get("route"), "path", None),
                "status": status,
                "seconds": round(time.perf_counter() - started, 3),
            }
            logger.info("request", extra={"facts": facts})

    def _refuse(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        """Return the response that refuses the request, or None to serve it."""
        host = headers.get("host", "")
        if self._local and re.sub(r":\d+$", "", host.lower()) not in LOCAL_HOSTS:
            # DNS rebinding: a page elsewhere can make its own name resolve to this machine.
            return refuse(403, "host", "This server answers only this machine. Use http://127.0.0.1.")
        origin = headers.get("origin")
        if origin is not None and not _matches(origin, host):
            return refuse(403, "origin", "This server does not answer web pages of other sites. Use another program.")
        if self._token and scope["path"] != PUBLIC_PATH and not self._accepts(headers.get("authorization", "")):
            challenge = {"WWW-Authenticate": "Bearer"}
            return refuse(401, "token", "The token is missing or wrong. Send it as a bearer token.", challenge)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            return refuse(413, "length", f"The request body is too long. Send at most {MAX_BODY_BYTES} bytes.")
        return None

    def _accepts(self, authorization: str) -> bool:
        # Starlette decodes headers as Latin-1, whatever their bytes are.
        scheme, _, token = authorization.encode("latin-1").partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), str(self._token).encode())


def _matches(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def _identify(headers: Headers) -> str:
    """Return the request's own id if it has a valid one, or a new id."""
    given = headers.get("x-request-id", "")
    return given if re.fullmatch(r"[\w-]{1,64}", given, re.ASCII) else uuid4().hex
