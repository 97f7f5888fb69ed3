"""Texts in undeclared charsets are read exactly, and anything else is refused."""

import random

import pytest

from rag.ingest.charsets import decode

WESTERN = (
    "The mayor of Malmö met his colleague from São Paulo on Tuesday. Jürgen Müller was there too, and they spoke about "
    "the harbour and its workers.",
    "The mayor of Malmö met his colleague from “São Paulo” on Tuesday – it was Jürgen Müller’s idea. A ticket to the "
    "fair costs £5 or €6.",
    "Il sindaco di Malmö è arrivato ieri a Torino. Con Jürgen Müller ha parlato del porto, dei treni e del lavoro.",
    "De burgemeester van São Paulo sprak gisteren met zijn collega over het verkeer in de stad. Het overleg duurt nog "
    "tot vrijdag.",
    "Viktor Orbán und Péter Szijjártó reisten am Montag nach Berlin. Dort sprachen sie mit dem Kanzler über Gas.",
    "El alcalde de Malmö habló el lunes con Jürgen Müller y François Hollande sobre el puerto y los trenes. "
    "La 2ª reunión es el martes, según la nota nº 5.",
    "Wali kota Malmö bertemu dengan rekannya dari São Paulo pada hari Selasa untuk membahas pelabuhan dan kereta api.",
)
SIMPLIFIED = (
    "市政府周二宣布，新的地铁线路将于2026年5月开通。全长18公里的线路连接机场和市中心，由Siemens公司提供列车。"
    "市长张伟说，这将使上班时间缩短二十分钟。一些居民担心票价会上涨。",
    "昨天下午，北方三个省下了大雪，超过400趟列车晚点。气象台说，周末气温还会下降。学校将在星期一停课。",
)
TRADITIONAL = (
    "市政府週二宣布，新的捷運路線將於2026年5月通車。全長18公里的路線連接機場和市中心，由Siemens公司提供列車。"
    "市長張偉說，這將使上班時間縮短二十分鐘。一些居民擔心票價會上漲。",
    "昨天下午，北部三個縣市下了大雨，超過400班列車誤點。氣象局說，週末氣溫還會下降。學校將在星期一停課。",
)
JAPANESE = (
    "市は火曜日、新しい地下鉄の路線を2026年5月に開業すると発表した。全長18キロの路線は空港と中心部を結び、"
    "車両はSiemens社が製造する。市長の田中氏は、通勤時間が20分短くなると述べた。運賃の値上げを心配する住民もいる。",
    "昨日の午後、北部の三つの県で大雪となり、400本を超える列車が遅れた。気象台によると、週末はさらに冷え込む見通しだ。"
    "学校は月曜日に休校となる。",
)
KOREAN = (
    "시는 화요일에 새로운 지하철 노선이 2026년 5월에 개통된다고 발표했다. 길이 18km의 노선은 공항과 도심을 연결하며, "
    "열차는 Siemens가 만든다. 김민수 시장은 출근 시간이 20분 줄어들 것이라고 말했다. 일부 주민은 요금 인상을 걱정한다.",
    "어제 오후 북부의 세 도에 큰 눈이 내려 열차 400편이 늦어졌다. 기상청은 주말에 기온이 더 내려갈 것이라고 밝혔다. "
    "학교는 월요일에 쉰다.",
)
EAST_ASIAN = [
    (text, charset)
    for texts, charsets in (
        (SIMPLIFIED, ("gb18030", "gbk", "gb2312")),
        (TRADITIONAL, ("big5", "cp950", "gb18030")),
        (JAPANESE, ("cp932", "shift_jis", "euc_jp")),
        (KOREAN, ("cp949", "euc_kr")),
    )
    for text in texts
    for charset in charsets
]
CZECH = "Ministr zahraničí přijel ve čtvrtek do hlavního města. Přivítal ho prezident se svými poradci."
GERMAN = "Der Bürgermeister von Köln traf am Dienstag seine Kollegen aus Österreich. Größere Städte zahlen bald mehr."
FRENCH = "Le maire a déclaré à la télévision que le marché où les élèves déjeunent était fermé."
RUSSIAN = "Президент встретился с послом Японии. Они говорили о торговле и о границе."


