"""Decode bytes to text without knowing their charset.

UTF-8 and UTF-16 are recognized with certainty. The 8-bit charsets differ in only a few letters, so each is tried, and
the best is the one whose text, according to fastText, is in a language with exactly these letters. If none fits, the
text may be a western one in which only foreign names have special letters, or Chinese, Japanese or Korean.
"""

# charset-normalizer 3.5.2 is not used, because it garbles 266 of 1,458 texts in the charsets read here, and this module
# only 8. With fastText as a check it is as good only for wholly non-Latin texts, and refuses 65 of 136 texts that are
# partly English. docs/experiments.md has all figures.

import codecs
import re
import unicodedata
from collections.abc import Collection
from functools import cache
from itertools import islice, pairwise

from rag.text.language import guess
from rag.text.relatives import load_alphabets

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EIGHT_BIT = (
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1257", "cp1254", "iso8859_2", "iso8859_15", "iso8859_7", "iso8859_13",
    "iso8859_5", "koi8_r", "koi8_u", "cp1255", "cp1256", "mac_cyrillic", "mac_greek",
)  # fmt: skip
"""In order of preference where several give the same text."""
_MACINTOSH = {"mac_cyrillic": ("\u0400", "\u04ff"), "mac_greek": ("\u0370", "\u03ff")}
"""The first and the last letter of the script of each Macintosh charset."""
_LETTERS = {
    "ar": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي", "bs": "čćđšž", "ca": "àçèéíïòóúü", "cs": "áčďéěíňóřšťúůýž",
    "da": "æøåé", "de": "äöüß", "el": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ", "en": "é", "es": "áéíñóúü",
    "et": "äöõüšž", "fa": "آابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهیئأ", "fi": "äöåšž", "fr": "àâæçèéêëîïôœùûüÿ",
    "he": "אבגדהוזחטיךכלםמןנסעףפץצקרשת", "hr": "čćđšž", "hu": "áéíóöőúüű", "is": "áðéíóúýþæö", "it": "àèéìòù",
    "lt": "ąčęėįšųūž", "lv": "āčēģīķļņšūž", "nl": "éëïóü", "no": "æøåé", "pl": "ąćęłńóśźż", "pt": "áâãàçéêíóôõú",
    "ro": "ăâîșțşţ", "sk": "áäčďéíĺľňóôŕšťúýž", "sl": "čšž", "sq": "çë", "sv": "åäöé", "tr": "çğıöşüâîû",
    **load_alphabets(), "sr": load_alphabets()["hbs"] + "čćđšž",
}  # fmt: skip
"""The letters beyond ASCII of each language that can be recognized."""
_PUNCTUATION = frozenset("„“”‘’‚»«›‹–—…€°§·\u00a0№•¿¡")
_STRICTNESS = 40
"""The exponent of the share of letters that fit; one misfit in forty letters reduces the score by about two thirds."""
_MIN_SCORE = 1e-3
"""A charset with a lower score is rejected."""
_SCORED_CHARS = 20_000
_CONFIDENT = 0.8
"""The minimum probability at which a text is considered to be in a language."""
_WESTERN = {
    "af", "ca", "da", "de", "en", "es", "eu", "fi", "fr", "gl", "id", "is", "it", "ms", "nl", "nn", "no", "pt", "sv",
}  # fmt: skip
"""Languages that Windows-1252 can write, by fastText's codes."""
_EAST_ASIAN = {"cp949": "ko", "cp932": "ja", "euc_jp": "ja", "cp950": "zh", "gb18030": "zh"}
"""Chinese comes last, because Korean that is decoded as Chinese also consists of common letters."""
_COMMON = {
    "ko": (("euc_kr", (0xA3, *range(0xB0, 0xC9))),),
    "ja": (("euc_jp", (0xA1, 0xA3, 0xA4, 0xA5, *range(0xB0, 0xD0))),),
    "zh": (("gb2312", (0xA3, *range(0xB0, 0xD8))), ("big5", tuple(range(0xA4, 0xC6)))),
}
"""The lead bytes of the common letters of each language, in charsets that separate common letters from rare ones."""
_COMMON_SHARE = 0.85
_FEW_LETTERS = 5
"""The minimum number of letters; fewer may occur by chance in any bytes."""
_FASTTEXT_CODES = {"ko": {"ko"}, "ja": {"ja"}, "zh": {"zh", "yue", "wuu", "ja"}}
"""The codes that fastText may return for each language; it may take Chinese for Japanese, even without kana."""

