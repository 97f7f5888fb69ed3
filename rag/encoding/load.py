"""The only place that chooses an encoder."""

from functools import partial
from importlib.util import find_spec

from rag.config import Config, say_install
from rag.encoding.encoder import SentenceEncoder
from rag.encoding.ray_workers import RayEncoder
from rag.errors import ModelError
from rag.hardware import count_physical_cores
from rag.protocols import Encoder
from rag.types import Projection


def load_encoder(config: Config, projection: Projection | None = None, *, corpus: bool = False) -> Encoder:
    """Load the configured encoder, with the projection of an index or by default the one in the cache.

    With `corpus`, many passages are encoded by the Ray workers of `config`, if any. A question never waits for these.

    Raises ModelMissing if the encoder's files are not there, and ModelError if they cannot be used or ray is not
    installed.
    """
    if not corpus or (not config.workers and config.ray is None):
        return SentenceEncoder.load(config, projection)
    if find_spec("ray") is None:
        install = say_install("ray", "'ray[data]' threadpoolctl")
        raise ModelError(f"RAG_WORKERS and RAG_RAY need the ray package. {install}")
    # The rounding of a sum depends on the number of threads: each worker must have as many as this process.
    config = config.replace(threads=config.threads or count_physical_cores())
    local = SentenceEncoder.load(config, projection)
    # The workers do not need the secrets, so these stay on this machine.
    shared = config.replace(generator_key=None, server_token=None, milvus_token=None)
    return RayEncoder(local, partial(SentenceEncoder.load, shared, local.projection), config)
