"""Read the table of values that were measured for a model.

`tables/<model>.toml` holds every threshold and weight that depends on one encoder or generator, and names the commands
that find them.
"""

from functools import cache
from pathlib import Path

from rag.text.records import read_record
from rag.types import EncoderSettings

TABLES = Path(__file__).parent / "tables"
DEFAULT_ENCODER = "multilingual-e5-small"
"""The encoder whose table is used for encoders that have none."""


def find_table(name: str) -> Path | None:
    """Return the table of the model of that name, or None."""
    return next((file for file in TABLES.glob("*.toml") if file.stem == name), None)


@cache
def find_encoder_settings(name: str) -> EncoderSettings:
    """Return the settings of the encoder of that name, by default those of the default encoder."""
    return read_record(EncoderSettings, find_table(name) or TABLES / f"{DEFAULT_ENCODER}.toml")
