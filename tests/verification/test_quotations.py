"""Words given as somebody's own must be in the passage, or translate one of its quotations."""

from collections.abc import Sequence

import pytest

from rag.testing import WordEncoder
from rag.types import Embeddings, Passage, Progress, Role
from rag.verification.quotations import find_quotations, find_speech, is_speech
from rag.verification.verify import verify

GREEK = "Ο Λαβρόφ μίλησε για «μια αήττητη μαχητική αδελφότητα» των δύο λαών."
TRANSLATED = {"an": "μια", "invincible": "αήττητη", "fighting": "μαχητική", "brotherhood": "αδελφότητα"}
ENGLISH = "Kim said: “We will stand by you, come what may.” He left on Friday."


class TranslatingEncoder(WordEncoder):
    """An encoder that knows the Greek for four English words."""

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        return super().encode([" ".join(TRANSLATED.get(word, word) for word in text.split()) for text in texts], role)


@pytest.mark.parametrize(
    ("text", "quotations"),
    [
        ("Řekl, že „přijede brzy“.", ["přijede brzy"]),
        ("Powiedział, że „przyjedzie wkrótce”.", ["przyjedzie wkrótce"]),
        ("Είπε «ναι, ίσως» και «όχι τώρα».", ["ναι, ίσως", "όχι τώρα"]),
        ("Er sagte »sehr bald« und ‚vielleicht auch nicht‘.", ["sehr bald", "vielleicht auch nicht"]),
        ('He said "very soon" and "not yet".', ["very soon", "not yet"]),
        ('He said "we go\non and on" to them. "So it is" he said.', ["we go\non and on", "So it is"]),
        ("He called it ‘the people’s war’ then.", ["the people’s war"]),
        ("Hän sanoi ”pian tulen” ja lähti.", ["pian tulen"]),
        ("«Είπε “ναι ίσως” και έφυγε», λέει.", ["Είπε “ναι ίσως” και έφυγε"]),
        ("彼は「すぐに行く」と言った。", ["すぐに行く"]),
        ('у развој", поручио је Ким. "Тако је", рекао је.', ["Тако је"]),
        ("It’s the leaders’ house, a well-known one.", []),
        ('Screens of 24" and 27" are wide.', []),
        ('One "opens here.\n\nAnother closes" there.', []),
    ],
)
def test_quotations_are_found_between_the_marks_of_many_languages(text: str, quotations: list[str]) -> None:
    assert find_quotations(text) == quotations


@pytest.mark.parametrize(
    ("article", "speech"),
    [
        ("It was.\n- We are going ahead - said Kirby.\nIt ended.", ["We are going ahead"]),
        ("– Θα έρθω σύντομα, είπε.", ["Θα έρθω σύντομα, είπε."]),
        ('Верујемо у развој", поручио је Ким.', ["Верујемо у развој"]),
        ('Kim řekl: "Rusko vede boj.', ["Rusko vede boj."]),
    ],
)
def test_only_a_passage_may_quote_with_a_dash_or_lack_a_mark(article: str, speech: list[str]) -> None:
    assert find_speech(article) == speech
    assert find_quotations(article) == []


@pytest.mark.parametrize(
    "said",
    [
        "Kim said: “We will stand by you”.",
        "Kim said: “we will stand by you … come what may”.",
        "Kim said: “We will stand by you…”",
        "Kim said: “… come what may.”",
    ],
)
def test_words_of_the_passage_may_be_quoted(said: str) -> None:
    assert verify(said, passage_of(ENGLISH, "en"), encoder=TranslatingEncoder()).outcome == "supported"


@pytest.mark.parametrize(
    "said",
    [
        "Kim said: “We will stand by you for ever.”",
        "Kim said that he “will never leave you alone”.",
        "Kim said: “We will stand by you … until the end.”",
        "Kim said: “come what may … We will stand by you.”",
    ],
)
def test_words_that_nobody_said_may_not_be_quoted(said: str) -> None:
    verdict = verify(said, passage_of(ENGLISH, "en"), encoder=TranslatingEncoder())
    assert (verdict.outcome, verdict.kind) == ("unsupported", "quotation")


def test_both_scripts_of_serbian_have_the_same_words() -> None:
    passage = passage_of('Рекао је да ће "подићи односе између двеју земаља на џиновски ниво".', "sr", "Cyrl")
    said = "Rekao je da će „podići odnose između dveju zemalja na džinovski nivo“."
    assert verify(said, passage).kind != "quotation"
    assert verify(said.replace("podići", "srušiti"), passage).kind == "quotation"


@pytest.mark.parametrize(
    ("quotation", "speech"),
    [
        ("very soon", True),
        ("우리는 함께 할 것이다", True),
        ("سنبقى معكم", True),
        ("certain", False),
        ("New York Times", False),
        ("2 000", False),
    ],
)
def test_a_single_word_or_a_name_between_marks_is_not_speech(quotation: str, speech: bool) -> None:
    assert is_speech(quotation) == speech


def test_a_translation_is_near_to_a_quotation_of_the_passage() -> None:
    passage = passage_of(GREEK, "el", "Grek")
    near, far = "Lavrov spoke of “an invincible fighting brotherhood”.", "Lavrov spoke of “a deep and complex bond”."
    encoder = TranslatingEncoder()
    assert verify(near, passage, encoder=encoder).kind != "quotation"
    assert verify(far, passage, encoder=encoder).kind == "quotation"
    assert verify(near, passage).outcome == "undecided"


def test_a_passage_that_quotes_nobody_is_not_translated_into_a_quotation() -> None:
    passage = passage_of("Ο Λαβρόφ μίλησε για μια αήττητη μαχητική αδελφότητα.", "el", "Grek")
    verdict = verify("Lavrov spoke of “an invincible fighting brotherhood”.", passage, encoder=TranslatingEncoder())
    assert (verdict.outcome, verdict.kind) == ("unsupported", "quotation")


def passage_of(text: str, language: str, script: str = "Latn") -> Passage:
    return Passage("a.txt", text, 0, len(text), language, script, None, None)
