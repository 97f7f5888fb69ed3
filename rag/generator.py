"""Prompts to streams of text, through llama.cpp. No other room imports llama_cpp."""

import codecs
import ctypes
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rag import models
from rag.config import Config
from rag.errors import GenerationError, ModelError
from rag.hardware import count_physical_cores
from rag.remote import RemoteGenerator
from rag.types import Generator, Reply

if TYPE_CHECKING:
    from llama_cpp import Llama

logger = logging.getLogger(__name__)

MARK = "<<content>>"
LONGEST_PIECE = 512
"""Bytes of a single token."""


def load_generator(config: Config) -> Generator:
    """The configured generator: a server when it is named by its address, else a model in this process.

    Its files are looked for when it is first used or warmed: ModelMissing when they are not there, ModelError when
    they cannot be used.
    """
    if config.is_remote:
        return RemoteGenerator.connect(config.generator, config.generator_model, config.generator_key)
    return LlamaGenerator(config)


class LlamaGenerator:
    """A Generator over a GGUF file, which is read when it is first needed. One caller at a time; the others wait."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._config.generator

    def warm(self) -> None:
        with self._lock:
            _ = self._model, self._frame

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        with self._lock:
            prompt = self._tokenize(prefix, suffix)
            if len(prompt) + max_tokens > self._model.n_ctx():
                raise GenerationError(
                    f"The prompt has {len(prompt)} tokens, too many for a context of {self._model.n_ctx()} with "
                    f"{max_tokens} for the reply. Raise RAG_CONTEXT or ask a shorter question."
                )
            yield from _cut(_decode(self._run(prompt, max_tokens)), stop)

    @cached_property
    def _file(self) -> Path:
        return models.resolve(self._config.generator, "generator", self._config.cache)

    @cached_property
    def _model(self) -> "Llama":
        from llama_cpp import Llama

        config = self._config
        threads = config.threads or count_physical_cores()
        try:
            return Llama(
                str(self._file),
                n_ctx=config.context,
                n_batch=config.batch,
                n_ubatch=config.batch,
                n_threads=threads,
                n_threads_batch=threads,
                verbose=False,
            )
        except (ValueError, RuntimeError, OSError) as error:
            raise ModelError(
                f"The generator in {self._file} cannot be loaded: {error}. "
                "Check it with `rag models verify`, or name another with RAG_GENERATOR."
            ) from error

    @cached_property
    def _frame(self) -> tuple[str, str]:
        """What the model's own chat template puts before and after what the user says."""
        return _read_frame(self._model, self._file)

    def _tokenize(self, prefix: str, suffix: str) -> list[int]:
        # Only the template's own text may hold special tokens: what an article or a question says is text.
        # The parts are tokenised apart, so that those of the prefix do not depend on the suffix.
        head, tail = self._frame
        return [
            *self._model.tokenize(head.encode(), add_bos=False, special=True),
            *self._model.tokenize(prefix.encode(), add_bos=False, special=False),
            *self._model.tokenize(suffix.encode(), add_bos=False, special=False),
            *self._model.tokenize(tail.encode(), add_bos=False, special=True),
        ]

    def _detokenize(self, token: int) -> bytes:
        import llama_cpp

        # The library's own way drops whole words of scripts that take three bytes a letter: its buffer has 32.
        piece = ctypes.create_string_buffer(LONGEST_PIECE)
        size = llama_cpp.llama_token_to_piece(self._model._model.vocab, token, piece, LONGEST_PIECE, 0, False)
        return piece.raw[: max(size, 0)]

    def _run(self, prompt: list[int], max_tokens: int) -> Iterator[bytes]:
        """Pieces of the reply. The longest beginning shared with the last prompt is not evaluated again."""
        import llama_cpp

        vocabulary = self._model._model.vocab
        try:
            with closing(self._model.generate(prompt, temp=0.0, repeat_penalty=1.0)) as tokens:
                for count, token in enumerate(tokens, start=1):
                    if llama_cpp.llama_vocab_is_eog(vocabulary, token):
                        return
                    yield self._detokenize(token)
                    if count == max_tokens:
                        return
        except (RuntimeError, ValueError) as error:
            self._model.reset()  # type: ignore[no-untyped-call]
            raise GenerationError(
                f"The generator {self.name} failed: {error}. Ask again, or see `rag doctor`."
            ) from error


def _read_frame(model: "Llama", file: Path) -> tuple[str, str]:
    from jinja2 import TemplateError
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter

    template = model.metadata.get("tokenizer.chat_template")
    if template is None:
        raise ModelError(f"{file} has no chat template, so it is no instruct model. Name another with RAG_GENERATOR.")
    bos, eos = (
        model._model.token_get_text(token) if token >= 0 else "" for token in (model.token_bos(), model.token_eos())
    )
    formatter = Jinja2ChatFormatter(template, eos_token=eos, bos_token=bos)
    try:
        head, tail = formatter(messages=[{"role": "user", "content": MARK}]).prompt.split(MARK)
    except (TemplateError, ValueError) as error:
        raise ModelError(
            f"The chat template of {file} cannot be used: {error}. Name another with RAG_GENERATOR."
        ) from error
    return head, tail


def _decode(pieces: Iterator[bytes]) -> Iterator[str]:
    """Whole characters: one may be spread over several tokens."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
    for piece in pieces:
        if text := decoder.decode(piece):
            yield text


def _cut(pieces: Iterator[str], stop: Sequence[str]) -> Iterator[str]:
    """The text before the first of `stop`; what may be the beginning of one is held back until it is plain."""
    held = ""
    for piece in pieces:
        held += piece
        found = [at for at in (held.find(mark) for mark in stop) if at >= 0]
        if found:
            yield held[: min(found)]
            return
        keep = max((n for mark in stop for n in range(1, len(mark)) if held.endswith(mark[:n])), default=0)
        ready, held = (held[:-keep], held[-keep:]) if keep else (held, "")
        if ready:
            yield ready
    if held:
        yield held
