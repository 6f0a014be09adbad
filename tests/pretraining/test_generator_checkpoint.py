# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Generators that begin with the weights of another model, and those that keep them."""

import numpy as np
import pytest
import tensorflow as tf
from killed_run import stop_after_save
from option_steps import SMALL, built, masked_batches, trained
from run_results import assert_identical, stored
from tiny_run import SPECIAL, WORDS, half_length, tiny_config

from electra_tf.config import PretrainingConfig
from electra_tf.interop.conversion import convert
from electra_tf.interop.opening import find_pretraining_weights, open_model
from electra_tf.pretraining import run
from electra_tf.pretraining.run_flops import flops_of_sequence
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder
from electra_tf.training.checkpoints.checkpoint_reader import CheckpointReader
from electra_tf.training.checkpoints.weights import training_variables

FROZEN = {"freeze_generator": True, "untied_generator_embeddings": True}
SHAPE = {"num_hidden_layers": 1}
KERNEL = "encoder/layer_0/intermediate/dense/kernel"
TOKENS = "embeddings/word_embeddings"
POSITIONS = "embeddings/position_embeddings"


def begun(data_dir, source, **options):
    """Weights and moments of a run after a step that changes nothing, and the source's."""
    options = {"num_train_steps": 1, "generator_checkpoint": str(source), **options}
    shape = options.pop("shape", SHAPE)
    config = tiny_config(data_dir, "begun", shape, **options)
    run.train(config, find_weights=find_pretraining_weights)
    return stored(config.model_dir)


def saved_masked_lm(data_dir, folder):
    """A masked LM as wide as the generators of the tests, in a folder without a vocabulary."""
    shape = {**SMALL, "hidden_size": 8, "num_attention_heads": 1}
    model = built(data_dir, shape, electra_objective=False, seed=11)
    CheckpointFolder(str(folder)).save(3, training_variables(model), {})
    return stored(folder)


def test_a_frozen_generator_is_left_alone_and_the_discriminator_learns_the_same(
    data_dir, same_fakes
):
    """As with a generator whose loss has no weight, in whatever the discriminator has."""
    batches = masked_batches(data_dir, 2)
    plain = trained(built(data_dir, gen_weight=0.0, untied_generator_embeddings=True), batches)
    pretrainer = built(data_dir, **FROZEN)
    before = {v.path: v.numpy() for v in pretrainer.generator.weights}
    losses, values = trained(pretrainer, batches)
    np.testing.assert_allclose(losses, plain[0], rtol=1e-6)
    for name, value in before.items():
        np.testing.assert_array_equal(values[name], value)
    assert not [name for name in values if name.startswith("generator") and "/adam_" in name]
    for name, value in values.items():
        if not name.startswith("generator"):
            np.testing.assert_allclose(value, plain[1][name], atol=1e-6, err_msg=name)


def test_a_generator_of_a_pair(finished, data_dir, idle_steps):
    """Which shared its embeddings with the discriminator: they are copied."""
    source = stored(finished.config.model_dir)
    found = begun(data_dir, finished.config.model_dir, **FROZEN)
    np.testing.assert_array_equal(found[f"generator/{KERNEL}"], source[f"generator/{KERNEL}"])
    np.testing.assert_array_equal(found[f"generator/{TOKENS}"], source[f"electra/{TOKENS}"])
    name = "generator_predictions/dense/kernel"
    np.testing.assert_array_equal(found[name], source[name])
    # The discriminator begins at random.
    assert not np.array_equal(found[f"electra/{KERNEL}"], source[f"electra/{KERNEL}"])


def test_a_masked_language_model_as_a_generator(data_dir, tmp_path, idle_steps):
    source = saved_masked_lm(data_dir, tmp_path / "masked_lm")
    found = begun(data_dir, tmp_path / "masked_lm")
    np.testing.assert_array_equal(found[f"generator/{KERNEL}"], source[f"electra/{KERNEL}"])
    # They are shared here, and trained.
    np.testing.assert_array_equal(found[f"electra/{TOKENS}"], source[f"electra/{TOKENS}"])
    assert f"generator/{KERNEL}/adam_m" in found


def test_positions_of_a_trained_generator_stay_where_those_of_a_new_discriminator_are_copied(
    finished, data_dir, idle_steps
):
    stages = [{"steps": 1, **half_length(data_dir)}, {"steps": 1}]
    options = {**FROZEN, "extend_positions": True, "stages": stages, "num_train_steps": 2}
    found = begun(data_dir, finished.config.model_dir, **options)
    source = stored(finished.config.model_dir)[f"electra/{POSITIONS}"]
    np.testing.assert_array_equal(found[f"generator/{POSITIONS}"], source)
    new = found[f"electra/{POSITIONS}"]
    np.testing.assert_array_equal(new[8:], new[[1, 2, 3, 4, 5, 6, 1, 2]])


