"""The period that a question names, in the languages of the table, and the dates that it covers."""

from datetime import date, timedelta
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.periods import Period, find_period
from rag.text.dates import PartialDate

OCTOBER = ("2023-10", "2023-10")
BEFORE_OCTOBER = (None, "2023-09")
NAMED: list[tuple[str, str, tuple[str | None, str | None]]] = [
    ("en", "Which ships called at the port in October 2023?", OCTOBER),
    ("en", "Who was elected mayor in 2024?", ("2024", "2024")),
    ("en", "What happened on 12th October 2023?", ("2023-10-12", "2023-10-12")),
    ("en", "What happened on October 12, 2023?", ("2023-10-12", "2023-10-12")),
    ("en", "What was decided in May 2023?", ("2023-05", "2023-05")),
    ("en", "What was decided in Sept. 2023?", ("2023-09", "2023-09")),
    ("en", "What was decided on 2023-10-18?", ("2023-10-18", "2023-10-18")),
    ("en", "Who spoke on 10/18/2023?", ("2023-10-18", "2023-10-18")),
    ("en", "Who spoke on 10/11/2023?", ("2023", "2023")),
    ("en", "Which lines ran before October 2023?", BEFORE_OCTOBER),
    ("en", "Which lines ran before January 2023?", (None, "2022-12")),
    ("en", "Which lines ran before 1 March 2024?", (None, "2024-02-29")),
    ("en", "Which lines opened after 31 December 2023?", ("2024-01-01", None)),
    ("en", "Which lines opened after December 2023?", ("2024-01", None)),
    ("en", "How many trams have been bought since 2020?", ("2020", None)),
    ("en", "What is to be built by the end of 2025?", (None, "2025")),
    ("en", "What changed from 2020 onwards?", ("2020", None)),
    ("en", "What changed between 2020 and 2023?", ("2020", "2023")),
    ("en", "What changed from October to December 2023?", ("2023-10", "2023-12")),
    ("en", "What happened from 10 to 12 October 2023?", ("2023-10-10", "2023-10-12")),
    ("en", "What happened on 10-12 October 2023?", ("2023-10-10", "2023-10-12")),
    ("en", "What changed after 2020 and before 2024?", ("2021", "2023")),
    ("en", "Traffic in 2023–2024?", ("2023", "2024")),
    ("en", "Traffic in 2023-2024?", ("2023", "2024")),
    ("cs", "Co se stalo v říjnu 2023?", OCTOBER),
    ("cs", "Kolik lodí připlulo v roce 2024 do Rigy?", ("2024", "2024")),
    ("cs", "Kdo hrál před říjnem 2023?", BEFORE_OCTOBER),
    ("cs", "Co se změnilo v červnu 2023?", ("2023-06", "2023-06")),
    ("cs", "Co se změnilo v červenci 2023?", ("2023-07", "2023-07")),
    ("cs", "Kdo vystoupil 18. 10. 2023?", ("2023-10-18", "2023-10-18")),
    ("cs", "Kdo vystoupil 18. října 2023?", ("2023-10-18", "2023-10-18")),
    ("cs", "Co se stavělo od ledna do března 2023?", ("2023-01", "2023-03")),
    ("cs", "Co se stavělo mezi zářím a prosincem 2023?", ("2023-09", "2023-12")),
    ("cs", "Co se má postavit do konce roku 2025?", (None, "2025")),
    ("cs", "Co se změnilo v letech 2020 až 2023?", ("2020", "2023")),
    ("cs", "Co se změnilo po roce 2020?", ("2021", None)),
    ("sk", "Čo sa stalo v októbri 2023?", OCTOBER),
    ("sk", "Čo sa stalo pred októbrom 2023?", BEFORE_OCTOBER),
    ("sk", "Kto vyhral voľby v roku 2024?", ("2024", "2024")),
    ("sk", "Čo sa zmenilo od mája do júla 2023?", ("2023-05", "2023-07")),
    ("pl", "Co się wydarzyło w październiku 2023?", OCTOBER),
    ("pl", "Co się wydarzyło w październiku 2023 roku?", OCTOBER),
    ("pl", "Co się wydarzyło przed październikiem 2023?", BEFORE_OCTOBER),
    ("pl", "Ile statków zawinęło do Gdyni w 2024 r.?", ("2024", "2024")),
    ("pl", "Co postanowiono 18 lutego 2023 r.?", ("2023-02-18", "2023-02-18")),
    ("pl", "Co się zmieniło między majem a sierpniem 2023 roku?", ("2023-05", "2023-08")),
    ("pl", "Co się zmieniło w latach 2020–2023?", ("2020", "2023")),
    ("pl", "Co zbudowano po 2020 roku?", ("2021", None)),
    ("et", "Mis juhtus oktoobris 2023?", OCTOBER),
    ("et", "Mis juhtus 2023. aasta oktoobris?", OCTOBER),
    ("et", "Mis juhtus enne 2023. aasta oktoobrit?", BEFORE_OCTOBER),
    ("et", "Mis juhtus 2024. aastal Tallinnas?", ("2024", "2024")),
    ("et", "Mis muutus pärast 2020. aastat?", ("2021", None)),
    ("et", "Mis on muutunud alates 2020. aastast?", ("2020", None)),
    ("et", "Mis on muutunud 2020. aastast alates?", ("2020", None)),
    ("et", "Kes juhtis linna kuni 2023. aasta maini?", (None, "2023-05")),
    ("et", "Kes juhtis linna 2023. aastani?", (None, "2023")),
    ("et", "Mis ehitatakse valmis 2025. aasta lõpuks?", (None, "2025")),
    ("et", "Mis muutus 2020. aastast 2023. aastani?", ("2020", "2023")),
    ("et", "Mis muutus oktoobrist detsembrini 2023?", ("2023-10", "2023-12")),
    ("et", "Mis muutus 2023. aasta juunist juulini?", ("2023-06", "2023-07")),
    ("et", "Mis muutus 2020. ja 2023. aasta vahel?", ("2020", "2023")),
    ("et", "Kes esines 12. mail 2023?", ("2023-05-12", "2023-05-12")),
    ("el", "Τι έγινε τον Οκτώβριο του 2023;", OCTOBER),
    ("el", "Τι έγινε στις 18 Οκτωβρίου 2023;", ("2023-10-18", "2023-10-18")),
    ("el", "Τι έγινε την 1η Μαΐου 2023;", ("2023-05-01", "2023-05-01")),
    ("el", "Τι γράφτηκε πριν από τον Οκτώβριο του 2023;", BEFORE_OCTOBER),
    ("el", "Ποιος νίκησε το 2024 στις εκλογές;", ("2024", "2024")),
    ("el", "Τι άλλαξε μετά το 2020;", ("2021", None)),
    ("el", "Τι άλλαξε από το 2020 και μετά;", ("2020", None)),
    ("el", "Τι άλλαξε από το 2020 έως το 2023;", ("2020", "2023")),
    ("el", "Τι άλλαξε μεταξύ Μαΐου και Ιουλίου 2023;", ("2023-05", "2023-07")),
    ("el", "Τι θα χτιστεί μέχρι το τέλος του 2025;", (None, "2025")),
    ("sr", "Шта се десило у октобру 2023?", OCTOBER),
    ("sr", "Шта се десило пре октобра 2023?", BEFORE_OCTOBER),
    ("sr", "Шта је изграђено 2024. године?", ("2024", "2024")),
    ("sr", "Шта се променило између маја и јула 2023. године?", ("2023-05", "2023-07")),
    ("sr", "Шта се променило од 2020. до 2023. године?", ("2020", "2023")),
    ("sr", "Шта треба изградити до краја 2025. године?", (None, "2025")),
    ("sr", "Šta se desilo u oktobru 2023?", OCTOBER),
    ("sr", "Šta se desilo 12. decembra 2023. godine?", ("2023-12-12", "2023-12-12")),
    ("sr", "Šta se promenilo posle septembra 2023?", ("2023-10", None)),
    ("hr", "Što se dogodilo u listopadu 2023.?", OCTOBER),
    ("hr", "Što se dogodilo prije listopada 2023. godine?", BEFORE_OCTOBER),
    ("hr", "Tko je pobijedio na izborima u siječnju 2020. godine?", ("2020-01", "2020-01")),
    ("hr", "Što se promijenilo između svibnja i srpnja 2023. godine?", ("2023-05", "2023-07")),
    ("de", "Was geschah im Oktober 2023?", OCTOBER),
    ("de", "Was geschah vor Oktober 2023?", BEFORE_OCTOBER),
    ("de", "Was geschah am 12. März 2023?", ("2023-03-12", "2023-03-12")),
    ("de", "Wie viele Schiffe liefen 2023 in Tallinn ein?", ("2023", "2023")),
    ("de", "Was wurde im Jahr 2024 beschlossen?", ("2024", "2024")),
    ("de", "Warum hatten 2023 viele Schiffe Verspätung?", ("2023", "2023")),
    ("de", "Wer hat 2023 keine Wohnung gefunden?", ("2023", "2023")),
    ("de", "Warum sanken 2023 plötzlich Mieten?", ("2023", "2023")),
    ("de", "Was soll bis Ende 2025 gebaut werden?", (None, "2025")),
    ("fr", "Que s'est-il passé en octobre 2023 ?", OCTOBER),
    ("fr", "Que s'est-il passé avant octobre 2023 ?", BEFORE_OCTOBER),
    ("fr", "Qu'a-t-on décidé le 1er mars 2024 ?", ("2024-03-01", "2024-03-01")),
    ("fr", "Combien de navires sont venus en 2024 ?", ("2024", "2024")),
    ("fr", "Qu'est-ce qui a changé jusqu'en avril 2023 ?", (None, "2023-04")),
    ("fr", "Qu'est-ce qui a changé à partir d'octobre 2023 ?", ("2023-10", None)),
    ("fr", "Qui a parlé du 5 au 12 août 2023 ?", ("2023-08-05", "2023-08-12")),
    ("es", "¿Qué pasó en octubre de 2023?", OCTOBER),
    ("es", "¿Qué pasó antes de octubre de 2023?", BEFORE_OCTOBER),
    ("es", "¿Qué pasó el 12 de octubre del 2023?", ("2023-10-12", "2023-10-12")),
    ("es", "¿Quién ganó las elecciones de 2024?", ("2024", "2024")),
    ("es", "¿Qué cambió entre mayo y julio de 2023?", ("2023-05", "2023-07")),
    ("es", "¿Qué ha cambiado desde principios de 2020?", ("2020", None)),
    ("it", "Che cosa è successo nell'ottobre 2023?", OCTOBER),
    ("it", "Che cosa è successo prima dell'ottobre 2023?", BEFORE_OCTOBER),
    ("it", "Chi ha vinto le elezioni del 2024?", ("2024", "2024")),
    ("it", "Che cosa è cambiato dal 2020 al 2023?", ("2020", "2023")),
    ("it", "Che cosa sarà costruito entro il 2025?", (None, "2025")),
    ("ro", "Ce s-a întâmplat în octombrie 2023?", OCTOBER),
    ("ro", "Ce s-a întâmplat înainte de octombrie 2023?", BEFORE_OCTOBER),
    ("ro", "Cine a câștigat alegerile din anul 2024?", ("2024", "2024")),
    ("ro", "Ce s-a schimbat după 12 mai 2023?", ("2023-05-13", None)),
    ("ro", "Ce s-a schimbat între anii 2020 și 2023?", ("2020", "2023")),
    ("ru", "Что случилось в октябре 2023 года?", OCTOBER),
    ("ru", "Что случилось перед октябрём 2023 года?", BEFORE_OCTOBER),
    ("ru", "Октябрь 2023: что случилось?", OCTOBER),
    ("ru", "Что построили после 2020 года?", ("2021", None)),
    ("ru", "Что изменилось с мая по июль 2023 г.?", ("2023-05", "2023-07")),
    ("ru", "Кто выступал 18 октября 2023 года?", ("2023-10-18", "2023-10-18")),
    ("uk", "Що сталося у жовтні 2023?", OCTOBER),
    ("uk", "Що сталося перед жовтнем 2023 року?", BEFORE_OCTOBER),
    ("uk", "Хто переміг на виборах у 2024 році?", ("2024", "2024")),
    ("uk", "Що змінилося від травня до липня 2023 року?", ("2023-05", "2023-07")),
    ("uk", "Що відбулося 24 лютого 2022 року?", ("2022-02-24", "2022-02-24")),
    ("cs", "Co se změnilo mezi lety 2020 a 2023?", ("2020", "2023")),
    ("pl", "Co się zmieniło między 2020 a 2023 rokiem?", ("2020", "2023")),
    ("et", "Mis muutus aastatel 2020–2023?", ("2020", "2023")),
    ("ru", "Что изменилось между 2020 и 2023 годами?", ("2020", "2023")),
    ("uk", "Що змінилося у 2020–2023 роках?", ("2020", "2023")),
]
TRAPS = [
    ("en", "May I ask who won?"),
    ("en", "What did Theresa May say in March?"),
    ("en", "How far away is Mars?"),
    ("en", "What did the Mars 2020 rover find?"),
    ("en", "What happened in the 19th century?"),
    ("en", "What happened in the 1990s?"),
    ("en", "How fast is the Boeing 2020?"),
    ("en", "Who sat on flight BT-2020?"),
    ("en", "What does article 2019/1234 of the regulation demand?"),
    ("en", "Whose number is +372 2023 2024?"),
    ("en", "Whose number is 555-2023?"),
    ("en", "Were 2024 containers lost at sea?"),
    ("en", "How large is the budget for 2025?"),
    ("en", "Can it carry up to 2000 people?"),
    ("en", "Who paid a fine of 2000 euros?"),
    ("en", "Did prices rise by 2000% in October?"),
    ("en", "Who got 2,024 votes?"),
    ("en", "Which plan is for 1850 and which for 2150?"),
    ("en", "How did 2022 differ from 2024?"),
    ("en", "Was it in September or October 2023?"),
    ("en", "What was the same before and after October 2023?"),
    ("en", "What happened on 31 February 2023?"),
    ("en", "What has to be paid before the end of 2023?"),
    ("en", "What changed between 2023 and 2020?"),
    ("en", ""),
    ("cs", "Kdo hrál v září?"),
    ("cs", "Kdo přispěl pro 2000 dětí?"),
    ("cs", "Kolik stojí lístek do 2000 korun?"),
    ("cs", "Bylo to v roce 2020, nebo v roce 2023?"),
    ("sk", "Koľko áut stálo menej ako 2000 eur?"),
    ("pl", "Ile osób mieszka w Lipsku?"),
    ("pl", "Ilu radnych głosowało za budżetem na 2025 rok?"),
    ("pl", "Czy zebrano od 2000 osób podpisy?"),
    ("et", "Kui suur on eelarve 2025. aastaks?"),
    ("et", "Kas saal mahutab kuni 2000 inimest?"),
    ("et", "Kui vana on 2000 aastat vana linn?"),
    ("el", "Πόσο κοστίζουν τα 2000 εισιτήρια;"),
    ("el", "Τι έγινε τον Μάιο;"),
    ("sr", "Колики је буџет за 2025. годину?"),
    ("sr", "Колико је стајало 2000 динара?"),
    ("hr", "Gdje studira 2000 studenata?"),
    ("de", "Was geschah vor 2000 Jahren?"),
    ("de", "Wie schnell ist die Boeing 2020?"),
    ("de", "Wer zahlte bis zu 2000 Euro?"),
    ("de", "Wo wurden 2000 neue Wohnungen gebaut?"),
    ("de", "Wer half 2000 alten Menschen?"),
    ("fr", "Combien de personnes vivent à 2000 mètres ?"),
    ("fr", "Que s'est-il passé dans les années 1990 ?"),
    ("es", "¿Quién pagó más de 2000 euros?"),
    ("it", "Chi vive sopra i 2000 metri?"),
    ("ro", "Cine a plătit până la 2000 de lei?"),
    ("ru", "Сколько стоят 2000 билетов?"),
    ("ru", "Кто такая Марта?"),
    ("uk", "Хто зібрав до 2000 гривень?"),
    ("ja", "2023年10月に何が起きましたか。"),
]