@pytest.mark.parametrize("text", WESTERN)
def test_foreign_names_in_a_western_article_are_read(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


@pytest.mark.parametrize(("text", "charset"), EAST_ASIAN)
def test_chinese_japanese_and_korean_articles_are_read(text: str, charset: str) -> None:
    assert decode(text.encode(charset)) == text


@pytest.mark.parametrize(
    ("text", "charset"),
    [("今天下雨，学校停课。", "gb18030"), ("今天下雨，學校停課。", "big5"), ("学校は今日休みです。", "cp932"),
     ("学校は今日休みです。", "euc_jp"), ("오늘 서울에 비가 오고 학교는 쉽니다.", "cp949")],
)  # fmt: skip
def test_one_sentence_is_enough_to_detect_an_east_asian_charset(text: str, charset: str) -> None:
    assert decode(text.encode(charset)) == text


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        (GERMAN, "cp437"),
        (GERMAN, "mac_roman"),
        (GERMAN, "cp500"),
        (FRENCH, "cp437"),
        (FRENCH, "cp500"),
        ("Ärzte empfehlen, jeden Tag mindestens eine halbe Stunde zu gehen.", "cp850"),
        ("El equipo local marcó dos goles en los últimos cinco minutos y ganó el partido.", "cp437"),
        ("Romanen handlar om tre systrar som ärver ett hotell i bergen och vad de ska göra med det.", "mac_roman"),
        ("The mayor met Lech Wałęsa on Tuesday, and they spoke about the harbour and the trains.", "iso8859_2"),
        ("The mayor of Zürich and José Gómez drove a Škoda to the harbour on Tuesday.", "cp1257"),
        ("The mayor of Zürich and Jürgen Müller drove a Škoda to the harbour on Tuesday.", "iso8859_2"),
        (CZECH, "cp852"),
        (CZECH, "mac_latin2"),
        (RUSSIAN, "cp866"),
        (f"{RUSSIAN} The minister met the ambassador.", "cp866"),
        ("สภาเทศบาลอนุมัติงบประมาณสำหรับปีหน้าเมื่อวันอังคาร นายกเทศมนตรีกล่าวว่าโรงเรียนจะเปิดในวันจันทร์", "cp874"),
        (f"{WESTERN[0]} 张伟市长说。", "gb18030"),
        (JAPANESE[0], "gb18030"),
        (KOREAN[0], "johab"),
    ],
)
def test_text_in_an_unknown_charset_is_refused(text: str, charset: str) -> None:
    assert decode(text.encode(charset, "ignore")) is None


SPANISH = "El alcalde dijo que la reunión será mañana en Málaga. Los niños irán a la montaña el próximo año."
FINNISH = "Pormestari sanoi, että silta joen yli valmistuu keskiviikkona."
GREEK = "Ο υπουργός Εξωτερικών έφθασε σήμερα στην πρωτεύουσα και συναντήθηκε με τον πρόεδρο της χώρας."
HEBREW = "ראש העיר פתח את הנמל החדש ביום ראשון ואמר כי העבודות נמשכו תשע שנים ועלו תשעה מיליון."


@pytest.mark.parametrize(("text", "charset"), [(RUSSIAN, "mac_cyrillic"), (GREEK, "mac_greek")])
def test_macintosh_charsets_of_other_scripts_are_read(text: str, charset: str) -> None:
    assert decode(text.encode(charset)) == text


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        *((SPANISH, charset) for charset in ("cp437", "cp850", "cp857", "cp860")),
        *((FINNISH, charset) for charset in ("cp437", "cp850", "cp852", "cp865")),
        (FINNISH.upper(), "mac_roman"),
        (SPANISH, "mac_roman"),
        (HEBREW, "cp862"),
        (GREEK, "cp737"),
    ],
)
def test_text_in_charsets_of_dos_is_never_garbled(text: str, charset: str) -> None:
    assert decode(text.encode(charset)) in (None, text)


@pytest.mark.parametrize("size", [40, 100, 1000, 20_000])
def test_random_bytes_are_refused(size: int) -> None:
    source = random.Random(size)  # noqa: S311
    assert [decode(source.randbytes(size)) for _ in range(20)] == [None] * 20


def test_random_bytes_among_words_are_refused() -> None:
    source = random.Random(1)  # noqa: S311
    words = b"the file of the table is in the index and has the name of that field"
    for _ in range(20):
        assert decode(words + source.randbytes(60) + words) is None


def test_a_truncated_letter_and_a_private_one_are_refused() -> None:
    data = SIMPLIFIED[0].encode("gb18030")
    assert decode(data[:-1]) is None
    assert decode(data + b"\xaa\xa1") is None


def test_currency_and_copyright_signs_do_not_mislead_the_detection() -> None:
    for text in ("The works cost £900 in the end, the mayor said.", "Nine years of work. © The Harbour Times 2024"):
        assert decode(text.encode("cp1252")) == text


def test_a_special_letter_late_in_a_text_is_found() -> None:
    text = "The works took nine years. " * 40_000 + "The minister met Jürgen Müller."
    assert decode(text.encode("cp1252")) == text


def test_a_very_long_word_is_read_in_time() -> None:
    text = "L'été fut chaud à Châlons, dit le maire. " + "a" * 2_000_000
    assert decode(text.encode("cp1252")) == text
