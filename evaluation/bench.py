"""Speed as ratios, in one run, against plain use of the same libraries: `make bench`.

retrieval   Assistant.search against one bare SentenceTransformer.encode of the question
building    our encoder over passages against a bare SentenceTransformer.encode with its best batch size
answering   Assistant.ask against a bare llama_cpp chat completion of the same prompt, with as many threads
"""

import argparse
import json
import resource
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from rag import Assistant, Config
from rag.hardware import count_physical_cores
from rag.models import resolve
from rag.types import Generator, Reply

if TYPE_CHECKING:
    from llama_cpp import Llama
    from sentence_transformers import SentenceTransformer

CASES = Path(__file__).parent / "cases" / "articles.jsonl"
TEXTS = 240
ROUNDS = 2
Figures = dict[str, dict[str, float]]


def main() -> None:
    """Print the figures of this machine, as a table or as JSON."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--questions", type=int, default=20, help="how many questions are answered (20)")
    options.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = options.parse_args()
    config = Config.from_env()
    assistant = Assistant.load(config)
    assistant.warm()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    questions = [json.loads(line)["question"] for line in CASES.read_text(encoding="utf-8").splitlines()]
    bare_encoder = load_bare_encoder(config)
    figures = {
        "retrieval, ms": bench_retrieval(assistant, bare_encoder, questions),
        "building, passages a second": bench_building(assistant, bare_encoder),
        # Evenly over the file, so that every article and language has its share.
        **bench_answering(assistant, load_bare_generator(config), questions[:: len(questions) // chosen.questions]),
        "memory, MB": {"ours": peak},
    }
    print(json.dumps(figures, indent=2) if chosen.json else render(figures))


def load_bare_encoder(config: Config) -> "SentenceTransformer":
    """The encoder as its library's own documentation loads it."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(resolve(config.encoder, "encoder", config.cache)))


def load_bare_generator(config: Config) -> "Llama":
    """The generator likewise, but for the threads."""
    from llama_cpp import Llama

    file = resolve(config.generator, "generator", config.cache)
    return Llama(str(file), n_ctx=config.context, n_threads=config.threads or count_physical_cores(), verbose=False)


def bench_retrieval(
    assistant: Assistant, bare_encoder: "SentenceTransformer", questions: Sequence[str]
) -> dict[str, float]:
    """A whole retrieval beside the encoder's own call, question by question in turn."""
    ours, bare = [], []
    for question in questions:
        bare.append(1000 * clock(partial(bare_encoder.encode_query, question)))
        ours.append(1000 * clock(partial(assistant.search, question)))
    return compare(ours, bare)


def bench_building(assistant: Assistant, bare_encoder: "SentenceTransformer") -> dict[str, float]:
    """Passages a second, the best of several rounds, the bare loop with the best of several batch sizes."""
    sources = [file["source"] for file in assistant.index.manifest.files]
    passages = [passage.text for source in sources for passage in assistant.index.read_passages(source)[0]]
    texts = (passages * (TEXTS // len(passages) + 1))[:TEXTS]
    ours = min(clock(lambda: assistant.encoder.encode(texts, "passage")) for _ in range(ROUNDS))
    bare = min(
        clock(partial(bare_encoder.encode_document, texts, batch_size=size))
        for size in (16, 32, 64)
        for _ in range(ROUNDS)
    )
    return {"ours": TEXTS / ours, "bare": TEXTS / bare, "ratio": bare / ours}


def bench_answering(assistant: Assistant, bare: "Llama", questions: Sequence[str]) -> Figures:
    """Seconds to evidence, first word and end beside those of a bare completion of the last prompt."""
    recorder = Recorder(assistant.generator)
    listening = Assistant(assistant.config, assistant.index, assistant.encoder, recorder, assistant.prompts)
    ours = [(listening.answer(question).timings, complete(bare, recorder)) for question in questions]
    first = [timings.get("first_word", timings["total"]) for timings, _ in ours]
    whole = [timings["total"] for timings, _ in ours]
    return {
        "evidence, s": {"ours": median(timings["evidence"] for timings, _ in ours)},
        "first word, s": compare(first, [times[0] for _, times in ours]),
        "whole answer, s": compare(whole, [times[-1] for _, times in ours]),
    }


def complete(bare: Any, recorder: "Recorder") -> list[float]:
    """Seconds to each word of a bare completion of what the generator was last asked, and to its end."""
    bare.reset()
    start = time.perf_counter()
    messages = [{"role": "user", "content": recorder.prompt}]
    chunks = bare.create_chat_completion(messages, stream=True, temperature=0, max_tokens=recorder.max_tokens)
    return [time.perf_counter() - start for chunk in chunks if "role" not in chunk["choices"][0]["delta"]]


class Recorder:
    """A Generator that remembers what it was last asked."""

    def __init__(self, generator: Generator) -> None:
        self.name = generator.name
        self.prompt = ""
        self.max_tokens = 0
        self._generator = generator

    def warm(self) -> None:
        """As the generator does."""
        self._generator.warm()

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        """As the generator does."""
        self.prompt, self.max_tokens = prefix + suffix, max_tokens
        return self._generator.generate(prefix, suffix, max_tokens, stop)


def clock(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(ours: Sequence[float], bare: Sequence[float]) -> dict[str, float]:
    """Medians and 95th percentiles, and ours as a multiple of the bare ones."""
    return {
        "ours": median(ours),
        "bare": median(bare),
        "ratio": median(ours) / median(bare),
        "ours p95": np.percentile(ours, 95),
        "bare p95": np.percentile(bare, 95),
        "ratio p95": np.percentile(ours, 95) / np.percentile(bare, 95),
    }


def render(figures: Figures) -> str:
    """A table in Markdown."""
    columns = ("ours", "bare", "ratio", "ours p95", "bare p95", "ratio p95")
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, row in figures.items():
        cells = (f"{row[column]:.2f}" if column in row else "" for column in columns)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
