"""Read tables and subtitles that are plain text, without changing its length, so that offsets point into the file."""

import csv
import re

from rag.ingest.content import Content, decode_text
from rag.ingest.markdown import NOTHING

DELIMITERS = ",;\t|"
_CUE = re.compile(r"(?:^|\n)(?:[^\n]*\n)?[ \t]*(?:\d+:)?\d\d:\d\d[.,]\d{3}[ \t]+-->[^\n]*(?:\n|$)")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]*>|\{\\[^{}\n]*\}")
_HEAD = re.compile(r"WEBVTT[^\n]*(?:\n(?!\n)[^\n]*)*")


def read_table(data: bytes) -> Content:
    """Return a table of values separated by commas, semicolons, bars or tabs, with tabs between the cells."""
    text = decode_text(data)
    try:
        delimiter = csv.Sniffer().sniff(text[:20_000], DELIMITERS).delimiter
    except csv.Error:
        first = text.partition("\n")[0]
        delimiter = max(DELIMITERS, key=first.count)
    cells = []
    quoted = False
    for sign in text:
        if sign == '"':
            quoted = not quoted
            cells.append(NOTHING)
        elif quoted:
            cells.append(" " if sign in "\n\t" else sign)
        else:
            cells.append("\t" if sign == delimiter else " " if sign == "\t" else sign)
    return Content("".join(cells))


def read_subtitles(data: bytes) -> Content:
    """Return the words of subtitles as one paragraph, without numbers and times."""
    text = decode_text(data)
    head = _HEAD.match(text)
    text = " " * (head.end() if head else 0) + text[head.end() if head else 0 :]
    for mark in (_CUE, _TAG):
        text = mark.sub(lambda found: " " * len(found[0]), text)
    return Content(re.sub(r"\n", " ", text))
