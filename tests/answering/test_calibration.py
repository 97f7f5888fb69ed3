"""Whether a generator is used as a judge follows from what it does on cases that are shipped, and is kept whole."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.answering.calibration import Question, Reports, Trial, assess, calibrate, load_cases
from rag.config import ROOT, Config
from rag.errors import ModelError
from rag.reading.acceptance import says
from rag.reading.trust import find_judge, locate, recall
from rag.testing import ScriptedGenerator, WordEncoder
from rag.text.prompts import Prompts
from rag.types import Embeddings, Passage, Progress, Reply, Role

PROMPTS = Prompts.load(ROOT / "prompts")
CASES = load_cases()
ASKED = [(reports, question) for reports in CASES for question in reports.questions]
ANSWERABLE = [(reports.passages[question.right], question) for reports, question in ASKED if question.right is not None]


class Reader(ScriptedGenerator):
    """Knows the cases, and finds their answers with the odds of its own; it speaks what it is told to."""

    def __init__(self, odds: Callable[[bool], float], speaks: Sequence[str] = ()) -> None:
        super().__init__("")
        self.weighed = 0
        self._odds = odds
        self._speaks = speaks

    def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
        self.weighed += 1
        right = {passage.text for passage, question in ANSWERABLE if question.text in suffix}
        return [self._odds(any(text in prefix for text in right)) for prefix in prefixes]

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        self.prompts.append((prefix, suffix))
        (question,) = (question for passage, question in ANSWERABLE if question.text in suffix)
        yield question.accept[0] if question.language.code in self._speaks else "…"


class Stopped(Reader):
    """Is interrupted after some questions."""

    def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
        if self.weighed == 5:
            raise KeyboardInterrupt
        return super().weigh(prefixes, suffix, replies)


class NearEncoder(WordEncoder):
    """Finds every text near to every other, so that facts alone decide whether a statement stands up."""

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        return super().encode(["near" for _ in texts], role, progress)


def know(right: bool) -> float:
    return 4.0 if right else -4.0


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(cache=tmp_path)


def test_a_generator_that_finds_the_right_reports_becomes_a_judge(config: Config) -> None:
    generator = Reader(know)
    assert find_judge(generator, config, PROMPTS) is None
    found = calibrate(config, generator, WordEncoder(), PROMPTS)
    assert (found.questions, found.judged) == (len(ANSWERABLE), len(ANSWERABLE))
    assert found.alone < found.judged
    judge = find_judge(generator, config, PROMPTS)
    assert judge
    assert judge == found.judge


def test_the_line_of_a_judge_lies_between_what_is_answered_and_what_is_not(config: Config) -> None:
    judge = calibrate(config, Reader(know), WordEncoder(), PROMPTS).judge
    assert judge
    assert know(False) + judge.weight < judge.least < know(True) + judge.weight


def test_one_that_answers_at_random_does_not(config: Config) -> None:
    dice = np.random.default_rng(0)
    generator = Reader(lambda _: float(dice.normal()))
    found = calibrate(config, generator, WordEncoder(), PROMPTS)
    assert found.judge is None
    assert find_judge(generator, config, PROMPTS) is None
    assert generator.prompts == [], "in which languages it speaks does not matter then"


@pytest.mark.parametrize("helpful", [0.0, 0.03], ids=["blind retrieval", "retrieval that helps"])
def test_of_a_hundred_that_answer_at_random_hardly_one_does(helpful: float) -> None:
    dice = np.random.default_rng(0)

    def roll(asked: int) -> Trial:
        answers = np.arange(4) == (asked % 4 if asked < 32 else -1)
        evidence = [dice.normal(0.0, 2.0, 4), dice.normal(0.5, 0.03, 4) + helpful * answers]
        return Trial(asked // 4, np.column_stack(evidence), answers)

    judges = [assess([roll(asked) for asked in range(42)]).judge for _ in range(100)]
    assert sum(judge is not None for judge in judges) <= 5


@pytest.mark.parametrize("odds", [lambda _: 1.0, lambda right: -know(right)], ids=["always the same", "the wrong"])
def test_one_that_does_not_tell_or_tells_the_wrong_ones_does_not_either(
    config: Config, odds: Callable[[bool], float]
) -> None:
    found = calibrate(config, Reader(odds), WordEncoder(), PROMPTS)
    assert found.judge is None
    assert found.judged <= found.alone


def test_it_speaks_the_languages_in_which_all_that_would_be_shown_is_right(config: Config) -> None:
    judge = calibrate(config, Reader(know, ("de", "sr")), NearEncoder(), PROMPTS).judge
    assert judge
    assert judge.speaks == ("de", "sr")


def test_a_language_is_not_spoken_when_a_wrong_reply_in_it_would_be_shown(config: Config) -> None:
    class Slip(Reader):
        def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
            reply = "".join(super().generate(prefix, suffix, max_tokens, stop))
            # The year of the flood; asked is how many were evacuated.
            yield "2016" if len(self.prompts) == 1 else reply

    first = ANSWERABLE[0][1].language.code
    judge = calibrate(config, Slip(know, (first, "en")), NearEncoder(), PROMPTS).judge
    assert judge
    assert judge.speaks == ("en",)


def test_a_language_is_not_spoken_when_a_wrong_line_would_be_shown_beside_the_right_one(config: Config) -> None:
    class Talkative(Reader):
        def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
            odds = super().weigh(prefixes, suffix, replies)
            return [4.0 if one > 0 else 3.0 for one in odds] if max(odds, default=0.0) > 0 else odds

        def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
            # Of whatever report it is given it says what that one answers, be it asked or not.
            yield next((question.accept[0] for passage, question in ANSWERABLE if passage.text in prefix), "…")

    judges = [
        calibrate(config, reader, NearEncoder(), PROMPTS).judge for reader in (Reader(know, ["en"]), Talkative(know))
    ]
    assert ["en" in judge.speaks for judge in judges if judge] == [True, False]


def test_what_was_found_is_read_again_as_it_was_kept(config: Config) -> None:
    generator = Reader(know, ("en",))
    found = calibrate(config, generator, WordEncoder(), PROMPTS)
    assert recall(locate(generator, config, PROMPTS)) == found


def test_an_interrupted_calibration_leaves_nothing(config: Config, tmp_path: Path) -> None:
    generator = Stopped(know)
    with pytest.raises(KeyboardInterrupt):
        calibrate(config, generator, WordEncoder(), PROMPTS)
    assert generator.weighed == 5
    assert list(tmp_path.rglob("*")) == []
    assert find_judge(generator, config, PROMPTS) is None


def test_another_model_encoder_or_prompt_is_calibrated_anew(config: Config) -> None:
    generator, other = Reader(know), Reader(know)
    other.identify = lambda: "scripted, from another file"  # type: ignore[method-assign]
    calibrate(config, generator, WordEncoder(), PROMPTS)
    reworded = replace(PROMPTS, templates={**PROMPTS.templates, "judge": "Is {question} answered?"})
    assert find_judge(generator, config, PROMPTS)
    assert find_judge(other, config, PROMPTS) is None
    assert find_judge(generator, config.replace(encoder="another"), PROMPTS) is None
    assert find_judge(generator, config, reworded) is None


@pytest.mark.parametrize("text", ["", "questions = 3", "questions = [", "\0"])
def test_what_is_damaged_counts_as_not_calibrated(config: Config, text: str) -> None:
    generator = Reader(know)
    calibrate(config, generator, WordEncoder(), PROMPTS)
    locate(generator, config, PROMPTS).write_text(text)
    assert find_judge(generator, config, PROMPTS) is None


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(ModelError, match="RAG_CACHE"):
        calibrate(Config(cache=tmp_path / "cache"), Reader(know), WordEncoder(), PROMPTS)


def test_the_name_of_a_generator_is_no_path(config: Config, tmp_path: Path) -> None:
    generator = Reader(know)
    generator.name = "../../" * 40 + "etc/model at http://localhost:1/v1"
    calibrate(config, generator, WordEncoder(), PROMPTS)
    (kept,) = tmp_path.rglob("*.toml")
    assert kept.parent == tmp_path / "judges"


def test_progress_reaches_its_end(config: Config) -> None:
    told: list[tuple[int, int]] = []
    calibrate(config, Reader(know), WordEncoder(), PROMPTS, lambda done, total: told.append((done, total)))
    total = 2 * len(ASKED)
    assert told == [(done, total) for done in range(1, total + 1)]


def test_the_cases_are_as_many_and_as_varied_as_is_said() -> None:
    languages = [question.language.code for _, question in ANSWERABLE]
    assert {languages.count(language) for language in languages} == {4}
    assert {"cs", "de", "el", "en", "es", "et", "pl", "sr"} <= set(languages)
    assert 8 <= len(ASKED) - len(ANSWERABLE) <= 12
    assert all(len(passage.text.split()) <= 60 for reports in CASES for passage in reports.passages)


def test_each_report_answers_one_question_so_none_is_right_for_its_looks() -> None:
    for reports in CASES:
        right = [question.right for question in reports.questions if question.right is not None]
        assert sorted(right) == list(range(len(reports.passages)))


@pytest.mark.parametrize(
    ("reports", "question"),
    [case for case in ASKED if case[1].right is not None],
    ids=lambda one: getattr(one, "text", ""),
)
def test_what_is_accepted_stands_in_the_right_report_alone(reports: Reports, question: Question) -> None:
    def holds(passage: Passage) -> bool:
        return any(says(passage.text, variant) for variant in question.accept)

    assert [holds(passage) for passage in reports.passages] == [
        number == question.right for number in range(len(reports.passages))
    ]
    assert not any(says(question.text, variant) for variant in question.accept)
    assert reports.passages[question.right or 0].language != question.language.code
