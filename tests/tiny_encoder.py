"""Make a tiny encoder with random weights, in the files of a real one."""

from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

VOCABULARY = 47_000
"""Large enough for the prompts, whose numbers are those of the real encoder."""


def make_tokenizer(words: Iterable[str]) -> Tokenizer:
    """Return a tokenizer that knows some words."""
    vocabulary = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
    vocabulary |= {word: at for at, word in enumerate(sorted(set(words)), start=4)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))  # noqa: S106
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made


def write_encoder(folder: Path, tokenizer: Tokenizer) -> None:
    """Write an encoder of five layers."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=5, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=512, pad_token_id=1,
    )  # fmt: skip
    model = BertModel(config)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / "model.safetensors")
    config.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
