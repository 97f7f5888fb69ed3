"""Measure the answers: `python -m evaluation.answers [--development] [--naive]`.

Ask each case over the five articles with the configured generator and, with `--naive`, also in the usual way (see
naive.py). Print a table, and write every wrong answer to evaluation/results/ so that a person can check the verdict.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Literal

from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluation.cases import Answerable, Half, Place, Unanswerable, half_of, load_answerable, load_unanswerable
from evaluation.encoders import PlainEncoder
from evaluation.naive import Naive, Reply
from evaluation.report import RESULTS, publish, read_commit
from evaluation.run import ARTICLES, open_corpus
from rag import Answer, Assistant, Citation, Config, Passage
from rag.encoding.encoder import SentenceEncoder
from rag.generation.llama import load_generator
from rag.reading.acceptance import says
from rag.reading.load import load_reader
from rag.text.language import detect

Verdict = Literal["right", "quoted, right", "wrong", "quoted, wrong", "abstained"]
TELLING_WORDS = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one question."""

    id: str
    question: str
    tongue: str
    answerable: bool
    verdict: Verdict
    text: str
    quotes: tuple[str, ...]
    sources: tuple[str, ...]
    verbatim: bool
    """True if every quote is in its article at the offsets given."""
    in_language: bool
    """True if the answer is in the language and script of the question, as far as that can be detected."""
    first_right: bool
    """True if the first passage after judging holds at least half of the gold words."""
    seconds: float


def main() -> None:
    """Ask the cases, print the table, and write the results."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--development", action="store_true", help="ask the half that settings are chosen on")
    options.add_argument("--naive", action="store_true", help="also ask with the five nearest passages in one prompt")
    chosen = options.parse_args()
    half: Half = "development" if chosen.development else "held-back"
    config = Config.from_env()
    encoder = SentenceEncoder.load(config)
    with open_corpus(ARTICLES, config, encoder) as corpus:
        assistant = Assistant(
            config, corpus.index, encoder, load_generator(config), corpus.prompts, reader=load_reader(config)
        )
        outcomes = ask_all(assistant, half)
    systems = {"here": outcomes}
    if chosen.naive:
        with open_corpus(ARTICLES, config, PlainEncoder.load(config, encoder.projection)) as plain:
            systems["naive"] = ask_naively(plain, half)
    Console().print(draw_table(systems, half))
    commit = read_commit()
    file = RESULTS / f"{commit.label}-{half}-answers.json"
    facts = {
        "commit": asdict(commit),
        "half": half,
        "generator": assistant.generator.name,
        "figures": {name: summarise(of_one) for name, of_one in systems.items()},
        "to be checked": [asdict(one) for one in outcomes if one.verdict in ("wrong", "quoted, wrong")],
    }
    file.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if half == "held-back":
        publish(facts)
    Console().print(f"Written: {file}")


def ask_all(assistant: Assistant, half: Half) -> list[Outcome]:
    """Ask every case of one half, and return the outcomes."""
    cases = track(load_cases(half), "Asking")
    return [judge(case, assistant.answer(case.question), assistant) for case in cases]


def ask_naively(plain: Assistant, half: Half) -> list[Outcome]:
    """Ask every case in one prompt over the passages that the plain encoder finds, and return the outcomes."""
    naive = Naive(plain)
    cases = track(load_cases(half), "Asking naively")
    return [judge_reply(case, naive.ask(case.question), plain) for case in cases]


def load_cases(half: Half) -> list[Answerable | Unanswerable]:
    """Return all cases of one half, the answerable ones first."""
    cases: list[Answerable | Unanswerable] = [*load_answerable(), *load_unanswerable()]
    return [case for case in cases if half_of(case.fact) == half]


def judge(case: Answerable | Unanswerable, answer: Answer, assistant: Assistant) -> Outcome:
    """Return the outcome of a case.

    An answer in the generator's words is right if each of its lines contains an accepted variant and an article that
    holds the fact is cited. A quote is right if it holds at least half of the gold words.
    """
    first = answer.hits[0].passage if answer.hits else None
    return Outcome(
        id=case.id,
        question=case.question,
        tongue=case.tongue,
        answerable=isinstance(case, Answerable),
        verdict=_find_verdict(case, answer, assistant),
        text=answer.text,
        quotes=tuple(citation.quote for citation in answer.citations),
        sources=tuple(citation.source for citation in answer.citations),
        verbatim=all(_is_verbatim(citation, assistant) for citation in answer.citations),
        in_language=_is_in_language(case, answer),
        first_right=first is not None and any(_covers(place, first, assistant) for place in _places_of(case)),
        seconds=answer.timings["total"],
    )


def judge_reply(case: Answerable | Unanswerable, reply: Reply, assistant: Assistant) -> Outcome:
    """Return the outcome of a case asked in one prompt. The reply is right if it contains an accepted variant."""
    spoken = detect(reply.text, home=detect(case.question))
    answerable = isinstance(case, Answerable)
    return Outcome(
        id=case.id,
        question=case.question,
        tongue=case.tongue,
        answerable=answerable,
        verdict="right" if isinstance(case, Answerable) and _is_accepted(reply.text, case) else "wrong",
        text=reply.text,
        quotes=(),
        sources=tuple(hit.passage.source for hit in reply.hits),
        verbatim=True,
        in_language=(spoken.code, spoken.script) == (case.language, case.script),
        first_right=any(_covers(place, reply.hits[0].passage, assistant) for place in _places_of(case)),
        seconds=reply.times[-1],
    )


def summarise(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return the figures of a run, as shares of the answerable questions, of the unanswerable ones, and of all."""
    answerable = [one for one in outcomes if one.answerable]
    unanswerable = [one for one in outcomes if not one.answerable]
    counts = Counter(one.verdict for one in answerable)
    shares = {f"answerable: {verdict}": counts[verdict] / len(answerable)
              for verdict in ("right", "quoted, right", "wrong", "quoted, wrong", "abstained")}  # fmt: skip
    return {
        **shares,
        "answerable: right passage first after judging": _share(one.first_right for one in answerable),
        "unanswerable: abstained": _share(one.verdict == "abstained" for one in unanswerable),
        "unanswerable: answered in words of its own": _share(one.verdict == "wrong" for one in unanswerable),
        "in the right language and script": _share(one.in_language for one in outcomes),
        "quotes not verbatim": sum(not one.verbatim for one in outcomes),
        "seconds, median": median(one.seconds for one in outcomes),
    }


