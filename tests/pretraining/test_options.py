# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Options of how a step is computed, each against the plain float32 step on one device."""

import numpy as np
import pytest
import tensorflow as tf
from option_steps import ONE_LAYER, assert_same_steps, built, masked_batches, trained
from tiny_run import make_examples, tensors

from electra_tf import accelerators
from electra_tf.accelerators import arithmetic
from electra_tf.pretraining import ElectraPretrainer
from electra_tf.training.checkpoints.weights import (
    training_variables,
    weights_by_name,
)
from electra_tf.training.loop.runners import StepRunner, make_runner

pytestmark = pytest.mark.usefixtures("same_fakes")

# ---- The same numbers


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"gradient_accumulation_steps": 4}, id="accumulation"),
        pytest.param({"recompute_activations": True}, id="recompute"),
        pytest.param({"jit_compile": True}, id="xla", marks=pytest.mark.slow),
        pytest.param(
            {
                "jit_compile": True,
                "gradient_accumulation_steps": 2,
                "recompute_activations": True,
            },
            id="all",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_options_that_change_no_number(data_dir, options):
    batches = masked_batches(data_dir)
    plain, other = built(data_dir), built(data_dir, **options)
    # Moments, not weights: Adam divides tiny gradients by their own size.
    expected, found = trained(plain, batches), trained(other, batches)
    for result in (expected, found):
        for name in [name for name in result[1] if not name.endswith("/adam_m")]:
            del result[1][name]
    assert_same_steps(found, expected, rtol=1e-4)
    reports = [
        {k: float(v) for k, v in pretrainer.running.results().items()}
        for pretrainer in (plain, other)
    ]
    assert reports[1] == pytest.approx(reports[0], rel=1e-4)
    assert int(other.optimizer.iterations) == 3  # updates, not parts


def test_a_batch_is_computed_in_parts(data_dir, monkeypatch):
    rows = []
    learn = ElectraPretrainer._learn_from

    def learn_from(pretrainer, part, *arguments):
        rows.append(part["input_ids"].shape[0])
        return learn(pretrainer, part, *arguments)

    monkeypatch.setattr(ElectraPretrainer, "_learn_from", learn_from)
    built(data_dir, gradient_accumulation_steps=4).train_step(masked_batches(data_dir, 1)[0])
    assert set(rows) == {2}


def test_activations_are_computed_again(data_dir):
    """The products of the layers, forward: of queries, keys, values, their sums, and outputs."""
    batch, products = masked_batches(data_dir, 1)[0], {}
    for recompute in (False, True):
        pretrainer = built(data_dir, recompute_activations=recompute)
        step = tf.function(pretrainer.train_step).get_concrete_function(batch)
        definition = step.graph.as_graph_def()
        functions = [definition.node, *(f.node_def for f in definition.library.function)]
        kinds = [node.op for nodes in functions for node in nodes]
        products[recompute] = sum(kind in ("MatMul", "BatchMatMulV2") for kind in kinds)
    layers = 2  # one of the generator, one of the discriminator
    assert products[True] - products[False] >= layers * 6


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_dropout_masks_and_fakes_are_those_of_the_plain_step(data_dir, compiled):
    batch = tensors(make_examples(8))
    plain = built(data_dir, ONE_LAYER, jit_compile=False)
    other = built(data_dir, ONE_LAYER, jit_compile=compiled, recompute_activations=True)
    losses = [float(p.train_step(batch)["loss"]) for p in (plain, other)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    without = float(built(data_dir).train_step(batch)["loss"])
    assert abs(without - losses[0]) > 1e-4  # there was dropout


@pytest.mark.slow
@pytest.mark.parametrize("looped", [False, True])
def test_nothing_is_compiled_again_after_the_first_steps(data_dir, looped):
    pretrainer = built(data_dir, ONE_LAYER, jit_compile=True, electra_objective=False)
    strategy = tf.distribute.get_strategy()
    if looped:
        runner = make_runner(strategy, pretrainer.train_step, 8, 2, jit_compile=True)
    else:
        runner = StepRunner(strategy, pretrainer.train_step, 8)
    for count in (2, 1, 3, 2):
        runner([make_examples(8, seed=i) for i in range(count)])
    assert pretrainer._forward_and_backward.experimental_get_tracing_count() == 1
    function = runner._run if looped else next(iter(runner._functions.values()))
    assert function.experimental_get_tracing_count() == 1


def test_a_compiled_step_leaves_nothing_to_the_host(data_dir):
    """Masks and seeds too: a device would wait for what is computed outside of the program."""
    pretrainer = built(data_dir, ONE_LAYER, jit_compile=True)
    batch = tensors(make_examples(8))
    graph = tf.function(pretrainer.train_step).get_concrete_function(batch).graph
    (program,) = (op for op in graph.get_operations() if "PartitionedCall" in op.type)
    assert program.get_attr("_XlaMustCompile")
    inputs_and_outputs = {"Placeholder", "Identity", "NoOp"}
    assert {op.type for op in graph.get_operations()} == {program.type, *inputs_and_outputs}


# ---- Lower precision


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_lower_precision_is_near(data_dir, precision):
    batches = masked_batches(data_dir, 2)
    plain, lower = built(data_dir), built(data_dir, precision=precision)
    if precision == "float16":
        # Found by overflows otherwise, which leave updates out.
        lower.updates.loss_scale.scale.assign(16.0)
    expected, found = trained(plain, batches), trained(lower, batches)
    np.testing.assert_allclose(found[0], expected[0], rtol=0.02)
    for name, value in expected[1].items():
        if name.endswith("/adam_m") and np.abs(value).max() > 1e-3:
            error = np.linalg.norm(found[1][name] - value) / np.linalg.norm(value)
            assert error < 0.1, name
    outputs = lower.compute_outputs(batches[0])
    assert outputs["discriminator_hidden"].dtype == precision  # it did compute in it
    for name in ("mlm_logits", "rtd_logits", "mlm_loss", "rtd_loss", "total_loss"):
        assert outputs[name].dtype == tf.float32
    assert {v.dtype for v in training_variables(lower).values()} <= {tf.float32, tf.int32}


def test_softmax_and_statistics_are_float32(data_dir):
    """By the types of the operations of the whole step."""
    pretrainer = built(data_dir, precision="bfloat16")
    graph = tf.function(pretrainer.train_step).get_concrete_function(masked_batches(data_dir, 1)[0])
    definition = graph.graph.as_graph_def()
    nodes = [*definition.node, *(n for f in definition.library.function for n in f.node_def)]
    types = {}
    for node in nodes:
        if node.attr["T"].type:  # not a list of types
            types.setdefault(node.op, set()).add(tf.as_dtype(node.attr["T"].type))
    assert tf.bfloat16 in types["BatchMatMulV2"]
    for operation in ("Softmax", "Rsqrt", "SparseSoftmaxCrossEntropyWithLogits"):
        assert types.get(operation, {tf.float32}) == {tf.float32}, operation
    assert "Softmax" in types and "SparseSoftmaxCrossEntropyWithLogits" in types


def test_float32_is_not_tf32(data_dir):
    tf.config.experimental.enable_tensor_float_32_execution(True)
    built(data_dir, ONE_LAYER, precision="float32")
    assert not tf.config.experimental.tensor_float_32_execution_enabled()


@pytest.mark.parametrize(
    ("precision", "jit_compile", "expected"),
    [
        (None, None, "float32 without XLA"),
        ("bfloat16", True, "bfloat16 with XLA"),
        (None, False, "float32 without XLA"),
    ],
)
def test_what_options_come_to_on_a_processor(precision, jit_compile, expected):
    assert arithmetic(precision, jit_compile) == expected


@pytest.mark.parametrize(
    ("gpus", "has_tpu", "expected"),
    [
        ([(8, 0)], False, "bfloat16 with XLA"),
        ([(9, 0), (8, 6)], False, "bfloat16 with XLA"),
        ([(7, 5)], False, "float32 with XLA"),
        ([(9, 0), (7, 0)], False, "float32 with XLA"),
        ([], True, "bfloat16 with XLA"),
    ],
)
def test_the_defaults_of_accelerators(monkeypatch, gpus, has_tpu, expected):
    """By the compute capability of all GPUs."""
    monkeypatch.setattr(accelerators, "has_tpu", lambda: has_tpu)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: range(len(gpus)))
    monkeypatch.setattr(
        tf.config.experimental,
        "get_device_details",
        lambda gpu: {"compute_capability": gpus[gpu]},
    )
    assert arithmetic(None, None) == expected


def test_the_default_precision_of_a_processor_is_float32(data_dir):
    pretrainer = built(data_dir, precision=None)
    outputs = pretrainer.compute_outputs(masked_batches(data_dir, 1)[0])
    assert outputs["discriminator_hidden"].dtype == tf.float32


def test_overflow_leaves_an_update_out_and_halves_the_scale(data_dir):
    pretrainer = built(data_dir, precision="float16")
    batch = masked_batches(data_dir, 1)[0]
    pretrainer.updates.loss_scale.scale.assign(1e30)
    before = {k: v.numpy() for k, v in weights_by_name(pretrainer).items()}
    assert np.isfinite(pretrainer.train_step(batch)["loss"])
    assert float(pretrainer.updates.loss_scale.scale) == pytest.approx(5e29)
    assert int(pretrainer.optimizer.iterations) == 1  # the step counts
    for name, value in weights_by_name(pretrainer).items():
        np.testing.assert_array_equal(value, before[name])
    pretrainer.updates.loss_scale.scale.assign(128.0)
    pretrainer.updates.loss_scale.good_steps.assign(1999)
    pretrainer.train_step(batch)
    assert float(pretrainer.updates.loss_scale.scale) == 256.0
    assert int(pretrainer.updates.loss_scale.good_steps) == 0


def test_float16_is_for_one_replica(data_dir, two_replicas):
    with two_replicas.scope(), pytest.raises(ValueError, match="'bfloat16' or 'float32' on sev"):
        built(data_dir, precision="float16")
