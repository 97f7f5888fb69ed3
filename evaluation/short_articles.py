"""Measure quotes from short articles: `python -m evaluation.short_articles [--development]`.

Each article names its subject once. All forty articles are in one index. A quote is right if it holds all of the
answering words. Words that a reader marks in it are right if at least half of them, as an F1 score over characters, are
the answering words.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args

from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluation.cases import Half, ShortArticle, ShortQuestion, half_of, load_short
from evaluation.run import open_corpus
from rag import Answer, Assistant, Config
from rag.encoding.load import load_encoder
from rag.generation.llama import load_generator
from rag.reading.load import load_reader

LEAST_OVERLAP = 0.5
Verdict = Literal["right", "wrong", "abstained"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one question."""

    question: ShortQuestion
    article: ShortArticle
    answer: Answer
    verdict: Verdict
    """For a question that is not answered, anything but `abstained` is wrong."""
    marked: bool
    """True if the marked words are the answering ones."""


Group = Callable[[Outcome], str]


def main() -> None:
    """Ask the questions of one half, and print the figures and each wrong quote."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--development", action="store_true", help="ask the half that settings are chosen on")
    half: Half = "development" if options.parse_args().development else "held-back"
    with open_short(Config.from_env()) as assistant:
        asked = [(article, one) for article in load_short() if half_of(article.id) == half for one in article.questions]
        outcomes = [judge(*case, assistant.answer(case[1].question)) for case in track(asked, "Asking")]
    console = Console()
    for group in (
        lambda _: "all",
        lambda one: one.question.kind,
        lambda one: one.question.tongue,
        lambda one: one.article.language,
    ):
        console.print(draw_table(outcomes, half, group))
    for one in outcomes:
        if one.verdict == "wrong":
            console.print(f"{one.question.id} {one.question.question}\n   {one.answer.text}", markup=False)


@contextmanager
def open_short(config: Config) -> Iterator[Assistant]:
    """Open an Assistant over a temporary index of the short articles."""
    encoder = load_encoder(config)
    with TemporaryDirectory() as folder:
        for article in load_short():
            (Path(folder) / article.source).write_text(article.content, encoding="utf-8")
        with open_corpus(Path(folder), config, encoder) as corpus:
            generator, reader = load_generator(config), load_reader(config)
            yield Assistant(config, corpus.index, encoder, generator, corpus.prompts, reader=reader)


def judge(article: ShortArticle, question: ShortQuestion, answer: Answer) -> Outcome:
    """Return the outcome of a question."""
    held = question.gold is not None and any(
        citation.source == article.source and question.gold in citation.quote for citation in answer.citations
    )
    verdict: Verdict = "abstained" if answer.abstained else "right" if held else "wrong"
    return Outcome(question, article, answer, verdict, held and has_right_marks(question, answer))


def has_right_marks(question: ShortQuestion, answer: Answer) -> bool:
    """Return whether the marked words of a quote from the article are about the answering words."""
    if question.gold is None or answer.short is None:
        return False
    quote = answer.citations[0]
    first = quote.quote.find(question.gold) + quote.start
    shared = min(first + len(question.gold), answer.short.end) - max(first, answer.short.start)
    return 2 * max(shared, 0) / (len(question.gold) + len(answer.short.text)) >= LEAST_OVERLAP


def draw_table(outcomes: Sequence[Outcome], half: Half, group: Group) -> Table:
    """Return the shares of each verdict by group."""
    titles = ("answered", "right", "wrong", "abstained", "marked right of right", "not answered", "abstained")
    table = Table("", *titles, title=f"{half} half")
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        groups[group(one)].append(one)
    for name, members in sorted(groups.items()):
        cells = []
        for answered, verdicts in ((True, get_args(Verdict)), (False, ("abstained",))):
            found: Counter[str] = Counter(one.verdict for one in members if (one.question.gold is not None) == answered)
            cells += [str(found.total()), *(f"{found[verdict] / max(found.total(), 1):.2f}" for verdict in verdicts)]
            if answered:
                marked = sum(one.marked for one in members)
                cells.append(f"{marked / max(found['right'], 1):.2f}")
        table.add_row(name, *cells)
    return table


if __name__ == "__main__":
    main()
