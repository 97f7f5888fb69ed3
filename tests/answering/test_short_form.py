"""The answering words of an article, written in the language of the question without a model."""

import subprocess
import sys

import pytest

from rag.answering.short_form import Marked, write_short_form
from rag.text.language import Language

ENGLISH, CZECH, GERMAN = Language("en", "Latn"), Language("cs", "Latn"), Language("de", "Latn")
POLISH, GREEK, ESTONIAN = Language("pl", "Latn"), Language("el", "Grek"), Language("et", "Latn")
SERBIAN, RUSSIAN, FRENCH = Language("sr", "Cyrl"), Language("ru", "Cyrl"), Language("fr", "Latn")
JAPANESE = Language("ja", "Jpan")


def write(sentence: str, language: str, words: str, question: str, asked: Language) -> str | None:
    start = sentence.index(words)
    written = write_short_form(Marked(sentence, language, start, start + len(words)), question, asked)
    return written and written.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("sentence", "language", "words", "question", "asked", "expected"),
    [
        ("Ministr přijede 18. a 19. října.", "cs", "18. a 19. října", "When will he come?", ENGLISH,
         "October 18 and October 19"),
        ("Ministr přijede 18.–19. října.", "cs", "18.–19. října", "When will he come?", ENGLISH, "October 18–19"),
        ("Ministr přijede 18.–19. října.", "cs", "18.–19. října", "Kiedy przyjedzie minister?", POLISH,
         "18–19 października"),
        ("Ministr přijede 18.–19. října.", "cs", "18.–19. října", "Wann kommt der Minister?", GERMAN,
         "18.–19. Oktober"),
        ("The bridge opened on July 12, 2025.", "en", "July 12, 2025", "Kdy byl most otevřen?", CZECH,
         "12. července 2025"),
        ("The bridge opened on July 12, 2025.", "en", "on July 12, 2025", "Millal sild avati?", ESTONIAN,
         "12. juuli 2025"),
        ("Η γέφυρα άνοιξε στις 3 Μαΐου 2024.", "el", "3 Μαΐου 2024", "Када је отворен мост?", SERBIAN,
         "3. мај 2024."),
        ("Sild avati 2024-05-03.", "et", "2024-05-03", "When was the bridge opened?", ENGLISH, "May 3, 2024"),
        ("Muzeum bylo otevřeno v roce 1998.", "cs", "v roce 1998", "When was the museum opened?", ENGLISH, "1998"),
        ("Park zavírá ve 21:40.", "cs", "ve 21:40", "Wann schließt der Park?", GERMAN, "21:40"),
        ("Park zavírá ve 21:40.", "cs", "ve 21:40", "When does the park close?", ENGLISH, "9:40 PM"),
        ("V neděli je otevřeno.", "cs", "V neděli", "When is it open?", ENGLISH, "Sunday"),
        ("Das Treffen beginnt am 4. März um 18:30 Uhr.", "de", "am 4. März um 18:30", "When does it begin?", ENGLISH,
         "March 4, 6:30 PM"),
    ],
)  # fmt: skip
def test_a_time_is_written_in_the_language_of_the_question(
    sentence: str, language: str, words: str, question: str, asked: Language, expected: str
) -> None:
    assert write(sentence, language, words, question, asked) == expected


