"""Words that are given as somebody's own are in the passage, or one of its quotations in another language."""

from collections.abc import Sequence

import pytest

from rag.checks.quotations import find_quotations, find_speech
from rag.types import Encodings, Passage, Progress, Role
from rag.verification import verify
from tests.fakes import WordEncoder

GREEK = "Ο Λαβρόφ μίλησε για «μια αήττητη μαχητική αδελφότητα» των δύο λαών."
TRANSLATED = {"an": "μια", "invincible": "αήττητη", "fighting": "μαχητική", "brotherhood": "αδελφότητα"}
ENGLISH = "Kim said: “We will stand by you, come what may.” He left on Friday."


class TranslatingEncoder(WordEncoder):
    """Knows four words of English in Greek."""

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Encodings:
        return super().encode([" ".join(TRANSLATED.get(word, word) for word in text.split()) for text in texts], role)


@pytest.mark.parametrize(
    ("text", "quotations"),
    [
        ("Řekl, že „přijede brzy“.", ["přijede brzy"]),
        ("Powiedział, że „przyjedzie wkrótce”.", ["przyjedzie wkrótce"]),
        ("Είπε «ναι, ίσως» και «όχι τώρα».", ["ναι, ίσως", "όχι τώρα"]),
        ("Er sagte »sehr bald« und ging.", ["sehr bald"]),
        ('He said "very soon" and "not yet".', ["very soon", "not yet"]),
        ("He called it ‘the people’s war’ then.", ["the people’s war"]),
        ("彼は「すぐに行く」と言った。", ["すぐに行く"]),
        ("It’s the leaders’ house, a well-known one.", []),
        ('A screen of 27" and no more.', []),
    ],
)
def test_quotations_are_found_in_the_marks_of_many_languages(text: str, quotations: list[str]) -> None:
    assert find_quotations(text) == quotations


@pytest.mark.parametrize(
    ("article", "speech"),
    [
        ("It was.\n- We are going ahead - said Kirby.\nIt ended.", ["We are going ahead"]),
        ("– Θα έρθω σύντομα, είπε.", ["Θα έρθω σύντομα, είπε."]),
    ],
)
def test_an_article_may_quote_with_a_dash_and_an_answer_may_not(article: str, speech: list[str]) -> None:
    assert find_speech(article) == speech
    assert find_quotations(article) == []


@pytest.mark.parametrize(
    "said",
    [
        "Kim said that he “will stand by you”.",
        "Kim said: “we will stand by you … come what may”.",
        "Kim said that he would stand by them.",
        "Kim, whom the “New York Times” quotes, will stand by them.",
    ],
)
def test_words_that_the_passage_has_may_be_quoted(said: str) -> None:
    assert verify(said, passage_of(ENGLISH, "en"), encoder=TranslatingEncoder()).kind != "quotation"


@pytest.mark.parametrize(
    "said",
    [
        "Kim said: “We will stand by you for ever.”",
        "Kim said that he “will never leave you alone”.",
        "Kim said: “We will stand by you … until the end.”",
    ],
)
def test_words_that_nobody_said_are_not_quoted(said: str) -> None:
    verdict = verify(said, passage_of(ENGLISH, "en"), encoder=TranslatingEncoder())
    assert (verdict.outcome, verdict.kind) == ("unsupported", "quotation")


def test_a_translation_is_near_to_a_quotation_of_the_passage() -> None:
    passage = passage_of(GREEK, "el")
    near, far = "Lavrov spoke of “an invincible fighting brotherhood”.", "Lavrov spoke of “a deep and complex bond”."
    encoder = TranslatingEncoder()
    assert verify(near, passage, encoder=encoder).kind != "quotation"
    assert verify(far, passage, encoder=encoder).kind == "quotation"
    assert verify(near, passage).outcome == "undecided"


def test_a_passage_that_quotes_nobody_is_not_translated_into_a_quotation() -> None:
    passage = passage_of("Ο Λαβρόφ μίλησε για μια αήττητη μαχητική αδελφότητα.", "el")
    verdict = verify("Lavrov spoke of “an invincible fighting brotherhood”.", passage, encoder=TranslatingEncoder())
    assert (verdict.outcome, verdict.kind) == ("unsupported", "quotation")


def passage_of(text: str, language: str) -> Passage:
    return Passage("a.txt", text, 0, len(text), language, "Grek" if language == "el" else "Latn", None, None)
