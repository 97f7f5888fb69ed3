"""Measure follow-ups and questions about the collection: `python -m evaluation.conversation [--development]`.

Ask each follow-up after the turns before it, without them, and with every question completed. Then count which
questions are recognised as being about the collection. No generator is needed.
"""

import argparse
from collections.abc import Callable, Sequence
from contextlib import closing
from statistics import fmean

from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluation.cases import (
    Answerable,
    FollowUp,
    Half,
    Unanswerable,
    half_of,
    load_answerable,
    load_catalogue,
    load_followups,
    load_unanswerable,
)
from evaluation.metrics import success
from evaluation.run import ARTICLES, judge_hits, open_corpus
from rag import Assistant, Config, Hit, Turn
from rag.answering.collection import Collection
from rag.answering.events import Evidence
from rag.encoding.encoder import SentenceEncoder
from rag.encoding.query import Query
from rag.text.language import detect

Way = Callable[[FollowUp], tuple[str, tuple[Turn, ...]]]
WAYS: dict[str, Way] = {
    "left alone": lambda case: (case.question, ()),
    "always completed": lambda case: (f"{case.before[-1].question} {case.question}", ()),
    "rag": lambda case: (case.question, case.before),
}
"""By name of the method: what is asked, and after which turns."""
RANKS = (1, 3)


def main() -> None:
    """Ask, and print the tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--development", action="store_true", help="ask the half that settings are chosen on")
    half: Half = "development" if options.parse_args().development else "held-back"
    cases = [case for case in load_followups() if half_of(case.fact) == half]
    config = Config.from_env()
    with open_corpus(ARTICLES, config, SentenceEncoder.load(config)) as assistant:
        Console().print(draw_table(assistant, cases, half))
        Console().print(draw_recognition(assistant, half))


def draw_table(assistant: Assistant, cases: Sequence[FollowUp], half: Half) -> Table:
    """Return the figures of each method, for questions that depend on the conversation and questions that do not."""
    parts = {
        "depends": [case for case in cases if case.depends],
        "stands": [case for case in cases if not case.depends],
    }
    headings = [f"{part} ({len(asked)}): hit@{k}" for part, asked in parts.items() for k in RANKS]
    table = Table("", *headings, title=f"Follow-ups, {half}")
    places = {case.fact: case.places for case in load_answerable()}
    for name, way in WAYS.items():
        figures = []
        for asked in parts.values():
            found = [
                judge_hits(search(assistant, *way(case)), places[case.fact], assistant.index)
                for case in track(asked, name, transient=True)
            ]
            figures += [f"{fmean(success(judged, k) for judged in found):.3f}" for k in RANKS]
        table.add_row(name, *figures)
    return table


def draw_recognition(assistant: Assistant, half: Half) -> Table:
    """Count the questions about the collection that are recognised, and the others that are taken for one."""
    table = Table("", "rightly", "as another kind", "questions", title=f"Questions about the collection, {half}")
    collection = Collection(assistant.encoder, assistant.prompts)
    told = [case for case in load_catalogue() if half_of(case.id) == half]
    others: list[Answerable | Unanswerable | FollowUp] = [*load_answerable(), *load_unanswerable(), *load_followups()]
    asked: dict[str, list[tuple[str, str | None]]] = {
        "about the collection": [(case.question, case.kind) for case in told if case.kind != "none"],
        "about what articles say of themselves": [(case.question, None) for case in told if case.kind == "none"],
        "all other cases": [(case.question, None) for case in others if half_of(case.fact) == half],
    }
    for name, questions in asked.items():
        found = [
            (collection.classify(Query(question, detect(question), assistant.encoder)), kind)
            for question, kind in track(questions, name, transient=True)
        ]
        right = sum(one == kind for one, kind in found)
        other = sum(one != kind and one is not None for one, kind in found)
        table.add_row(name, str(right), str(other), str(len(found)))
    return table


def search(assistant: Assistant, question: str, before: Sequence[Turn]) -> tuple[Hit, ...]:
    """Return the hits for a question within a conversation."""
    with closing(assistant.ask(question, before)) as events:
        return next(event.hits for event in events if isinstance(event, Evidence))


if __name__ == "__main__":
    main()
