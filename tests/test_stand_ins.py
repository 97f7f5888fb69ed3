"""The stand-ins of rag.testing behave as their documentation says."""

import numpy as np
import pytest

from rag.errors import GenerationError
from rag.protocols import Encoder, Generator
from rag.testing import QUOTING, SPEAKING, BrokenGenerator, HashEncoder, ScriptedGenerator, WordEncoder

TEXTS = ["The harbour opened.", "The harbour closed.", "Pears ripened."]


def test_texts_that_share_words_are_near_each_other() -> None:
    opened, closed, pears = WordEncoder().encode(TEXTS, "passage").vectors
    assert opened @ closed > opened @ pears


@pytest.mark.parametrize("encoder", [WordEncoder(), HashEncoder()], ids=lambda one: one.name)
def test_vectors_are_unit_vectors_that_depend_on_the_text_alone(encoder: Encoder) -> None:
    together = encoder.encode(TEXTS, "passage").vectors
    assert together.shape == (len(TEXTS), encoder.dimension)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (encoder.encode(TEXTS[1:2], "query").vectors[0] == together[1]).all()


def test_the_vector_of_a_text_is_known_beforehand() -> None:
    assert (HashEncoder.make_vector(TEXTS[0]) == HashEncoder().encode(TEXTS, "passage").vectors[0]).all()


def test_what_was_asked_is_remembered_unless_that_is_turned_off() -> None:
    for remember in (True, False):
        encoder, generator = WordEncoder(remember=remember), ScriptedGenerator("Yes.", remember=remember)
        encoder.encode(TEXTS, "passage")
        generator.prepare("excerpt")
        list(generator.generate("excerpt", "question", 9))
        assert bool(encoder.encoded) == bool(generator.prepared) == bool(generator.prompts) == remember


def test_a_broken_generator_fails_after_its_first_word() -> None:
    for generator, error in ((BrokenGenerator(), GenerationError), (BrokenGenerator(OSError("gone")), OSError)):
        reply = generator.generate("excerpt", "question", 9)
        assert next(reply) == "It "
        with pytest.raises(error):
            next(reply)


def test_the_two_judges_differ_only_in_the_languages_they_speak() -> None:
    generator: Generator = ScriptedGenerator("", odds=1.0)
    odds = generator.weigh(["one", "two"], "question", ("Yes", "No"))
    assert QUOTING.weigh(odds, [0.5, 0.4]) == SPEAKING.weigh(odds, [0.5, 0.4])
    assert (QUOTING.speaks, "en" in SPEAKING.speaks) == ((), True)
