# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The training step of the original, by its own modules and in its own Python.

`compare_original.py` starts this file and writes a line for each turn; the answer is a line of
JSON. Nothing of this package is imported: the original needs another TensorFlow.
"""

import json
import os
import sys
import time
import types

import numpy as np
import tensorflow.compat.v1 as tf

LAST_KERNEL = "discriminator_predictions/dense_1/kernel"


def layer_norm(inputs, begin_norm_axis, begin_params_axis, scope):
    """What the original takes from tf.contrib, which TensorFlow 2 does not have."""
    assert begin_norm_axis == begin_params_axis == -1
    with tf.variable_scope(scope, default_name="LayerNorm"):
        width = [inputs.shape[-1]]
        beta = tf.get_variable("beta", width, initializer=tf.zeros_initializer())
        gamma = tf.get_variable("gamma", width, initializer=tf.ones_initializer())
        mean, variance = tf.nn.moments(inputs, [-1], keepdims=True)
        return tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, 1e-12)


def import_original(folder):
    """Its modules that configure, build and optimize the model."""
    contrib = types.ModuleType("tensorflow.contrib")
    contrib.layers = types.ModuleType("tensorflow.contrib.layers")
    contrib.layers.layer_norm = layer_norm
    sys.modules["tensorflow.contrib"] = contrib
    sys.modules["tensorflow.contrib.layers"] = contrib.layers
    sys.path.insert(0, folder)
    import configure_pretraining
    from model import optimization

    import run_pretraining

    return configure_pretraining, run_pretraining, optimization


def build(folder, data_dir, hparams, batch):
    """Loss, training operation, and what a turn feeds."""
    configure_pretraining, run_pretraining, optimization = import_original(folder)
    config = configure_pretraining.PretrainingConfig("benchmark", data_dir, **hparams)
    features = {name: tf.placeholder(tf.int32, rows.shape) for name, rows in batch.items()}
    loss = run_pretraining.PretrainingModel(config, features, is_training=True).total_loss
    train = optimization.create_optimizer(
        loss,
        config.learning_rate,
        config.num_train_steps,
        weight_decay_rate=config.weight_decay_rate,
        warmup_steps=config.num_warmup_steps,
        lr_decay_power=config.lr_decay_power,
    )
    return loss, train, {features[name]: rows for name, rows in batch.items()}


def main():
    given = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the original prints is no answer
    tf.disable_v2_behavior()
    batch = dict(np.load(os.path.join(given["data_dir"], "batch.npz")))
    loss, train, feeds = build(given["folder"], given["data_dir"], given["hparams"], batch)
    threads = tf.ConfigProto(intra_op_parallelism_threads=given["threads"])
    with tf.Session(config=threads) as session:
        session.run(tf.global_variables_initializer())
        for variable in tf.global_variables():
            if variable.op.name == LAST_KERNEL:  # as in our step
                variable.load(np.zeros(variable.shape), session)
        answers.write("{}\n")
        for _ in sys.stdin:
            start = time.perf_counter()
            for _ in range(given["steps"]):
                value, _ = session.run([loss, train], feeds)
            seconds = (time.perf_counter() - start) / given["steps"]
            answers.write(json.dumps({"seconds": seconds, "loss": float(value)}) + "\n")


if __name__ == "__main__":
    main()
