"""Take the marks of Markdown out of a text without changing its length, so that offsets still point into the file."""

import re

from rag.text.sentences import HEADING, LIST_SPACE
from rag.text.structure import BULLET

NOTHING = "\u200b"
"""A zero-width space, in place of a mark beside a word or within it."""

MAX_DEPTH = 4
"""How deep marks within marks are blanked."""

_FENCE = re.compile(r"[ \t>]*(`{3,}|~{3,})[^`]*$")
_HEADING = re.compile(r"([ ]{0,3})(#{1,6})(?=[ \t]|$)(.*)$")
_CLOSING = re.compile(r"(?<=[ \t])#+[ \t]*$")
_UNDERLINE = re.compile(r"[ ]{0,3}(?:=+|-{2,})[ \t]*$")
_RULE = re.compile(r"[ ]{0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_BELOW_NAMES = re.compile(r"\|?[ \t]*:?-+:?(?:[ \t]*\|[ \t]*:?-+:?)*(?:[ \t]*\|)?$")
_DEFINITION = re.compile(r"[ ]{0,3}\[[^\]^][^\]]*\]:[ \t]*\S+.*$")
_NOTE = re.compile(r"[ ]{0,3}\[\^[^\]]+\]:")
_QUOTE = re.compile(r"(?:[ \t]*>)+")
_BULLETED = re.compile(r"([ \t]*)[-*+]([ \t]+)(\[[ xX]\](?=[ \t]))?")
_NUMBERED = re.compile(r"([ \t]*\d{1,3}[.)])[ \t]")
_CODE = re.compile(r"(`{1,9})(?!`)(.{1,200}?)(?<!`)\1(?!`)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_HIDDEN = (
    re.compile(r"<!--.{0,1000}?-->"),
    re.compile(r"</?(?!https?:|mailto:)[a-zA-Z][^<>]*>"),
    re.compile(r"\[\^[^\]\s]+\]"),
)
_LINK = re.compile(r"(!?\[)([^\[\]]*)(\](?:\((?:[^()\s]|\([^()]*\))*(?:[ \t]+(?:\"[^\"]*\"|'[^']*'))?\)|\[[^\[\]]*\]))")
_PAIRED = (
    re.compile(r"(<)((?:https?|mailto):[^<>\s]+)(>)"),
    _LINK,
    re.compile(r"(\*{1,3}|~~)(?=[^\s*])(.{1,200}?)(?<=[^\s*])(\1)"),
    re.compile(r"(?<!\w)(_{1,3})(?=[^\s_])(.{1,200}?)(?<=[^\s_])(\1)(?!\w)"),
)
_PROTECTED = 0xE000
"""Where characters that are no marks are moved to meanwhile."""
_RESTORED = {_PROTECTED + code: code for code in range(128)}


def blank_marks(text: str) -> str:
    """Return `text` without the marks of Markdown, each replaced by a space or an invisible character.

    A heading begins with HEADING, an item of a list with BULLET or its number, and tabs separate the cells of a table.
    """
    blanked: list[str] = []
    fence, in_table = "", False
    lines = text.split("\n")
    for number, line in enumerate(lines):
        found = _FENCE.match(line)
        if found and (not fence or (found[1].startswith(fence) and not line.strip(f"{fence[0]} \t>"))):
            fence = "" if fence else found[1]
            blanked.append(" " * len(line))
            continue
        if fence:
            blanked.append(line)
            continue
        following = lines[number + 1] if number + 1 < len(lines) else ""
        begins = "|" in following and _BELOW_NAMES.match(following.strip()) is not None
        in_table = "|" in line and (in_table or begins)
        if in_table:
            blanked.append(_blank_row(line))
        else:
            blanked.append(_blank_line(line, blanked[-1] if blanked else ""))
    return "\n".join(blanked)


def _blank_row(line: str) -> str:
    if _BELOW_NAMES.match(line.strip()):
        return " " * len(line)
    line = _ESCAPED.sub(_protect_escaped, line)
    start, end = len(line) - len(line.lstrip()), len(line.rstrip())
    inner = line[start:end].replace("\t", " ")
    inner = re.sub(r"^\||\|$", NOTHING, inner).replace("|", "\t")
    return _blank_inline(line[:start].replace("\t", " ") + inner + line[end:])


def _blank_line(line: str, before: str) -> str:
    if _RULE.match(line) or _DEFINITION.match(line) or (before.strip() and _UNDERLINE.match(line)):
        return " " * len(line)
    quote = _QUOTE.match(line)
    start = quote.end() if quote else 0
    lead, line = " " * start, line[start:]
    if heading := _HEADING.match(line):
        words = _CLOSING.sub(lambda found: " " * len(found[0]), heading[3])
        line = heading[1] + HEADING + " " * (len(heading[2]) - 1) + words
    elif note := _NOTE.match(line):
        line = " " * note.end() + line[note.end() :]
    elif item := _BULLETED.match(line):
        line = item[1] + BULLET + item[2] + " " * len(item[3] or "") + line[item.end() :]
    elif item := _NUMBERED.match(line):
        line = item[1] + LIST_SPACE + line[item.end() :]
    return lead + _blank_inline(line)


def _blank_inline(line: str) -> str:
    line = _ESCAPED.sub(_protect_escaped, _CODE.sub(_protect_code, line))
    for pattern in _HIDDEN:
        line = pattern.sub(lambda found: NOTHING * len(found[0]), line)
    for pattern in _PAIRED:
        line = _repeat(pattern, line)
    return line.translate(_RESTORED)


def _repeat(pattern: re.Pattern[str], line: str) -> str:
    """Return a line with the first and the last group of each match blanked, and of those within it."""

    def blank(found: re.Match[str]) -> str:
        return NOTHING * len(found[1]) + found[2] + NOTHING * len(found[3])

    for _ in range(MAX_DEPTH):
        before, line = line, pattern.sub(blank, line)
        if line == before:
            break
    return line


def _protect_escaped(found: re.Match[str]) -> str:
    return NOTHING + chr(_PROTECTED + ord(found[1]))


def _protect_code(found: re.Match[str]) -> str:
    inner = "".join(chr(_PROTECTED + ord(one)) if one.isascii() and not one.isalnum() else one for one in found[2])
    return NOTHING * len(found[1]) + inner + NOTHING * len(found[1])
