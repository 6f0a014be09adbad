# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Operations of runs are those of the original's table."""

import pathlib
import re
import sys

import pytest
import tensorflow as tf
from commands import electra
from tiny_run import make_examples, tensors, tiny_config, tiny_pretrainer

from electra_tf.config import PretrainingConfig, load_hparams
from electra_tf.pretraining import run
from electra_tf.pretraining.run_flops import (
    flops_of_run,
    flops_of_sequence,
    published_flops,
    steps_like_those_at,
)
from electra_tf.training.loop.logs import read_log

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.pretraining_step import product_flops  # noqa: E402

TABLE = dict(line.split() for line in (ROOT / "tests/goldens/flops.txt").read_text().splitlines())


def published_config(name, **changes):
    hparams = load_hparams(str(ROOT / "configs" / "pretraining" / f"{name}.json"))
    return PretrainingConfig.from_hparams(name, "data", {**hparams, **changes})


def product_flops_of(operation):
    """2 m n k of a product of matrices; 0 for other operations."""
    transposed = {"MatMul": "transpose_a", "BatchMatMulV2": "adj_x"}.get(operation.type)
    if transposed is None:
        assert operation.type not in ("Einsum", "Conv2D", "Conv1D")  # other forms of products
        return 0
    inner = operation.inputs[0].shape[-2 if operation.get_attr(transposed) else -1]
    return 2 * inner * operation.outputs[0].shape.num_elements()


def test_the_originals_table():
    assert list(published_flops()) == list(TABLE)
    for name, flops in published_flops().items():
        assert flops == pytest.approx(float(TABLE[name]), rel=1e-12), name


def test_the_published_small_run_has_its_published_operations():
    config = published_config("small", max_predictions_per_seq=20)  # 20 / 128 = 0.15625
    assert flops_of_run(config) == pytest.approx(float(TABLE["electra_small"]), rel=1e-12)
    assert flops_of_run(published_config("small")) == pytest.approx(
        float(TABLE["electra_small"]), rel=0.01
    )


def test_stages_add_up():
    stages = [
        {"steps": 10, "max_seq_length": 128, "train_batch_size": 4},
        {"steps": 5, "max_seq_length": 512, "train_batch_size": 2},
    ]
    config = PretrainingConfig.from_hparams("name", "data", {"stages": stages})
    assert flops_of_run(config) == 40 * flops_of_sequence(config, 128) + 10 * flops_of_sequence(
        config, 512
    )


def test_parts_that_an_objective_lacks_do_not_count():
    whole = flops_of_sequence(published_config("small"), 128)
    uniform = flops_of_sequence(published_config("small", uniform_generator=True), 128)
    assert uniform < whole
    assert flops_of_sequence(published_config("mlm"), 128) > 0
    assert flops_of_sequence(published_config("electric"), 128) > whole


def test_achieved_flops_are_logged(data_dir, idle_steps, caplog):
    config = tiny_config(data_dir, "counted", {"num_hidden_layers": 1}, num_train_steps=3)
    with caplog.at_level("INFO", logger="absl"):
        run.train(config)
    total = float(re.search(r"takes ([\d.e+]+) FLOPs", caplog.text)[1])
    assert total == pytest.approx(flops_of_run(config), rel=1e-3)
    (entry,) = read_log(config.model_dir)
    assert entry["flops_per_second"] == pytest.approx(
        entry["steps_per_second"] * 8 * flops_of_sequence(config, 16)
    )


def test_the_command(capsys):
    assert electra("flops", "--hparams", ROOT / "configs/pretraining/small.json") == 0
    printed = capsys.readouterr().out
    assert re.search(r"this run +1\.29\de\+18 FLOPs in 1,000,000 steps", printed)
    assert "electra_small  1.294e+18  1" in printed


@pytest.mark.parametrize(
    "changes",
    [
        {},
        pytest.param({"electra_objective": False}, marks=pytest.mark.slow),
        pytest.param({"discriminator_objective": "replace_mlm"}, marks=pytest.mark.slow),
        pytest.param({"discriminator_objective": "all_tokens_mlm"}, marks=pytest.mark.slow),
        pytest.param({"uniform_generator": True, "untied_generator": True}, marks=pytest.mark.slow),
        pytest.param(
            {"electra_objective": False, "electric_objective": True, "two_tower_generator": True},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_the_benchmark_counts_the_products_of_a_step(data_dir, changes):
    """But for the embeddings of the two segments, looked up by a product of their own."""
    pretrainer = tiny_pretrainer(data_dir, **changes)
    batch = tensors(make_examples(8))
    graph = tf.function(pretrainer.train_step).get_concrete_function(batch).graph
    computed = sum(product_flops_of(operation) for operation in graph.get_operations())
    assert 8 * product_flops(pretrainer.config) == pytest.approx(computed, rel=0.01)


def test_steps_of_longer_stages_count_for_more():
    plain = PretrainingConfig.from_hparams("name", "data", {"num_train_steps": 1000})
    assert steps_like_those_at(plain, 1) == (1000, 999)
    assert steps_like_those_at(plain, 1000) == (1000, 0)
    stages = [{"steps": 900}, {"steps": 100, "max_seq_length": 512, "train_batch_size": 256}]
    config = PretrainingConfig.from_hparams("name", "data", {"stages": stages})
    long = 2 * flops_of_sequence(config, 512) / flops_of_sequence(config, 128)
    assert long > 8
    assert steps_like_those_at(config, 1) == pytest.approx((900 + 100 * long, 899 + 100 * long))
    assert steps_like_those_at(config, 900) == pytest.approx((900 + 100 * long, 100 * long))
    assert steps_like_those_at(config, 950) == pytest.approx((900 / long + 100, 50))
