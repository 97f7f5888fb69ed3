"""Escaping for HTML and Markdown, and templates in which every value is text."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from rag.text.markup import escape_html, escape_links, escape_markdown, load_templates, split_spans

HOSTILE = "<b>${x} `y` {{z}}</b> \"'&\u200b\u202e"
ESCAPED = "&lt;b&gt;&#36;&#123;x&#125; &#96;y&#96; &#123;&#123;z&#125;&#125;&lt;/b&gt; &quot;&#x27;&amp;"


def fill(folder: Path, source: str, **values: object) -> str:
    (folder / "page.html").write_text(source, encoding="utf-8")
    return load_templates(folder).get_template("page.html").render(values)


def test_escaped_html_shows_the_text_without_invisible_characters() -> None:
    assert escape_html(HOSTILE) == ESCAPED


def test_every_value_in_a_template_is_text_and_the_output_of_a_macro_is_html(tmp_path: Path) -> None:
    source = '{% macro bold(text) %}<b title="{{ text }}">{{ text }}</b>{% endmacro %}{{ value }}|{{ bold(value) }}'
    assert fill(tmp_path, source, value=HOSTILE) == f'{ESCAPED}|<b title="{ESCAPED}">{ESCAPED}</b>'


def test_json_in_an_attribute_is_text_too(tmp_path: Path) -> None:
    drawn = fill(tmp_path, '<a data-x="{{ {"x": value} | json }}">', value='"')
    assert drawn == '<a data-x="&#123;&quot;x&quot;: &quot;\\&quot;&quot;&#125;">'


def test_line_breaks_and_indentation_beside_tags_are_left_out_but_not_those_of_values(tmp_path: Path) -> None:
    source = "<p>\n  {{ value }}\n  {% if value %}\n  <b>two words</b>\n  {% endif %}\n</p>\n"
    assert fill(tmp_path, source, value="a\n  b") == "<p>a\n  b<b>two words</b></p>"


def test_a_missing_value_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError, match="'value' is undefined"):
        fill(tmp_path, "{{ value }}")


def test_escaped_markdown_is_one_paragraph_and_escaped_links_leave_the_rest_readable() -> None:
    assert escape_markdown("# a\n*b*") == "\\# a \\*b\\*"
    assert escape_links("# a\n*b* [c](d) <e>") == "# a\n*b* [c]\\(d) \\<e>"


def test_a_text_is_split_at_spans() -> None:
    assert split_spans("abcd", [(1, 2), (3, 4)]) == [("a", False), ("b", True), ("c", False), ("d", True), ("", False)]