@pytest.mark.parametrize("part", ["ignored", "absent"])
def test_a_random_generator_is_not_frozen(finished, data_dir, tmp_path, idle_steps, part):
    source = finished.config.model_dir
    options = {"generator_checkpoint": None, **FROZEN, "init_checkpoint_ignore": "^generator"}
    if part == "absent":
        reader = CheckpointReader(CheckpointFolder(source).latest())
        names = [n for n in reader.shapes if n.startswith(("electra/", "discriminator_pred"))]
        alone = {n: tf.Variable(reader[n]) for n in names if "/adam_" not in n}
        source = str(tmp_path / "alone")
        CheckpointFolder(source).save(3, alone, {})
        options["init_checkpoint_ignore"] = None
    with pytest.raises(ValueError, match=r"with freeze_generator, since \d+ variables of the gen"):
        begun(data_dir, source, init_checkpoint=source, **options)


@pytest.mark.slow
def test_a_hugging_face_generator(finished, data_dir, tmp_path, idle_steps):
    folder = str(tmp_path / "theirs")
    convert(open_model(finished.config.model_dir), "huggingface", folder, part="generator")
    source = stored(finished.config.model_dir)
    found = begun(data_dir, folder, **FROZEN)
    np.testing.assert_array_equal(found[f"generator/{KERNEL}"], source[f"generator/{KERNEL}"])
    np.testing.assert_array_equal(found[f"generator/{TOKENS}"], source[f"electra/{TOKENS}"])


def test_generators_that_do_not_fit(finished, data_dir, idle_steps):
    source = finished.config.model_dir
    with pytest.raises(ValueError, match=r"generator_checkpoint: .* does not fit the generator"):
        begun(data_dir, source, generator_hidden_size=1.0)
    (data_dir / "vocab.txt").write_text("\n".join([*SPECIAL, *reversed(WORDS)]) + "\n")
    with pytest.raises(ValueError, match=r"the vocabulary of .* is expected to be that of the run"):
        begun(data_dir, source, **FROZEN)
    with pytest.raises(FileNotFoundError, match="generator_checkpoint: /nowhere is expected"):
        begun(data_dir, "/nowhere", **FROZEN)
    untrained = tiny_config(data_dir, "untrained", SHAPE, **FROZEN)
    with pytest.raises(ValueError, match="generator_checkpoint is expected to be given with"):
        run.train(untrained)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"freeze_generator": True, "untied_generator": False}, "is expected to be false unless"),
        ({**FROZEN, "disc_weight": 0.0}, "disc_weight is expected to be above 0"),
        ({**FROZEN, "two_tower_generator": True}, "freeze_generator is expected to be false"),
        ({"generator_checkpoint": "x", "uniform_generator": True}, "generator_checkpoint is"),
        ({"generator_embedding_size": 4}, "generator_embedding_size is expected to be null"),
    ],
)
def test_options_that_contradict_each_other(data_dir, options, message):
    with pytest.raises(ValueError, match=message):
        tiny_config(data_dir, **options)


def test_a_frozen_generator_has_embeddings_of_its_own():
    frozen = {"freeze_generator": True, "generator_embedding_size": 128}
    config = PretrainingConfig.from_hparams("m", "/data", frozen)
    assert config.untied_generator_embeddings
    assert config.generator_encoder.embedding_size == 128
    assert config.replace(generator_embedding_size=None).generator_encoder.embedding_size == 64


def test_flops_of_a_frozen_generator_are_those_of_a_forward_pass():
    plain = PretrainingConfig.from_hparams("m", "/data", {"untied_generator_embeddings": True})
    frozen = plain.replace(freeze_generator=True)
    alone = plain.replace(uniform_generator=True, untied_generator_embeddings=False)
    generator = flops_of_sequence(plain, 128) - flops_of_sequence(alone, 128)
    expected = flops_of_sequence(plain, 128) - generator / 2
    assert flops_of_sequence(frozen, 128) == pytest.approx(expected)


@pytest.mark.slow
def test_a_frozen_run_resumes_exactly_and_is_converted(finished, data_dir, tmp_path):
    source = {"generator_checkpoint": finished.config.model_dir}
    options = {**FROZEN, "temperature": 2.0, "temperature_end": 1.0}
    whole = tiny_config(data_dir, "whole", SHAPE, **options, **source)
    run.train(whole)
    parts = tiny_config(data_dir, "parts", SHAPE, **options, **source)
    stop_after_save(parts)
    run.train(parts.replace(generator_checkpoint=None))  # which is read at step 0 only
    assert_identical(parts.model_dir, whole.model_dir)
    run.evaluate(whole)
    found = open_model(whole.model_dir)
    assert found.left_behind == ("Adam's moments of the weights that are not frozen",)
    folders = {name: str(tmp_path / name) for name in ("huggingface", "reference")}
    for name, folder in folders.items():
        convert(found, name, folder)
        again = open_model(folder)
        assert set(again.weights) == set(found.weights)
        for key, value in found.weights.items():
            np.testing.assert_array_equal(again.weights[key], value, err_msg=key)
