"""What is quoted of headings, questions, lists and tables, with the encoder that compares words."""

from pathlib import Path

import pytest

from rag.answering.answer import Citation
from rag.answering.citations import cite
from rag.answering.quoting import choose_quote
from rag.encoding.query import Query
from rag.ingest.splitting import cut
from rag.testing import WordEncoder
from rag.text.language import Language
from rag.types import Hit
from tests.ingest.test_documents import read_one

MANUAL = """\
# The tide mill

## How do I start the wheel?

1. Open the **upper** sluice.
2. Wait until the pond is level.
3. Release the brake slowly.

## May I bring a dog?

Yes, on a lead. The courtyard has a bowl.

## How do I stop the wheel?

Do this in order:

```
brake on
sluice shut
```

The wheel needs a minute.

| Keeper | Room | Telephone |
|--------|------|-----------|
| Ellen Marr | 4 | 5511 |
| Tobias Quill | 17 | 5522 |
| Maud Finch | 9 | 5533 |
"""


def quote(path: Path, text: str, question: str) -> Citation:
    """Return the citation from the only passage of a file."""
    document = read_one(path, text.encode())
    (passage,) = cut(document, 10_000, lambda texts: [1] * len(texts))[-1:]
    query = Query(question, Language("en", "Latn"), WordEncoder())
    start, end = choose_quote(query, Hit(1, 0.5, passage), document).span
    citation = cite(document, (passage.start + start, passage.start + end), 1)
    assert document.text[citation.start : citation.end] == citation.quote
    return citation


def make_passage(heading: str) -> str:
    """Return the section of the manual that begins with that heading."""
    return MANUAL[MANUAL.index(heading) :].split("\n## ")[0]


STEPS = "1. Open the upper sluice.\n2. Wait until the pond is level.\n3. Release the brake slowly."


@pytest.mark.parametrize(
    ("section", "question", "shown"),
    [
        ("# How do I start", "How do I start the wheel?", STEPS),
        ("# May I", "May I bring a dog?", "Yes, on a lead. The courtyard has a bowl."),
        ("# How do I stop", "How do I stop the wheel?", "Do this in order:\nbrake on\nsluice shut"),
        ("# How do I stop", "Which telephone has Tobias Quill?", "Keeper: Tobias Quill; Room: 17; Telephone: 5522"),
    ],
)
def test_what_stands_below_a_heading_is_quoted(tmp_path: Path, section: str, question: str, shown: str) -> None:
    assert quote(tmp_path / "a.md", make_passage(section), question).shown == shown


def test_a_question_in_a_plain_file_is_answered_by_what_stands_below_it(tmp_path: Path) -> None:
    text = "Does the ferry run in winter?\n\nOnly on Saturdays, if the ice allows.\n"
    assert (
        quote(tmp_path / "a.txt", text, "Does the ferry run in winter?").shown
        == "Only on Saturdays, if the ice allows."
    )


def test_the_page_and_the_readable_words_are_given_with_the_exact_ones(tmp_path: Path) -> None:
    citation = quote(tmp_path / "a.txt", "The wor\u00adks cost\u00a0nine\u200b million.\n", "What did the works cost?")
    assert citation.quote == "The wor\u00adks cost\u00a0nine\u200b million."
    assert citation.shown == "The works cost nine million."
    assert citation.page is None
