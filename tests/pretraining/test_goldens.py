# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Every objective gives the numbers recorded from the original."""

import numpy as np
import pytest
import tensorflow as tf
from golden_cases import CASES, batch_of, checkpoint_of, compiled_pretrainer, config_of, numbers_of

from electra_tf.interop import load_reference_checkpoint
from electra_tf.training.checkpoints.weights import weights_by_name

OUTPUTS = {  # the original's name -> ours
    "mlm_logits": lambda o: o["mlm_logits"],
    "mlm_loss": lambda o: o["mlm_loss"],
    "total_loss": lambda o: o["total_loss"],
    "disc_input_ids": lambda o: o["corrupted_input_ids"],
    "is_fake": lambda o: tf.cast(o["is_replaced"], tf.int32),
    "disc_loss": lambda o: o["rtd_loss"],
    "disc_probs": lambda o: tf.sigmoid(o["rtd_logits"]),
    "disc_sequence_output": lambda o: o["discriminator_hidden"],
}


@pytest.fixture(params=CASES)
def case(request):
    pretrainer = compiled_pretrainer(config_of(request.param))
    report = load_reference_checkpoint(checkpoint_of(request.param), pretrainer)
    return request.param, pretrainer, numbers_of(request.param), report


def test_checkpoint_is_loaded_whole(case):
    name, pretrainer, _, report = case
    stored = tf.train.load_checkpoint(checkpoint_of(name)).get_variable_to_shape_map()
    assert set(report.loaded) == set(stored) - {"global_step"}
    assert not report.excused
    assert int(pretrainer.optimizer.iterations) == 2


def test_outputs_before_training(case):
    _, pretrainer, numbers, _ = case
    batch, fakes = batch_of(numbers, 0)
    outputs = pretrainer.compute_outputs(batch, sampled_ids=fakes)
    recorded = {key.removeprefix("step0/") for key in numbers if key.startswith("step0/")}
    assert recorded - {"grad_norm"} <= set(OUTPUTS)
    for name in recorded - {"grad_norm"}:
        np.testing.assert_allclose(
            OUTPUTS[name](outputs),
            numbers[f"step0/{name}"],
            rtol=1e-5,
            atol=1e-5 * max(1, np.abs(numbers[f"step0/{name}"]).max()),
            err_msg=name,
        )


def test_three_steps_of_training(case):
    _, pretrainer, numbers, _ = case
    variables = pretrainer.trained_variables
    for step in range(3):
        batch, fakes = batch_of(numbers, step)
        with tf.GradientTape() as tape:
            outputs = pretrainer.compute_outputs(batch, sampled_ids=fakes, training=True)
        gradients = tape.gradient(outputs["total_loss"], variables)
        norm = pretrainer.optimizer.apply(gradients)
        found = {"total_loss": outputs["total_loss"], "mlm_loss": outputs["mlm_loss"]}
        # Where the token embeddings are used by lookups only (no tied output layer), the original
        # takes the norm of the slices, in which a token that occurs twice counts as two; the
        # clipping here uses the norm of the gradient itself.
        found["grad_norm"] = tf.linalg.global_norm(gradients)
        if not any(isinstance(gradient, tf.IndexedSlices) for gradient in gradients):
            np.testing.assert_allclose(norm, found["grad_norm"], rtol=1e-6)
        if "rtd_loss" in outputs:
            found["disc_loss"] = outputs["rtd_loss"]
        for name, value in found.items():
            np.testing.assert_allclose(
                value, numbers[f"step{step}/{name}"], rtol=1e-4, err_msg=f"{name} of step {step}"
            )
    weights = weights_by_name(pretrainer)
    norms = {k.removeprefix("final_norm/"): v for k, v in numbers.items() if "final_norm/" in k}
    assert set(norms) == set(weights)
    for name, norm in norms.items():
        np.testing.assert_allclose(np.linalg.norm(weights[name]), norm, rtol=1e-4, err_msg=name)
    for key, value in numbers.items():
        if key.startswith("final/"):
            np.testing.assert_allclose(
                weights[key.removeprefix("final/")], value, rtol=1e-4, atol=1e-5, err_msg=key
            )
