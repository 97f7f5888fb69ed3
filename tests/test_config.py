"""Settings: given, else from the environment, else the default; what cannot be used is refused by name."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from rag.config import Config
from rag.errors import ConfigError


def test_without_an_environment_every_setting_has_its_default() -> None:
    assert Config.from_env({}) == Config()


def test_variables_become_paths_numbers_and_words() -> None:
    config = Config.from_env(
        {
            "RAG_CORPUS": "/articles",
            "RAG_CACHE": "~/models",
            "RAG_THREADS": "3",
            "RAG_HITS": "5",
            "RAG_GENERATOR": "http://127.0.0.1:8080/v1",
            "RAG_GENERATOR_MODEL": "4",
        }
    )
    assert config.corpus == Path("/articles")
    assert config.cache == Path.home() / "models"
    assert (config.threads, config.hits) == (3, 5)
    assert config.generator == "http://127.0.0.1:8080/v1"
    assert config.generator_model == "4"


def test_every_setting_can_be_given_in_the_environment() -> None:
    wanted = {setting.name: f"{place}7" for place, setting in enumerate(fields(Config), start=1)}
    wanted["encoder_precision"] = "bfloat16"
    config = Config.from_env({f"RAG_{name.upper()}": value for name, value in wanted.items()})
    assert {name: str(getattr(config, name)).removesuffix(".0") for name in wanted} == wanted


def test_what_is_given_wins_over_the_environment_and_what_is_none_does_not() -> None:
    environment = {"RAG_HITS": "5", "RAG_INDEX": "news"}
    config = Config.from_env(environment, hits=2, index=None)
    assert (config.hits, config.index) == (2, "news")


def test_an_empty_variable_is_as_good_as_none() -> None:
    config = Config.from_env({"RAG_CACHE": "", "RAG_THREADS": "", "RAG_GENERATOR_KEY": "", "RAG_INDEX": ""})
    assert config == Config()


def test_variables_of_others_are_left_alone() -> None:
    assert Config.from_env({"HITS": "5", "rag_hits": "5", "MY_RAG_HITS": "5"}) == Config()


def test_the_environment_of_the_process_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_HITS", "6")
    assert Config.from_env().hits == 6


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("RAG_HITS", "many", "RAG_HITS must be a whole number, not “many”"),
        ("RAG_THREADS", "2.5", "RAG_THREADS must be a whole number"),
        ("RAG_HITS", "0", "hits must be at least 1, not 0. Set RAG_HITS"),
        ("RAG_CONTEXT", "-1", "context must be at least 1, not -1. Set RAG_CONTEXT"),
        ("RAG_GENERATOR_CALLS", "0", "generator_calls must be at least 1, not 0. Set RAG_GENERATOR_CALLS"),
        ("RAG_WORKERS", "-1", "workers must be at least 0, not -1. Set RAG_WORKERS"),
        ("RAG_THREADS", "0", "threads must be at least 1, not 0. Set RAG_THREADS"),
        ("RAG_INDEX", "../seeds", "not “../seeds”"),
        ("RAG_ENCODER_PRECISION", "int4", "must be float32 or bfloat16, not “int4”"),
        ("RAG_SECONDS", "soon", "RAG_SECONDS must be a number"),
        ("RAG_SECONDS", "inf", "seconds must be a finite number, not inf. Set RAG_SECONDS"),
        ("RAG_CAUTION", "nan", "caution must be a finite number, not nan. Set RAG_CAUTION"),
        ("RAG_CAUTION", "-inf", "caution must be a finite number, not -inf. Set RAG_CAUTION"),
        ("RAG_INDEX", "news\n", "letters, digits"),
        ("RAG_HIT", "5", "RAG_HIT names no setting. Known are: .*hits"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name_and_remedy(variable: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Config.from_env({variable: value})


def test_a_config_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Config().hits = 3  # type: ignore[misc]
