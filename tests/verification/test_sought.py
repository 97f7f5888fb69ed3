"""A question asks for a time, for a number, or for neither."""

import pytest

from rag.verification.claims import parse
from rag.verification.sought import find_sought, mark_sought

TIME = {
    "bg": "Кога пристигна министърът?",
    "cs": "Ve kterých dnech navštíví ministr přístav?",
    "de": "An welchem Tag kam der Minister an?",
    "el": "Πότε έφτασε ο υπουργός;",
    "en": "Between which dates was the harbour closed?",
    "es": "¿Cuándo llegó el ministro?",
    "et": "Mis päeval minister saabus?",
    "fi": "Missä kuussa ministeri saapui?",
    "fr": "À quelle date le ministre est-il arrivé ?",
    "hr": "Kada je ministar stigao?",
    "hu": "Mikortól meddig volt zárva a kikötő?",
    "it": "In che anno è stato aperto il porto?",
    "ja": "大臣はいつ到着しましたか？",
    "ko": "장관은 몇 월에 도착했습니까?",
    "nl": "Wanneer kwam de minister aan?",
    "pl": "W którym roku otwarto port?",
    "pt": "Em que ano abriu o porto?",
    "ro": "În ce an s-a deschis portul?",
    "ru": "Какого числа приехал министр?",
    "sk": "Kedy prišiel minister?",
    "sr": "Ког дана је министар стигао?",
    "sv": "Vilket år öppnades hamnen?",
    "tr": "Bakan ne zaman geldi?",
    "uk": "У якому році відкрили порт?",
    "zh": "部长是什么时候到达的？",
}
NUMBER = {
    "bg": "Колко контейнера пристигнаха?",
    "cs": "Kolik kontejnerů připlulo?",
    "de": "Wie viele Container kamen an?",
    "el": "Πόσα κοντέινερ έφτασαν;",
    "en": "What percentage of the containers arrived?",
    "es": "¿Cuántos contenedores llegaron?",
    "et": "Mitu konteinerit saabus?",
    "fi": "Kuinka monta konttia saapui?",
    "fr": "Combien de conteneurs sont arrivés ?",
    "hr": "Koliko je kontejnera stiglo?",
    "hu": "Hány konténer érkezett?",
    "it": "Quanti container sono arrivati?",
    "ja": "コンテナは何個届きましたか？",
    "ko": "컨테이너가 몇 개 도착했습니까?",
    "nl": "Hoeveel containers kwamen er aan?",
    "pl": "Ile kontenerów przypłynęło?",
    "pt": "Quantos contentores chegaram?",
    "ro": "Câte containere au sosit?",
    "ru": "Сколько контейнеров прибыло?",
    "sk": "Koľko kontajnerov prišlo?",
    "sr": "Колико је контејнера стигло?",
    "sv": "Hur många containrar kom fram?",
    "tr": "Kaç konteyner geldi?",
    "uk": "Скільки контейнерів прибуло?",
    "zh": "有多少集装箱到达？",
}
NEITHER = [
    ("cs", "Který ministr přijel, když se otevíral přístav?"),
    ("de", "Welche Tagung wurde abgesagt?"),
    ("en", "Who was there when the harbour was opened?"),
    ("es", "¿Quién estaba cuando se abrió el puerto?"),
    ("fi", "Miksi satama suljettiin, koska oli tyyntä?"),
    ("fr", "Qui était là quand le port a été ouvert ?"),
    ("hu", "Ki volt ott, amikor megnyílt a kikötő?"),
    ("pl", "Kto był przy tym, kiedy otwierano port?"),
    ("ru", "Кто был там, когда открывали порт?"),
    ("sr", "Ко је био ту када је отворена лука?"),
    ("tr", "Limanı hangi bakan açtı?"),
    ("uk", "Хто був там, коли відкривали порт?"),
    ("cs", "Které letiště bylo uzavřeno?"),
    ("et", "Mis päevaleht sadamast kirjutas?"),
    ("fi", "Mistä päivälehdestä se luettiin?"),
    ("hu", "Milyen napilap írt a kikötőről?"),
    ("ru", "Какие датские корабли пришли?"),
    ("tr", "Hangi güney limanı kapatıldı?"),
    ("tr", "Kaçan bakan kimdi?"),
    ("sw", "Waziri alifika lini?"),
]


@pytest.mark.parametrize(("language", "question"), TIME.items())
def test_questions_for_a_time_are_recognised(language: str, question: str) -> None:
    assert find_sought(question, language) == "time"


@pytest.mark.parametrize(("language", "question"), NUMBER.items())
def test_questions_for_a_number_are_recognised(language: str, question: str) -> None:
    assert find_sought(question, language) == "number"


@pytest.mark.parametrize(("language", "question"), NEITHER)
def test_other_questions_ask_for_neither(language: str, question: str) -> None:
    assert find_sought(question, language) is None


def test_sentences_with_the_time_or_number_are_marked() -> None:
    sentences = [
        "Přístav se otevřel v úterý.",
        "Otevřel se 3. května 2019.",
        "Otevírá se na dva týdny.",
        "Stál devět milionů korun.",
        "Ministr byl spokojen.",
    ]
    assert mark_sought(parse("When did the harbour open?", "en"), sentences, "cs") == [True, True, True, False, False]
    assert mark_sought(parse("How much did the harbour cost?", "en"), sentences, "cs")[3:] == [True, False]
    assert mark_sought(parse("Who opened the harbour?", "en"), sentences, "cs") == [False] * 5


def test_numbers_and_dates_of_the_question_are_not_what_it_asks_for() -> None:
    sentences = ["Of the 40 ships that came in May, some stayed.", "12 ships stayed."]
    assert mark_sought(parse("How many of the 40 ships stayed?", "en"), sentences, "en") == [False, True]
    assert mark_sought(parse("On which day of May did they come?", "en"), sentences, "en") == [False, False]
