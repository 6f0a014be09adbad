# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The objectives that ELECTRA's paper compares it with, against plain formulas."""

import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from killed_run import stop_after_save
from option_steps import SMALL, assert_same_steps, built, masked_batches, trained
from run_results import assert_identical
from tiny_run import LENGTH, assert_near, make_examples, outputs_and_gradients, tensors, tiny_config

import electra_tf
from electra_tf.interop import convert, open_model
from electra_tf.interop.stored_model import Pair, StoredModel
from electra_tf.pretraining import model_folder, run
from electra_tf.pretraining.run_flops import flops_of_sequence
from electra_tf.text import load_tokenizer
from electra_tf.training.checkpoints.weights import weights_by_name
from electra_tf.training.loop.logs import read_log
from electra_tf.training.loop.loop import StepRunner

NAMES = ("replaced_tokens_masked_only", "replace_mlm", "all_tokens_mlm")
BATCH = make_examples(3)


def built_for(data_dir, name, **options):
    options = {"disallow_correct": name != "replaced_tokens_masked_only", **options}
    return built(data_dir, discriminator_objective=name, disc_weight=3.0, **options)


def plain_loss(name, pretrainer, outputs):
    """The second model's loss, and the probability of each token of V at each position of L."""
    weights = {n: tf.convert_to_tensor(w) for n, w in weights_by_name(pretrainer).items()}

    def dense(x, layer):
        return x @ weights[f"{layer}/kernel"] + weights[f"{layer}/bias"]

    def gelu(x):
        return 0.5 * x * (1 + tf.math.erf(x / np.sqrt(2)))

    corrupted = outputs["corrupted_input_ids"]
    hidden = pretrainer.discriminator.encoder({**outputs, "input_ids": corrupted})
    hidden = hidden.last_hidden_state
    original = tf.one_hot(outputs["input_ids"], 100)
    is_masked = np.zeros([3, LENGTH], bool)
    for row, entry in np.argwhere(outputs["masked_weights"].numpy() > 0):
        is_masked[row, outputs["masked_positions"][row, entry]] = True
    if name == "replaced_tokens_masked_only":
        inner = gelu(dense(hidden, "discriminator_predictions/dense"))
        replaced = tf.sigmoid(dense(inner, "discriminator_predictions/dense_1")[..., 0])
        right = tf.where(corrupted != outputs["input_ids"], replaced, 1 - replaced)
        return -tf.reduce_mean(tf.math.log(tf.boolean_mask(right, is_masked))), None
    head = "restoration_predictions"
    inner = gelu(dense(hidden, f"{head}/dense"))
    mean, variance = tf.nn.moments(inner, [-1], keepdims=True)
    inner = (inner - mean) / tf.sqrt(variance + 1e-12) * weights[f"{head}/LayerNorm/gamma"]
    inner += weights[f"{head}/LayerNorm/beta"]
    logits = inner @ tf.transpose(weights["electra/embeddings/word_embeddings"])
    p = tf.nn.softmax(logits + weights[f"{head}/output_bias"])
    counted = is_masked
    if name == "all_tokens_mlm":
        copied = tf.sigmoid(dense(hidden, "copy_predictions/dense"))  # [B, L, 1]
        p = copied * tf.one_hot(corrupted, 100) + (1 - copied) * p
        counted = BATCH["input_mask"] == 1
    right = tf.boolean_mask(tf.reduce_sum(p * original, axis=-1), counted)
    return -tf.reduce_mean(tf.math.log(right)), p.numpy()


@pytest.mark.parametrize("name", NAMES)
def test_losses_and_gradients_are_those_of_a_plain_formula(data_dir, name):
    pretrainer = built_for(data_dir, name)
    weights = weights_by_name(pretrainer)
    for weight in weights.values():  # far from the first ones, where all tokens are alike
        weight.assign(weight * 2 + 0.01)
    batch = pretrainer.mask(tensors(BATCH))
    fakes = tf.where(tf.range(3) == 1, batch["masked_ids"], 5 + batch["masked_ids"] % 7)
    outputs, gradients = outputs_and_gradients(pretrainer, batch, fakes)
    with tf.GradientTape() as tape:
        plain, p = plain_loss(name, pretrainer, outputs)
        generator = pretrainer.compute_outputs(batch, fakes, masked_lm_only=True)
        total = generator["total_loss"] + 3.0 * plain
    loss = outputs[pretrainer.objective.loss]
    np.testing.assert_allclose(loss, plain, rtol=1e-5)
    np.testing.assert_allclose(outputs["total_loss"], total, rtol=1e-5)
    expected = tape.gradient(total, list(weights.values()))
    assert_near(gradients, dict(zip(weights, map(tf.convert_to_tensor, expected), strict=True)))
    heads = [n for n in weights if "_predictions/" in n and not n.startswith("generator")]
    assert all(np.abs(gradients[n]).max() > 0 for n in heads)
    if p is not None:
        best = p.argmax(-1)
        at_masked = np.take_along_axis(best, outputs["masked_positions"].numpy(), 1)
        np.testing.assert_array_equal(outputs["restored_ids"], at_masked)
        whole = outputs.get("all_restored_ids")
        assert whole is None or np.array_equal(whole, best)
        assert "discriminator_predictions/dense/kernel" not in weights