def make_period(since: str | None, until: str | None) -> Period:
    return Period(since and PartialDate.parse(since), until and PartialDate.parse(until))


@pytest.mark.parametrize(("language", "question", "period"), NAMED)
def test_the_period_that_a_question_names_is_found(
    language: str, question: str, period: tuple[str | None, str | None]
) -> None:
    assert find_period(question, language) == make_period(*period)


@pytest.mark.parametrize(("language", "question"), TRAPS)
def test_no_period_is_read_into_other_numbers_and_words(language: str, question: str) -> None:
    assert find_period(question, language) is None


MONTHS = {
    "cs": "lednu únoru březnu dubnu květnu červnu červenci srpnu září říjnu listopadu prosinci",
    "sk": "januári februári marci apríli máji júni júli auguste septembri októbri novembri decembri",
    "pl": "styczniu lutym marcu kwietniu maju czerwcu lipcu sierpniu wrześniu październiku listopadzie grudniu",
    "et": "jaanuaris veebruaris märtsis aprillis mais juunis juulis augustis septembris oktoobris novembris detsembris",
    "el": "Ιανουάριο Φεβρουάριο Μάρτιο Απρίλιο Μάιο Ιούνιο Ιούλιο Αύγουστο Σεπτέμβριο Οκτώβριο Νοέμβριο Δεκέμβριο",
    "sr": "јануару фебруару марту априлу мају јуну јулу августу септембру октобру новембру децембру",
    "hr": "siječnju veljači ožujku travnju svibnju lipnju srpnju kolovozu rujnu listopadu studenom prosincu",
    "ru": "январе феврале марте апреле мае июне июле августе сентябре октябре ноябре декабре",
    "uk": "січні лютому березні квітні травні червні липні серпні вересні жовтні листопаді грудні",
}


