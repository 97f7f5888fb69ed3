"""The trained reader gives the same result for a passage whatever stands beside it, with offsets exact in the text."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from rag.config import Config
from rag.errors import ModelError, ModelMissing
from rag.reading.load import load_reader
from rag.reading.network import Network
from rag.reading.packing import pack
from rag.reading.trained import SPANS, TrainedReader, find_spans
from rag.types import Passage

QUESTION = "What did the harbour cost?"


def make_passage(text: str) -> Passage:
    return Passage("a.txt", text, 0, len(text), "en", "Latn", None, None)


PASSAGES = [make_passage(text) for text in ("  The harbour cost nine million.\nIt opened in May.", "Pears ripened.")]


@pytest.fixture(scope="session")
def reader(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedReader:
    file = tmp_path_factory.mktemp("weights") / "reader.safetensors"
    save_file(pack(Network.start(encoder).upper.state_dict()), file)
    return TrainedReader.from_folder(encoder, file)


def test_spans_are_words_of_the_passage_and_do_not_overlap(reader: TrainedReader) -> None:
    first, _ = reader.read(QUESTION, PASSAGES)
    assert 1 <= len(first.spans) <= SPANS
    for span in first.spans:
        words = PASSAGES[0].text[span.start : span.end]
        assert words
        assert words == words.strip()
    ordered = sorted(first.spans, key=lambda span: span.start)
    assert all(one.end <= other.start for one, other in pairwise(ordered))
    assert [span.odds for span in first.spans] == sorted((span.odds for span in first.spans), reverse=True)


def test_a_passage_is_read_alike_alone_and_beside_others(reader: TrainedReader) -> None:
    together = reader.read(QUESTION, PASSAGES)
    for passage, beside in zip(PASSAGES, together, strict=True):
        (alone,) = reader.read(QUESTION, [passage])
        assert alone.odds == pytest.approx(beside.odds, abs=1e-4)
        assert [(span.start, span.end) for span in alone.spans] == [(span.start, span.end) for span in beside.spans]


def test_threads_get_the_results_that_one_gets(reader: TrainedReader) -> None:
    expected = reader.read(QUESTION, PASSAGES)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: reader.read(QUESTION, PASSAGES), range(8)))
    assert all(
        one.odds == pytest.approx(other.odds, abs=1e-4)
        for results in found
        for one, other in zip(results, expected, strict=True)
    )


def test_an_overlong_question_and_passage_are_read_in_part(reader: TrainedReader) -> None:
    (found,) = reader.read("harbour " * 1000, [make_passage("harbour " * 2000)])
    assert all(span.end <= 2000 * len("harbour ") for span in found.spans)


def test_no_passage_has_no_result_and_an_empty_one_no_words(reader: TrainedReader) -> None:
    assert reader.read(QUESTION, []) == []
    (found,) = reader.read(QUESTION, [make_passage(" \n ")])
    assert found.spans == ()


def test_warming_reads_the_layers(reader: TrainedReader) -> None:
    reader.warm()


def test_the_likeliest_span_comes_first_and_its_odds_are_those_of_its_borders() -> None:
    text = "in May 2019 or June"
    offsets = [(0, 2), (2, 6), (6, 11), (11, 14), (14, 19)]
    first = np.log(np.array([0.1, 0.6, 0.1, 0.0001, 0.2], np.float32))
    last = np.log(np.array([0.1, 0.1, 0.5, 0.0001, 0.3], np.float32))
    best, second, *_ = find_spans(first, last, offsets, text)
    assert text[best.start : best.end] == "May 2019"
    assert best.odds == pytest.approx(np.log(0.3 / 0.7), abs=1e-3)
    assert text[second.start : second.end] == "June"


def test_a_reader_whose_encoder_is_missing_names_the_command_that_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="rag models fetch multilingual-e5-small"):
        load_reader(Config(cache=tmp_path, reader="shipped"))
    assert load_reader(Config(cache=tmp_path, reader="none")) is None


def test_damaged_weights_are_refused_with_what_to_do(encoder: Path, tmp_path: Path) -> None:
    file = tmp_path / "reader.safetensors"
    file.write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="RAG_READER=none"):
        TrainedReader.from_folder(encoder, file)
