"""Check that ten questions get the same citations however an index was built and wherever it is searched.

    python -m stress.same --kills 100

The questions are asked of an index built in one go and searched with FAISS, of one in Milvus (lite, in a file), of one
encoded by two Ray workers, and of one whose builds were killed while articles were added and removed. The corpus is the
five articles and the news items, in passages so short that there is work for both Ray workers.
"""

import argparse
import random
import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from evaluation.cases import load_answerable, load_news
from rag.assistant import Assistant
from rag.config import ROOT, Config
from rag.encoding.encoder import SentenceEncoder
from rag.index.merging import MergePolicy
from rag.ingest.build import build_index
from stress.killed_builds import Children, await_end, build, check

PASSAGE_TOKENS = 80
QUESTIONS = 10
WORKERS = 2
COME_AND_GO = 8
"""Files removed or restored before each killed build."""
FIRST = 400
"""File operations assumed for the first build; later builds use the number counted before."""
Cited = list[tuple[str, int, int, str]]
"""Source, offsets and words of each citation."""
Advance = Callable[[float], object]


def main() -> None:
    """Ask, and print differences; exit with 1 if there are any."""
    # Not at module level, as every child process imports this module.
    from rich.console import Console
    from rich.progress import Progress as Bars

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=100, help="builds to kill (100)")
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
    """Return the citations for each question, by kind of index. Raises AssertionError, RagError."""
    corpus = write_corpus(ROOT / "seeds", folder / "corpus")
    config = config.replace(corpus=corpus, passage_tokens=PASSAGE_TOKENS, milvus=None, workers=0)
    ways = {
        "FAISS": config.replace(indexes=folder / "faiss"),
        "Milvus": config.replace(indexes=folder / "milvus", milvus=str(folder / "milvus.db")),
        "Ray": config.replace(indexes=folder / "ray", workers=WORKERS),
    }
    for way in ways.values():
        build_index(config=way)
    killed = f"{kills} killed builds"
    ways[killed] = config.replace(indexes=folder / "killed", corpus=folder / "changing")
    build_among_kills(ways[killed], corpus, kills, advance)
    return {name: ask(way, advance) for name, way in ways.items()}


def write_corpus(articles: Path, folder: Path) -> Path:
    """Write the five articles and the news items, one file each, without articles added on the page."""
    folder.mkdir()
    for article in articles.glob("*.txt"):
        shutil.copy(article, folder)
    for item in load_news()[0]:
        text = f"date: {item.date}\n\n{item.title}\n\n{item.text}\n"
        (folder / f"{item.id}.txt").write_text(text, encoding="utf-8")
    return folder


def ask(config: Config, advance: Advance) -> list[Cited]:
    """Return the citations of the configured assistant for each question."""
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
    """Build over changing articles, killing the given number of builds, then build once over all articles.

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
