"""Drawing the values that depend on an encoder, from counts and observations worked out by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.encoder_table import Found, draw, draw_evidence, find_middle, render
from rag.models.settings import find_encoder_settings
from rag.text.records import read_record
from rag.types import EncoderSettings

SETTINGS = find_encoder_settings("multilingual-e5-small")


def test_a_printed_table_is_read_back_as_the_same_settings(tmp_path: Path) -> None:
    settings = replace(SETTINGS, layers=(-7,), close=0.42)
    (tmp_path / "table.toml").write_text(render(settings), encoding="utf-8")
    assert read_record(EncoderSettings, tmp_path / "table.toml") == settings


@pytest.mark.parametrize(
    ("counts", "middle"), [([1, 3, 3, 3, 1], 2), ([3, 1, 3, 3, 1], 2), ([0, 0, 0, 0, 0], 2), ([1, 2, 3, 4, 5], 4)]
)
def test_the_middle_of_the_longest_run_of_best_values_is_taken(counts: list[float], middle: int) -> None:
    assert find_middle(range(5), counts) == middle


def test_each_value_is_drawn_where_most_is_right_and_others_are_kept() -> None:
    drawn = draw(SETTINGS, ("close", "aside"), lambda one: -abs(one.close - 0.2) - abs(one.aside - one.close + 0.1))
    assert drawn == replace(SETTINGS, close=0.2, aside=0.1)


def test_evidence_weighs_what_separates_right_hits_and_loses_a_seventh_of_the_answerable_questions() -> None:
    found = [Found(0.5, 0.01 * (number % 10), number % 10 > 4, True) for number in range(200)]
    # Without an exception, the weights of a logistic regression would be infinite.
    found += [Found(0.5, 0.09, False, False), Found(0.5, 0.0, True, True)]
    settings = draw_evidence(found, SETTINGS)
    assert settings.lead_weight > 10 * abs(settings.score_weight)
    lost = [one for one in found if one.answerable and merit(one, settings) < settings.least_evidence]
    assert 0.1 <= len(lost) / 201 <= 0.2


def merit(found: Found, settings: EncoderSettings) -> float:
    return settings.score_weight * found.score + settings.lead_weight * found.lead
