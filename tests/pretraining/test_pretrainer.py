# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest
import tensorflow as tf
from tiny_run import (
    LENGTH,
    NO_DROPOUT,
    assert_near,
    make_data_dir,
    make_examples,
    outputs_and_gradients,
    tensors,
    tiny_pretrainer,
)

OBJECTIVES = {
    "electra": {},
    "tied": {"untied_generator": False},
    "untied_embeddings": {"untied_generator_embeddings": True},
    "uniform": {"uniform_generator": True},
    "mlm": {"electra_objective": False},
    "electric": {"electra_objective": False, "electric_objective": True},
}
BATCH = 6


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """Pretrainers by objective, made once."""
    data_dir, made = make_data_dir(tmp_path_factory.mktemp("pretrainer") / "data"), {}

    def make_once(objective):
        if objective not in made:
            made[objective] = tiny_pretrainer(data_dir, **OBJECTIVES[objective])
        return made[objective]

    return make_once


@pytest.fixture
def batch():
    return tensors(make_examples(BATCH, seed=5))


def seed(number):
    return tf.constant([number, 0], tf.int32)


def sigmoid_cross_entropy(logits, labels):
    p = 1 / (1 + np.exp(-np.asarray(logits, np.float64)))
    return -np.where(labels, np.log(p), np.log(1 - p))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_losses_are_those_of_the_outputs(make, batch, objective):
    outputs = make(objective).compute_outputs(batch, seed=seed(1))
    log_p = np.asarray(tf.nn.log_softmax(outputs["mlm_logits"]))
    weights = outputs["masked_weights"].numpy()
    picked = np.take_along_axis(log_p, outputs["masked_ids"].numpy()[..., None], -1)[..., 0]
    mlm_loss = -(picked * weights).sum() / weights.sum()
    np.testing.assert_allclose(outputs["mlm_loss"], mlm_loss, rtol=1e-4)
    generator_loss = mlm_loss
    if objective == "electric":
        ids = batch["input_ids"].numpy()
        log_p = np.asarray(tf.nn.log_softmax(outputs["cloze_logits"]))
        picked = np.take_along_axis(log_p, ids[..., None], -1)[..., 0]
        words = ids > 4  # neither padding nor special
        generator_loss = -picked[words].mean()
    if objective == "mlm":
        assert "rtd_loss" not in outputs and "corrupted_input_ids" not in outputs
        np.testing.assert_allclose(outputs["total_loss"], generator_loss, rtol=1e-4)
        return
    real = batch["input_mask"].numpy() == 1
    losses = sigmoid_cross_entropy(outputs["rtd_logits"], outputs["is_replaced"].numpy())
    rtd_loss = losses[real].mean()
    np.testing.assert_allclose(outputs["rtd_loss"], rtd_loss, rtol=1e-4)
    np.testing.assert_allclose(outputs["total_loss"], generator_loss + 50 * rtd_loss, rtol=1e-4)


def test_weights_of_the_two_losses(data_dir, batch):
    outputs = tiny_pretrainer(data_dir, gen_weight=0.25, disc_weight=3.0).compute_outputs(batch)
    np.testing.assert_allclose(
        outputs["total_loss"], 0.25 * outputs["mlm_loss"] + 3 * outputs["rtd_loss"], rtol=1e-6
    )


def test_fakes_are_put_where_tokens_were_masked(make, batch):
    outputs = {
        name: np.asarray(value)
        for name, value in make("electra").compute_outputs(batch, seed=seed(1)).items()
    }
    expected = batch["input_ids"].numpy()
    for row in range(BATCH):
        for n in np.flatnonzero(outputs["masked_weights"][row]):
            expected[row, outputs["masked_positions"][row, n]] = outputs["sampled_ids"][row, n]
    np.testing.assert_array_equal(outputs["corrupted_input_ids"], expected)
    np.testing.assert_array_equal(outputs["is_replaced"], expected != batch["input_ids"].numpy())
    assert outputs["is_replaced"].any()
    np.testing.assert_array_equal(outputs["input_ids"], batch["input_ids"])


