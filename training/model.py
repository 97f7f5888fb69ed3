"""The reader: the encoder's lower layers as they are, its upper ones trained to read question and passage together.

Below, question and passage are read apart, each just as the encoder reads it for the index, so what the lower layers
make of a passage may be kept (PreTTR, MacAvaney et al. 2020). Above, each token sees both.
"""

import json
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional

from training.sampling import PAD, Batch

FROZEN = 4
"""Lower layers that stay the encoder's own."""
NEVER = -1e4
"""Score of a token at which no answer may begin or end."""


class Shape(NamedTuple):
    """Measures of the encoder, from its config.json."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    epsilon: float

    @classmethod
    def read(cls, encoder: Path) -> "Shape":
        """Return the measures of the encoder in a folder."""
        config = json.loads((encoder / "config.json").read_text(encoding="utf-8"))
        names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size",
                 "max_position_embeddings", "layer_norm_eps")  # fmt: skip
        return cls(*(config[name] for name in names))


class Embeddings(nn.Module):
    """Tokens and their places."""

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
    """One layer of BERT, without dropout."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.mix = nn.Linear(shape.hidden, 3 * shape.hidden)
        """Query, key and value."""
        self.attended = nn.Linear(shape.hidden, shape.hidden)
        self.attended_norm = nn.LayerNorm(shape.hidden, shape.epsilon)
        self.widen = nn.Linear(shape.hidden, shape.intermediate)
        self.narrow = nn.Linear(shape.intermediate, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, shape.epsilon)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return the states after this layer; `mask` is added to the scores of attention."""
        rows, length, hidden = states.shape
        mixed = self.mix(states).view(rows, length, 3, self.heads, hidden // self.heads).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(mixed[0], mixed[1], mixed[2], attn_mask=mask)
        states = self.attended_norm(states + self.attended(seen.transpose(1, 2).reshape(rows, length, hidden)))
        after: Tensor = self.norm(states + self.narrow(functional.gelu(self.widen(states))))
        return after


class Scores(NamedTuple):
    """What the reader says of each pair of question and passage, as logits."""

    first: Tensor
    """For each token of the passage, that the answer begins with it."""
    last: Tensor
    answerable: Tensor
    """That the passage answers the question at all."""


class Lower(nn.Module):
    """The part that is the encoder's own and not trained."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embeddings = Embeddings(shape)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(FROZEN))

    @torch.no_grad()
    def forward(self, tokens: Tensor) -> Tensor:
        """Return the states of texts, each read by itself."""
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
        """Added to tell tokens of the question from those of the passage, whose places begin at zero too."""
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers - FROZEN))
        self.span = nn.Linear(shape.hidden, 2)
        self.evidence = nn.Linear(3 * shape.hidden, shape.hidden)
        self.answerable = nn.Linear(shape.hidden, 1)
        nn.init.zeros_(self.side.weight)

    def forward(self, question: Tensor, passage: Tensor, padding: Tensor, span: Tensor) -> Scores:
        """Return the scores from the states of questions and passages.

        `padding` is true where a token of either is none, `span` where an answer may begin or end in the passage.
        """
        states = torch.cat([question + self.side.weight[0], passage + self.side.weight[1]], dim=1)
        mask = hide(padding)
        for layer in self.layers:
            states = layer(states, mask)
        read = states[:, question.shape[1] :]
        borders: Tensor = self.span(read).masked_fill(~span[..., None], NEVER)
        # What the best places for the answer hold, beside the question's first token, tells whether it is one.
        likely = borders.softmax(dim=1).transpose(1, 2) @ read
        evidence = functional.gelu(self.evidence(torch.cat([states[:, 0], likely[:, 0], likely[:, 1]], dim=1)))
        return Scores(borders[..., 0], borders[..., 1], self.answerable(evidence)[:, 0])


class Reader(nn.Module):
    """Both parts."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.lower = Lower(shape).requires_grad_(False)
        self.upper = Upper(shape)

    @classmethod
    def start(cls, encoder: Path) -> "Reader":
        """Return a reader with the weights of the encoder in a folder, and heads that know nothing."""
        shape = Shape.read(encoder)
        reader = cls(shape)
        with safe_open(encoder / "model.safetensors", "pt") as weights:
            tensors = {name: weights.get_tensor(name) for name in weights.keys()}  # noqa: SIM118
        reader.lower.embeddings.load_state_dict(_embeddings(tensors))
        for number, layer in enumerate([*reader.lower.layers, *reader.upper.layers]):
            layer.load_state_dict(_layer(tensors, f"encoder.layer.{number}."))
        return reader

    def forward(self, batch: Batch) -> Scores:
        """Return the scores of a batch."""
        padding = torch.cat([batch.question == PAD, batch.passage == PAD], dim=1)
        scores: Scores = self.upper(self.lower(batch.question), self.lower(batch.passage), padding, batch.span)
        return scores


def hide(padding: Tensor) -> Tensor:
    """Return the mask for attention that hides padding."""
    return torch.zeros(padding.shape, device=padding.device).masked_fill(padding, float("-inf"))[:, None, None, :]


def loss(scores: Scores, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the loss of the span, over the examples where it is marked, and that of whether there is an answer."""
    marked = batch.first >= 0
    answerable = functional.binary_cross_entropy_with_logits(scores.answerable, batch.answerable)
    if not marked.any():
        return torch.zeros(()), answerable
    first = functional.cross_entropy(scores.first[marked], batch.first[marked])
    last = functional.cross_entropy(scores.last[marked], batch.last[marked])
    return (first + last) / 2, answerable


def _embeddings(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    names = {"word": "word_embeddings", "position": "position_embeddings", "kind": "token_type_embeddings"}
    named = {f"{name}.weight": tensors[f"embeddings.{source}.weight"] for name, source in names.items()}
    named["kind.weight"] = named["kind.weight"][:1]
    return named | {f"norm.{part}": tensors[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias")}


def _layer(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the weights of one layer by their names here."""
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
