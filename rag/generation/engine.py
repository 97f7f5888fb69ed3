"""A model in llama.cpp: tokens in, logits out. Besides this module, only the probe imports llama_cpp.

There is one sequence. Its state can be saved as bytes and restored exactly. Since nothing is evaluated beside it, the
same tokens always give the same logits, whatever came before.
"""

import ctypes
import logging
import weakref
from collections.abc import Sequence
from pathlib import Path

import llama_cpp
import numpy as np
from llama_cpp.llama_chat_format import Jinja2ChatFormatter
from numpy.typing import NDArray

from rag.errors import GenerationError, ModelError

logger = logging.getLogger(__name__)

MARK = "<<content>>"
LONGEST_PIECE = 512
"""The maximum length of a token, in bytes."""
VERSION = llama_cpp.__version__


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _log(level: int, text: bytes, data: object) -> None:  # noqa: ARG001
    logger.debug("%s", text.decode("utf-8", "replace").rstrip())


# By default, llama.cpp writes hundreds of lines for each model to standard error.
llama_cpp.llama_log_set(_log, None)


class Engine:
    """One model with the key-value cache of one sequence. Not safe to use from several threads at once."""

    def __init__(self, file: Path, context: int, batch: int, threads: int) -> None:
        """Load `file` with room for `context` tokens. Raises ModelError."""
        settings = llama_cpp.llama_model_default_params()
        self._model = llama_cpp.llama_model_load_from_file(str(file).encode(), settings)
        if not self._model:
            raise ModelError(
                f"The generator in {file} cannot be loaded. Check it with `rag models verify`, or set RAG_GENERATOR to "
                "another."
            )
        cache = llama_cpp.llama_context_default_params()
        cache.n_ctx, cache.n_batch, cache.n_ubatch, cache.n_seq_max = context, batch, batch, 1
        cache.n_threads = cache.n_threads_batch = threads
        self._context = llama_cpp.llama_init_from_model(self._model, cache)
        if not self._context:
            llama_cpp.llama_model_free(self._model)
            raise ModelError(
                f"There is not enough memory for {file} with a context of {context} tokens. Lower RAG_CONTEXT."
            )
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._model)
        self._batch = llama_cpp.llama_batch_init(batch, 0, 1)
        self._size = int(llama_cpp.llama_vocab_n_tokens(self._vocabulary))
        # Not at exit: the system frees the memory anyway, and a thread may still be using it.
        weakref.finalize(self, _free, self._batch, self._context, self._model).atexit = False
        self.file = file
        self.context = context
        self.batch = batch
        self.evaluated = 0
        """The number of tokens evaluated so far."""

    def read_frame(self) -> tuple[str, str]:
        """Return the text that the model's chat template puts before and after a user message. Raises ModelError."""
        from jinja2 import TemplateError

        template = llama_cpp.llama_model_chat_template(self._model, None)
        if not template:
            raise ModelError(
                f"{self.file} has no chat template, so it is not an instruct model. Set RAG_GENERATOR to another."
            )
        specials = (llama_cpp.llama_vocab_bos(self._vocabulary), llama_cpp.llama_vocab_eos(self._vocabulary))
        bos, eos = (
            llama_cpp.llama_vocab_get_text(self._vocabulary, token).decode() if token >= 0 else "" for token in specials
        )
        formatter = Jinja2ChatFormatter(template.decode(), eos_token=eos, bos_token=bos)
        try:
            head, tail = formatter(messages=[{"role": "user", "content": MARK}]).prompt.split(MARK)
        except (TemplateError, ValueError) as error:
            raise ModelError(
                f"The chat template of {self.file} cannot be used: {error}. Set RAG_GENERATOR to another model."
            ) from error
        return head, tail

    def tokenize(self, text: str, special: bool = False) -> list[int]:
        """Return the tokens of a text. The special tokens of the template are recognised in it only with `special`."""
        data = text.encode()
        room = len(data) + 1
        tokens = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self._vocabulary, data, len(data), tokens, room, False, special)
        return list(tokens[:count])

    def spell(self, token: int) -> bytes:
        """Return the bytes of a token, which may be part of a character. They are empty for special tokens."""
        piece = ctypes.create_string_buffer(LONGEST_PIECE)
        size = llama_cpp.llama_token_to_piece(self._vocabulary, token, piece, LONGEST_PIECE, 0, False)
        return piece.raw[: max(size, 0)]

    def is_end(self, token: int) -> bool:
        """Return whether a token ends the reply."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocabulary, token))

    def evaluate(self, position: int, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Evaluate one or more tokens and return the logits after the last one, of shape `(vocabulary,)`.

        `position` is the number of tokens before them. Raises GenerationError, which leaves the sequence unchanged.
        """
        for start in range(0, len(tokens), self.batch):
            part = tokens[start : start + self.batch]
            self._decode(position, position + start, part, last=start + self.batch >= len(tokens))
        row = llama_cpp.llama_get_logits_ith(self._context, -1)
        return np.array(np.ctypeslib.as_array(row, shape=(self._size,)), dtype=np.float32)

    def _decode(self, begun: int, position: int, tokens: Sequence[int], last: bool) -> None:
        batch = self._batch
        batch.n_tokens = len(tokens)
        for place, token in enumerate(tokens):
            batch.token[place] = token
            batch.pos[place] = position + place
            batch.n_seq_id[place] = 1
            batch.seq_id[place][0] = 0
            batch.logits[place] = last and place == len(tokens) - 1
        code = llama_cpp.llama_decode(self._context, batch)
        self.evaluated += len(tokens)
        if code:
            self.forget(begun)
            raise GenerationError(f"llama.cpp failed with code {code}. Ask again, or run `rag doctor`.")

    def forget(self, position: int = 0) -> None:
        """Remove the tokens from `position` on."""
        llama_cpp.llama_memory_seq_rm(self._memory, 0, position, -1)

    def save(self) -> bytes:
        """Return the keys and values of the tokens that were evaluated."""
        size = llama_cpp.llama_state_seq_get_size(self._context, 0)
        data = (ctypes.c_uint8 * size)()
        written = llama_cpp.llama_state_seq_get_data(self._context, data, size, 0)
        return bytes(memoryview(data)[:written])

    def restore(self, data: bytes) -> bool:
        """Restore a state from `save` into an empty sequence. Return False if it is of another model or too long."""
        buffer = (ctypes.c_uint8 * len(data)).from_buffer_copy(data)
        if llama_cpp.llama_state_seq_set_data(self._context, buffer, len(data), 0):
            return True
        self.forget()
        return False


def _free(batch: llama_cpp.llama_batch, context: ctypes.c_void_p, model: ctypes.c_void_p) -> None:
    llama_cpp.llama_batch_free(batch)
    llama_cpp.llama_free(context)
    llama_cpp.llama_model_free(model)
