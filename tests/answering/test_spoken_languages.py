"""A generator is used as a judge, and speaks, as its calibration on the shipped reports shows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.answering.spoken_languages import calibrate
from rag.config import ROOT, Config
from rag.errors import ModelError
from rag.reading.calibration import load_cases
from rag.reading.known_judges import find_judge, locate_calibration, read_calibration
from rag.testing import ScriptedGenerator, WordEncoder
from rag.text.prompts import Prompts
from rag.types import Embeddings, Progress, Reply, Role

PROMPTS = Prompts.load(ROOT / "prompts")
ASKED = [(group, question) for group in load_cases() for question in group.questions]
ANSWERABLE = [(group.passages[question.right], question) for group, question in ASKED if question.right is not None]


class KnowingGenerator(ScriptedGenerator):
    """Knows which report is right, finds it by the given odds, and answers in the languages of `speaks`."""

    def __init__(self, odds: Callable[[bool], float], speaks: Sequence[str] = ()) -> None:
        super().__init__("")
        self.weighed = 0
        self._find_odds = odds
        self._speaks = speaks

    def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
        self.weighed += 1
        right = {passage.text for passage, question in ANSWERABLE if question.text in suffix}
        return [self._find_odds(any(text in prefix for text in right)) for prefix in prefixes]

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        self.prompts.append((prefix, suffix))
        (question,) = (question for passage, question in ANSWERABLE if question.text in suffix)
        yield question.accept[0] if question.language.code in self._speaks else "…"


class InterruptedGenerator(KnowingGenerator):
    """Is interrupted after some questions."""

    def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
        if self.weighed == 5:
            raise KeyboardInterrupt
        return super().weigh(prefixes, suffix, replies)


class NearEncoder(WordEncoder):
    """Finds every text near to every other, so that facts alone decide whether a statement is supported."""

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        return super().encode(["near" for _ in texts], role, progress)


def know(right: bool) -> float:
    return 4.0 if right else -4.0


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(cache=tmp_path)


def test_a_generator_that_finds_the_right_reports_becomes_a_judge(config: Config) -> None:
    generator = KnowingGenerator(know)
    assert find_judge(generator, config, PROMPTS) is None
    found = calibrate(config, generator, WordEncoder(), PROMPTS)
    assert (found.questions, found.judged) == (len(ANSWERABLE), len(ANSWERABLE))
    assert found.alone < found.judged
    judge = find_judge(generator, config, PROMPTS)
    assert judge
    assert judge == found.judge


def test_the_least_evidence_lies_between_answerable_and_unanswerable_questions(config: Config) -> None:
    judge = calibrate(config, KnowingGenerator(know), WordEncoder(), PROMPTS).judge
    assert judge
    assert know(False) + judge.weight < judge.least < know(True) + judge.weight


def test_a_generator_that_answers_at_random_is_no_judge_and_is_not_asked_to_speak(config: Config) -> None:
    random = np.random.default_rng(0)
    generator = KnowingGenerator(lambda _: float(random.normal()))
    found = calibrate(config, generator, WordEncoder(), PROMPTS)
    assert found.judge is None
    assert find_judge(generator, config, PROMPTS) is None
    assert generator.prompts == []


@pytest.mark.parametrize("odds", [lambda _: 1.0, lambda right: -know(right)], ids=["always the same", "the wrong"])
def test_a_generator_with_equal_odds_or_wrong_ones_is_no_judge(config: Config, odds: Callable[[bool], float]) -> None:
    found = calibrate(config, KnowingGenerator(odds), WordEncoder(), PROMPTS)
    assert found.judge is None
    assert found.judged <= found.alone


def test_a_judge_speaks_the_languages_in_which_all_that_would_be_shown_is_right(config: Config) -> None:
    judge = calibrate(config, KnowingGenerator(know, ("de", "sr")), NearEncoder(), PROMPTS).judge
    assert judge
    assert judge.speaks == ("de", "sr")


def test_a_judge_does_not_speak_a_language_in_which_a_wrong_reply_would_be_shown(config: Config) -> None:
    class Slip(KnowingGenerator):
        def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
            reply = "".join(super().generate(prefix, suffix, max_tokens, stop))
            # The year of the flood, where the question is how many people were evacuated.
            yield "2016" if len(self.prompts) == 1 else reply

    first = ANSWERABLE[0][1].language.code
    judge = calibrate(config, Slip(know, (first, "en")), NearEncoder(), PROMPTS).judge
    assert judge
    assert judge.speaks == ("en",)


def test_a_judge_does_not_speak_a_language_in_which_a_wrong_line_would_be_shown_beside_a_right_one(
    config: Config,
) -> None:
    class Talkative(KnowingGenerator):
        def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
            odds = super().weigh(prefixes, suffix, replies)
            return [4.0 if one > 0 else 3.0 for one in odds] if max(odds, default=0.0) > 0 else odds

        def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
            # It says the answer that is in the report, whether that was asked or not.
            yield next((question.accept[0] for passage, question in ANSWERABLE if passage.text in prefix), "…")

    judges = [
        calibrate(config, generator, NearEncoder(), PROMPTS).judge
        for generator in (KnowingGenerator(know, ["en"]), Talkative(know))
    ]
    assert ["en" in judge.speaks for judge in judges if judge] == [True, False]


def test_a_calibration_is_read_as_it_was_written(config: Config) -> None:
    generator = KnowingGenerator(know, ("en",))
    found = calibrate(config, generator, WordEncoder(), PROMPTS)
    assert read_calibration(locate_calibration(generator, config, PROMPTS)) == found


def test_an_interrupted_calibration_leaves_nothing(config: Config, tmp_path: Path) -> None:
    generator = InterruptedGenerator(know)
    with pytest.raises(KeyboardInterrupt):
        calibrate(config, generator, WordEncoder(), PROMPTS)
    assert generator.weighed == 5
    assert list(tmp_path.rglob("*")) == []
    assert find_judge(generator, config, PROMPTS) is None


def test_another_model_encoder_or_prompt_needs_its_own_calibration(config: Config) -> None:
    generator, other = KnowingGenerator(know), KnowingGenerator(know)
    other.identify = lambda: "scripted, from another file"  # type: ignore[method-assign]
    calibrate(config, generator, WordEncoder(), PROMPTS)
    reworded = replace(PROMPTS, templates={**PROMPTS.templates, "judge": "Is {question} answered?"})
    assert find_judge(generator, config, PROMPTS)
    assert find_judge(other, config, PROMPTS) is None
    assert find_judge(generator, config.replace(encoder="another"), PROMPTS) is None
    assert find_judge(generator, config, reworded) is None


@pytest.mark.parametrize(
    "text",
    ["", "questions = 3", "questions = [", "\0", "questions = 3\nalone = 1\njudged = 2\n[judge]\nweight = 'much'\n"],
)
def test_a_damaged_file_counts_as_not_calibrated(config: Config, text: str) -> None:
    generator = KnowingGenerator(know)
    calibrate(config, generator, WordEncoder(), PROMPTS)
    locate_calibration(generator, config, PROMPTS).write_text(text)
    assert find_judge(generator, config, PROMPTS) is None


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(ModelError, match="RAG_CACHE"):
        calibrate(Config(cache=tmp_path / "cache"), KnowingGenerator(know), WordEncoder(), PROMPTS)


def test_the_name_of_a_generator_cannot_leave_the_folder(config: Config, tmp_path: Path) -> None:
    generator = KnowingGenerator(know)
    generator.name = "../../" * 40 + "etc/model at http://localhost:1/v1"
    calibrate(config, generator, WordEncoder(), PROMPTS)
    (kept,) = tmp_path.rglob("*.toml")
    assert kept.parent == tmp_path / "judges"


def test_progress_reaches_its_end(config: Config) -> None:
    told: list[tuple[int, int]] = []
    calibrate(config, KnowingGenerator(know), WordEncoder(), PROMPTS, lambda done, total: told.append((done, total)))
    total = 2 * len(ASKED)
    assert told == [(done, total) for done in range(1, total + 1)]
