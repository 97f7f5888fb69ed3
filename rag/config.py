"""The settings of the assistant. No other module reads the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from platformdirs import user_cache_path, user_data_path
from pydantic import BeforeValidator, Field, FiniteFloat, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from rag.errors import ConfigError

PREFIX = "RAG_"
APPLICATION = "rag-assistant"
"""The name of this program's folders among a user's data and caches."""
PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent
"""The project's folder, in a checkout."""
IS_INSTALLED = (PACKAGE / "prompts").is_dir()
"""True in an installed wheel, which carries the prompts in the package; in a checkout they lie beside it."""
PROBLEMS = {
    "int_parsing": "{variable} must be a whole number, not “{value}”.",
    "int_from_float": "{variable} must be a whole number, not {value}.",
    "float_parsing": "{variable} must be a number, not “{value}”.",
    "finite_number": "{variable} must be a finite number, not {value}.",
    "greater_than_equal": "{variable} must be at least {ge}, not {value}.",
    "literal_error": "{variable} must be {expected}, not “{value}”.",
    "string_pattern_mismatch": "{variable} must consist of letters, digits, _ and -, not “{value}”.",
}
"""Sentences for the errors of pydantic that a user can cause."""


def say_install(extra: str, packages: str) -> str:
    """Return the sentence that says how to install an extra of this project, which consists of `packages`."""
    # Not `rag-assistant[extra]`: in the Python package index, this name belongs to another project.
    return (
        f"Run: pip install {packages}" if IS_INSTALLED else f"In the project's folder run: pip install -e '.[{extra}]'"
    )


def _find_folder(value: str | Path) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError as error:  # `~name` of a user that does not exist.
        raise ValueError(str(error)) from error


Folder = Annotated[Path, BeforeValidator(_find_folder)]
Count = Annotated[int, Field(ge=1)]


