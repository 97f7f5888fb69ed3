"""What a question asks about the collection is read from its words, and questions to the articles are left alone."""

import pytest

from evaluation.cases import load_answerable, load_catalogue, load_followups, load_unanswerable
from rag.answering.requests import read_request
from rag.config import ROOT
from rag.retrieval.periods import Period
from rag.text.dates import PartialDate
from rag.text.language import detect
from rag.text.prompts import Prompts

SPOKEN = {tag.partition("-")[0] for tag in Prompts.load(ROOT / "prompts").sentences}
ASKED = [
    ("languages", "", "Which languages are the articles in?"),
    ("languages", "", "What languages are the articles written in?"),
    ("languages", "", "How many languages are your articles in?"),
    ("languages", "", "V jakých jazycích jsou články?"),
    ("languages", "", "V JAKYCH JAZYCICH JSOU CLANKY"),
    ("languages", "", "W jakich językach są artykuły?"),
    ("languages", "", "Mis keeltes artiklid on?"),
    ("languages", "", "Σε ποιες γλώσσες είναι τα άρθρα;"),
    ("languages", "", "На којим језицима су чланци?"),
    ("languages", "", "Na kojim jezicima su članci?"),
    ("languages", "", "In welchen Sprachen sind die Artikel?"),
    ("languages", "", "Dans quelles langues sont les articles ?"),
    ("languages", "", "На каких языках статьи?"),
    ("languages", "", "¿En qué idiomas están los artículos?"),
    ("list", "", "How many articles are there?"),
    ("list", "", "How many articles are from 2023?"),
    ("list", "", "How many articles do you have from before 2024?"),
    ("list", "", "Which articles are from September 2023?"),
    ("list", "", "Kolik článků je z roku 2023?"),
    ("list", "", "Ile artykułów jest z 2023 roku?"),
    ("list", "", "Mitu artiklit on aastast 2023?"),
    ("list", "", "Πόσα άρθρα είναι από το 2023;"),
    ("list", "", "Колико чланака је из 2023. године?"),
    ("list", "", "Wie viele Artikel sind aus dem Jahr 2023?"),
    ("list", "", "Сколько статей за 2023 год?"),
    ("mentioning", "Port Salen", "How many articles mention Port Salen?"),
    ("mentioning", "Lavrov", "Which articles mention Lavrov?"),
    ("mentioning", "bridge", "Do any articles mention the bridge?"),
    ("mentioning", "Lavrova", "Kolik článků zmiňuje Lavrova?"),
    ("mentioning", "Putin", "V kolika článcích se zmiňuje Putin?"),
    ("mentioning", "Ławrowa", "Ile artykułów wspomina Ławrowa?"),
    ("mentioning", "Putinie", "Które artykuły wspominają o Putinie?"),
    ("mentioning", "Putinit", "Mitu artiklit mainib Putinit?"),
    ("mentioning", "Kimi", "Millistes artiklites mainitakse Kimi?"),
    ("mentioning", "Λαβρόφ", "Πόσα άρθρα αναφέρουν τον Λαβρόφ;"),
    ("mentioning", "Путина", "Колико чланака помиње Путина?"),
    ("mentioning", "Putina", "Koliko članaka pominje Putina?"),
    ("mentioning", "Lawrow", "In wie vielen Artikeln wird Lawrow erwähnt?"),
    ("mentioning", "Poutine", "Combien d'articles mentionnent Poutine ?"),
    ("mentioning", "Putin", "¿Cuántos artículos mencionan a Putin?"),
    ("mentioning", "Кирби", "В скольких статьях упоминается Кирби?"),
    ("mentioning", "Путіна", "Скільки статей згадують Путіна?"),
    ("concerning", "bridges", "Which articles are about bridges?"),
    ("concerning", "war in Ukraine", "What articles are about the war in Ukraine?"),
    ("concerning", "mill", "List all articles about the mill."),
    ("concerning", "schools", "Show me articles about schools"),
    ("concerning", "bridges", "How many articles are about bridges?"),
    ("concerning", "mostech", "Které články jsou o mostech?"),
    ("concerning", "volbách", "Kolik článků je o volbách?"),
    ("concerning", "škole", "Které články píšou o škole?"),
    ("concerning", "mostach", "Które artykuły są o mostach?"),
    ("concerning", "wyborów", "Które artykuły dotyczą wyborów?"),
    ("concerning", "sildade", "Millised artiklid on sildade kohta?"),
    ("concerning", "valimistest", "Millised artiklid räägivad valimistest?"),
    ("concerning", "γέφυρες", "Ποια άρθρα είναι για γέφυρες;"),
    ("concerning", "εκλογές", "Ποια άρθρα αφορούν τις εκλογές;"),
    ("concerning", "мостовима", "Који чланци су о мостовима?"),
    ("concerning", "izborima", "Koji članci govore o izborima?"),
    ("concerning", "Brücken", "Welche Artikel handeln von Brücken?"),
    ("concerning", "um Schulen", "In welchen Artikeln geht es um Schulen?"),
    ("concerning", "élections", "Quels articles parlent des élections ?"),
    ("concerning", "puentes", "¿Qué artículos tratan de puentes?"),
    ("concerning", "мостах", "Какие статьи о мостах?"),
    ("concerning", "Brücke", "Welche Artikel sind über die Brücke?"),
    ("concerning", "broar", "Vilka artiklar handlar om broar?"),
    ("uncounted", "", "How many articles are written by women?"),
    ("uncounted", "", "How many words are in the articles?"),
    ("uncounted", "", "How many sentences do the articles have?"),
    ("uncounted", "", "Kolik slov mají články?"),
    ("uncounted", "", "Kolik článků napsali muži?"),
    ("uncounted", "", "Ile słów mają artykuły?"),
    ("uncounted", "", "Mitu sõna artiklites on?"),
    ("uncounted", "", "Πόσες λέξεις έχουν τα άρθρα;"),
    ("uncounted", "", "Колико речи имају чланци?"),
    ("uncounted", "", "Wie viele Wörter haben die Artikel?"),
]


