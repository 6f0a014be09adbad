# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Options of what is learned: shared embeddings, averages of weights, masks, dropout."""

import numpy as np
import pytest
import tensorflow as tf
from killed_run import stop_after_save
from option_steps import ONE_LAYER, TOKENS, built, masked_batches, trained
from run_results import assert_identical, stored
from tiny_run import LENGTH, make_examples, tensors, tiny_config

from electra_tf.data import build_pretraining_records
from electra_tf.pretraining import run
from electra_tf.pretraining.held_out import Evaluator
from electra_tf.pretraining.masking import mask_tokens, sample_tokens
from electra_tf.pretraining.training import make_optimizer
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder
from electra_tf.training.checkpoints.weights import (
    restore_training,
    usable_weights,
    weights_by_name,
)
from electra_tf.training.optimization.optimizer import (
    ElectraAdam,
    ElectraLamb,
    ElectraStableAdamW,
)

pytestmark = pytest.mark.usefixtures("same_fakes")

# ---- Gradient-disentangled embeddings


def test_gradients_of_the_discriminator_do_not_reach_the_shared_table(data_dir):
    batch = masked_batches(data_dir, 1)[0]
    gradients = {}
    for weights in ({"gen_weight": 0.0}, {"disc_weight": 0.0}):
        pretrainer = built(data_dir, disentangled_embeddings=True, **weights)
        _, values, _ = pretrainer._loss_and_gradients(
            batch, tf.constant([0, 0]), pretrainer.normalizers(batch)
        )
        names = [variable.path for variable in pretrainer.trainable_variables]
        found = {n: float(tf.norm(v)) for n, v in zip(names, values, strict=True)}
        gradients[next(iter(weights))] = found[TOKENS], found[f"{TOKENS}_difference"]
    assert gradients["gen_weight"][0] == 0 < gradients["gen_weight"][1]
    assert gradients["disc_weight"][1] == 0 < gradients["disc_weight"][0]


def test_disentangled_embeddings_begin_as_shared_ones(data_dir):
    batch = masked_batches(data_dir, 1)[0]
    losses = [
        float(built(data_dir, disentangled_embeddings=value).compute_outputs(batch)["total_loss"])
        for value in (False, True)
    ]
    assert losses[0] == losses[1]


def test_the_difference_is_folded_for_use(data_dir):
    config = tiny_config(data_dir, "folded", ONE_LAYER, disentangled_embeddings=True)
    run.train(config)
    prefix = CheckpointFolder(config.model_dir).latest()
    values = stored(prefix)
    assert np.abs(values[f"{TOKENS}_difference"]).max() > 0
    folded = usable_weights(prefix)
    np.testing.assert_array_equal(folded[TOKENS], values[TOKENS] + values[f"{TOKENS}_difference"])
    assert f"{TOKENS}_difference" not in folded
    run.evaluate(config)  # the folder knows that it has one


# ---- Moving averages


def test_averages_follow_the_weights(data_dir):
    pretrainer = built(data_dir, ema_decay=0.75)
    name = "discriminator_predictions/dense/kernel"
    expected = weights_by_name(pretrainer)[name].numpy()
    for batch in masked_batches(data_dir, 2):
        pretrainer.train_step(batch)
        expected = 0.75 * expected + 0.25 * weights_by_name(pretrainer)[name].numpy()
    np.testing.assert_allclose(
        pretrainer.updates.averages.state[f"{name}/ema"], expected, rtol=1e-5, atol=1e-8
    )
    last = weights_by_name(pretrainer)[name].numpy()
    with pretrainer.updates.evaluated_weights():
        np.testing.assert_allclose(
            weights_by_name(pretrainer)[name], expected, rtol=1e-5, atol=1e-8
        )
    np.testing.assert_array_equal(weights_by_name(pretrainer)[name], last)


def test_averages_change_no_step(data_dir):
    batches = masked_batches(data_dir)
    expected, found = (trained(built(data_dir, ema_decay=d), batches) for d in (0.0, 0.9))
    for name, value in expected[1].items():
        np.testing.assert_array_equal(found[1][name], value)


@pytest.mark.slow
def test_evaluation_and_fine_tuning_use_averages(data_dir):
    config = tiny_config(data_dir, "averaged", ONE_LAYER, ema_decay=0.9, eval_every_steps=12)
    run.train(config)
    values = stored(CheckpointFolder(config.model_dir).latest())
    loaded = weights_by_name(run.load_pretrainer(config))
    for name, value in loaded.items():
        np.testing.assert_array_equal(value, values[f"{name}/ema"])
    assert np.abs(values[TOKENS] - values[f"{TOKENS}/ema"]).max() > 0
    encoder = usable_weights(CheckpointFolder(config.model_dir).latest())
    np.testing.assert_array_equal(encoder[TOKENS], values[f"{TOKENS}/ema"])
    evaluated = run.evaluate(config)["loss"]
    records = run.open_records(
        config,
        config.pretrain_tfrecords,
        config.max_seq_length,
        run.load_matching_tokenizer(config),
    )
    pretrainer = run.make_pretrainer(config, run.load_matching_tokenizer(config))
    restore_training(CheckpointFolder(config.model_dir).latest(), pretrainer)
    while_training = Evaluator(pretrainer, records, config.num_eval_steps)()["loss"]
    assert while_training == pytest.approx(evaluated, rel=1e-6)