def draw_table(systems: Mapping[str, Sequence[Outcome]], half: str) -> Table:
    """Return the figures as a table for a terminal, with a column for each system."""
    asked = next(iter(systems.values()))
    answerable = sum(one.answerable for one in asked)
    table = Table("", *systems, title=f"{answerable} answerable and {len(asked) - answerable} not, {half} half")
    columns = [summarise(outcomes) for outcomes in systems.values()]
    for name in columns[0]:
        table.add_row(name, *(f"{column[name]:.3f}" for column in columns))
    return table


def _find_verdict(case: Answerable | Unanswerable, answer: Answer, assistant: Assistant) -> Verdict:
    if answer.abstained:
        return "abstained"
    if isinstance(case, Unanswerable):
        return "quoted, wrong" if answer.quoted else "wrong"
    if answer.quoted:
        held = any(_covers(place, cited, assistant) for place in case.places for cited in answer.citations)
        return "quoted, right" if held else "quoted, wrong"
    well_cited = {cited.source for cited in answer.citations} & {place.source for place in case.places}
    # Statements about several articles are on separate lines.
    accepted = all(_is_accepted(line, case) for line in answer.text.splitlines())
    return "right" if well_cited and accepted else "wrong"


def _places_of(case: Answerable | Unanswerable) -> tuple[Place, ...]:
    return case.places if isinstance(case, Answerable) else ()


def _is_accepted(text: str, case: Answerable) -> bool:
    return any(says(text, variant) for variant in (case.answer, *case.accept))


def _covers(place: Place, stretch: Citation | Passage, assistant: Assistant) -> bool:
    """Return whether a span of an article holds at least half of the characters of the gold words."""
    document = assistant.index.read_document(place.source)
    if document is None or place.source != stretch.source:
        return False
    first = document.text.index(place.gold)
    last = first + len(place.gold)
    return 2 * (min(last, stretch.end) - max(first, stretch.start)) >= last - first


def _is_verbatim(citation: Citation, assistant: Assistant) -> bool:
    document = assistant.index.read_document(citation.source)
    return document is not None and document.text[citation.start : citation.end] == citation.quote


def _is_in_language(case: Answerable | Unanswerable, answer: Answer) -> bool:
    """Return whether an answer is in the language of its question.

    The language of a short answer cannot be detected, so the one that the assistant chose counts.
    """
    if answer.abstained or answer.quoted or len(answer.text.split()) < TELLING_WORDS:
        spoken = (answer.language, answer.script)
    else:
        told = detect(answer.text, home=detect(case.question))
        spoken = (told.code, told.script)
    return spoken == (case.language, case.script)


def _share(values: Iterable[bool]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0


if __name__ == "__main__":
    main()