class Config(BaseSettings):
    """All settings, immutable.

    `Config(…)` takes settings by keyword and ignores the environment. `Config.from_env` reads the environment too.

    The environment variable of a setting is `RAG_` followed by its name in capitals. A value that cannot be used
    raises ConfigError.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    corpus: Folder = Field(default_factory=lambda: (Path.cwd() if IS_INSTALLED else ROOT) / "seeds")
    """The folder that `rag index` reads when none is named.

    By default `seeds` in the project's folder, or in the current folder if the package was installed from a wheel.
    """
    indexes: Folder = Field(default_factory=lambda: (user_data_path(APPLICATION) if IS_INSTALLED else ROOT) / "indexes")
    """The folder of all indexes, each in a folder of its own.

    By default `indexes` in the project's folder, or in the user's data folder if the package was installed from a
    wheel.
    """
    index: str = Field(default="default", pattern=r"^[\w-]+$")
    """The name of the index to use."""
    prompts: Folder = (PACKAGE if IS_INSTALLED else ROOT) / "prompts"
    """The folder of prompts and of the texts of the page.

    By default `prompts` in the project's folder, or the copy in the package if it was installed from a wheel.
    """
    cache: Folder = Field(default_factory=lambda: user_cache_path(APPLICATION))
    """The folder of model files and of everything that can be computed again."""
    encoder: str = "multilingual-e5-small"
    """A name in models.toml, a sentence-transformers folder, or a hub name `owner/model`."""
    encoder_precision: Literal["float32", "bfloat16", "int8"] | None = None
    """The precision of the encoder. With `int8`, passages are encoded with eight-bit weights, and questions with
    float32; this is the default for an encoder that loses nothing by it, on a processor that is faster with it.
    Otherwise it is `float32`. `bfloat16` is more than twice as fast on processors with avx512_bf16, and slower on
    others."""
    workers: int = Field(default=0, ge=0)
    """The number of Ray processes that encode a corpus. 0 means this process alone, or, with `ray`, as many as the
    cluster has room for."""
    ray: str | None = None
    """The address of a Ray cluster, such as `10.0.0.1:6379`. Without it, Ray runs on this machine."""
    milvus: str | None = None
    """The Milvus server, `http://host:19530`, or Milvus file in which vectors are searched. By default, this process
    searches them."""
    milvus_token: str | None = Field(default=None, repr=False)
    """The credentials for the Milvus server, as `user:password`."""
    reader: Literal["shipped", "none"] = "none"
    """The reader that finds the passages and words that answer a question. With `none`, the generator judges passages
    alone."""
    generator: str = "qwen2.5-coder-1.5b"
    """A name in models.toml, a GGUF file, `owner/repository:file.gguf` on a hub, or a server, `http://…/v1`. Several
    servers are separated by commas; when one fails, another takes over."""
    generator_model: str | None = None
    """The model to request from the generator's server. By default, the first that it offers."""
    generator_key: str | None = Field(default=None, repr=False)
    """The API key for the generator's server."""
    generator_calls: Count = 4
    """The number of simultaneous calls to the generator's servers. A model in this process takes one at a time."""
    server_token: str | None = Field(default=None, repr=False)
    """The token that clients of `rag serve` must send. Without it, the server accepts this machine only."""
    threads: Count | None = None
    """The number of threads for the models. By default, the number of physical cores that this process may use."""
    context: Count = 4096
    """The size of the generator's context in tokens: a passage, a question and the reply must fit."""
    state_megabytes: Count = 1000
    """The disk space for the generator's key-value cache of passages, in megabytes. With it, each passage is evaluated
    only once."""
    batch: Count = 512
    """The number of prompt tokens that are evaluated at once."""
    passage_tokens: Count = 160
    """The maximum length of a passage, in tokens of the encoder."""
    hits: Count = 8
    """The number of passages to retrieve for a question."""
    reads: Count = 3
    """The number of passages to read for an answer."""
    seconds: FiniteFloat = 20.0
    """The time after which no further passage is read, in seconds."""
    caution: FiniteFloat = 0.0
    """Added to the measured threshold of evidence for an answer, in log-odds. Positive values make answers rarer, and
    negative values make them more frequent."""
    max_answer_tokens: Count = 80
    """The maximum length of a generated statement, in tokens."""
    max_question_chars: Count = 2000
    """The maximum length of a question, in characters."""

    @property
    def is_remote(self) -> bool:
        """True if the generator is a server."""
        return self.generator.lower().startswith(("http://", "https://"))

    @classmethod
    def from_env(cls, environment: Mapping[str, str] = os.environ, **given: Any) -> Self:
        """Return the settings in the environment, overridden by keyword arguments other than None.

        Empty variables are ignored. Raises ConfigError for a variable that is not a setting or has an unusable value.
        """
        variables = {variable.lower(): value for variable, value in environment.items() if variable.startswith(PREFIX)}
        if unknown := {variable.removeprefix(PREFIX.lower()) for variable in variables} - cls.model_fields.keys():
            raise ConfigError(_refuse(min(unknown)))
        source = EnvSettingsSource(cls)
        source.env_vars = {variable: value for variable, value in variables.items() if value}
        return cls(**{**source(), **{name: value for name, value in given.items() if value is not None}})

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some settings changed. Raises ConfigError."""
        return type(self)(**{**dict(self), **changes})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        *_: Any,
        **__: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use only the constructor's arguments, so that settings given in code do not vary with the environment."""
        return (init_settings,)

    @model_validator(mode="wrap")
    @classmethod
    def _translate(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(values)
        except ValidationError as error:
            # The cause is dropped because it repeats all values, including secrets.
            raise ConfigError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return _refuse(name)
    facts = {"variable": f"{PREFIX}{name.upper()}", "value": first["input"], **first.get("ctx", {})}
    problem = PROBLEMS.get(first["type"], "{variable} cannot be used: {message}. Correct or unset it.")
    return problem.format(message=first["msg"], **facts)


def _refuse(name: str) -> str:
    known = ", ".join(f"{PREFIX}{field.upper()}" for field in sorted(Config.model_fields))
    return f"{PREFIX}{name.upper()} is not a setting. The settings are: {known}."
