"""The dates that a question names only as the end of a period."""

import pytest

from rag.retrieval.bounds import find_bounds
from rag.text.dates import PartialDate

YEAR = (PartialDate(2023),)


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "When did Putin and Kim last meet before 2023?"),
        ("cs", "Kdy se Putin a Kim naposledy setkali před rokem 2023?"),
        ("el", "Πότε συναντήθηκαν τελευταία φορά ο Πούτιν και ο Κιμ πριν από το 2023;"),
        ("et", "Millal kohtusid Putin ja Kim viimati enne 2023. aastat?"),
        ("sr", "Када су се Путин и Ким последњи пут срели пре 2023. године?"),
        ("sr", "Kada su se Putin i Kim poslednji put sreli pre 2023. godine?"),
        ("pl", "Kiedy Putin i Kim spotkali się ostatnio przed 2023 rokiem?"),
        ("de", "Wann trafen sich Putin und Kim zuletzt vor 2023?"),
        ("fr", "Quand Poutine et Kim se sont-ils rencontrés pour la dernière fois avant 2023 ?"),
        ("es", "¿Cuándo se reunieron Putin y Kim por última vez antes de 2023?"),
        ("ru", "Когда Путин и Ким последний раз встречались до 2023 года?"),
        ("uk", "Коли Путін і Кім востаннє зустрічалися до 2023 року?"),
        ("zh", "普京和金正恩在2023年之前最后一次会面是什么时候？"),
        ("it", "Quando si sono incontrati Putin e Kim l'ultima volta prima del 2023?"),
        ("hu", "Mikor találkozott Putyin és Kim utoljára 2023 előtt?"),
        ("fi", "Milloin Putin ja Kim tapasivat viimeksi ennen vuotta 2023?"),
        ("sv", "När träffades Putin och Kim senast före 2023?"),
        ("tr", "Putin ve Kim 2023'ten önce en son ne zaman görüştü?"),
        ("nl", "Wanneer ontmoetten Poetin en Kim elkaar voor het laatst vóór 2023?"),
        ("pt", "Quando Putin e Kim se encontraram pela última vez antes de 2023?"),
        ("bg", "Кога Путин и Ким се срещнаха за последен път преди 2023 г.?"),
        ("sk", "Kedy sa Putin a Kim naposledy stretli pred rokom 2023?"),
        ("ro", "Când s-au întâlnit ultima dată Putin și Kim înainte de 2023?"),
        ("ja", "プーチンと金正恩が2023年より前に最後に会ったのはいつですか"),
        ("ko", "2023년 이전에 푸틴과 김정은이 마지막으로 만난 것은 언제입니까?"),
        ("ar", "متى التقى بوتين وكيم آخر مرة قبل عام 2023؟"),
        ("he", "מתי נפגשו פוטין וקים לאחרונה לפני 2023?"),
        ("id", "Kapan Putin dan Kim terakhir bertemu sebelum tahun 2023?"),
        ("vi", "Lần cuối Putin và Kim gặp nhau trước năm 2023 là khi nào?"),
        ("th", "ปูตินกับคิมพบกันครั้งสุดท้ายก่อนปี 2023 เมื่อไหร่"),
        ("lt", "Kada paskutinį kartą iki 2023 metų susitiko Putinas ir Kimas?"),
        ("da", "Hvornår mødtes Putin og Kim sidst før 2023?"),
        ("hi", "पुतिन और किम 2023 से पहले आखिरी बार कब मिले थे?"),
    ],
)
def test_a_year_that_ends_a_period_is_found_in_any_language(language: str, question: str) -> None:
    assert find_bounds(question, language) == YEAR


@pytest.mark.parametrize(
    ("language", "question", "expected"),
    [
        ("en", "Who has visited North Korea since June 2019?", PartialDate(2019, 6)),
        ("cs", "Co se stalo po 18. říjnu 2023?", PartialDate(2023, 10, 18)),
        ("de", "Was geschah bis 2020?", PartialDate(2020)),
        ("sv", "Vem har besökt landet efter år 2019?", PartialDate(2019)),
    ],
)
def test_since_until_and_after_make_a_bound_too(language: str, question: str, expected: PartialDate) -> None:
    assert find_bounds(question, language) == (expected,)


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "What happened in 2023?"),
        ("en", "What happened between 2020 and 2023?"),
        ("en", "Who met Kim before the pandemic?"),
        ("cs", "Co se stalo v roce 2023?"),
        ("nl", "Wat gebeurde er in 2023?"),
        ("zh", "2023年发生了什么？"),
        ("th", "เกิดอะไรขึ้นในปี 2023"),
        ("hu", "Mi történt 2023-ban?"),
        ("xx", "Before 2023?"),
    ],
)
def test_a_period_with_two_ends_and_a_question_without_a_date_have_no_bound(language: str, question: str) -> None:
    assert find_bounds(question, language) == ()