@pytest.mark.slow
def test_going_on_with_averages_and_a_loss_scale_is_exact(data_dir):
    options = {"ema_decay": 0.8, "precision": "float16", "save_checkpoints_steps": 5}
    whole = tiny_config(data_dir, "whole", ONE_LAYER, **options)
    run.train(whole)
    parted = tiny_config(data_dir, "parted", ONE_LAYER, **options)
    stop_after_save(parted, 5)
    run.train(parted)
    assert_identical(parted.model_dir, whole.model_dir)
    assert "electra_tf/loss_scale" in stored(parted.model_dir)


@pytest.mark.slow
def test_averages_can_be_taken_up_and_left(data_dir):
    for steps, decay in ((4, 0.0), (8, 0.9), (12, 0.0)):
        config = tiny_config(
            data_dir, "changing", ONE_LAYER, num_train_steps=steps, ema_decay=decay
        )
        run.train(config)
        has_averages = any(name.endswith("/ema") for name in stored(config.model_dir))
        assert has_averages == bool(decay)


# ---- Masks and dropout


def test_the_mask_rate_goes_in_a_line(data_dir):
    pretrainer = built(data_dir, mask_prob=0.2, mask_prob_end=0.5, num_train_steps=10)
    np.testing.assert_allclose(
        [pretrainer._mask_prob(s) for s in (0, 5, 10, 15)], [0.2, 0.35, 0.5, 0.5]
    )
    assert pretrainer.config.num_masked == int(0.505 * 16)
    batch = {
        "input_ids": tf.fill([4, 16], 50),
        "input_mask": tf.ones([4, 16], tf.int32),
        "segment_ids": tf.zeros([4, 16], tf.int32),
    }
    counts = []
    for step in (0, 10):
        masked = pretrainer.mask(
            batch, tf.constant([1, 2]), pretrainer._mask_prob(tf.constant(step))
        )
        counts.append(float(tf.reduce_sum(masked["masked_weights"])))
    assert counts == [4 * 3, 4 * 8]


def test_a_step_masks_as_the_options_say(data_dir, monkeypatch):
    asked = []

    def recorded(batch, step_seed, **options):
        asked.append((bool(options["whole_words"]), round(float(options["mask_prob"]), 3)))
        return mask_tokens(batch, step_seed, **options)

    monkeypatch.setattr("electra_tf.pretraining.pretrainer.mask_tokens", recorded)
    options = {"mask_prob": 0.1, "mask_prob_end": 0.5, "num_train_steps": 2}
    batch = make_examples(8)
    batch["word_starts"] = np.ones_like(batch["input_ids"])
    tf.config.run_functions_eagerly(True)
    try:
        for whole_words in (False, True):
            pretrainer = built(data_dir, whole_word_masking=whole_words, **options)
            for _ in range(2):
                pretrainer.train_step(tensors(batch))
    finally:
        tf.config.run_functions_eagerly(False)
    assert asked == [(False, 0.1), (False, 0.3), (True, 0.1), (True, 0.3)]


def test_the_temperature_goes_in_a_line(data_dir, monkeypatch):
    """In training; an evaluation keeps the first one, so that its results can be compared."""
    asked = []

    def recorded(logits, seed, temperature, disallowed_ids):
        asked.append(round(float(temperature), 6))
        return sample_tokens(logits, seed, temperature, disallowed_ids)

    monkeypatch.setattr("electra_tf.pretraining.pretrainer.sample_tokens", recorded)
    pretrainer = built(data_dir, temperature=2.0, temperature_end=0.5, num_train_steps=3)
    batch = masked_batches(data_dir, 1)[0]
    tf.config.run_functions_eagerly(True)
    try:
        for _ in range(2):
            pretrainer.train_step(batch)
        pretrainer.test_step(batch)
    finally:
        tf.config.run_functions_eagerly(False)
    assert asked == [2.0, 1.5, 2.0]


def test_a_line_of_one_temperature_changes_no_bit(data_dir, monkeypatch):
    monkeypatch.setattr("electra_tf.pretraining.pretrainer.sample_tokens", sample_tokens)
    batches = masked_batches(data_dir, 2)
    expected, found = (
        trained(built(data_dir, temperature=0.7, temperature_end=end), batches)
        for end in (None, 0.7)
    )
    assert found[0] == expected[0]
    for name, value in expected[1].items():
        np.testing.assert_array_equal(found[1][name], value)


