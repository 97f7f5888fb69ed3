"""Headings, lists and tables are recognised in a text and shown as people read them."""

import pytest

from rag.text.sentences import HEADING, split_sentences
from rag.text.structure import find_columns, find_page, is_heading, is_question, name_columns, show, tidy

TABLE = "Ferries\n\nHarbour\tDeparts\tFare\n   \nNorlund\t7:40\t3\nKalv\t\t5\n\nThe fare is in crowns."


def test_a_row_is_shown_with_the_names_of_its_columns() -> None:
    row = TABLE.index("Norlund")
    assert show(TABLE, (row, row + 14)) == "Harbour: Norlund; Departs: 7:40; Fare: 3"
    assert name_columns(TABLE, (TABLE.index("Kalv"), TABLE.index("Kalv") + 7)) == "Harbour: Kalv; Fare: 5"
    assert show(TABLE, (TABLE.index("Harbour"), row + 14)).split("\n")[-1] == "Harbour: Norlund; Departs: 7:40; Fare: 3"
    assert show(TABLE, (TABLE.index("The"), len(TABLE))) == "The fare is in crowns."


def test_rows_of_numbers_do_not_name_columns() -> None:
    assert find_columns("1\tSwitch it off.\n2\tWait.", 18) == []


def test_each_row_is_a_sentence_by_itself() -> None:
    found = [TABLE[start:end] for start, end in split_sentences(TABLE, "en")]
    assert found == [
        "Ferries", "Harbour\tDeparts\tFare", "Norlund\t7:40\t3", "Kalv\t\t5", "The fare is in crowns.",
    ]  # fmt: skip


def test_items_of_a_list_are_not_joined() -> None:
    text = "• a coil of rope\n• four brass hooks\n• two lamps"
    assert [text[start:end] for start, end in split_sentences(text, "en")] == text.split("\n")


@pytest.mark.parametrize(
    ("text", "heads"),
    [
        (f"{HEADING} Opening hours\n\nFrom nine to five.", True),
        ("When do you open?\n\nAt nine.", True),
        ("Πότε ανοίγετε;\n\nΣτις εννέα.", True),
        ("متى تفتحون؟\nفي التاسعة.", True),
        ("When do you open? At nine.", False),
        ("From nine; on Sundays from ten;\n\nAlways.", False),
        ("When do you open?", False),
        ("The mill is open.\n\nCome early.", False),
    ],
)
def test_headings_and_questions_by_themselves_head_what_follows(text: str, heads: bool) -> None:
    spans = split_sentences(text, "en")
    assert is_heading(text, spans, 0) is heads
    assert not is_heading(text, spans, len(spans) - 1)


def test_a_long_question_is_not_a_heading() -> None:
    assert not is_question(f"Why {'so ' * 100}late?")


def test_invisible_characters_and_superfluous_spaces_are_not_shown() -> None:
    text = "The wo\u00adrks\u200b  cost\u00a0 4,6\ufeff million.\f They \n\n end."
    assert tidy(text) == "The works cost 4,6 million. They\nend."


def test_pages_are_counted_by_their_ends() -> None:
    text = "One.\f Two.\f\fFour.\f"
    assert [find_page(text, text.index(word)) for word in ("One", "Two", "Four")] == [1, 2, 4]
    assert find_page("One.", 0) is None
