"""Settings come from keywords, then the environment, then the defaults; an unusable one is refused by name."""

import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from rag.config import ROOT, Config
from rag.errors import ConfigError


def test_without_an_environment_every_setting_has_its_default() -> None:
    assert Config.from_env({}) == Config()


def test_in_a_checkout_the_folders_are_those_of_the_project() -> None:
    config = Config()
    assert [config.corpus, config.indexes, config.prompts] == [ROOT / name for name in ("seeds", "indexes", "prompts")]


def test_variables_are_converted_to_paths_numbers_and_text() -> None:
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
    wanted = {name: f"{place}7" for place, name in enumerate(Config.model_fields, start=1)}
    wanted["encoder_precision"], wanted["reader"] = "bfloat16", "none"
    config = Config.from_env({f"RAG_{name.upper()}": value for name, value in wanted.items()})
    assert {name: str(getattr(config, name)).removesuffix(".0") for name in wanted} == wanted


def test_a_keyword_overrides_the_environment_unless_it_is_none() -> None:
    environment = {"RAG_HITS": "5", "RAG_INDEX": "news"}
    config = Config.from_env(environment, hits=2, index=None)
    assert (config.hits, config.index) == (2, "news")


def test_an_empty_variable_is_ignored() -> None:
    config = Config.from_env({"RAG_CACHE": "", "RAG_THREADS": "", "RAG_GENERATOR_KEY": "", "RAG_INDEX": ""})
    assert config == Config()


def test_variables_of_other_programs_are_ignored() -> None:
    assert Config.from_env({"HITS": "5", "rag_hits": "5", "MY_RAG_HITS": "5"}) == Config()


def test_the_environment_of_the_process_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_HITS", "6")
    assert Config.from_env().hits == 6


def test_the_constructor_ignores_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_HITS", "6")
    assert Config().hits == Config(reads=1).hits == 8


def test_a_path_that_is_not_utf_8_is_kept() -> None:
    assert Config.from_env({"RAG_CORPUS": "/articles/\udcff"}).corpus == Path("/articles/\udcff")


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("RAG_HITS", "many", "RAG_HITS must be a whole number, not “many”."),
        ("RAG_THREADS", "2.5", "RAG_THREADS must be a whole number, not “2.5”."),
        ("RAG_HITS", "0", "RAG_HITS must be at least 1, not 0."),
        ("RAG_CONTEXT", "-1", "RAG_CONTEXT must be at least 1, not -1."),
        ("RAG_GENERATOR_CALLS", "0", "RAG_GENERATOR_CALLS must be at least 1, not 0."),
        ("RAG_WORKERS", "-1", "RAG_WORKERS must be at least 0, not -1."),
        ("RAG_THREADS", "0", "RAG_THREADS must be at least 1, not 0."),
        ("RAG_INDEX", "../seeds", "RAG_INDEX must consist of letters, digits, _ and -, not “../seeds”."),
        ("RAG_INDEX", "news\n", "RAG_INDEX must consist of letters, digits, _ and -, not “news\n”."),
        ("RAG_ENCODER_PRECISION", "int4", "RAG_ENCODER_PRECISION must be 'float32', 'bfloat16' or 'int8', not “int4”."),
        ("RAG_SECONDS", "soon", "RAG_SECONDS must be a number, not “soon”."),
        ("RAG_SECONDS", "inf", "RAG_SECONDS must be a finite number, not inf."),
        ("RAG_CAUTION", "nan", "RAG_CAUTION must be a finite number, not nan."),
        ("RAG_CAUTION", "-inf", "RAG_CAUTION must be a finite number, not -inf."),
    ],
)
def test_an_unusable_value_is_refused_with_the_name_of_its_variable(variable: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        Config.from_env({variable: value})
    assert str(raised.value) == message


def test_an_unknown_setting_is_refused_with_the_list_of_known_ones() -> None:
    message = "RAG_HIT is not a setting. The settings are: .*RAG_HITS"
    with pytest.raises(ConfigError, match=message):
        Config.from_env({"RAG_HIT": "5"})
    with pytest.raises(ConfigError, match=message):
        Config(hit=5)  # type: ignore[call-arg]


def test_no_error_repeats_a_secret() -> None:
    with pytest.raises(ConfigError) as raised:
        Config.from_env({"RAG_GENERATOR_KEY": "sk-\udcff", "RAG_HITS": "many"})
    assert "sk-" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert "sk-1" not in repr(Config(generator_key="sk-1", milvus_token="sk-1", server_token="sk-1"))  # noqa: S106


def test_a_config_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Config().hits = 3  # type: ignore[misc]


def test_a_copy_with_changes_is_checked_like_a_new_one() -> None:
    config = Config(hits=3)
    assert config.replace(reads=2) == Config(hits=3, reads=2)
    with pytest.raises(ConfigError, match="RAG_READS must be at least 1"):
        config.replace(reads=0)


def test_another_process_gets_the_same_settings() -> None:
    config = Config(hits=3, cache=Path("/models"))
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301
