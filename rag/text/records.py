"""JSON or TOML in a file → a dataclass whose fields are of their types, whoever wrote the file."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

Record = TypeVar("Record")


def read_record(kind: type[Record], file: Path) -> Record:
    """A dataclass from the JSON object in `file`, or from the table in a `.toml` file; other keys are left out.

    Raises OSError, and ValueError with what is wrong in one line.
    """
    try:
        if file.suffix == ".toml":
            return TypeAdapter(kind).validate_python(tomllib.loads(file.read_text(encoding="utf-8")))
        return TypeAdapter(kind).validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{file.name}: {f'{place}: ' if place else ''}{first['msg']}") from error