def test_all_tokens_masked_gives_electra(data_dir):
    """Then the masked-out tokens are the tokens."""
    found = []
    for name in ("replaced_tokens", "replaced_tokens_masked_only"):
        pretrainer = built_for(data_dir, name, max_predictions_per_seq=LENGTH, mask_prob=0.9)
        batch = {
            **BATCH,
            "masked_positions": np.tile(np.arange(LENGTH, dtype=np.int32), [3, 1]),
            "masked_ids": BATCH["input_ids"],
            "masked_weights": BATCH["input_mask"].astype(np.float32),
            "masked_input_ids": np.where(BATCH["input_mask"] == 1, 4, 0).astype(np.int32),
        }
        found.append(outputs_and_gradients(pretrainer, tensors(batch), BATCH["input_ids"] // 2))
    (outputs, gradients), (expected, expected_gradients) = found
    np.testing.assert_allclose(outputs["total_loss"], expected["total_loss"], rtol=1e-6)
    assert_near(gradients, expected_gradients)


def test_flops_are_counted_by_hand(data_dir):
    """Of the heads: all else is ELECTRA's."""
    config = tiny_config(data_dir)
    electra = flops_of_sequence(config, LENGTH)
    h, e, v, masked = 16, 8, 100, 3  # int(0.205 * 16)
    binary = LENGTH * (2 * h * h + h + 8 * h + 2 * h)
    token = 2 * h * e + e + (8 + 5) * e + 2 * e * v + (5 + 2) * v
    for name, head in (
        ("replaced_tokens_masked_only", binary),
        ("replace_mlm", masked * token),
        ("all_tokens_mlm", LENGTH * (token + 2 * h)),
    ):
        found = flops_of_sequence(config.replace(discriminator_objective=name), LENGTH)
        assert found == pytest.approx(electra + 2 * (head - binary)), name


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"electra_objective": False}, "objective is .* unless electra_objective is true"),
        ({"electric_objective": True}, "objective is .* unless electra_objective is true"),
        ({"discriminator_objective": "all_tokens"}, "objective is .* one of .'replaced_tokens', "),
        (
            {"discriminator_objective": NAMES[0], "disallow_correct": True},
            f"disallow_correct is expected to be false for discriminator_objective='{NAMES[0]}'",
        ),
    ],
)
def test_objectives_that_cannot_be(data_dir, options, expected):
    options = {"discriminator_objective": "replace_mlm", **options}
    with pytest.raises(ValueError, match=expected):
        tiny_config(data_dir, **options)


# ---- Training


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "options",
    [{"jit_compile": True}, {"gradient_accumulation_steps": 2, "untied_generator": False}],
)
def test_options_of_speed_change_no_step(data_dir, same_fakes, name, options):
    plain = {n: v for n, v in options.items() if n == "untied_generator"}
    batches = masked_batches(data_dir, 2)
    expected = trained(built_for(data_dir, name, **plain), batches)
    assert_same_steps(trained(built_for(data_dir, name, **options), batches), expected, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_two_replicas_give_the_weights_of_one(data_dir, two_replicas, same_fakes, name):
    batches = masked_batches(data_dir, 2)
    rows = [{name: row.numpy() for name, row in batch.items()} for batch in batches]
    values = []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        with strategy.scope():
            pretrainer = built_for(data_dir, name)
        StepRunner(strategy, pretrainer.train_step, 8)(rows)
        values.append({name: v.numpy() for name, v in weights_by_name(pretrainer).items()})
    for name, value in values[0].items():
        np.testing.assert_allclose(values[1][name], value, atol=1e-6, rtol=1e-5, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "options",
    [
        {"uniform_generator": True},
        {"untied_generator_embeddings": True},
        {"masking": "reference"},
        {"precision": "bfloat16"},
    ],
)
def test_all_generators_have_such_second_models(data_dir, name, options):
    """All that is trained gets a gradient, and the loss is a number."""
    pretrainer = built_for(data_dir, name, **options)
    before = {n: v.numpy() for n, v in weights_by_name(pretrainer).items()}
    for batch in [tensors(make_examples(8, seed=i)) for i in range(3)]:
        assert np.isfinite(pretrainer.train_step(batch)["loss"])
    for variable, weight in weights_by_name(pretrainer).items():
        assert np.abs(weight.numpy() - before[variable]).max() > 0, variable


@pytest.mark.slow
@pytest.mark.parametrize("name", ["replace_mlm", "all_tokens_mlm"])
def test_a_disentangled_output_layer_is_seen_as_the_input_is(data_dir, name):
    pretrainer = built_for(data_dir, name, disentangled_embeddings=True, gen_weight=0.0)
    _, gradients = outputs_and_gradients(pretrainer, pretrainer.mask(tensors(BATCH)), None)
    assert not np.abs(gradients["electra/embeddings/word_embeddings"]).any()
    difference = gradients["electra/embeddings/word_embeddings_difference"]
    assert np.abs(difference).min(axis=-1).max() > 0 and (np.abs(difference).max(axis=-1) > 0).all()


@pytest.mark.slow
def test_a_run_resumes_exactly_and_logs_its_metrics(data_dir):
    options = {"discriminator_objective": "all_tokens_mlm", "eval_every_steps": 6}
    whole = tiny_config(data_dir, "whole", SMALL, **options)
    run.train(whole)
    parts = tiny_config(data_dir, "parts", SMALL, **options)
    stop_after_save(parts)
    run.train(parts)
    assert_identical(parts.model_dir, whole.model_dir)
    last = read_log(whole.model_dir)[-1]
    names = {"restoration_loss", "restored_accuracy", "restored_masked_accuracy"}
    assert names < set(last) and not {"disc_auc", "disc_loss"} & set(last)
    results = run.evaluate(whole)
    assert names < set(results) and 0 < results["restored_accuracy"] <= 1
    assert results["restoration_loss"] < np.log(100)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_keras_saves_and_loads_it(data_dir, tmp_path, name):
    pretrainer = built_for(data_dir, name)
    batch = pretrainer.mask(tensors(BATCH))
    path = str(tmp_path / "model.keras")
    pretrainer.save(path)
    found = keras.saving.load_model(path).compute_outputs(batch)["total_loss"]
    assert float(found) == float(pretrainer.compute_outputs(batch)["total_loss"])


# ---- Models on disk


def stored(data_dir, name, **options):
    config = tiny_config(data_dir, "stored", SMALL, discriminator_objective=name, **options)
    tokenizer = load_tokenizer(config.vocab_file)
    return StoredModel.of("the model", config, tokenizer, Pair.build(config))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["replace_mlm", "all_tokens_mlm"])
