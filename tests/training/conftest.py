"""A tiny encoder and a few invented articles."""

import json
import lzma
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from tests.tiny_encoder import make_tokenizer, write_encoder
from training.data import Table, load

CITIES = ("Brno", "Tartu", "Patras", "Novi Sad", "Łódź", "Turku", "Ghent", "Porto")


def _paragraphs(city: str) -> list[str]:
    return [
        f"{city} is a town by a river. The mayor of {city} lives in house {len(city)}. Its people like bread.",
        f"Trams came to {city} late. The first of them left the depot in {1900 + len(city)}. Nobody had asked for it.",
    ]


def _lines() -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    passages: list[dict[str, object]] = []
    questions: list[dict[str, object]] = []
    for city in CITIES:
        for number, (text, answer, question) in enumerate(
            zip(_paragraphs(city), (f"house {len(city)}", str(1900 + len(city))), ("Where?", "When?"), strict=True)
        ):
            name = f"{city}-{number}"
            passages.append({"id": name, "language": "en", "title": city, "text": text})
            start = text.index(answer)
            facts = {"set": "invented", "id": name, "passage_language": "en", "passage": name}
            marks = {"answerable": True, "start": start, "end": start + len(answer)}
            questions.append({**facts, **marks, "question_language": "en", "question": f"{question} {city}"})
            foreign = {"id": f"{name}#cs", "question_language": "cs", "question": f"Kde a kdy? {city}"}
            questions.append({**facts, **marks, **foreign})
            nothing = {"id": f"{name}-none", "question_language": "en", "question": f"Why {city}?"}
            questions.append({**facts, **nothing, "answerable": False})
    return passages, questions


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    passages, questions = _lines()
    answered = [question for question in questions if question["answerable"]]
    for part, asked in (("train", questions), ("dev", answered)):
        for name, lines in (("passages", passages), ("questions", asked)):
            with lzma.open(folder / f"{part}.{name}.jsonl.xz", "wt", encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in lines)
    return folder


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return make_tokenizer(word for line in _lines()[0] for word in str(line["text"]).replace(".", " . ").split())


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory, tokenizer: Tokenizer) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    write_encoder(folder, tokenizer)
    return folder


@pytest.fixture(scope="session")
def table(data: Path, tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Table:
    return load(data, "train", tokenizer, tmp_path_factory.mktemp("arrays"))
