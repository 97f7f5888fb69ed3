"""Load the configured reader. No other module chooses one."""

from rag.config import Config
from rag.protocols import Reader
from rag.reading.trained import ENCODER, TrainedReader

NONE = "none"


def list_models(config: Config) -> tuple[str, ...]:
    """Return the names of the models that the configured reader needs on disk."""
    return () if config.reader == NONE else (ENCODER,)


def load_reader(config: Config) -> Reader | None:
    """Load the configured reader from disk, or return None if there is to be none.

    Raises ModelMissing if files are missing, and ModelError if they cannot be used.
    """
    return None if config.reader == NONE else TrainedReader.load(config)
