"""A tiny encoder with random weights, and a few invented articles."""

import json
import lzma
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from training.data import Table, load

VOCABULARY = 47_000
"""Large enough for the prompts, whose numbers are those of the real encoder."""
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
    words = sorted({word for line in _lines()[0] for word in str(line["text"]).replace(".", " . ").split()})
    vocabulary = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3} | {word: at for at, word in enumerate(words, start=4)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))  # noqa: S106
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory, tokenizer: Tokenizer) -> Path:
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=5, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=128, pad_token_id=1,
    )  # fmt: skip
    model = BertModel(config)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / "model.safetensors")
    config.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="session")
def table(data: Path, tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Table:
    return load(data, "train", tokenizer, tmp_path_factory.mktemp("arrays"))
