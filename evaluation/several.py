"""What several articles say, side by side: `python -m evaluation.several [--development]`.

Each case is asked through the front door, with the configured generator. A quote is right when it holds at least half
of the words of its article that bear what was asked for.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluation.answers import covers
from evaluation.cases import Half, Several, half_of, load_several
from evaluation.run import ARTICLES, open_corpus
from rag import Assistant, Config
from rag.encoder import SentenceEncoder
from rag.generator import load_generator


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question."""

    wanted: frozenset[str]
    """Sources of the articles that say something of it."""
    cited: tuple[str, ...]
    """Sources of the quotes."""
    right: tuple[bool, ...]
    """Which of the quotes are."""


def main() -> None:
    """Ask and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--development", action="store_true", help="the half that settings are chosen on")
    half: Half = "development" if options.parse_args().development else "held-back"
    config = Config.from_env()
    encoder = SentenceEncoder.load(config)
    cases = [case for case in load_several() if half_of(case.fact) == half]
    with open_corpus(ARTICLES, config, encoder) as corpus:
        assistant = Assistant(config, corpus.index, encoder, load_generator(config), corpus.prompts)
        outcomes = [ask(case, assistant) for case in track(cases, "Asking")]
    table = Table("", "share", "of", title=f"What several articles say, {half}")
    for name, (share, count) in summarise(outcomes).items():
        table.add_row(name, f"{share:.3f}", str(count))
    Console().print(table)


def ask(case: Several, assistant: Assistant) -> Outcome:
    """What becomes of a case."""
    citations = assistant.answer(case.question).citations
    return Outcome(
        wanted=frozenset(place.source for place in case.places),
        cited=tuple(citation.source for citation in citations),
        right=tuple(any(covers(place, one, assistant) for place in case.places) for one in citations),
    )


def summarise(outcomes: Sequence[Outcome]) -> dict[str, tuple[float, int]]:
    """Shares, and of how many."""
    told = [one for one in outcomes if one.wanted]
    untold = [one for one in outcomes if not one.wanted]
    quotes = [right for one in told for right in one.right]
    wanted = sum(len(one.wanted) for one in told)
    found = sum(len({source for source, right in zip(one.cited, one.right, strict=True) if right}) for one in told)
    return {
        "quotes that are right": (sum(quotes) / max(len(quotes), 1), len(quotes)),
        "articles that say something, quoted rightly": (found / max(wanted, 1), wanted),
        "questions with a right quote": (sum(any(one.right) for one in told) / max(len(told), 1), len(told)),
        "questions that no article answers, abstained": (
            sum(not one.cited for one in untold) / max(len(untold), 1),
            len(untold),
        ),
    }


if __name__ == "__main__":
    main()
