# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What differs between two models: hyperparameters first, then some names and a count."""

import dataclasses

import pytest

from electra_tf.config import EncoderConfig, PretrainingConfig
from electra_tf.config.stored import configured_sizes, encoder_sizes, model_sizes
from electra_tf.training.checkpoints.checkpoint_reader import (
    MOST_NAMES,
    mismatches,
    refuse_far_larger,
    require_match,
)

SMALL = EncoderConfig(
    vocab_size=400,
    embedding_size=16,
    hidden_size=32,
    num_hidden_layers=3,
    num_attention_heads=2,
    intermediate_size=128,
    max_position_embeddings=64,
)


def shapes_of(encoder, name="electra", own_embeddings=True):
    """Shapes that a few variables of an encoder have."""
    e, h, f = encoder.embedding_size, encoder.hidden_size, encoder.intermediate_size
    shapes = {}
    if own_embeddings:
        shapes[f"{name}/embeddings/word_embeddings"] = [encoder.vocab_size, e]
        shapes[f"{name}/embeddings/position_embeddings"] = [encoder.max_position_embeddings, e]
        shapes[f"{name}/embeddings/token_type_embeddings"] = [encoder.type_vocab_size, e]
    for number in range(encoder.num_hidden_layers):
        layer = f"{name}/encoder/layer_{number}"
        shapes[f"{layer}/intermediate/dense/kernel"] = [h, f]
        shapes[f"{layer}/intermediate/dense/bias"] = [f]
    return shapes


def message_of(found, here):
    with pytest.raises(ValueError) as error:
        require_match(found, here, "the checkpoint", "X does not fit the model", model_sizes)
    return str(error.value).splitlines()


def test_sizes_follow_from_shapes():
    assert encoder_sizes(shapes_of(SMALL)) == configured_sizes(SMALL)
    generator = dataclasses.replace(
        SMALL, hidden_size=8, num_hidden_layers=1, intermediate_size=32, num_attention_heads=1
    )
    shapes = {**shapes_of(SMALL), **shapes_of(generator, "generator", own_embeddings=False)}
    found = model_sizes(shapes)
    assert found == configured_sizes(SMALL, generator)
    assert (found["generator_hidden_size"], found["generator_layers"]) == (0.25, 1 / 3)
    assert model_sizes({}) == {}
    assert model_sizes({"electra/embeddings/word_embeddings": [7]}) == {}  # no table
    assert model_sizes({"electra/encoder/layer_1000000000/output/dense/bias": [7]}) == {
        "num_hidden_layers": 1
    }


def test_a_configuration_says_what_its_checkpoints_say():
    config = PretrainingConfig.from_hparams("m", "d", {"generator_hidden_size": 0.5})
    assert config.sizes["generator_hidden_size"] == 0.5
    uniform = config.replace(uniform_generator=True)
    assert "generator_layers" not in uniform.sizes and uniform.sizes["hidden_size"] == 256


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"hidden_size": 64}, ["hidden_size is 32 in the checkpoint, 64 here"]),
        ({"num_hidden_layers": 24}, ["num_hidden_layers is 3 in the checkpoint, 24 here"]),
        (
            {"vocab_size": 30522, "max_position_embeddings": 512},
            [
                "vocab_size is 400 in the checkpoint, 30522 here",
                "max_position_embeddings is 64 in the checkpoint, 512 here",
            ],
        ),
    ],
)
def test_hyperparameters_come_first(changes, expected):
    lines = message_of(shapes_of(SMALL), shapes_of(dataclasses.replace(SMALL, **changes)))
    assert lines[0] == "X does not fit the model:"
    assert lines[1] == f"  hyperparameters that differ: {'; '.join(expected)}"
    assert len(lines) <= 2 + MOST_NAMES + 1


def test_of_many_names_some_of_every_kind_and_a_count():
    found = {f"a{i:02}": [1] for i in range(30)} | {f"b{i}": [1] for i in range(3)}
    here = {f"c{i:02}": [1] for i in range(30)} | {f"b{i}": [2] for i in range(3)}
    lines = message_of(found, here)
    assert len(lines) == 12 and len(mismatches(found, here, "the checkpoint")) == 63
    assert [line.split(": ")[1] for line in lines[1:-1]] == [
        *("c00", "c01", "c02", "c03", "a00", "a01", "a02", "b0", "b1", "b2")
    ]
    rest = "26 missing in the checkpoint, 27 unexpected in the checkpoint"
    assert lines[-1] == f"  and 53 more: {rest}"


@pytest.mark.parametrize(("count", "lines"), [(10, 11), (11, 12), (105, 12), (320, 12)])
def test_the_number_of_lines_is_bounded(count, lines):
    assert len(message_of({}, {f"a{i}": [1] for i in range(count)})) == lines


@pytest.mark.parametrize(
    "changes",
    [
        {"vocab_size": 10**7},
        {"num_hidden_layers": 1000},
        {"hidden_size": 65536, "num_attention_heads": 1},
        {"max_position_embeddings": 129},
    ],
)
def test_what_is_far_larger_is_refused_by_its_sizes(changes):
    found = model_sizes(shapes_of(SMALL))
    larger = configured_sizes(dataclasses.replace(SMALL, **changes))
    name, size = next(iter(changes.items()))
    with pytest.raises(ValueError, match=f"{name} is {found[name]} in the checkpoint, {size} here"):
        refuse_far_larger(found, larger, "the checkpoint", "X does not fit")
    refuse_far_larger(found, configured_sizes(SMALL), "the checkpoint", "X does not fit")


def test_a_generator_that_is_not_there_is_no_excuse_for_a_large_one():
    found = model_sizes(shapes_of(SMALL))
    with pytest.raises(ValueError, match="generator_layers is 1000000"):
        here = {**found, "generator_layers": 1e6}
        refuse_far_larger(found, here, "the checkpoint", "X does not fit")
