"""The reader: the encoder's lower layers unchanged, and its upper layers trained to read question and passage together.

The lower layers read question and passage separately, exactly as the encoder reads them for the index, so their states
of a passage could be stored (PreTTR, MacAvaney et al. 2020). In the upper layers each token attends to both.
"""

import json
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional

from rag.reading.inputs import PAD

FROZEN = 4
"""The number of lower layers that are not trained."""
NEVER = -1e4
"""The score of a token at which no answer may begin or end."""


class Shape(NamedTuple):
    """The dimensions of the encoder, from its config.json."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    epsilon: float

    @classmethod
    def read(cls, encoder: Path) -> "Shape":
        """Return the dimensions of the encoder in a folder."""
        config = json.loads((encoder / "config.json").read_text(encoding="utf-8"))
        names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size",
                 "max_position_embeddings", "layer_norm_eps")  # fmt: skip
        return cls(*(config[name] for name in names))


class Embeddings(nn.Module):
    """The embeddings of tokens and positions."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.word = nn.Embedding(shape.vocabulary, shape.hidden)
        self.position = nn.Embedding(shape.positions, shape.hidden)
        self.kind = nn.Embedding(1, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, shape.epsilon)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return a vector for each token."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        embedded: Tensor = self.norm(self.word(tokens) + self.position(places) + self.kind.weight[0])
        return embedded


class Layer(nn.Module):
    """A BERT layer without dropout."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.mix = nn.Linear(shape.hidden, 3 * shape.hidden)
        """Queries, keys and values."""
        self.attended = nn.Linear(shape.hidden, shape.hidden)
        self.attended_norm = nn.LayerNorm(shape.hidden, shape.epsilon)
        self.widen = nn.Linear(shape.hidden, shape.intermediate)
        self.narrow = nn.Linear(shape.intermediate, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, shape.epsilon)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return the states after this layer. `mask` is added to the attention scores."""
        rows, length, hidden = states.shape
        mixed = self.mix(states).view(rows, length, 3, self.heads, hidden // self.heads).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(mixed[0], mixed[1], mixed[2], attn_mask=mask)
        states = self.attended_norm(states + self.attended(seen.transpose(1, 2).reshape(rows, length, hidden)))
        after: Tensor = self.norm(states + self.narrow(functional.gelu(self.widen(states))))
        return after


class Scores(NamedTuple):
    """The output for each pair of question and passage, as logits."""

    first: Tensor
    """That the answer begins with a token, for each token of the passage."""
    last: Tensor
    answerable: Tensor
    """That the passage answers the question."""


class Lower(nn.Module):
    """The part that is the encoder's own and is not trained."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embeddings = Embeddings(shape)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(FROZEN))

    @torch.no_grad()
    def forward(self, tokens: Tensor) -> Tensor:
        """Return the states of texts that are read separately."""
        states: Tensor = self.embeddings(tokens)
        mask = hide(tokens == PAD)
        for layer in self.layers:
            states = layer(states, mask)
        return states


class Upper(nn.Module):
    """The part that is trained: the encoder's upper layers and three heads."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.side = nn.Embedding(2, shape.hidden)
        """Added to distinguish tokens of the question from those of the passage, as positions of both begin at zero."""
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers - FROZEN))
        self.span = nn.Linear(shape.hidden, 2)
        self.evidence = nn.Linear(3 * shape.hidden, shape.hidden)
        self.answerable = nn.Linear(shape.hidden, 1)
        nn.init.zeros_(self.side.weight)

    def forward(self, question: Tensor, passage: Tensor, padding: Tensor, span: Tensor) -> Scores:
        """Return the scores for the states of questions and passages.

        `padding` is true at padding of either, and `span` at tokens of the passage where an answer may begin or end.
        """
        states = torch.cat([question + self.side.weight[0], passage + self.side.weight[1]], dim=1)
        mask = hide(padding)
        for layer in self.layers:
            states = layer(states, mask)
        read = states[:, question.shape[1] :]
        borders: Tensor = self.span(read).masked_fill(~span[..., None], NEVER)
        # Answerability is decided by the states at the likeliest span and at the question's first token.
        likely = borders.softmax(dim=1).transpose(1, 2) @ read
        evidence = functional.gelu(self.evidence(torch.cat([states[:, 0], likely[:, 0], likely[:, 1]], dim=1)))
        return Scores(borders[..., 0], borders[..., 1], self.answerable(evidence)[:, 0])


class Network(nn.Module):
    """The frozen and the trained part together."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        # `start` assigns all weights. Making random ones for every token of the vocabulary would take seconds.
        with torch.device("meta"):
            self.lower = Lower(shape)
        self.upper = Upper(shape)

    @classmethod
    def start(cls, encoder: Path) -> "Network":
        """Return a network with the weights of the encoder in a folder and untrained heads.

        Raises OSError, KeyError or RuntimeError if the folder does not hold a BERT encoder.
        """
        shape = Shape.read(encoder)
        network = cls(shape)
        with safe_open(encoder / "model.safetensors", "pt") as weights:
            tensors = {name: weights.get_tensor(name) for name in weights.keys()}  # noqa: SIM118
        # Assigned weights stay in the mapped file, whose pages the encoder shares. Copied ones would take 400 MB more.
        network.lower.embeddings.load_state_dict(_embeddings(tensors), assign=True)
        for number, layer in enumerate([*network.lower.layers, *network.upper.layers]):
            layer.load_state_dict(_layer(tensors, f"encoder.layer.{number}."), assign=True)
        network.lower.requires_grad_(False)
        return network

    def forward(self, question: Tensor, passage: Tensor, span: Tensor) -> Scores:
        """Return the scores of padded tokens of questions and passages.

        `span` is true for tokens of the passage where an answer may begin or end. One question serves all passages.
        """
        read = self.lower(question).expand(len(passage), -1, -1)
        padding = torch.cat([(question == PAD).expand(len(passage), -1), passage == PAD], dim=1)
        scores: Scores = self.upper(read, self.lower(passage), padding, span)
        return scores


def hide(padding: Tensor) -> Tensor:
    """Return the attention mask that hides padding."""
    return torch.zeros(padding.shape, device=padding.device).masked_fill(padding, float("-inf"))[:, None, None, :]


def _embeddings(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    names = {"word": "word_embeddings", "position": "position_embeddings", "kind": "token_type_embeddings"}
    named = {f"{name}.weight": tensors[f"embeddings.{source}.weight"] for name, source in names.items()}
    named["kind.weight"] = named["kind.weight"][:1]
    return named | {f"norm.{part}": tensors[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias")}


def _layer(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the weights of one layer under the names of this module."""
    names = {
        "attended": "attention.output.dense",
        "attended_norm": "attention.output.LayerNorm",
        "widen": "intermediate.dense",
        "narrow": "output.dense",
        "norm": "output.LayerNorm",
    }
    named = {}
    for part in ("weight", "bias"):
        mixed = [tensors[f"{prefix}attention.self.{name}.{part}"] for name in ("query", "key", "value")]
        named[f"mix.{part}"] = torch.cat(mixed)
        named |= {f"{name}.{part}": tensors[f"{prefix}{source}.{part}"] for name, source in names.items()}
    return named
