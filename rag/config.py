"""One flat, frozen Config. No other place reads the environment."""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self, get_args

from platformdirs import user_cache_path

from rag.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]
PREFIX = "RAG_"
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Every setting. Each can be given in the environment as `RAG_` and its name in capitals."""

    corpus: Path = ROOT / "seeds"
    """The folder of articles that an index is built over when none is named."""
    indexes: Path = ROOT / "indexes"
    """Where indexes are kept, one folder each."""
    index: str = "default"
    """Which of them is asked."""
    prompts: Path = ROOT / "prompts"
    cache: Path = field(default_factory=lambda: user_cache_path("rag-assistant"))
    """Where model files are kept."""
    encoder: str = "multilingual-e5-small"
    """A name in models.toml, a sentence-transformers folder, or a hub name `owner/model`."""
    encoder_precision: str = "float32"
    """Or `bfloat16`: on a processor that announces avx512_bf16 more than twice as fast, elsewhere slower."""
    workers: int = 0
    """Processes that encode a corpus through Ray; 0: this one alone, or all that the cluster of `ray` has room for."""
    ray: str | None = None
    """The address of a Ray cluster, such as `10.0.0.1:6379`; without one its processes are on this machine."""
    milvus: str | None = None
    """Where vectors are searched: a Milvus server, `http://host:19530`, or a file; by default in this process."""
    milvus_token: str | None = field(default=None, repr=False)
    """What such a server wants, as `user:password`."""
    generator: str = "qwen2.5-coder-1.5b"
    """A name in models.toml, a GGUF file, `owner/repository:file.gguf` on a hub, or `http://…/v1`; of several servers,
    separated by commas, one takes over when another fails."""
    generator_model: str | None = None
    """The model to ask for at a `http://…/v1` server; by default the first that it offers."""
    generator_key: str | None = field(default=None, repr=False)
    """The key that such a server wants."""
    generator_calls: int = 4
    """Questions that such servers are given at once; a model in this process is given one after the other."""
    server_token: str | None = field(default=None, repr=False)
    """What programs must show to `rag serve`; without one it serves this machine alone."""
    threads: int | None = None
    """Threads for the models; by default the physical cores that this process may use."""
    context: int = 4096
    """Tokens that the generator holds: those of a passage, a question and its reply."""
    state_megabytes: int = 1000
    """Disk for what the generator computed of passages, so that it reads each but once."""
    batch: int = 512
    """Tokens of a prompt that are evaluated at once."""
    passage_tokens: int = 160
    """The longest passage, in the encoder's tokens."""
    hits: int = 8
    """Passages that a question retrieves."""
    reads: int = 3
    """Passages that are read for an answer."""
    seconds: float = 20.0
    """From then on no further passage is read."""
    caution: float = 0.0
    """How much more it takes to answer than was found best; below 0, less. In units of the generator's log-odds."""
    max_answer_tokens: int = 80
    max_question_chars: int = 2000

    def __post_init__(self) -> None:
        for name in (
            "context",
            "batch",
            "generator_calls",
            "state_megabytes",
            "passage_tokens",
            "hits",
            "reads",
            "max_answer_tokens",
            "max_question_chars",
        ):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, not {getattr(self, name)}. Set {PREFIX}{name.upper()}.")
        for name in ("seconds", "caution"):
            if not math.isfinite(getattr(self, name)):
                raise ConfigError(
                    f"{name} must be a finite number, not {getattr(self, name)}. Set {PREFIX}{name.upper()}."
                )
        if self.encoder_precision not in PRECISIONS:
            raise ConfigError(
                f"encoder_precision must be {' or '.join(PRECISIONS)}, not “{self.encoder_precision}”. "
                f"Set {PREFIX}ENCODER_PRECISION."
            )
        if not re.fullmatch(r"[\w-]+", self.index):
            raise ConfigError(
                f"An index's name is made of letters, digits, _ and -, not “{self.index}”. Choose another."
            )
        if self.workers < 0:
            raise ConfigError(f"workers must be at least 0, not {self.workers}. Set {PREFIX}WORKERS.")
        if self.threads is not None and self.threads < 1:
            raise ConfigError(f"threads must be at least 1, not {self.threads}. Set {PREFIX}THREADS.")

    @property
    def is_remote(self) -> bool:
        """Whether the generator is a server."""
        return self.generator.lower().startswith(("http://", "https://"))

    @classmethod
    def from_env(cls, environment: Mapping[str, str] = os.environ, **given: Any) -> Self:
        """Settings from `RAG_…` variables, empty ones left out; those given by keyword, unless None, win.

        Raises ConfigError for a variable that names no setting or holds no usable value.
        """
        known = {setting.name: setting.type for setting in fields(cls)}
        settings: dict[str, Any] = {}
        for variable, value in environment.items():
            if not variable.startswith(PREFIX):
                continue
            name = variable.removeprefix(PREFIX).lower()
            if name not in known:
                raise ConfigError(f"{variable} names no setting. Known are: {', '.join(sorted(known))}.")
            if value:
                settings[name] = _convert(variable, value, known[name])
        settings.update({name: value for name, value in given.items() if value is not None})
        return cls(**settings)


def _convert(variable: str, value: str, kind: Any) -> object:
    kinds = get_args(kind) or (kind,)
    for number, said in ((int, "a whole number"), (float, "a number")):
        if number in kinds:
            try:
                return number(value)
            except ValueError:
                raise ConfigError(f"{variable} must be {said}, not “{value}”.") from None
    return Path(value).expanduser() if Path in kinds else value
