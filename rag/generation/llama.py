"""The generator in this process: prompts to streamed replies, and to the odds of a reply."""

import codecs
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rag.config import Config
from rag.errors import GenerationError
from rag.generation.cache import StateCache, name_subject
from rag.generation.remote import RemoteGenerator
from rag.hardware import count_physical_cores
from rag.models import registry
from rag.protocols import Generator
from rag.types import Reply

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.generation.engine import Engine

RECENT = 5
"""The number of prefixes whose states stay in memory: one more than the passages that a question usually reads."""


class _Prefix(NamedTuple):
    """The part of a prompt before the question."""

    subject: str
    """The name of its text, by which its states are found and removed when an article is removed."""
    tokens: list[int]


def load_generator(config: Config) -> Generator:
    """Return the configured generator: on servers if their addresses are configured, or else in this process.

    In this process, the model is loaded when it is first used or warmed. That raises ModelMissing if its files are not
    there, and ModelError if they cannot be used.
    """
    if config.is_remote:
        return RemoteGenerator.connect(
            config.generator, config.generator_model, config.generator_key, config.generator_calls
        )
    return LlamaGenerator(config)


class LlamaGenerator:
    """A Generator over a GGUF file, which is loaded when it is first needed. It serves one caller at a time.

    The state of a prefix is kept in memory for a while, and on disk; restored, it is exactly the same. Prompts are
    evaluated one at a time, so a reply does not depend on the prompts before it. Evaluating them together would take
    as long, since arithmetic is the bottleneck.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._states = StateCache.from_config(config)
        self._lock = threading.Lock()
        self._held: list[int] = []
        """The tokens in the engine's sequence."""
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        """States of prefixes by name, the most recently used at the end."""

    @property
    def name(self) -> str:
        return self._config.generator

    def identify(self) -> str:
        return self._identity

    def warm(self) -> None:
        with self._lock:
            _ = self._engine, self._frame

    def prepare(self, prefix: str) -> None:
        with self._lock:
            start = self._tokenize_prefix(prefix)
            if not self._states.has(self._name_state(start)):
                self._hold(start)

    def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
        with self._lock:
            one, other = (self._engine.tokenize(reply)[0] for reply in replies)
            rest = self._tokenize_suffix(suffix)
            odds = []
            for start in map(self._tokenize_prefix, prefixes):
                self._check_length(len(start.tokens) + len(rest), 0)
                self._hold(start)
                logits = self._evaluate(rest)
                odds.append(float(logits[one] - logits[other]))
            return odds

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        with self._lock:
            start, rest = self._tokenize_prefix(prefix), self._tokenize_suffix(suffix)
            self._check_length(len(start.tokens) + len(rest), max_tokens)
            yield from _cut(_decode(self._speak(start, rest, max_tokens)), stop)

    @cached_property
    def _file(self) -> Path:
        return registry.resolve(self._config.generator, "generator", self._config.cache)

    @cached_property
    def _identity(self) -> str:
        facts = self._file.stat()
        return f"{self._file.resolve()} {facts.st_size} {facts.st_mtime_ns}"

    @cached_property
    def _engine(self) -> "Engine":
        from rag.generation.engine import Engine

        threads = self._config.threads or count_physical_cores()
        return Engine(self._file, self._config.context, self._config.batch, threads)

    @cached_property
    def _frame(self) -> tuple[list[int], list[int]]:
        """The tokens that the model's chat template puts before and after a user message."""
        head, tail = self._engine.read_frame()
        return self._engine.tokenize(head, special=True), self._engine.tokenize(tail, special=True)

    # Special tokens are recognised in the template only: in an article or a question they are text.
    # The parts are tokenised separately, so that the tokens of the prefix do not depend on the suffix.
    def _tokenize_prefix(self, prefix: str) -> "_Prefix":
        return _Prefix(name_subject(prefix), [*self._frame[0], *self._engine.tokenize(prefix)])

    def _tokenize_suffix(self, suffix: str) -> list[int]:
        return [*self._engine.tokenize(suffix), *self._frame[1]]

    def _check_length(self, prompt: int, reply: int) -> None:
        if prompt + reply > self._engine.context:
            raise GenerationError(
                f"The prompt has {prompt} tokens, too many for a context of {self._engine.context} with {reply} for "
                "the reply. Increase RAG_CONTEXT or ask a shorter question."
            )

    def _speak(self, prefix: "_Prefix", suffix: list[int], max_tokens: int) -> Iterator[bytes]:
        """Yield the pieces of the greedy reply."""
        self._hold(prefix)
        logits = self._evaluate(suffix)
        for left in range(max_tokens - 1, -1, -1):
            token = int(logits.argmax())
            if self._engine.is_end(token):
                return
            yield self._engine.spell(token)
            if left:
                logits = self._evaluate([token])

    def _hold(self, prefix: "_Prefix") -> None:
        """Make the engine's sequence this prefix: unchanged, restored, or evaluated and then kept."""
        tokens = prefix.tokens
        if self._held[: len(tokens)] == tokens:
            self._shorten(len(tokens))
            return
        self._shorten(0)
        name = self._name_state(prefix)
        kept = self._recent.get(name) or self._states.get(name)
        if kept and self._engine.restore(kept):
            self._held = tokens
        else:
            self._evaluate(tokens)
            kept = self._engine.save()
            self._states.put(name, kept)
        self._recent[name] = kept
        self._recent.move_to_end(name)
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)

    def _evaluate(self, tokens: list[int]) -> "NDArray[np.float32]":
        """Append tokens to the engine's sequence and return the logits after the last one, of shape `(vocabulary,)`."""
        logits = self._engine.evaluate(len(self._held), tokens)
        self._held = [*self._held, *tokens]
        return logits

    def _shorten(self, length: int) -> None:
        self._engine.forget(length)
        self._held = self._held[:length]

    def _name_state(self, prefix: "_Prefix") -> str:
        """Return a name that is unique to the text, the model, the build of llama.cpp and the batch size."""
        return f"{prefix.subject}-{hashlib.sha256(f'{self._build} {prefix.tokens}'.encode()).hexdigest()}"

    @cached_property
    def _build(self) -> str:
        from rag.generation.engine import VERSION

        return f"{VERSION} {self._identity} {self._config.batch}"


def _decode(pieces: Iterator[bytes]) -> Iterator[str]:
    """Yield complete characters, which may be spread over several tokens."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
    for piece in pieces:
        if text := decoder.decode(piece):
            yield text


def _cut(pieces: Iterator[str], stop: Sequence[str]) -> Iterator[str]:
    """Yield the text before the first of `stop`. What may be the beginning of one is held back until that is clear."""
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