@pytest.mark.parametrize(("objective", "counts"), [("electra", False), ("electric", True)])
def test_a_fake_equal_to_the_original(make, batch, objective, counts):
    """ELECTRA asks whether the token differs, Electric whether it came from the noise."""
    pretrainer = make(objective)
    masked = pretrainer.mask(batch, seed(1))
    outputs = pretrainer.compute_outputs(masked, sampled_ids=masked["masked_ids"])
    np.testing.assert_array_equal(outputs["corrupted_input_ids"], batch["input_ids"])
    is_replaced = outputs["is_replaced"].numpy()
    total = int(tf.reduce_sum(masked["masked_weights"])) if counts else 0
    assert is_replaced.sum() == total


def test_a_masked_batch_is_not_masked_again(make, batch):
    pretrainer = make("electra")
    masked = pretrainer.mask(batch, seed(1))
    outputs = pretrainer.compute_outputs(masked, seed=seed(2))
    for name, rows in masked.items():
        np.testing.assert_array_equal(outputs[name], rows)
    other = pretrainer.compute_outputs(batch, seed=seed(2))
    assert (other["masked_positions"].numpy() != masked["masked_positions"].numpy()).any()


def test_decided_by_the_seed(make, batch):
    pretrainer = make("electra")
    for training in (False, True):
        first, again, other = (
            pretrainer.compute_outputs(batch, seed=seed(n), training=training) for n in (1, 1, 2)
        )
        for name in ("masked_positions", "sampled_ids", "total_loss", "rtd_logits"):
            np.testing.assert_array_equal(first[name], again[name])
            assert (first[name].numpy() != other[name].numpy()).any()


def test_drops_out_only_in_training(make, batch):
    pretrainer = make("electra")
    masked = pretrainer.mask(batch, seed(1))
    hidden = [
        pretrainer.compute_outputs(masked, masked["masked_ids"], training, seed(n))
        for training, n in ((False, 1), (False, 2), (True, 1), (True, 2))
    ]
    still, too, dropped, other = (found["mlm_logits"].numpy() for found in hidden)
    np.testing.assert_array_equal(still, too)
    assert np.abs(dropped - still).max() > 1e-4 and np.abs(dropped - other).max() > 1e-4


@pytest.mark.parametrize("objective", ["electra", "untied_embeddings", "electric"])
def test_the_discriminator_does_not_teach_the_generator(make, batch, objective):
    pretrainer = make(objective)
    own = {id(v) for v in pretrainer.discriminator.trainable_variables}
    generators = [v.value for v in pretrainer.generator.trainable_variables if id(v) not in own]
    with tf.GradientTape(persistent=True) as tape:
        outputs = pretrainer.compute_outputs(batch, seed=seed(1), training=True)
    assert generators
    assert set(tape.gradient(outputs["rtd_loss"], generators)) == {None}
    generator_loss = outputs.get("cloze_loss", outputs["mlm_loss"])
    assert None not in tape.gradient(generator_loss, generators)


@pytest.mark.parametrize("objective", ["electra", "electric"])
def test_losses_of_halves_sum_up_to_those_of_the_batch(make, batch, objective):
    pretrainer = make(objective)
    masked = pretrainer.mask(batch, seed(1))
    fakes = (masked["masked_ids"] + 7) % 100
    whole = pretrainer.compute_outputs(masked, fakes)
    normalizers = pretrainer.normalizers(masked)
    halves = []
    for rows in (slice(0, 2), slice(2, BATCH)):
        part = {name: values[rows] for name, values in masked.items()}
        halves.append(pretrainer.compute_outputs(part, fakes[rows], normalizers=normalizers))
    names = [name for name in whole if name.endswith("_loss")]
    assert {"mlm_loss", "rtd_loss", "total_loss"} <= set(names)
    for name in names:
        np.testing.assert_allclose(sum(half[name] for half in halves), whole[name], rtol=1e-5)


