# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Several steps in one program, compiled by XLA, with the numbers of single steps."""

import re

import numpy as np
import pytest
import tensorflow as tf
from tiny_run import HPARAMS, NO_DROPOUT, make_examples, tensors, tiny_pretrainer

from electra_tf.training.checkpoints.weights import weights_by_name
from electra_tf.training.loop.runners import DeviceLoop, StepRunner, make_runner

WIDTH, TOKENS = HPARAMS["embedding_size"], HPARAMS["vocab_size"]
TYPES_OF_TPUS = {"pred", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "bf16", "f32"}
SMALL = {**NO_DROPOUT, "num_hidden_layers": 1}


def counted_step(batch):
    weight = tf.constant([1.0, 100.0])[tf.distribute.get_replica_context().replica_id_in_sync_group]
    return {"loss": weight * tf.reduce_sum(tf.cast(batch["rows"], tf.float32))}


@pytest.mark.parametrize(
    ("replicas", "jit_compile"), [(1, False), (1, True), (2, False)], ids=["one", "xla", "two"]
)
def test_every_number_of_steps_and_replica(replicas, jit_compile, two_replicas):
    """More of them than one program has, too."""
    strategy = two_replicas if replicas == 2 else tf.distribute.get_strategy()
    runner = DeviceLoop(strategy, counted_step, 4, iterations_per_loop=3, jit_compile=jit_compile)
    batches = [{"rows": np.array([1, 2, 3, 4], np.int32) * scale} for scale in range(1, 8)]
    expected = (703.0 if replicas == 2 else 10.0) * np.arange(1, 8)
    for count in (3, 1, 7, 2):
        np.testing.assert_allclose(runner(batches[:count]), expected[:count])


def test_batches_of_different_shapes():
    runner = DeviceLoop(tf.distribute.get_strategy(), counted_step, 2, iterations_per_loop=4)
    batches = [{"rows": np.ones([2, length], np.int32)} for length in (3, 3, 5, 3)]
    np.testing.assert_allclose(runner(batches), [6.0, 6.0, 10.0, 6.0])


@pytest.mark.parametrize(
    ("replicas", "jit_compile", "kind"),
    [(1, True, DeviceLoop), (1, False, StepRunner), (2, True, StepRunner)],
)
def test_one_device_has_it_if_compiled(replicas, jit_compile, kind, two_replicas):
    strategy = two_replicas if replicas == 2 else tf.distribute.get_strategy()
    assert isinstance(make_runner(strategy, counted_step, 2, 3, jit_compile), kind)


def test_a_tpu_has_as_many_steps_in_its_program_as_asked(monkeypatch):
    """A stand-in: the default strategy is taken for one of a TPU."""
    strategy = tf.distribute.get_strategy()
    monkeypatch.setattr(tf.distribute, "TPUStrategy", type(strategy))
    calls, run_steps = [], DeviceLoop.run_steps

    def counted(loop, stacked, count):
        calls.append(stacked["rows"].shape[0])
        return run_steps(loop, stacked, count)

    monkeypatch.setattr(DeviceLoop, "run_steps", counted)
    runner = make_runner(strategy, counted_step, 2, iterations_per_loop=200)
    losses = runner([{"rows": np.full([2, 3], i, np.int32)} for i in range(200)])
    np.testing.assert_allclose(losses, 6.0 * np.arange(200))
    assert calls == [200]


@pytest.mark.slow
def test_a_strategy_of_one_replica_compiles_what_it_can(data_dir):
    """A whole step cannot be: it has a point at which replicas meet."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    losses = []
    for jit_compile in (False, True):
        with strategy.scope():
            pretrainer = tiny_pretrainer(data_dir, SMALL, jit_compile=jit_compile)
            pretrainer.optimizer.build(pretrainer.trainable_variables)
        runner = make_runner(strategy, pretrainer.train_step, 8, 3, jit_compile)
        losses.append(runner([make_examples(8, seed=i) for i in range(2)]))
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)


@pytest.mark.slow
def test_the_loop_compiled_is_the_steps_one_by_one(data_dir, monkeypatch):
    """Update included; fakes are fixed, since rounding may decide which of two tokens is drawn."""
    monkeypatch.setattr(
        "electra_tf.pretraining.pretrainer.sample_tokens",
        lambda logits, seed, temperature, disallowed_ids: 5 + disallowed_ids * 7 % 90,
    )
    changes = {"learning_rate": 0.01, "num_warmup_steps": 0, "disallow_correct": True}
    masker = tiny_pretrainer(data_dir)
    batches = []
    for i in range(3):
        masked = masker.mask(tensors(make_examples(8, seed=i)), tf.constant([i, 0]))
        batches.append({name: rows.numpy() for name, rows in masked.items()})
    losses, weights = [], []
    for compiled in (False, True):
        pretrainer = tiny_pretrainer(data_dir, SMALL, **changes)
        pretrainer.optimizer.build(pretrainer.trainable_variables)
        strategy = tf.distribute.get_strategy()
        if compiled:
            loop = DeviceLoop(strategy, pretrainer.train_step, 8, 5, jit_compile=True)
            losses.append(loop(batches))
        else:
            losses.append(StepRunner(strategy, pretrainer.train_step, 8)(batches))
        weights.append({k: v.numpy() for k, v in weights_by_name(pretrainer).items()})
        assert int(pretrainer.optimizer.iterations) == 3
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
    for name, value in weights[0].items():
        np.testing.assert_allclose(weights[1][name], value, rtol=1e-4, atol=2e-5, err_msg=name)


@pytest.mark.parametrize(
    "options",
    [
        {"precision": "bfloat16"},
        pytest.param({"recompute_activations": True}, marks=pytest.mark.slow),
    ],
    ids=lambda options: next(iter(options)),
)
def test_the_program_is_one_that_tpus_take(data_dir, monkeypatch, options):
    """Own masks, fakes and dropout; static shapes, no float64, nothing that asks the host."""
    for module in ("model.fused", "model.layers", "model.random_numbers", "pretraining.masking"):
        monkeypatch.setattr(f"electra_tf.{module}.has_accelerator", lambda: True)
    pretrainer = tiny_pretrainer(data_dir, {"num_hidden_layers": 1}, **options)
    pretrainer.optimizer.build(pretrainer.trainable_variables)
    loop = DeviceLoop(tf.distribute.get_strategy(), pretrainer.train_step, 8, 2)
    batch = make_examples(8)
    stacked = {name: tf.constant(np.stack([rows, rows])) for name, rows in batch.items()}
    compiled = tf.function(loop.run_steps, jit_compile=True)
    program = compiled.experimental_get_compiler_ir(stacked, tf.constant(2))(stage="hlo")
    types = set(re.findall(r"= \(?([a-z]+\d*)\[", program))
    assert types <= TYPES_OF_TPUS, types
    assert " while(" in program
    assert not re.search(r"\[[^]]*<=", program), "a dimension is dynamic"
    assert not re.search(r"\b(infeed|outfeed|send|recv)\(", program)
    # Token embeddings are looked up, not multiplied by one-hot rows.
    assert re.search(rf"f32\[\d+(,\d+)*,{WIDTH}\]\S* gather\(f32\[{TOKENS},{WIDTH}\]", program)