@pytest.mark.parametrize(("kind", "subject", "question"), ASKED)
def test_what_is_asked_about_the_collection_is_understood(kind: str, subject: str, question: str) -> None:
    request = read_request(question, detect(question), SPOKEN)
    assert request is not None
    assert request.kind == kind
    assert kind == "uncounted" or request.subject == subject


def test_the_language_and_the_period_of_the_articles_are_read() -> None:
    request = read_request("How many Greek articles are from 2023?", detect("How many Greek"), SPOKEN)
    assert request is not None
    year = PartialDate(2023)
    assert (request.kind, request.language, request.period) == ("list", "el", Period(year, year))


def test_no_question_to_the_articles_is_taken_for_one_about_the_collection() -> None:
    others = [case.question for case in (*load_answerable(), *load_unanswerable(), *load_followups())]
    others += [case.question for case in load_catalogue() if case.kind == "none"]
    assert len(others) > 300
    taken = [question for question in others if read_request(question, detect(question), SPOKEN)]
    assert taken == []


@pytest.mark.parametrize(
    "question",
    [
        "How many soldiers do the articles mention?",
        "What does the Czech article say about the bridge?",
        "What do the articles write about the war?",
        "Who wrote the article about the mill?",
        "How many articles does the treaty have?",
        "According to the articles, who paid for the bridge?",
        "What is the newest article about the war?",
        "Kolik vojáků zmiňují články?",
        "Co píšou články o válce?",
        "Co mówi artykuł o szkole?",
        "Mida kirjutavad artiklid sõjast?",
        "Τι γράφουν τα άρθρα για τον πόλεμο;",
        "Шта пишу чланци о рату?",
        "Was schreiben die Artikel über den Krieg?",
        "Wer hat den Artikel über die Brücke geschrieben?",
        "Что пишут статьи о войне?",
        "Welche Brücke erwähnt der Artikel?",
    ],
)
def test_a_question_about_what_articles_say_is_left_alone(question: str) -> None:
    assert read_request(question, detect(question), SPOKEN) is None
