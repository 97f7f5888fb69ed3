"""Read a dataclass from a JSON or TOML file and check the type of every field, whoever wrote the file."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

Record = TypeVar("Record")


def read_record(kind: type[Record], file: Path) -> Record:
    """Return a dataclass of the JSON object, or the TOML table, in `file`. Keys that are not fields are ignored.

    Raises OSError if the file cannot be read, and ValueError, with a message of one line, if it does not fit `kind`.
    """
    try:
        if file.suffix == ".toml":
            return TypeAdapter(kind).validate_python(tomllib.loads(file.read_text(encoding="utf-8")))
        return TypeAdapter(kind).validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{file.name}: {f'{place}: ' if place else ''}{first['msg']}") from error
