"""Bytes → text, whatever they were saved as.

UTF-8 and UTF-16 prove themselves. The 8-bit encodings differ in a few letters only, so each is tried, and the one
wins whose text fastText takes for a language that has just these letters. Where none does, the text may be a western
one with foreign names in it, or Chinese, Japanese or Korean.
"""

import codecs
import re
import unicodedata
from collections.abc import Collection
from functools import cache
from itertools import islice, pairwise

from rag.text.language import guess
from rag.text.relatives import load_alphabets

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EIGHT_BIT = (
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1257", "cp1254", "iso8859_2", "iso8859_15", "iso8859_7", "iso8859_13",
    "iso8859_5", "koi8_r", "koi8_u", "cp1255", "cp1256",
)  # fmt: skip
"""Of those that read the bytes alike the first is taken."""
_LETTERS = {
    "ar": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي", "bs": "čćđšž", "ca": "àçèéíïòóúü", "cs": "áčďéěíňóřšťúůýž",
    "da": "æøåé", "de": "äöüß", "el": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ", "en": "é", "es": "áéíñóúü",
    "et": "äöõüšž", "fa": "آابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهیئأ", "fi": "äöåšž", "fr": "àâæçèéêëîïôœùûüÿ",
    "he": "אבגדהוזחטיךכלםמןנסעףפץצקרשת", "hr": "čćđšž", "hu": "áéíóöőúüű", "is": "áðéíóúýþæö", "it": "àèéìòù",
    "lt": "ąčęėįšųūž", "lv": "āčēģīķļņšūž", "nl": "éëïóü", "no": "æøåé", "pl": "ąćęłńóśźż", "pt": "áâãàçéêíóôõú",
    "ro": "ăâîșțşţ", "sk": "áäčďéíĺľňóôŕšťúýž", "sl": "čšž", "sq": "çë", "sv": "åäöé", "tr": "çğıöşüâîû",
    **load_alphabets(), "sr": load_alphabets()["hbs"] + "čćđšž",
}  # fmt: skip
"""The letters beyond ASCII of each language that is told apart."""
_PUNCTUATION = frozenset("„“”‘’‚»«›‹–—…€°§·\u00a0№•¿¡")
_STRICTNESS = 40
"""Power of the share of letters that fit: one in forty that does not costs about two thirds."""
_DOUBTFUL = 1e-3
"""Below this score no encoding is believed."""
_SCORED_CHARS = 20_000
_PLAIN = 0.8
"""From this probability on, a text is plainly in a language."""
_WESTERN = {
    "af", "ca", "da", "de", "en", "es", "eu", "fi", "fr", "gl", "id", "is", "it", "ms", "nl", "nn", "no", "pt", "sv",
}  # fmt: skip
"""Languages, as fastText calls them, that are written in Windows-1252."""
_EAST_ASIAN = {"cp949": "ko", "cp932": "ja", "euc_jp": "ja", "cp950": "zh", "gb18030": "zh"}
"""Chinese stands last: read as that, Korean has common letters alone as well."""
_COMMON = {
    "ko": (("euc_kr", (0xA3, *range(0xB0, 0xC9))),),
    "ja": (("euc_jp", (0xA1, 0xA3, 0xA4, 0xA5, *range(0xB0, 0xD0))),),
    "zh": (("gb2312", (0xA3, *range(0xB0, 0xD8))), ("big5", tuple(range(0xA4, 0xC6)))),
}
"""First bytes of the letters that each is mostly written with, in encodings that keep the rare ones apart."""
_COMMON_SHARE = 0.85
_FEW_LETTERS = 5
"""Fewer may be in any bytes by chance."""
_HEARD_AS = {"ko": {"ko"}, "ja": {"ja"}, "zh": {"zh", "yue", "wuu", "ja"}}
"""What fastText takes them for: a line of Chinese may be Japanese to it, though there is no kana in it."""

MIN_ASCII_SHARE = 20
"""One character in so many is ASCII, such as a space, in any UTF-16 text; a stray zero byte alone makes none."""

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROL_8_BIT = re.compile(r"[\x80-\x9f]")
_SPECIAL_WORD = re.compile(rb"[^\s\x80-\xff]{0,100}[\x80-\xff]\S*")
_PRICE = re.compile(r"£(?=[\d.])|©(?!\w)")
"""Signs that no letter is of."""
_QUOTE_IN_WORD = re.compile(r"(?:(?<=\w)[„“”‚»«›‹](?=\w)|(?<=[^\W\d_])[§№])")
_LETTERS_OF_WORD = re.compile(r"[^\W\d_]+")
_MEASURE = re.compile(r"(?<![^\W\d_])[A-Za-z]{0,2}[ªº²³¹½¼¾](?![^\W\d_])")
_LETTER = r"[^\W\d_]"
_SIGN = "[¢£¥¦¨¬¯±´¸†‡˜]"
_NO_WESTERN = re.compile(
    rf"¤|[©Ð][a-z]|{_SIGN}(?={_LETTER})|(?<={_LETTER})(?:{_SIGN}|[‚„]|[®©°×÷§¶‰™“”»«›‹€](?={_LETTER}))"
)
"""What is not written in Windows-1252, but comes of other encodings that are read as that."""
_KANA = re.compile(r"[ぁ-ヺ]")


