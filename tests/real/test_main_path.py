"""From a question to a cited answer, on the real models and the five articles."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import Answer, Config, answer
from rag.config import ROOT
from rag.index.index import Index

pytestmark = pytest.mark.slow(reason="The real models answer a question in each language.")
CZECH = "000_6546eb5d104e4df2.txt"
GREEK = "001_a8bb7df5b9a08b73.txt"
ESTONIAN = "002_f479d6fd843f1435.txt"
SERBIAN = "003_6cba2d2d06e482cc.txt"
POLISH = "004_1f69318a9cec8a4d.txt"


@pytest.fixture(scope="module", autouse=True)
def settings(environment: dict[str, str]) -> Iterator[None]:
    """Set the variables that `answer` reads when it opens the default index on the first call."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


def assert_verbatim(found: Answer, index: Index) -> None:
    for citation in found.citations:
        document = index.read_document(citation.source)
        article = (ROOT / "seeds" / citation.source).read_text(encoding="utf-8")
        assert document is not None
        assert citation.quote.strip()
        assert document.text[citation.start : citation.end] == citation.quote
        assert article[citation.start : citation.end] == citation.quote


@pytest.mark.parametrize(
    ("question", "language", "script", "source", "date"),
    [
        ("Kdo pozval Lavrova do KLDR?", "cs", "Latn", CZECH, None),
        ("Από πού έφτασε ο Λαβρόφ στη Γουονσάν;", "el", "Grek", GREEK, None),
        (
            "Mitu protsenti Ukrainas kasutatavast laskemoonast saab Venemaa Põhja-Korealt?",
            "et", "Latn", ESTONIAN, "2025-07",
        ),
        ("Када су се Путин и Ким последњи пут срели?", "sr", "Cyrl", SERBIAN, None),
        ("Kto jest rzecznikiem Rady Bezpieczeństwa Narodowego USA?", "pl", "Latn", POLISH, "2023-09"),
        # The Greek article ends with a post in English.
        ("Who received Sergei Lavrov, according to the post on X?", "en", "Latn", GREEK, None),
    ],
)  # fmt: skip
def test_a_question_is_answered_in_its_language_from_the_right_article(
    index: Index, question: str, language: str, script: str, source: str, date: str | None
) -> None:
    found = answer(question)
    (citation,) = found.citations
    assert (found.language, found.script, found.abstained) == (language, script, False)
    assert (citation.source, citation.language, citation.script) == (source, language, script)
    assert citation.date == date
    assert found.text.endswith(" [1]")
    assert found.text.removesuffix(" [1]").strip()
    assert citation.source in {hit.passage.source for hit in found.hits}
    assert_verbatim(found, index)


def test_updating_from_the_shell_encodes_new_articles_and_warns_of_files_that_are_not_articles(
    config: Config, environment: dict[str, str], tmp_path: Path
) -> None:
    corpus, indexes = tmp_path / "corpus", tmp_path / "indexes"
    shutil.copytree(ROOT / "seeds", corpus)
    shutil.copytree(config.indexes, indexes)
    (corpus / SERBIAN).unlink()
    (corpus / "empty.txt").write_bytes(b"")
    (corpus / "picture.txt").write_bytes(bytes(range(256)) * 8)
    shutil.copy(corpus / CZECH, corpus / "twice.txt")
    (corpus / "wide.txt").write_bytes("Ve Zlíně otevřeli novou knihovnu.\n".encode("utf-16"))
    command = [sys.executable, "-c", "from rag.cli import main; main()", "index", str(corpus)]
    done = subprocess.run(
        command, cwd=ROOT, env={**environment, "RAG_INDEXES": str(indexes)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("9 files: 1 new, 4 unchanged, 1 removed, 3 skipped; ")
    warnings = done.stderr.splitlines()
    assert [line.split(": ")[:2] for line in warnings] == [
        ["warning", "empty.txt"],
        ["warning", "picture.txt"],
        ["warning", "twice.txt"],
    ]
    updated = Index.open(indexes / "default")
    added = updated.read_document("wide.txt")
    updated.close()
    assert added is not None
    assert (added.text, added.language) == ("Ve Zlíně otevřeli novou knihovnu.\n", "cs")