MIN_ASCII_SHARE = 20
"""UTF-16 text has at least one ASCII character, such as a space, in this many characters. 8-bit text with a stray zero
byte has none if it is decoded as UTF-16."""

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CONTROL_8_BIT = re.compile(r"[\x80-\x9f]")
_SPECIAL_WORD = re.compile(rb"[^\s\x80-\xff]{0,100}[\x80-\xff]\S*")
_PRICE = re.compile(r"£(?=[\d.])|©(?!\w)")
"""Signs that say nothing about the charset."""
_QUOTE_IN_WORD = re.compile(r"(?:(?<=\w)[„“”‚»«›‹](?=\w)|(?<=[^\W\d_])[§№])")
_LETTERS_OF_WORD = re.compile(r"[^\W\d_]+")
_MEASURE = re.compile(r"(?<![^\W\d_])[A-Za-z]{0,2}[ªº²³¹½¼¾](?![^\W\d_])")
_LETTER = r"[^\W\d_]"
_SIGN = "[¢£¥¦¨¬¯±´¸†‡˜]"
_NOT_WESTERN = re.compile(
    rf"¤|[©Ð][a-z]|{_SIGN}(?={_LETTER})|(?<={_LETTER})(?:{_SIGN}|[‚„]|[®©°×÷§¶‰™“”»«›‹€](?={_LETTER}))"
)
"""Combinations that texts in other charsets show when they are decoded as Windows-1252."""
_SIGN_IN_WORD = re.compile(rf"(?<={_LETTER})[€‚„¤]|{_LETTER}\xa0?[¢¥¦¬†‡](?={_LETTER})")
"""Signs that stand for letters of DOS charsets when these are decoded as Windows ones."""
_KANA = re.compile(r"[ぁ-ヺ]")


def decode(data: bytes) -> str | None:
    """Return the text in `data`, or None if it is binary or in an unknown charset."""
    for mark, charset in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.decode(charset, "replace")
    text = (_decode_utf16(data) if b"\x00" in data else None) or _decode_utf8(data) or _decode_eight_bit(data)
    if text is None:
        text = _decode_western(data) or _decode_east_asian(data)
    if text is not None and len(_CONTROL.findall(text)) * 100 > len(text):
        return None
    return text


def _decode_utf8(data: bytes) -> str | None:
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    # A file truncated within a letter is still UTF-8; in 8-bit text nearly every special letter is invalid.
    if broken and broken * 4 > len(data) - len(data.translate(None, bytes(range(128, 256)))):
        return None
    return text


