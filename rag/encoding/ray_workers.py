"""Encodes a corpus with the workers of a Ray cluster. No other module imports ray."""

import logging
import os
import re
import socket
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np

from rag.config import Config
from rag.encoding.transformer import arrange
from rag.errors import ModelError
from rag.protocols import Encoder
from rag.types import Embeddings, EncoderSettings, Progress, Projection, Role, Tokens

CONNECT_SECONDS = 5
START_MILLISECONDS = 300_000
"""How long Ray waits for its own processes to start. On a busy machine its default, half a minute, is too short."""
RETRIES = 3
"""How often a group of texts is given to another worker when its worker dies. It is bounded because a text may kill
every worker."""
QUOTED_CHARS = 400


class RayEncoder:
    """An Encoder that spreads many passages over worker processes; a few passages, and questions, it encodes itself.

    A worker encodes a group of texts as this process would, so on processors of one kind all vectors are identical.
    """

    def __init__(self, local: Encoder, make: Callable[[], Encoder], config: Config) -> None:
        """`make` is called in each worker. It must return an encoder that is equal to `local`."""
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

    @property
    def settings(self) -> EncoderSettings:
        return self._local.settings

    def describe(self) -> dict[str, object]:
        return self._local.describe()

    def warm(self) -> None:
        self._local.warm()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._local.count_tokens(texts)

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        """Return the vectors of texts and of their tokens. Raises ModelError if the workers do not start or fail."""
        groups = arrange(texts)
        if role == "query" or len(groups) <= 1:
            return self._local.encode(texts, role, progress)
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        tokens: list[Tokens] = [np.empty((0, 0, 0), np.int8)] * len(texts)
        done = 0
        with _connected(self._config):
            for number, embeddings in self._spread([[texts[row] for row in rows] for rows in groups]):
                rows = groups[number]
                vectors[rows] = embeddings.vectors
                for row, of_text in zip(rows, embeddings.tokens, strict=True):
                    tokens[row] = of_text
                done += len(rows)
                if progress:
                    progress(done, len(texts))
        return Embeddings(vectors, tuple(tokens))

    def _spread(self, groups: Sequence[Sequence[str]]) -> Iterator[tuple[int, Embeddings]]:
        """Yield the number and the embeddings of each group, in the order in which they are finished."""
        import ray.data

        pool = ray.data.ActorPoolStrategy(min_size=max(1, self._config.workers), max_size=self._config.workers or None)
        rows = [{"number": number, "texts": list(texts)} for number, texts in enumerate(groups)]
        with warnings.catch_warnings():
            # Ray plans to rename the argument `max_task_retries` but has not done so.
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
        """Return the embeddings in a worker's reply."""
        vectors = np.frombuffer(row["vectors"], np.float32).reshape(-1, self.dimension)
        tokens = np.frombuffer(row["tokens"], np.int8).reshape(-1, *self.projection.token_shape)
        return Embeddings(vectors, tuple(np.split(tokens, np.cumsum(row["lengths"])[:-1])))


class _Worker:
    """An encoder in a worker process, loaded once."""

    def __init__(self, make: Callable[[], Encoder], description: dict[str, object], blas_threads: int) -> None:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        self._encoder = make()
        self._limits = threadpool_limits(blas_threads, "blas")
        if self._encoder.describe() != description:
            raise ModelError("A worker has a different encoder than this machine. Fetch the same encoder on both.")

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        embeddings = self._encoder.encode(list(row["texts"]), "passage")
        return {
            "number": row["number"],
            "vectors": embeddings.vectors.tobytes(),
            "tokens": np.concatenate(embeddings.tokens).tobytes(),
            "lengths": [len(of_text) for of_text in embeddings.tokens],
        }


def _count_blas_threads() -> int:
    """Return the number of threads that NumPy uses for a matrix product in this process."""
    from threadpoolctl import threadpool_info

    return max((int(pool["num_threads"]) for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)


@contextmanager
def _connected(config: Config) -> Iterator[None]:
    """Connect to the configured cluster, or run one on this machine, while the context lasts."""
    # Ray reads these when it is imported. Otherwise it would report its use to its makers and write over the progress
    # bars of the shell.
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
            # Limits Ray to this machine on other systems than Linux, so that it listens on the loopback address only.
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
            "Check RAG_RAY and RAG_WORKERS, or unset both to encode in this process."
        ) from error


def _reach(address: str) -> str:
    """Return the address if something listens there, since Ray itself would try for minutes.

    Raises OSError and ValueError.
    """
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    return address


def _quote(error: Exception) -> str:
    """Return the message of the error in a worker, without the traceback and the advice that Ray adds."""
    text = str(error).strip()
    causes = re.findall(r"^[\w.]*[A-Z]\w+: (.+)$", text, re.MULTILINE)
    return textwrap.shorten((causes or [text or type(error).__name__])[0], QUOTED_CHARS).rstrip(".")