def test_a_run_has_the_optimizer_of_its_options(data_dir):
    kinds = {"adam": ElectraAdam, "lamb": ElectraLamb, "stable_adamw": ElectraStableAdamW}
    for name, kind in kinds.items():
        assert type(make_optimizer(tiny_config(data_dir, optimizer=name))) is kind
    options = {"adam_beta_1": 0.5, "adam_beta_2": 0.98, "adam_epsilon": 1e-4}
    optimizer = make_optimizer(tiny_config(data_dir, **options))
    assert {
        f"adam_{name}": getattr(optimizer, name) for name in ("beta_1", "beta_2", "epsilon")
    } == (options)
    plain, default = ElectraAdam(), make_optimizer(tiny_config(data_dir))
    for name in ("beta_1", "beta_2", "epsilon", "bias_correction"):
        assert getattr(default, name) == getattr(plain, name)


def test_a_generator_without_dropout(data_dir):
    batch, seed = masked_batches(data_dir, 1)[0], tf.constant([3, 4])
    losses = {}
    for drops in (True, False):
        pretrainer = built(data_dir, ONE_LAYER, generator_dropout=drops)
        dropped = pretrainer.compute_outputs(batch, training=True, seed=seed)
        plain = pretrainer.compute_outputs(batch, training=False)
        losses[drops] = [
            abs(float(dropped[name] - plain[name])) for name in ("mlm_loss", "rtd_loss")
        ]
    assert losses[True][0] > 0 and losses[True][1] > 0
    assert losses[False][0] == 0 and losses[False][1] > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "float8"}, "precision is expected to be null or one of"),
        ({"mask_prob_end": 1.0}, "mask_prob_end is expected to be null or in"),
        ({"optimizer": "sgd"}, "optimizer is expected to be one of"),
        ({"adam_beta_2": 1.0}, r"adam_beta_2 is expected to be in \[0, 1\)"),
        ({"adam_epsilon": 0}, "adam_epsilon is expected to be above 0"),
        ({"temperature_end": 0.0}, "temperature_end is expected to be null or above 0"),
        ({"ema_decay": 1.0}, r"ema_decay is expected to be in \[0, 1\)"),
        ({"whole_word_masking": True, "masking": "reference"}, "masking is expected to be"),
        ({"disentangled_embeddings": True, "untied_generator": False}, "disentangled_embeddings"),
        ({"electric_objective": True, "mask_prob_end": 0.1}, "mask_prob_end"),
        ({"stages": 5}, "stages is expected to be"),
        ({"gradient_accumulation_steps": 3}, "a divisor of train_batch_size=8, but is 3"),
    ],
)
def test_wrong_options_are_errors(data_dir, options, message):
    with pytest.raises(ValueError, match=message):
        tiny_config(data_dir, **options)


def test_records_without_word_starts_are_refused_before_the_first_step(data_dir):
    config = tiny_config(data_dir, "words", ONE_LAYER, whole_word_masking=True)
    with pytest.raises(ValueError, match="needs records built with --word-starts; those of"):
        run.train(config)
    assert not CheckpointFolder(config.model_dir).latest()


def build_packed_records(data_dir, **options):
    (data_dir / "text").mkdir()
    words = [" ".join(f"w{i}" for i in range(3, 12))] * 40
    (data_dir / "text" / "words.txt").write_text("\n\n".join(words))
    build_pretraining_records(
        str(data_dir / "text"),
        str(data_dir / "vocab.txt"),
        str(data_dir / "packed"),
        max_seq_length=LENGTH,
        pack_documents=True,
        **options,
    )


def test_a_run_on_packed_records_masks_whole_words(data_dir):
    build_packed_records(data_dir, word_starts=True)
    config = tiny_config(
        data_dir,
        "packed",
        ONE_LAYER,
        pretrain_tfrecords=str(data_dir / "packed"),
        whole_word_masking=True,
        num_train_steps=4,
    )
    assert np.isfinite(run.train(config)["total_loss"])
    assert CheckpointFolder(config.model_dir).latest().endswith("-4")


def test_packed_records_are_refused_for_two_towers(data_dir):
    """At whatever stage they come."""
    build_packed_records(data_dir)
    config = tiny_config(
        data_dir,
        "towers",
        ONE_LAYER,
        electra_objective=False,
        electric_objective=True,
        two_tower_generator=True,
        stages=[{"steps": 2}, {"steps": 2, "pretrain_tfrecords": str(data_dir / "packed")}],
        num_train_steps=4,
    )
    with pytest.raises(ValueError, match=r"packed records, as those of .*packed, cannot be used"):
        run.train(config)
    assert not CheckpointFolder(config.model_dir).latest()
