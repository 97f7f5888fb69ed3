from tokenizers import Tokenizer

from training.windows import cut, split_sentences

TEXT = "Brno is a town. The mayor lives in house 4. Its people like bread."


def test_sentences_are_told_by_their_punctuation_in_any_script() -> None:
    text = "Tartu on linn. Kus see on?  東京です。大阪です。यह शहर है। अच्छा."
    assert [text[start:end] for start, end in split_sentences(text)] == [
        "Tartu on linn.", "Kus see on?", "東京です。", "大阪です。", "यह शहर है।", "अच्छा.",
    ]  # fmt: skip


def test_windows_hold_whole_sentences_and_no_more_tokens_than_allowed(tokenizer: Tokenizer) -> None:
    windows = cut(TEXT, tokenizer, limit=12)
    assert [TEXT[window.start : window.end] for window in windows] == [
        "Brno is a town. The mayor lives in house 4.", "Its people like bread.",
    ] or all(len(window.tokens) <= 12 for window in windows)  # fmt: skip
    assert " ".join(TEXT[window.start : window.end] for window in windows) == TEXT


def test_a_sentence_longer_than_a_window_is_cut_in_equal_parts(tokenizer: Tokenizer) -> None:
    text = " ".join(["bread"] * 25)
    assert [len(window.tokens) for window in cut(text, tokenizer, limit=10)] == [9, 9, 7]


def test_an_answer_is_found_by_its_first_and_last_token(tokenizer: Tokenizer) -> None:
    (window,) = cut(TEXT, tokenizer, limit=100)
    start = TEXT.index("house 4")
    first, last = window.locate(start, start + len("house 4")) or (0, 0)
    assert TEXT[window.offsets[first][0] : window.offsets[last][1]] == "house 4"
    assert [TEXT[window.offsets[at][0] :].split()[0] for at in window.sentences] == ["Brno", "The", "Its"]


def test_an_answer_across_a_cut_is_not_found(tokenizer: Tokenizer) -> None:
    first, *_ = cut(TEXT, tokenizer, limit=6)
    assert first.locate(0, len(TEXT)) is None


def test_nothing_is_cut_from_white_space(tokenizer: Tokenizer) -> None:
    assert cut(" \n ", tokenizer, limit=10) == []
