"""Turn errors into replies in OpenAI's format: one sentence, never a traceback."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rag.errors import AnswerTimeout, ArticleMissing, QuestionError, RagError, ServiceBusy
from rag.server.schemas import ErrorDetail, ErrorResponse, ErrorType

RETRY_SECONDS = 5
"""Sent as Retry-After when the server is busy."""
STATUSES: dict[type[Exception], int] = {QuestionError: 400, ArticleMissing: 404, ServiceBusy: 503, AnswerTimeout: 504}
REMEDY = "Correct the request; /openapi.json describes the API."


def describe(error: Exception) -> ErrorResponse:
    """Return the reply for an error. The message of an unexpected one is kept from the client."""
    status = STATUSES.get(type(error), 500)
    if isinstance(error, RagError):
        return _write(status, type(error).__name__, str(error))
    return _write(status, "unexpected", f"Unexpected {type(error).__name__}. Please report it with the server's log.")


def refuse(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return the response that refuses a request."""
    return JSONResponse(_write(status, code, message).model_dump(), status, headers)


def add_error_handlers(app: FastAPI) -> None:
    """Make the app reply to every error in this format."""

    @app.exception_handler(RagError)
    @app.exception_handler(Exception)
    def reply(_: Request, error: Exception) -> JSONResponse:
        headers = {"Retry-After": str(RETRY_SECONDS)} if isinstance(error, ServiceBusy) else None
        return JSONResponse(describe(error).model_dump(), STATUSES.get(type(error), 500), headers)

    @app.exception_handler(RequestValidationError)
    def reply_malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return refuse(400, "malformed", f"{place}: {first['msg']}. {REMEDY}")

    @app.exception_handler(HTTPException)
    def reply_refused(_: Request, error: HTTPException) -> JSONResponse:
        return refuse(error.status_code, "refused", f"{error.detail}. {REMEDY}", dict(error.headers or {}))


def _write(status: int, code: str, message: str) -> ErrorResponse:
    kind: ErrorType = "server_error" if status >= 500 else "invalid_request_error"
    if status == 401:
        kind = "authentication_error"
    return ErrorResponse(error=ErrorDetail(message=message, type=kind, code=code))