@pytest.mark.parametrize(
    ("sentence", "language", "words", "question", "asked", "expected"),
    [
        ("Poslali přes 1000 kontejnerů.", "cs", "1000 kontejnerů", "How many containers did they send?", ENGLISH,
         "over 1,000"),
        ("Poslali přes 1000 kontejnerů.", "cs", "přes 1000", "Wie viele Container schickten sie?", GERMAN,
         "über 1.000"),
        ("Poslali přes 1000 kontejnerů.", "cs", "1000", "Πόσα κοντέινερ έστειλαν;", GREEK, "> 1.000"),
        ("Die Gespräche dauerten vier bis fünf Stunden.", "de", "vier bis fünf Stunden", "Jak dlouho to trvalo?",
         CZECH, "4–5 hodin"),
        ("Die Gespräche dauerten drei Stunden.", "de", "drei Stunden", "Сколько часов длились переговоры?", RUSSIAN,
         "3 часа"),
        ("Bilet kosztuje około 25 €.", "pl", "25 €", "How much is a ticket?", ENGLISH, "≈ €25"),
        ("Omanik sai 50,5 % toetusest.", "et", "50,5 %", "What share did the owner get?", ENGLISH, "50.5%"),
        ("The road is 12 kilometres long.", "en", "12 kilometres", "Quelle est la longueur de la route ?", FRENCH,
         "12 kilomètres"),
        ("At least 300 people came.", "en", "At least 300", "Kolik lidí přišlo?", CZECH, "≥ 300"),
        ("Przyszło mniej niż 300 osób.", "pl", "300 osób", "How many people came?", ENGLISH, "under 300"),
        ("Přišlo dvě stě padesát lidí.", "cs", "dvě stě padesát lidí", "How many people came?", ENGLISH, "250"),
    ],
)  # fmt: skip
def test_a_number_is_written_with_its_unit_and_bound(
    sentence: str, language: str, words: str, question: str, asked: Language, expected: str
) -> None:
    assert write(sentence, language, words, question, asked) == expected


@pytest.mark.parametrize(
    ("sentence", "language", "words", "asked", "expected"),
    [
        ("Severní Korea poslala kontejnery.", "cs", "Severní Korea", ENGLISH, "North Korea"),
        ("Kontejnery poslali do Ruska.", "cs", "Ruska", RUSSIAN, "Россия"),
        ("The minister visited Japan.", "en", "Japan", JAPANESE, "日本"),
        ("Minister külastas Jaapanit.", "et", "Jaapanit", ENGLISH, "Japan"),
    ],
)
def test_a_country_is_named(sentence: str, language: str, words: str, asked: Language, expected: str) -> None:
    assert write(sentence, language, words, "Who or where?", asked) == expected


@pytest.mark.parametrize(
    ("sentence", "language", "words", "question"),
    [
        # Words that would have to be translated.
        ("Přišli dva muži a tři ženy.", "cs", "dva muži a tři ženy", "Who came?"),
        ("Zakázku získala firma Stavby Brno.", "cs", "firma Stavby Brno", "Who won the contract?"),
        ("The delegation arrived by train.", "en", "by train", "How did it arrive?"),
        # Peoples and adjectives are not countries.
        ("Ruská delegace přijela.", "cs", "Ruská", "Which delegation came?"),
        ("The Russian delegation came.", "en", "Russian", "Which delegation came?"),
        ("Rusové přijeli.", "cs", "Rusové", "Who came?"),
        # An article, and a number that may be read in two ways.
        ("Ein Mann kam.", "de", "Ein Mann", "How many men came?"),
        ("Es kamen 1.500 Leute.", "de", "1.500 Leute", "How many people came?"),
        # Amounts in a currency that is not recognised.
        ("Budova stála 40 milionů korun.", "cs", "40 milionů korun", "How much did it cost?"),
        # Two times, of which only one can be the answer.
        ("Otevřeno od 3. května do 12. června.", "cs", "3. května do 12. června", "When did it open?"),
        # A date in the answer to a question that does not ask for a time.
        ("Dohoda z 3. května platí.", "cs", "Dohoda z 3. května", "What is valid?"),
    ],
)
def test_what_cannot_be_written_for_certain_has_no_short_form(
    sentence: str, language: str, words: str, question: str
) -> None:
    assert write(sentence, language, words, question, ENGLISH) is None


def test_a_language_without_a_locale_has_no_short_forms() -> None:
    assert write("It opened in 1998.", "en", "1998", "?", Language("xx", "Latn")) is None


def test_the_forms_of_a_language_do_not_depend_on_the_languages_written_before() -> None:
    script = """
from rag.text.dates import PartialDate
from rag.text.language import Language
from rag.text.localised import find_locale, write_date
for code, script in (("ja", "Jpan"), ("tr", "Latn"), ("hu", "Latn"), ("de", "Latn")):
    print(write_date(PartialDate(None, 10), find_locale(Language(code, script))))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["10月", "Ekim", "október", "Oktober"]
