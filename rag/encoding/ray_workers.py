"""A corpus to vectors, by the workers of a Ray cluster. No other room imports ray."""

import logging
import os
import re
import socket
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any, cast

import numpy as np

from rag.config import Config
from rag.encoding.encoder import SentenceEncoder, arrange
from rag.errors import ModelError
from rag.hardware import count_physical_cores
from rag.protocols import Encoder
from rag.types import Embeddings, Progress, Projection, Role, Tokens

CONNECT_SECONDS = 5
START_MILLISECONDS = 300_000
"""On a busy machine Ray's processes take longer to start than the half minute that it would wait for them."""
RETRIES = 3
"""How often a chunk whose worker died is given to another; a text that kills them all must not do so for ever."""
QUOTED_CHARS = 400


def load_encoder(config: Config, projection: Projection | None = None) -> Encoder:
    """The configured encoder as an index is built with it: over Ray's workers where they are configured.

    Raises like SentenceEncoder.load, and ModelError when ray is not installed.
    """
    if not config.workers and config.ray is None:
        return SentenceEncoder.load(config, projection)
    if find_spec("ray") is None:
        raise ModelError(
            "RAG_WORKERS and RAG_RAY need the ray package. In the project's folder run: pip install -e '.[ray]'"
        )
    # Sums are rounded as they are shared out among threads: every worker has as many as this process.
    config = replace(config, threads=config.threads or count_physical_cores())
    local = SentenceEncoder.load(config, projection)
    # What is not the encoder's business stays on this machine.
    shared = replace(config, generator_key=None, server_token=None, milvus_token=None)
    return RayEncoder(local, partial(SentenceEncoder.load, shared, local.projection), config)


class RayEncoder:
    """An Encoder that has many passages encoded by other processes; a few, and questions, it encodes in this one.

    Each chunk is encoded as the encoder in this process would, so on processors of one kind every vector is the same.
    """

    def __init__(self, local: Encoder, make: Callable[[], Encoder], config: Config) -> None:
        """`make` is called in each worker, which must find the same encoder there as `local` is here."""
        self._local = local
        self._make = make
        self._config = config

    @property
    def name(self) -> str:
        return self._local.name

    @property
    def dimension(self) -> int:
        return self._local.dimension

    @property
    def max_tokens(self) -> int:
        return self._local.max_tokens

    @property
    def projection(self) -> Projection:
        return self._local.projection

    def describe(self) -> dict[str, object]:
        return self._local.describe()

    def warm(self) -> None:
        self._local.warm()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._local.count_tokens(texts)

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        """Vectors of the texts and of their tokens. Raises ModelError when the workers cannot be had, or fail."""
        chunks = arrange(texts)
        if role == "query" or len(chunks) <= 1:
            return self._local.encode(texts, role, progress)
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        tokens: list[Tokens] = [np.empty((0, 0, 0), np.int8)] * len(texts)
        done = 0
        with _connected(self._config):
            for number, encodings in self._spread([[texts[row] for row in rows] for rows in chunks]):
                rows = chunks[number]
                vectors[rows] = encodings.vectors
                for row, of_one in zip(rows, encodings.tokens, strict=True):
                    tokens[row] = of_one
                done += len(rows)
                if progress:
                    progress(done, len(texts))
        return Embeddings(vectors, tuple(tokens))

    def _spread(self, chunks: Sequence[Sequence[str]]) -> Iterator[tuple[int, Embeddings]]:
        """The number of each chunk and what was made of it, in the order in which they are done."""
        import ray.data

        pool = ray.data.ActorPoolStrategy(min_size=max(1, self._config.workers), max_size=self._config.workers or None)
        rows = [{"number": number, "texts": list(texts)} for number, texts in enumerate(chunks)]
        with warnings.catch_warnings():
            # Ray means to give the last argument another name, and has not yet.
            warnings.simplefilter("ignore", DeprecationWarning)
            encoded = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
                cast(Any, _Worker),
                fn_constructor_args=(self._make, self.describe(), _count_blas_threads()),
                compute=pool,
                num_cpus=self._config.threads or 1,
                max_task_retries=RETRIES,
            )
        for row in encoded.iter_rows():
            yield row["number"], self._read(row)

    def _read(self, row: dict[str, Any]) -> Embeddings:
        """What a worker sent."""
        vectors = np.frombuffer(row["vectors"], np.float32).reshape(-1, self.dimension)
        tokens = np.frombuffer(row["tokens"], np.int8).reshape(-1, *self.projection.token_shape)
        return Embeddings(vectors, tuple(np.split(tokens, np.cumsum(row["lengths"])[:-1])))


class _Worker:
    """What runs in a worker: an encoder, loaded once."""

    def __init__(self, make: Callable[[], Encoder], described: dict[str, object], blas_threads: int) -> None:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        self._encoder = make()
        self._limits = threadpool_limits(blas_threads, "blas")
        if self._encoder.describe() != described:
            raise ModelError("A worker has another encoder than the machine that builds. Fetch the same for both.")

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        encodings = self._encoder.encode(list(row["texts"]), "passage")
        return {
            "number": row["number"],
            "vectors": encodings.vectors.tobytes(),
            "tokens": np.concatenate(encodings.tokens).tobytes(),
            "lengths": [len(of_one) for of_one in encodings.tokens],
        }


def _count_blas_threads() -> int:
    """How many threads NumPy shares a product out among in this process."""
    from threadpoolctl import threadpool_info

    return max((int(pool["num_threads"]) for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)


@contextmanager
def _connected(config: Config) -> Iterator[None]:
    """A cluster while the context lasts: the configured one, or one of this machine alone, which ends with it."""
    # Ray reads these when it is imported. It would report what it is used for, and write over the bars of the shell.
    os.environ.update(
        RAY_USAGE_STATS_ENABLED="0",
        RAY_BACKEND_LOG_LEVEL="fatal",
        RAY_agent_register_timeout_ms=str(START_MILLISECONDS),
    )
    cores = config.workers * (config.threads or 1)
    where: dict[str, Any] = {"address": "local", "num_cpus": cores, "include_dashboard": False}
    try:
        if config.ray:
            where = {"address": _reach(config.ray)}
        else:
            # What keeps Ray to one machine elsewhere than on Linux, so that it listens on the loopback address alone.
            os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        import ray
        import ray.data

        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        ray.init(**where, log_to_driver=False, logging_level=logging.ERROR)
        try:
            context = ray.data.DataContext.get_current()
            context.enable_progress_bars = context.print_on_execution_start = False
            yield
        finally:
            ray.shutdown()
    except Exception as error:
        raise ModelError(
            f"Ray's workers on {config.ray or 'this machine'} failed: {_quote(error)}. "
            "Check RAG_RAY and RAG_WORKERS, or unset both to encode here."
        ) from error


def _reach(address: str) -> str:
    """The address, when somebody listens there: Ray itself would try for minutes. Raises OSError, ValueError."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    return address


def _quote(error: Exception) -> str:
    """What a worker failed at, without how it came there and what Ray advises."""
    text = str(error).strip()
    causes = re.findall(r"^[\w.]*[A-Z]\w+: (.+)$", text, re.MULTILINE)
    return textwrap.shorten((causes or [text or type(error).__name__])[0], QUOTED_CHARS).rstrip(".")
