"""The marks of Markdown are blanked, so that offsets still point into the file and no quote shows them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.ingest.markdown import blank_marks
from rag.ingest.splitting import cut, prepare
from rag.text.structure import tidy
from tests.ingest.test_documents import read_one
from tests.ingest.test_splitting import count_tokens

FILE = """\
# The ropery at Dunmere

Ropes are made **by hand** every [Tuesday](https://example.org/days "when").

## Who works there?

| Name | Bench | Years |
|------|:-----:|------:|
| Ellen Marr | 4 | *31* |
| Tobias Quill | 17 | 8 |

Setext
------

1. Wet the hemp.
2. Twist it
   to the left.
- [ ] hooks
* lamps

```sh
spin --left 40  # twice
```

> The *oldest* rope is ~~lost~~ kept.[^1]

[^1]: Since 1744.
[days]: https://example.org
"""


def test_offsets_point_into_the_file_and_marks_are_gone(tmp_path: Path) -> None:
    text = read_one(tmp_path / "a.md", FILE.encode()).text
    assert len(text) == len(FILE)
    for words in ("Ropes are made", "Ellen Marr", "Wet the hemp.", "spin --left 40  # twice", "Since 1744."):
        assert text.index(words) == FILE.index(words)
    lines = [line for line in tidy(text).split("\n") if line]
    assert lines[:4] == [
        "The ropery at Dunmere",
        "Ropes are made by hand every Tuesday.",
        "Who works there?",
        "Name Bench Years",
    ]
    assert "lost" in text
    for mark in ("#", "**", "|", "](", "~~", "[^", "```", "---"):
        assert mark not in "\n".join(lines).replace("  # twice", "").replace(" # twice", ""), mark


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (r"Not \*bold\* and snake_case_name, 5 * 3 * 2", "Not *bold* and snake_case_name, 5 * 3 * 2"),
        ("`a*b*c` and ``x`y``", "a*b*c and x`y"),
        ("<https://example.org/a_b_c> and <b>this</b><br>", "https://example.org/a_b_c and this"),
        ("![A boat](boat.png) at sea", "A boat at sea"),
        ("**It is *very* old**, says she", "It is very old, says she"),
        ("Sig**ne** walks", "Signe walks"),
        ("a < b and c > d", "a < b and c > d"),
        ("19. října 2024", "19. října 2024"),
        ("-5 degrees", "-5 degrees"),
    ],
)
def test_only_marks_are_blanked(written: str, shown: str) -> None:
    assert tidy(blank_marks(written)) == shown


@given(st.text(alphabet="ab *_`[]()!#|>-~\\<\n\t1.", max_size=60))
def test_the_length_never_changes(text: str) -> None:
    blanked = blank_marks(text)
    assert len(blanked) == len(text)
    assert [place for place, sign in enumerate(blanked) if sign == "\n"] == [
        n for n, sign in enumerate(text) if sign == "\n"
    ]


def test_a_heading_begins_the_passage_of_what_it_heads(tmp_path: Path) -> None:
    body = "The ropery stands at the river and employs eleven people in summer and four in winter. " * 2
    document = read_one(
        tmp_path / "a.md", f"{body}\n\n## Prices\n\nA rope costs nine.\n\n### For schools\n\nNothing.\n".encode()
    )
    found = [tidy(passage.text).split("\n") for passage in cut(document, 60, count_tokens)]
    assert [lines[0].split()[0] for lines in found] == ["The", "Prices", "For"]
    assert found[1:] == [["Prices", "A rope costs nine."], ["For schools", "Nothing."]]


def test_the_steps_below_a_heading_stay_in_one_passage(tmp_path: Path) -> None:
    steps = "".join(f"{number}. Turn the wheel number {number} by a quarter.\n" for number in range(1, 7))
    document = read_one(tmp_path / "a.md", f"The ropery is old.\n\n## How to start\n\n{steps}".encode())
    passages = cut(document, 100, count_tokens)
    assert "number 1" in passages[-1].text
    assert "number 6" in passages[-1].text


def test_a_question_by_itself_begins_the_passage_of_its_answer(tmp_path: Path) -> None:
    text = "May I bring a dog?\n\nYes, on a lead.\n\nHow much is the rent?\n\nNinety pounds.\n"
    passages = cut(read_one(tmp_path / "a.txt", text.encode()), 60, count_tokens)
    assert [passage.text.split("\n")[0] for passage in passages] == ["May I bring a dog?", "How much is the rent?"]


def test_rows_are_given_to_the_encoder_with_the_names_of_their_columns(tmp_path: Path) -> None:
    rows = "".join(f"| Person {number} | bench {number} | {number} years at the wheel |\n" for number in range(40))
    document = read_one(tmp_path / "a.md", f"| Name | Bench | Service |\n|---|---|---|\n{rows}".encode())
    passages = cut(document, 60, count_tokens)
    assert len(passages) > 3
    assert all(
        prepare(document, passage).split("\n")[0].split() == ["Name", "Bench", "Service"] for passage in passages
    )
