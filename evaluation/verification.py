"""Measure how often statements are verified correctly: `python -m evaluation.verification` prints the tables."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from evaluation.cases import Half, Pair, half_of, load_pairs
from evaluation.encoders import CachingEncoder
from evaluation.run import ARTICLES
from rag import Config, Passage, verify
from rag.encoding.encoder import SentenceEncoder
from rag.ingest.documents import File, read, walk
from rag.ingest.splitting import cut
from rag.protocols import Encoder
from rag.types import Document
from rag.verification.verdict import Outcome

TRUE = "none"
HALVES: tuple[Half, ...] = ("development", "held-back")

Outcomes = dict[str, Counter[Outcome]]
"""For each kind of corruption, the number of statements with each outcome."""


def main() -> None:
    """Print the tables of both halves, with the encoder and without."""
    config = Config.from_env()
    encoder = CachingEncoder(SentenceEncoder.load(config))
    passages = cut_articles(ARTICLES, config.passage_tokens, encoder)
    pairs = load_pairs()
    for half in HALVES:
        chosen = [pair for pair in pairs if half_of(pair.fact) == half]
        for title, judge in (("with the encoder", encoder), ("without", None)):
            print(f"\n## {half}, {title}\n\n{render(measure(chosen, passages, judge))}")


def cut_articles(folder: Path, passage_tokens: int, encoder: Encoder) -> dict[str, list[Passage]]:
    """Return the passages of each source, as an index would hold them."""
    documents = [
        document
        for file in walk([folder.resolve()])
        if isinstance(file, File) and isinstance(document := read(file), Document)
    ]
    return {document.source: cut(document, passage_tokens, encoder.count_tokens) for document in documents}


def measure(pairs: Iterable[Pair], passages: Mapping[str, list[Passage]], encoder: Encoder | None) -> Outcomes:
    """Verify each statement against the passage with its gold words, and count the outcomes."""
    outcomes: Outcomes = {}
    for pair in pairs:
        passage = next(passage for passage in passages[pair.source] if pair.gold in passage.text)
        verdict = verify(pair.statement, passage, pair.question, encoder)
        outcomes.setdefault(pair.corruption, Counter())[verdict.outcome] += 1
    return outcomes


def precision(outcomes: Outcomes) -> float:
    """Return the share of true statements among those called supported; 1.0 if there are none."""
    called = sum(counts["supported"] for counts in outcomes.values())
    return outcomes[TRUE]["supported"] / called if called else 1.0


def render(outcomes: Outcomes) -> str:
    """Return a Markdown table: how many statements of each corruption were caught, and how many true ones passed."""
    lines = ["| | statements | supported | unsupported | undecided | right |", "|---" * 6 + "|"]
    for kind in sorted(outcomes, key=lambda kind: (kind != TRUE, kind)):
        counts = outcomes[kind]
        right = counts["supported"] if kind == TRUE else counts.total() - counts["supported"]
        lines.append(
            f"| {'true' if kind == TRUE else kind} | {counts.total()} | {counts['supported']} | "
            f"{counts['unsupported']} | {counts['undecided']} | {right / counts.total():.2f} |"
        )
    lines.append(f"\nprecision of `supported` {precision(outcomes):.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