@pytest.mark.parametrize("language", MONTHS)
def test_months_are_known_in_the_case_that_follows_in(language: str) -> None:
    found = [find_period(f"{month} 2023", language) for month in MONTHS[language].split()]
    assert found == [Period(PartialDate(2023, number), PartialDate(2023, number)) for number in range(1, 13)]


def test_capitals_and_missing_diacritics_change_nothing() -> None:
    assert find_period("CO SE STALO V ŘÍJNU 2023?", "cs") == make_period(*OCTOBER)
    assert find_period("co se stalo v rijnu 2023", "cs") == make_period(*OCTOBER)
    assert find_period("ΤΙ ΕΓΙΝΕ ΤΟΝ ΟΚΤΩΒΡΙΟ ΤΟΥ 2023;", "el") == make_period(*OCTOBER)


def test_a_long_paste_is_read_quickly() -> None:
    started = perf_counter()
    for words in ("in the ", "10. ", "2023 ", "12 may ", "before the year "):
        find_period(words * 2000, "en")
    assert perf_counter() - started < 5


def cut(day: date, precision: int) -> str:
    return day.isoformat()[: (4, 7, 10)[precision]]


def days_of(text: str) -> tuple[date, date]:
    """Return the first and the last day of a year, a month or a day."""
    first = date.fromisoformat(text + "-01" * (2 - text.count("-")))
    step = {4: 366, 7: 31, 10: 1}[len(text)]
    last = max(day for day in (first + timedelta(n) for n in range(step)) if day.isoformat().startswith(text))
    return first, last


DATES = st.builds(cut, st.dates(date(1900, 1, 1), date(2099, 12, 30)), st.integers(0, 2))


@given(DATES, DATES, DATES)
def test_a_period_covers_the_dates_that_it_shares_a_day_with(since: str, until: str, text: str) -> None:
    first, last = days_of(text)
    begins, ends = days_of(since)[0], days_of(until)[1]
    known = PartialDate.parse(text)
    assert make_period(since, None).covers(known) == (last >= begins)
    assert make_period(None, until).covers(known) == (first <= ends)
    assert make_period(since, until).covers(known) == (last >= begins and first <= ends)


@given(DATES)
def test_the_date_in_a_question_is_found_and_before_and_after_leave_no_gap(text: str) -> None:
    first, last = days_of(text)
    before, after = (find_period(f"What was said {word} {text}?", "en") for word in ("before", "after"))
    assert find_period(f"What was said in {text}?", "en") == make_period(text, text)
    assert before
    assert before.until
    assert after
    assert after.since
    assert days_of(str(before.until))[1] == first - timedelta(1)
    assert days_of(str(after.since))[0] == last + timedelta(1)
