"""The usual stack, for comparison: the five nearest passages by plain cosine similarity in one prompt."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llama_cpp import Llama

from rag import Assistant, Hit
from rag.hardware import count_physical_cores
from rag.models.registry import resolve
from rag.text.language import detect, name_of

PASSAGES = 5
PROMPT = """Answer the question from these sources.

{sources}

Question: {question}
Answer in {language}, in one short sentence."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, the passages that it was made from, and its timing."""

    text: str
    hits: tuple[Hit, ...]
    """The passages in the prompt."""
    times: tuple[float, ...]
    """Seconds from the question to each word and to the end."""


class Naive:
    """One prompt with all passages that an assistant finds, as in most tutorials."""

    def __init__(self, assistant: Assistant) -> None:
        """Use the assistant for retrieval only. Its encoder should be the plain one."""
        self._assistant = assistant
        config = assistant.config
        file = resolve(config.generator, "generator", config.cache)
        threads = config.threads or count_physical_cores()
        self._model = Llama(str(file), n_ctx=config.context, n_threads=threads, verbose=False)

    def ask(self, question: str) -> Reply:
        """Return the complete reply to a question, from one prompt with the passages retrieved."""
        start = time.perf_counter()
        hits = self._assistant.search(question, PASSAGES)
        language = name_of(detect(question).code, "en")
        prompt = PROMPT.format(sources=_list(hits), question=question, language=language)
        chunks: Any = self._model.create_chat_completion(
            [{"role": "user", "content": prompt}],
            stream=True,
            temperature=0,
            max_tokens=self._assistant.config.max_answer_tokens,
        )
        words, times = [], []
        for chunk in chunks:
            delta = chunk["choices"][0]["delta"]
            if "role" not in delta:
                words.append(delta.get("content", ""))
                times.append(time.perf_counter() - start)
        return Reply("".join(words), hits, tuple(times))


def _list(hits: Sequence[Hit]) -> str:
    return "\n\n".join(f"[{hit.rank}] {hit.passage.text}" for hit in hits)