def test_vocabulary_logits_at_masked_positions_only(make, batch):
    """Gathered before the costly projection: nothing has the shape [B, L, V] or [B * L, V]."""
    pretrainer = make("electra")
    graph = tf.function(pretrainer.compute_outputs).get_concrete_function(batch).graph
    shapes = {tuple(t.shape) for op in graph.get_operations() for t in op.outputs if t.shape.rank}
    count = pretrainer.config.num_masked
    assert {(BATCH, count, 100), (BATCH * count, 100)} & shapes
    assert not {(BATCH, LENGTH, 100), (BATCH * LENGTH, 100)} & shapes


def test_uniform_generator_draws_every_token(make, batch):
    outputs = make("uniform").compute_outputs(batch, seed=seed(1))
    np.testing.assert_allclose(outputs["mlm_loss"], np.log(100), rtol=1e-5)
    assert make("uniform").generator.trainable_variables == []


def test_disallow_correct_never_fakes_the_original(data_dir, batch):
    pretrainer = tiny_pretrainer(data_dir, disallow_correct=True, uniform_generator=True)
    for number in range(20):
        outputs = pretrainer.compute_outputs(batch, seed=seed(number))
        written = outputs["masked_weights"].numpy() > 0
        assert (outputs["sampled_ids"].numpy() != outputs["masked_ids"].numpy())[written].all()


def test_packed_sequences_are_apart_in_both_models(data_dir):
    """Two sequences in one row: logits of each token, loss and gradients are those of two rows."""
    pretrainer = tiny_pretrainer(data_dir, shape=NO_DROPOUT)
    examples = make_examples(30, seed=2)
    lengths = examples["input_mask"].sum(1)
    first, second = next(
        (i, j) for i in range(30) for j in range(30) if i != j and lengths[i] + lengths[j] == LENGTH
    )
    rows = {name: values[[first, second]] for name, values in examples.items()}
    masked = {
        "masked_positions": np.array([[1, 2], [2, 3]], np.int32),
        "masked_ids": np.array([[9, 9], [9, 9]], np.int32),
        "masked_weights": np.ones([2, 2], np.float32),
    }
    alone, expected_gradients = outputs_and_gradients(
        pretrainer,
        tensors({**rows, **masked, "masked_input_ids": rows["input_ids"]}),
        tf.constant([[7, 8]] * 2),
    )
    cut = lengths[first]
    packed = {
        name: np.concatenate([values[0, :cut], values[1, : LENGTH - cut]])[None]
        for name, values in rows.items()
    }
    packed["position_ids"] = np.r_[np.arange(cut), np.arange(LENGTH - cut)][None]
    packed["sequence_ids"] = (1 + (np.arange(LENGTH) >= cut))[None]
    packed["masked_input_ids"] = packed["input_ids"]
    packed["masked_positions"] = np.array([[1, 2, 2 + cut, 3 + cut]], np.int32)
    packed["masked_ids"] = np.array([[9] * 4], np.int32)
    packed["masked_weights"] = np.ones([1, 4], np.float32)
    together, gradients = outputs_and_gradients(
        pretrainer, tensors(packed), tf.constant([[7, 8, 7, 8]])
    )
    assert_near(gradients, expected_gradients)
    np.testing.assert_allclose(
        tf.reshape(together["mlm_logits"], [2, 2, -1]), alone["mlm_logits"], atol=1e-5
    )
    np.testing.assert_allclose(together["total_loss"], alone["total_loss"], rtol=1e-5)
    logits = together["rtd_logits"].numpy()[0]
    np.testing.assert_allclose(logits[:cut], alone["rtd_logits"][0, :cut], atol=1e-5)
    np.testing.assert_allclose(logits[cut:], alone["rtd_logits"][1, : LENGTH - cut], atol=1e-5)
