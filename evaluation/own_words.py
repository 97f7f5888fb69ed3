"""Measure what a generator's own words are worth: `python -m evaluation.own_words`, over the five articles.

The questions are in English, as a stranger would ask them, mostly about articles in other languages; some have no
answer. Every statement that passes the check is printed with a verdict, whatever languages the generator is trusted
in, so that a person can check it. The languages in which a generator is trusted are chosen on these questions.
"""

import re
from dataclasses import dataclass, replace

from rich.console import Console
from rich.progress import track

from evaluation.cases import OwnWords, load_own_words
from evaluation.run import ARTICLES, open_corpus
from rag import Assistant, Config
from rag.encoding.encoder import SentenceEncoder
from rag.generation.llama import load_generator
from rag.reading.acceptance import says
from rag.reading.known_judges import find_judge

_MARKS = re.compile(r"(?: ?\[\d+\])+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Said:
    """A statement in the generator's own words."""

    question: str
    text: str
    right: bool


def main() -> None:
    """Ask, and print every statement."""
    config = Config.from_env()
    encoder = SentenceEncoder.load(config)
    cases = load_own_words()
    with open_corpus(ARTICLES, config, encoder) as corpus:
        generator = load_generator(config)
        judge = find_judge(generator, config, corpus.prompts)
        if judge is None:
            Console().print(f"{generator.name} does not judge passages, so nothing it says is shown.")
            return
        speaking = replace(judge, speaks=tuple({case.language for case in cases}))
        assistant = Assistant(config, corpus.index, encoder, generator, corpus.prompts, speaking)
        said = [found for case in track(cases, "Asking") if (found := ask(case, assistant))]
    for one in said:
        verdict = "right" if one.right else "WRONG"
        Console().print(f"{verdict}  {one.question}  {one.text}", markup=False, soft_wrap=True)
    right = sum(one.right for one in said)
    Console().print(
        f"{len(said)} of {len(cases)} questions were answered in words of its own, {right} of these rightly."
    )


def ask(case: OwnWords, assistant: Assistant) -> Said | None:
    """Return the statement made in answer to a question; None if the article is quoted or nothing is said."""
    answer = assistant.answer(case.question)
    if answer.abstained or answer.quoted:
        return None
    wrong = any(says(answer.text, variant) for variant in case.reject)
    right = all(any(says(line, variant) for variant in case.accept) for line in answer.text.splitlines())
    return Said(case.question, _MARKS.sub("", answer.text), right and not wrong)


if __name__ == "__main__":
    main()
