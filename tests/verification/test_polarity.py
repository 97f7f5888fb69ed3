"""Denials are found, and who acts on whom where grammar shows it."""

import pytest

from rag.verification.evidence import split_clauses
from rag.verification.polarity import find_polarity
from rag.verification.roles import find_actors, is_mutual


@pytest.mark.parametrize(
    ("language", "text", "denied"),
    [
        ("cs", "Kim Ukrajinu nejmenoval.", True),
        ("cs", "Nebyly podepsány žádné dohody.", True),
        ("cs", "Nejvyšší představitel přijel v neděli na nezávislou Ukrajinu.", False),
        ("el", "Δεν υπογράφηκε καμία συμφωνία.", True),
        ("el", "Υπογράφηκε η συμφωνία.", False),
        ("et", "Lepingut ei allkirjastatud.", True),
        ("et", "Leping allkirjastati.", False),
        ("sr", "Ким није поменуо Украјину.", True),
        ("sr", "Посета не укључује само космодром.", False),
        ("hr", "Nikad se nisu sreli.", True),
        ("pl", "Nie poinformowano, kiedy się spotkają.", True),
        ("pl", "Poinformowano, kiedy się spotkają.", False),
        ("en", "They didn't sign it.", True),
        ("en", "Not only did they sign it.", False),
        ("en", "No, they signed it.", False),
        ("de", "Es wurde kein Abkommen unterzeichnet.", True),
        ("fr", "Il n'a pas signé.", True),
        ("fr", "Ils ne sont restés que 4 minutes.", False),
        ("es", "No firmaron nada.", True),
        ("ru", "Соглашение не подписано.", True),
    ],
)
def test_denials_are_found(language: str, text: str, denied: bool) -> None:
    polarity = find_polarity(text, language)
    assert polarity
    assert polarity.denied == denied


def test_a_word_may_deny_by_its_meaning() -> None:
    polarity = find_polarity("Москва је негирала такве намере.", "sr")
    assert polarity
    assert (polarity.denied, polarity.weak) == (False, True)


def test_nothing_is_found_in_a_language_without_a_table() -> None:
    assert find_polarity("Hän ei tullut.", "fi") is None
    assert find_actors("Kim tapasi Putinin.", "fi") == []


@pytest.mark.parametrize(
    ("language", "text", "roles"),
    [
        ("el", "Ο Κιμ υποδέχθηκε τον Λαβρόφ.", ["agent", "other"]),
        ("el", "Ο Πούτιν προσκλήθηκε από τον Κιμ.", ["agent", None]),
        ("cs", "Severní Korea dodala Rusku kontejnery.", ["agent", "other"]),
        ("cs", "Putina pozval Kim Čong-un.", ["other", "agent"]),
        ("cs", "Putin byl pozván do Severní Koreje.", []),
        ("cs", "„Írán pozval Putina.“", ["agent", "other"]),
        ("sr", "Ким Џонг Ун позвао је Владимира Путина.", ["agent", "other"]),
        ("pl", "Rosja wyśle do Korei Północnej inżynierów.", ["agent", "other"]),
        ("et", "Kim Jong-un kutsus Putini külla.", ["agent", "other"]),
        ("et", "Venemaa saab laskemoona Põhja-Korealt.", ["agent", "other"]),
        ("en", "Kim invited Putin.", ["agent", "other"]),
        ("en", "Putin was invited by Kim.", []),
        ("de", "Kim lud Putin ein.", ["agent", "other"]),
    ],
)
def test_who_acts_is_told_by_endings_articles_or_order(language: str, text: str, roles: list[str | None]) -> None:
    assert [actor.role for actor in find_actors(text, language)] == roles


@pytest.mark.parametrize(
    ("language", "text"),
    [("cs", "Putin se setkal s Kimem."), ("en", "Kim met Putin."), ("el", "Ο Κιμ συναντήθηκε με τον Πούτιν.")],
)
def test_a_meeting_has_two_sides(language: str, text: str) -> None:
    assert is_mutual(text, language)
    assert not is_mutual("Kim pozval Putina.", "cs")


@pytest.mark.parametrize(
    ("language", "text", "clauses"),
    [
        ("cs", "Přijel Kim a nic nepodepsal.", ["Přijel Kim", "nic nepodepsal."]),
        ("en", "They signed a treaty and went home.", ["They signed a treaty", "went home."]),
        ("fi", "Hän tuli ja lähti.", ["Hän tuli ja lähti."]),
    ],
)
def test_clauses_end_at_the_conjunctions_of_their_language(language: str, text: str, clauses: list[str]) -> None:
    assert split_clauses(text, language) == clauses
