"""Ten questions and what is cited for them, whichever way the index came about and wherever it is searched.

    python -m stress.same --kills 100

They are asked of an index built in one go and searched with FAISS, of one in Milvus (lite, in a file), of one that two
workers of Ray encoded, and of one whose builds were killed so many times while articles came and went. The corpus is
the five articles and the news items, in passages so short that Ray's workers have something to share out.
"""

import argparse
import random
import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from evaluation.cases import load_answerable, load_news
from rag.assistant import Assistant
from rag.config import ROOT, Config
from rag.encoding.encoder import SentenceEncoder
from rag.index.merging import MergePolicy
from rag.ingest.build import build_index
from stress.killing import Children, await_end, build, check

PASSAGE_TOKENS = 80
QUESTIONS = 10
WORKERS = 2
COME_AND_GO = 8
"""Files that are taken away or put back before each build that is killed."""
FIRST = 400
"""Moments of the first build, of which one is chosen to die at; later it is known how many one has."""
Cited = list[tuple[str, int, int, str]]
"""Source, offsets and words of each citation."""
Advance = Callable[[float], object]


def main() -> None:
    """Ask, and print what differs; the exit code is 1 when something does."""
    # Not above, as every child imports what stands there.
    from rich.console import Console
    from rich.progress import Progress as Bars

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=100, help="how many builds are killed (100)")
    chosen = options.parse_args()
    with TemporaryDirectory() as folder, Bars(console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("The same questions", total=chosen.kills + 4 * QUESTIONS)
        found = compare(Config.from_env(), Path(folder), chosen.kills, lambda more: bars.advance(bar, more))
    expected = found["FAISS"]
    for way, cited in found.items():
        same = sum(ours == theirs for ours, theirs in zip(cited, expected, strict=True))
        print(f"{way}: {sum(map(len, cited))} citations, the same as from FAISS for {same} of {len(cited)} questions")
    sys.exit(any(cited != expected for cited in found.values()))


def compare(config: Config, folder: Path, kills: int, advance: Advance) -> dict[str, list[Cited]]:
    """What is cited for each question, by the way of the index. Raises AssertionError, RagError."""
    corpus = write_corpus(ROOT / "seeds", folder / "corpus")
    config = replace(config, corpus=corpus, passage_tokens=PASSAGE_TOKENS, milvus=None, workers=0)
    ways = {
        "FAISS": replace(config, indexes=folder / "faiss"),
        "Milvus": replace(config, indexes=folder / "milvus", milvus=str(folder / "milvus.db")),
        "Ray": replace(config, indexes=folder / "ray", workers=WORKERS),
    }
    for way in ways.values():
        build_index(config=way)
    killed = f"{kills} killed builds"
    ways[killed] = replace(config, indexes=folder / "killed", corpus=folder / "changing")
    build_among_kills(ways[killed], corpus, kills, advance)
    return {name: ask(way, advance) for name, way in ways.items()}


def write_corpus(articles: Path, folder: Path) -> Path:
    """The five articles and the news items, a file each; what was added on the page, in a folder of its own, is not."""
    folder.mkdir()
    for article in articles.glob("*.txt"):
        shutil.copy(article, folder)
    for item in load_news()[0]:
        text = f"date: {item.date}\n\n{item.title}\n\n{item.text}\n"
        (folder / f"{item.id}.txt").write_text(text, encoding="utf-8")
    return folder


def ask(config: Config, advance: Advance) -> list[Cited]:
    """What the configured assistant cites for each question."""
    assistant = Assistant.load(config)
    cases = load_answerable()
    cited = []
    with closing(assistant.index):
        for case in cases[:: len(cases) // QUESTIONS][:QUESTIONS]:
            found = assistant.answer(case.question).citations
            cited.append([(one.source, one.start, one.end, one.quote) for one in found])
            advance(1)
    return cited


def build_among_kills(config: Config, articles: Path, kills: int, advance: Advance) -> None:
    """Build over articles that come and go, be killed so many times on the way, and build once more over all.

    Raises AssertionError.
    """
    chance = random.Random(0)  # noqa: S311 - nothing is to be kept secret
    children = Children("sentence_transformers")

    def run(fatal: int) -> bool:
        return await_end(children.start(build, config, SentenceEncoder.load, MergePolicy(), fatal))

    shutil.copytree(articles, config.corpus)
    sources = sorted(file.name for file in articles.iterdir())
    moments, done = FIRST, 0
    while done < kills:
        for source in chance.sample(sources, COME_AND_GO):
            if (config.corpus / source).exists():
                (config.corpus / source).unlink()
            else:
                shutil.copy(articles / source, config.corpus)
        if run(chance.randint(1, moments)):
            moments = children.moments
        else:
            done += 1
            advance(1)
    shutil.copytree(articles, config.corpus, dirs_exist_ok=True)
    check(run(0), "the last build was killed")


if __name__ == "__main__":
    main()
