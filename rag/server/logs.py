"""Structured logs: one JSON object per line, with the id of the request it belongs to."""

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

current_request: ContextVar[str | None] = ContextVar("current_request", default=None)
"""The id of the request being served."""


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object with its message and the `facts` given in `extra`.

    Of an exception only the type and the traceback are logged: its message may contain what a user asked.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request": current_request.get(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[0]:
            frames = traceback.extract_tb(record.exc_info[2])
            entry["error"] = record.exc_info[0].__name__
            entry["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(entry, ensure_ascii=False)


def set_up_logs() -> None:
    """Log to standard error: this package from INFO on, other libraries from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("rag").setLevel(logging.INFO)
