"""Read a dataclass from a JSON file and check the type of every field, since others may have written the file."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

Record = TypeVar("Record")


def read_record(kind: type[Record], file: Path) -> Record:
    """Return a dataclass of the JSON object in `file`. Keys of the object that are not fields are ignored.

    Raises OSError if the file cannot be read, and ValueError, with a message of one line, if it does not fit `kind`.
    """
    try:
        return TypeAdapter(kind).validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{file.name}: {f'{place}: ' if place else ''}{first['msg']}") from error