def decode(data: bytes) -> str | None:
    """The text in `data`, or None where it is not text or in an encoding that is not known here."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    text = (_decode_utf16(data) if b"\x00" in data else None) or _decode_utf8(data) or _decode_eight_bit(data)
    if text is None:
        text = _decode_western(data) or _decode_east_asian(data)
    if text is not None and len(_CONTROL.findall(text)) * 100 > len(text):
        return None
    return text


def _decode_utf8(data: bytes) -> str | None:
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    # A file cut in the middle of a letter is still UTF-8; of an 8-bit text nearly every special letter breaks.
    if broken and broken * 4 > len(data) - len(data.translate(None, bytes(range(128, 256)))):
        return None
    return text


def _decode_utf16(data: bytes) -> str | None:
    """UTF-16 without a mark: rightly ordered bytes hold some ASCII, such as spaces, and no control characters."""
    readings = []
    for encoding in ("utf-16-le", "utf-16-be"):
        text = data[: len(data) // 2 * 2].decode(encoding, "replace")
        if not _CONTROL.search(text) and "\ufffd" not in text:
            readings.append((len(text.encode("ascii", "ignore")), text))
    ascii_letters, text = max(readings, default=(0, ""))
    return text if ascii_letters * MIN_ASCII_SHARE > len(text) else None


def _decode_eight_bit(data: bytes) -> str | None:
    found = islice(_SPECIAL_WORD.finditer(data), _SCORED_CHARS)
    words = b" ".join(dict.fromkeys(word[0] for word in found))[:_SCORED_CHARS]
    start = data[:1000]
    scores = {encoding: _score(words.decode(encoding, "replace"), start.decode(encoding, "replace"))
              for encoding in _EIGHT_BIT}  # fmt: skip
    for encoding in sorted(scores, key=scores.__getitem__, reverse=True):
        if scores[encoding] < _DOUBTFUL:
            break
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROL_8_BIT.search(text):
            return text
    return None


def _decode_western(data: bytes) -> str | None:
    """Windows-1252 with special letters in foreign names alone: the other words tell the language."""
    start = data[:1_000_000]
    plain = _SPECIAL_WORD.sub(b" ", start)
    if len(plain) * 2 < len(start) or not _sounds_like(plain[:_SCORED_CHARS].decode("ascii"), _WESTERN):
        return None
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    words = set(_LETTERS_OF_WORD.findall(_MEASURE.sub(" ", text)))
    special = [letter for letter in "".join(words) if not letter.isascii()]
    # In DOS and Macintosh encodings the letters are where Windows-1252 has its few others, such as Š, and its signs.
    if sum(letter <= "ÿ" for letter in special) * 2 <= len(special):
        return None
    return text if not _NO_WESTERN.search(text) and all(map(_is_spelt, words)) else None


def _is_spelt(word: str) -> bool:
    """Whether its letters are those of one language, with a capital only in front or in all places."""
    special = {letter for letter in word if not letter.isascii()}
    cased = word.islower() or word.istitle() or word.isupper()
    return not special or (cased and any(special <= _letters(language) for language in _LETTERS))


def _decode_east_asian(data: bytes) -> str | None:
    for encoding, language in _EAST_ASIAN.items():
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _is_east_asian(text, language):
            return text
    return None


def _is_east_asian(text: str, language: str) -> bool:
    """Whether nearly all letters are common ones of the language, and fastText takes the text for it."""
    start = text[:_SCORED_CHARS]
    letters = [letter for letter in start if letter.isalpha() and not letter.isascii()]
    common = sum(letter in _common(language) for letter in letters)
    if len(letters) < _FEW_LETTERS or common < len(letters) * _COMMON_SHARE:
        return False
    if _CONTROL_8_BIT.search(text) or any(unicodedata.category(letter) in ("Cn", "Co") for letter in set(text)):
        return False
    return (language != "ja" or _KANA.search(start) is not None) and _sounds_like(start, _HEARD_AS[language])


def _sounds_like(text: str, languages: Collection[str]) -> bool:
    return sum(probability for code, probability in guess(text).items() if code in languages) >= _PLAIN


def _score(words: str, start: str) -> float:
    """How well the words with letters beyond ASCII fit the language that they seem to be in, from 0 to 1."""
    special = [letter for letter in _PRICE.sub("", words) if not letter.isascii()]
    odd = sum(map(_oddities, _LETTERS_OF_WORD.findall(words))) + len(_QUOTE_IN_WORD.findall(words))
    best = 0.0
    for language, probability in guess(f"{words} {start}").items():
        letters = _letters(language)
        fitting = sum(letter in letters or letter in _PUNCTUATION for letter in special) - odd
        best = max(best, probability * max(0.0, fitting / len(special) if special else 1.0) ** _STRICTNESS)
    return best


def _oddities(word: str) -> int:
    """Capitals after small letters, and ASCII letters among Greek or Cyrillic ones: signs of a wrong encoding."""
    if word.isascii():
        return 0
    mixed = sum(map(str.isascii, word)) if max(word) > "\u036f" else 0
    return mixed + sum(before.islower() and letter.isupper() for before, letter in pairwise(word))


@cache
def _letters(language: str) -> frozenset[str]:
    letters = _LETTERS.get(language, "")
    return frozenset(letters + letters.upper())


@cache
def _common(language: str) -> frozenset[str]:
    pairs = ((bytes((lead, trail)), encoding) for encoding, leads in _COMMON[language]
             for lead in leads for trail in range(0x40, 0xFF))  # fmt: skip
    return frozenset("".join(pair.decode(encoding, "ignore") for pair, encoding in pairs))
