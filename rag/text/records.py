"""JSON in a file → a dataclass whose fields are of their types, whoever wrote the file."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

Record = TypeVar("Record")


def read_record(kind: type[Record], file: Path) -> Record:
    """A dataclass from the JSON object in `file`; what the object has beside its fields is left out.

    Raises OSError, and ValueError with what is wrong in one line.
    """
    try:
        return TypeAdapter(kind).validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{file.name}: {f'{place}: ' if place else ''}{first['msg']}") from error
