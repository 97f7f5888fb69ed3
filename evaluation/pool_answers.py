"""Measure answers over a mixed pool: `python -m evaluation.pool_answers FOLDER [--questions N]`.

Use the first draw of mixed_pool.py. Ask questions in all its languages and, in the same run, ask them in the usual way
(naive.py). An answer is right if it contains one of the reference answers, in the language of the question or, because
a quote is in the language of its article, in that of the gold passage.
"""

import argparse
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluation.cases import read_lines
from evaluation.encoders import PlainEncoder
from evaluation.mixed_pool import Draw, Pool, PoolQuestion
from evaluation.naive import Naive
from evaluation.report import RESULTS, read_commit
from evaluation.run import open_corpus
from rag import Assistant, Config
from rag.encoding.encoder import SentenceEncoder
from rag.generation.llama import load_generator
from rag.reading.acceptance import says
from rag.reading.load import load_reader

QUESTIONS = 120
SEED = 0

Accepted = Mapping[tuple[str, str], Sequence[str]]
"""The reference answers by language and question text."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one question."""

    right: bool
    abstained: bool
    seconds: float


Ask = Callable[[str], tuple[str | None, float]]
"""A function that answers a question. Returns the text, or None if it abstained, and the seconds it took."""


def main() -> None:
    """Ask the questions, print the figures, and write them. None of the pool's text is written."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path, help="passages.<language>.jsonl and questions.<language>.jsonl")
    options.add_argument("--questions", type=int, default=QUESTIONS, help=f"questions to ask ({QUESTIONS})")
    chosen = options.parse_args()
    config = Config.from_env()
    pool = Pool.load(chosen.folder)
    draw = pool.draw(SEED)
    questions = random.Random(SEED).sample(pool.questions, chosen.questions)  # noqa: S311 - a draw to be repeated
    accepted = load_accepted(chosen.folder, pool, draw)
    encoder = SentenceEncoder.load(config)
    figures = {}
    with TemporaryDirectory() as folder:
        pool.write(draw, Path(folder))
        with open_corpus(Path(folder), config, encoder) as corpus:
            generator, reader = load_generator(config), load_reader(config)
            assistant = Assistant(config, corpus.index, encoder, generator, corpus.prompts, reader=reader)
            figures["here"] = summarise(ask_all(questions, accepted, make_ask(assistant)))
        with open_corpus(Path(folder), config, PlainEncoder.load(config, encoder.projection)) as plain:
            figures["naive"] = summarise(ask_all(questions, accepted, make_naive_ask(Naive(plain))))
    table = Table("", *figures, title=f"{len(questions)} questions over {len(draw.sources)} passages")
    for name in figures["here"]:
        table.add_row(name, *(f"{column[name]:.3f}" for column in figures.values()))
    Console().print(table)
    commit = read_commit()
    file = RESULTS / f"{commit.label}-pool-answers.json"
    facts = {"commit": asdict(commit), "pool": pool.checksum, "questions": len(questions), "figures": figures}
    file.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    Console().print(f"Written: {file}")


def load_accepted(folder: Path, pool: Pool, draw: Draw) -> Accepted:
    """Return the reference answers to each question, in its language and in that of its passage."""
    rows = {language: read_lines(folder / f"questions.{language}.jsonl") for language in pool.passages}
    given = {(language, row["id"]): row["answers"] for language, of_one in rows.items() for row in of_one}
    return {
        (language, row["question"]): [
            *row["answers"],
            *given[draw.languages[draw.sources[row["passage_id"]]], row["id"]],
        ]
        for language, of_one in rows.items()
        for row in of_one
    }


def ask_all(questions: Sequence[PoolQuestion], accepted: Accepted, ask: Ask) -> list[Outcome]:
    """Ask the questions one by one, and return the outcomes."""
    outcomes = []
    for question in track(questions, "Asking"):
        text, seconds = ask(question.question)
        variants = accepted[question.language, question.question]
        right = text is not None and any(says(text, variant) for variant in variants)
        outcomes.append(Outcome(right, text is None, seconds))
    return outcomes


def make_ask(assistant: Assistant) -> Ask:
    """Return a function that asks the assistant."""

    def ask(question: str) -> tuple[str | None, float]:
        answer = assistant.answer(question)
        return None if answer.abstained else answer.text, answer.timings["total"]

    return ask


def make_naive_ask(naive: Naive) -> Ask:
    """Return a function that asks in one prompt, which never abstains."""

    def ask(question: str) -> tuple[str | None, float]:
        reply = naive.ask(question)
        return reply.text, reply.times[-1]

    return ask


def summarise(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return the share of each outcome, and the median of the seconds for a question."""
    return {
        "right": fmean(one.right for one in outcomes),
        "abstained": fmean(one.abstained for one in outcomes),
        "wrong": fmean(not one.right and not one.abstained for one in outcomes),
        "seconds, median": median(one.seconds for one in outcomes),
    }


if __name__ == "__main__":
    main()
