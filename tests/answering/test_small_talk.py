"""Greetings, thanks and questions about the assistant are recognised, and no question to the articles is."""

import pytest

from evaluation.cases import load_answerable, load_catalogue, load_followups, load_unanswerable
from rag.answering.small_talk import SENTENCES, drop_small_talk, find_small_talk
from rag.config import ROOT
from rag.text.language import Language, detect
from rag.text.prompts import Prompts
from rag.types import Turn

TALK = [
    ("en", "greeting", "Hello!"),
    ("en", "greeting", "hi there"),
    ("en", "greeting", "Good morning, how are you?"),
    ("en", "welcome", "Thanks a lot for your help :)"),
    ("en", "welcome", "OK, thank you very much!"),
    ("en", "welcome", "Thanks, bye"),
    ("en", "ready", "okay"),
    ("en", "ready", "I see, great."),
    ("en", "farewell", "Goodbye and good night"),
    ("en", "about", "Who are you?"),
    ("en", "about", "Hi, what can you do?"),
    ("en", "about", "WHAT CAN I ASK YOU"),
    ("en", "about", "what's your name?"),
    ("en", "about", "How does this work?"),
    ("cs", "greeting", "Dobrý den"),
    ("cs", "greeting", "ahoj, jak se máš?"),
    ("cs", "welcome", "Díky moc!"),
    ("cs", "welcome", "dekuji za odpoved"),
    ("cs", "ready", "Aha, rozumím."),
    ("cs", "farewell", "Na shledanou"),
    ("cs", "about", "Kdo jsi?"),
    ("cs", "about", "CO VŠECHNO UMÍŠ?"),
    ("cs", "about", "Na co se můžu ptát?"),
    ("el", "greeting", "Γεια σας"),
    ("el", "greeting", "Καλημέρα, τι κάνετε;"),
    ("el", "welcome", "Ευχαριστώ πολύ!"),
    ("el", "welcome", "efharisto poly"),
    ("el", "ready", "Εντάξει"),
    ("el", "farewell", "Αντίο"),
    ("el", "about", "ΤΙ ΜΠΟΡΕΙΣ ΝΑ ΚΑΝΕΙΣ;"),
    ("el", "about", "Ποιος είσαι;"),
    ("et", "greeting", "Tere!"),
    ("et", "welcome", "Aitäh sulle vastuse eest"),
    ("et", "welcome", "tanan vaga"),
    ("et", "ready", "Selge, väga hea"),
    ("et", "farewell", "Head aega"),
    ("et", "about", "Kes sa oled?"),
    ("et", "about", "Mida sa oskad?"),
    ("pl", "greeting", "Cześć, co słychać?"),
    ("pl", "welcome", "Dziękuję bardzo za pomoc"),
    ("pl", "ready", "W porządku"),
    ("pl", "farewell", "do widzenia"),
    ("pl", "about", "Kim jesteś?"),
    ("pl", "about", "w czym mozesz mi pomoc"),
    ("sr", "greeting", "Добар дан"),
    ("sr", "welcome", "Хвала пуно"),
    ("sr", "welcome", "hvala lepo"),
    ("sr", "ready", "у реду"),
    ("sr", "about", "Ко си ти?"),
    ("sr", "about", "Šta sve možeš?"),
    ("de", "welcome", "Vielen Dank für die Antwort"),
    ("fr", "about", "Qu'est-ce que tu sais faire ?"),
    ("es", "greeting", "¡Hola! ¿Qué tal?"),
    ("no", "welcome", "Tusen takk for hjelpen"),
    ("th", "greeting", "สวัสดีครับ"),
    ("zh", "about", "请问你是谁？"),
    ("ja", "welcome", "どうもありがとうございました"),
]


@pytest.mark.parametrize(("language", "sentence", "message"), TALK)
def test_small_talk_is_recognised_in_its_language(language: str, sentence: str, message: str) -> None:
    talk = find_small_talk(message, detect(message), opens=True)
    assert talk is not None
    assert (talk.sentence, talk.language.code) == (sentence, language)


def test_a_message_that_several_languages_have_is_in_the_language_of_the_conversation() -> None:
    for code, script in (("cs", "Latn"), ("el", "Grek"), ("sr", "Cyrl")):
        talk = find_small_talk("OK", Language(code, script), opens=False)
        assert talk is not None
        assert talk.language.code == code


def test_no_question_to_the_articles_is_small_talk() -> None:
    cases = (*load_answerable(), *load_unanswerable(), *load_followups(), *load_catalogue())
    assert len(cases) > 300
    taken = [case.question for case in cases if find_small_talk(case.question, Language("en", "Latn"), opens=True)]
    assert taken == []


@pytest.mark.parametrize(
    "message",
    [
        "Who is the mayor?",
        "Hello, when does the bridge open?",
        "Thanks. And who paid for it?",
        "What can the mayor do?",
        "Co umí nový robot?",
        "Kdo je to?",
        "What is the new bridge?",
        "OK 2023",
        "你是谁的市长",
        "?!",
        "hello " * 50,
    ],
)
def test_a_message_that_asks_anything_else_is_not_small_talk(message: str) -> None:
    assert find_small_talk(message, Language("en", "Latn"), opens=True) is None


def test_what_this_is_is_asked_of_the_assistant_only_at_the_beginning() -> None:
    assert find_small_talk("What is this?", Language("en", "Latn"), opens=True)
    assert find_small_talk("What is this?", Language("en", "Latn"), opens=False) is None


def test_turns_of_small_talk_are_dropped_from_a_conversation() -> None:
    asked = Turn("When does the bridge open?", "In May. [1]")
    assert drop_small_talk([Turn("Hi", "Hello."), asked, Turn("děkuji", "Rádo se stalo.")]) == [asked]


def test_every_kind_has_a_sentence() -> None:
    prompts = Prompts.load(ROOT / "prompts")
    assert all(prompts.say(key, "et") != prompts.say(key, "en") for key in SENTENCES.values())