def _decode_utf16(data: bytes) -> str | None:
    """Decode UTF-16 without a byte order mark: in the right order there is some ASCII and no control character."""
    readings = []
    for charset in ("utf-16-le", "utf-16-be"):
        text = data[: len(data) // 2 * 2].decode(charset, "replace")
        if not _CONTROL.search(text) and "\ufffd" not in text:
            readings.append((len(text.encode("ascii", "ignore")), text))
    ascii_letters, text = max(readings, default=(0, ""))
    return text if ascii_letters * MIN_ASCII_SHARE > len(text) else None


def _decode_eight_bit(data: bytes) -> str | None:
    found = islice(_SPECIAL_WORD.finditer(data), _SCORED_CHARS)
    words = b" ".join(dict.fromkeys(word[0] for word in found))[:_SCORED_CHARS]
    start = data[:1000]
    scores = {charset: _score(words.decode(charset, "replace"), start.decode(charset, "replace"))
              for charset in _EIGHT_BIT}  # fmt: skip
    for charset in sorted(scores, key=scores.__getitem__, reverse=True):
        if scores[charset] < _MIN_SCORE:
            break
        try:
            text = data.decode(charset)
        except UnicodeDecodeError:
            continue
        if not _CONTROL_8_BIT.search(text) and not _SIGN_IN_WORD.search(text) and _is_macintosh(text, charset):
            return text
    return None


def _is_macintosh(text: str, charset: str) -> bool:
    """Return whether a text in a Macintosh charset is in its script, and mostly in small letters; True for others.

    These charsets have few signs that are unlikely in texts, so any bytes would do.
    """
    if charset not in _MACINTOSH:
        return True
    first, last = _MACINTOSH[charset]
    special = [letter for letter in text[:_SCORED_CHARS] if letter.isalpha() and not letter.isascii()]
    fitting = sum(first <= letter <= last and letter.islower() for letter in special)
    return fitting * 10 > len(special) * 7


def _decode_western(data: bytes) -> str | None:
    """Decode Windows-1252 in which only foreign names have special letters; the other words show the language."""
    start = data[:1_000_000]
    plain = _SPECIAL_WORD.sub(b" ", start)
    if len(plain) * 2 < len(start) or not _is_in_language(plain[:_SCORED_CHARS].decode("ascii"), _WESTERN):
        return None
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    words = set(_LETTERS_OF_WORD.findall(_MEASURE.sub(" ", text)))
    special = [letter for letter in "".join(words) if not letter.isascii()]
    # Decoded as Windows-1252, letters in DOS and Macintosh charsets become signs, or letters beyond ÿ, such as Š.
    if sum(letter <= "ÿ" for letter in special) * 2 <= len(special):
        return None
    return text if not _NOT_WESTERN.search(text) and all(map(_is_plausible_word, words)) else None


def _is_plausible_word(word: str) -> bool:
    """Return whether the letters belong to one language, and none, only the first or all of them are capitals."""
    special = {letter for letter in word if not letter.isascii()}
    cased = word.islower() or word.istitle() or word.isupper()
    return not special or (cased and any(special <= _letters(language) for language in _LETTERS))


def _decode_east_asian(data: bytes) -> str | None:
    for charset, language in _EAST_ASIAN.items():
        try:
            text = data.decode(charset)
        except UnicodeDecodeError:
            continue
        if _is_east_asian(text, language):
            return text
    return None


def _is_east_asian(text: str, language: str) -> bool:
    """Return whether nearly all letters are common in the language, and fastText recognizes it."""
    start = text[:_SCORED_CHARS]
    letters = [letter for letter in start if letter.isalpha() and not letter.isascii()]
    common = sum(letter in _common(language) for letter in letters)
    if len(letters) < _FEW_LETTERS or common < len(letters) * _COMMON_SHARE:
        return False
    if _CONTROL_8_BIT.search(text) or any(unicodedata.category(letter) in ("Cn", "Co") for letter in set(text)):
        return False
    return (language != "ja" or _KANA.search(start) is not None) and _is_in_language(start, _FASTTEXT_CODES[language])


def _is_in_language(text: str, languages: Collection[str]) -> bool:
    return sum(probability for code, probability in guess(text).items() if code in languages) >= _CONFIDENT


def _score(words: str, start: str) -> float:
    """Return how well words with special letters fit the language that they seem to be in, from 0 to 1."""
    special = [letter for letter in _PRICE.sub("", words) if not letter.isascii()]
    odd = sum(map(_count_oddities, _LETTERS_OF_WORD.findall(words))) + len(_QUOTE_IN_WORD.findall(words))
    best = 0.0
    for language, probability in guess(f"{words} {start}").items():
        letters = _letters(language)
        fitting = sum(letter in letters or letter in _PUNCTUATION for letter in special) - odd
        best = max(best, probability * max(0.0, fitting / len(special) if special else 1.0) ** _STRICTNESS)
    return best


def _count_oddities(word: str) -> int:
    """Count the signs of a wrong charset: capitals after small letters, ASCII letters among Greek or Cyrillic ones."""
    if word.isascii():
        return 0
    mixed = sum(map(str.isascii, word)) if max(word) > "\u036f" else 0
    return mixed + sum(before.islower() and letter.isupper() for before, letter in pairwise(word))


@cache
def _letters(language: str) -> frozenset[str]:
    """Return the letters beyond ASCII of a language, small and capital."""
    letters = _LETTERS.get(language, "")
    return frozenset(letters + letters.upper())


@cache
def _common(language: str) -> frozenset[str]:
    """Return the common letters of Chinese, Japanese or Korean."""
    pairs = ((bytes((lead, trail)), charset) for charset, leads in _COMMON[language]
             for lead in leads for trail in range(0x40, 0xFF))  # fmt: skip
    return frozenset("".join(pair.decode(charset, "ignore") for pair, charset in pairs))