def test_what_needs_a_head_of_replaced_tokens_names_the_objective(data_dir, tmp_path, name):
    folder = str(tmp_path / "own")
    convert(stored(data_dir, name), "electra_tf", folder)
    model = electra_tf.load(folder)
    assert model.encode(["w1 w2"])["mean"].shape == (1, 16)
    assert model.fill_mask(["w1 [MASK]"])["tokens"].shape == (1, 1, 5)
    expected = f"discriminator_objective '{name}'"
    for call in (
        lambda: model.find_errors(["w1"]),
        lambda: model.replaced_tokens(["w1"]),
        lambda: model.score_options(["w1 {}"], ["w2", "w3"]),
        lambda: model.calibrate(["w1 w2"]),
    ):
        with pytest.raises(ValueError, match=expected):
            call()
    prompt = {"template": "{text_a} w4 {}", "options": {"a": "w2", "b": "w3"}}
    classifier = electra_tf.TextClassifier.from_preset(folder, labels=["a", "b"])
    assert classifier.predict(["w1"]).shape[0] == 1
    with pytest.raises(ValueError, match=expected):
        electra_tf.TextClassifier.from_preset(folder, prompt=prompt)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["replace_mlm", "all_tokens_mlm"])
@pytest.mark.parametrize("options", [{}, {"untied_generator": False}, {"uniform_generator": True}])
def test_checkpoints_of_the_original_hold_it(data_dir, tmp_path, name, options):
    model, folder = stored(data_dir, name, **options), str(tmp_path / "reference")
    convert(model, "reference", folder)
    heads = {"num_attention_heads": 2}
    found = open_model(folder, {"model_hparam_overrides": heads, "max_seq_length": LENGTH})
    assert found.config.discriminator_objective == name
    assert found.fingerprint == model.fingerprint


@pytest.mark.slow
def test_hugging_face_gets_encoder_and_generator(data_dir, tmp_path, caplog):
    model, folder = stored(data_dir, "all_tokens_mlm"), str(tmp_path / "theirs")
    lines = convert(model, "huggingface", folder)
    assert "ElectraModel" in lines[0] and "ElectraForMaskedLM" in lines[1]
    assert "head that restores tokens is not written" in caplog.text
    with pytest.raises(ValueError, match=f"without a head.* model of its own, {folder}/gene"):
        open_model(folder)
    generator = open_model(f"{folder}/generator")
    for name, weight in generator.weights.items():
        ours = name.replace("electra/", "generator/")
        np.testing.assert_array_equal(weight, model.weights.get(ours, model.weights.get(name)))


def test_a_folder_from_before_there_was_a_choice_is_electra(data_dir):
    config = tiny_config(data_dir)
    model_folder.write_config(config, load_tokenizer(config.vocab_file))
    path = pathlib.Path(config.model_dir) / "config.json"
    stored = json.loads(path.read_text())
    del stored["pretraining"]["discriminator_objective"]
    path.write_text(json.dumps(stored))
    found = model_folder.read_config(config.model_dir).pretraining
    assert found.discriminator_objective == "replaced_tokens"
