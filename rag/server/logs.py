"""Structured logs: one JSON object a line, each with the request that it belongs to."""

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

current_request: ContextVar[str | None] = ContextVar("current_request", default=None)
"""The id of the request that is being served."""


class JsonFormatter(logging.Formatter):
    """A record as a JSON object: what was said, and the `facts` given with it.

    Of an exception the kind and the place are told; its message may hold what somebody asked.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "room": record.name,
            "said": record.getMessage(),
            "request": current_request.get(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[0]:
            frames = traceback.extract_tb(record.exc_info[2])
            entry["error"] = record.exc_info[0].__name__
            entry["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(entry, ensure_ascii=False)


def set_up_logs() -> None:
    """Write them to standard error: of this package from INFO on, of the libraries only warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("rag").setLevel(logging.INFO)
