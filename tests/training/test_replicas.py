# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The step does not depend on how a batch is spread over replicas."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from electra_tf.seeds import replica_id
from electra_tf.training import ElectraAdam
from electra_tf.training.distribution.replicas import sum_over_replicas
from electra_tf.training.loop.runners import StepRunner

LOCAL = np.array([[[0.3, -4.0], [0.1, 0.2]], [[2.0, 1.0], [-0.3, 0.4]]], np.float32)
"""Gradients of two variables on each replica: [replica, variable, 2]."""


@pytest.mark.parametrize("sparse", [False, True])
def test_gradients_are_summed_then_clipped_once(two_replicas, sparse):
    with two_replicas.scope():
        spread = [keras.Variable([1.0, 1.0], name=name) for name in ("kernel", "bias")]
        optimizer = ElectraAdam(0.1, clip_norm=0.1)
        optimizer.build(spread)

    def update():
        gradients = list(tf.unstack(tf.constant(LOCAL)[replica_id()]))
        if sparse:  # as duplicates of each row
            gradients[0] = tf.IndexedSlices(
                tf.repeat(gradients[0] / 2, 2), tf.constant([0, 0, 1, 1]), [2]
            )
        return optimizer.apply(gradients, spread)

    norms = two_replicas.run(tf.function(update))
    alone = [keras.Variable([1.0, 1.0], name=name) for name in ("kernel", "bias")]
    single = ElectraAdam(0.1, clip_norm=0.1)
    norm = single.apply(list(tf.unstack(tf.constant(LOCAL.sum(0)))), alone)

    for local in two_replicas.experimental_local_results(norms):
        assert float(local) == pytest.approx(float(norm), rel=1e-6)
    assert float(norm) == pytest.approx(np.sqrt(np.sum(LOCAL.sum(0) ** 2)), rel=1e-6)
    for ours, theirs in zip(spread, alone, strict=True):
        for copy in two_replicas.experimental_local_results(ours.value):
            np.testing.assert_allclose(copy.numpy(), theirs.numpy(), rtol=1e-6)
    for ours, theirs in zip(optimizer.momentums, single.momentums, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


def test_sums_and_ids_of_replicas(two_replicas):
    sums = two_replicas.run(
        tf.function(lambda: sum_over_replicas({"a": tf.cast(replica_id() + 1, tf.float32)}))
    )
    for local in two_replicas.experimental_local_results(sums["a"]):
        assert float(local) == 3.0
    assert float(sum_over_replicas({"a": tf.constant(5.0)})["a"]) == 5.0
    assert int(replica_id()) == 0


def test_each_replica_gets_its_rows_of_the_batch(two_replicas):
    def step(batch):
        weight = tf.constant([1.0, 100.0])[replica_id()]
        return {"loss": weight * tf.reduce_sum(tf.cast(batch["rows"], tf.float32))}

    runner = StepRunner(two_replicas, step, batch_size=4)
    batches = [{"rows": np.array([1, 2, 3, 4]) * scale} for scale in (1, 10)]
    np.testing.assert_allclose(runner(batches), [703.0, 7030.0])
    np.testing.assert_allclose(runner(batches[:1]), [703.0])  # other numbers of steps, too


def test_rows_that_cannot_be_shared_out_are_an_error(two_replicas):
    with pytest.raises(ValueError, match="5"):
        StepRunner(two_replicas, lambda batch: {}, batch_size=5)
