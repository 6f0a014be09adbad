# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A tiny corpus of records and a tiny model, for whole runs in seconds."""

import numpy as np
import tensorflow as tf

from electra_tf.config import PretrainingConfig
from electra_tf.pretraining import ElectraPretrainer
from electra_tf.pretraining.run import make_optimizer
from electra_tf.text import load_vocabulary
from electra_tf.training.checkpoints.weights import weights_by_name

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [f"w{i}" for i in range(95)]
LENGTH = 16
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
HPARAMS = {  # a run of 12 steps of a model with two narrow layers
    "model_hparam_overrides": {
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": LENGTH,
    },
    "embedding_size": 8,
    "generator_hidden_size": 0.5,
    "vocab_size": len(SPECIAL + WORDS),
    "max_seq_length": LENGTH,
    "mask_prob": 0.2,
    "train_batch_size": 8,
    "eval_batch_size": 16,
    "num_train_steps": 12,
    "num_warmup_steps": 2,
    "learning_rate": 1e-3,
    "save_checkpoints_steps": 4,
    "log_every_steps": 3,
    "iterations_per_loop": 5,
    "seed": 7,
}


def hparams_with(shape=None, **changes) -> dict:
    """HPARAMS with some changed; `shape` changes model_hparam_overrides."""
    overrides = {**HPARAMS["model_hparam_overrides"], **(shape or {})}
    return {**HPARAMS, "model_hparam_overrides": overrides, **changes}


def make_examples(num_examples: int, seed: int = 0) -> dict[str, np.ndarray]:
    """input_ids, input_mask, segment_ids [num_examples, LENGTH]; words follow in order."""
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(num_examples):
        count = int(generator.integers(4, LENGTH - 1))
        first = int(generator.integers(0, len(WORDS)))
        words = [len(SPECIAL) + (first + i) % len(WORDS) for i in range(count)]
        ids = [2, *words, 3]
        padding = [0] * (LENGTH - len(ids))
        rows.append((ids + padding, [1] * len(ids) + padding, [0] * LENGTH))
    columns = np.array(rows, np.int32).transpose(1, 0, 2)
    return dict(zip(("input_ids", "input_mask", "segment_ids"), columns, strict=True))


def write_records(path, examples: dict[str, np.ndarray]):
    """Records as the original writes them: padded, with a mask."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for i in range(len(examples["input_ids"])):
            features = {
                name: tf.train.Feature(int64_list=tf.train.Int64List(value=rows[i]))
                for name, rows in examples.items()
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())


def make_data_dir(folder):
    """A data folder with a vocabulary and two files of 40 records."""
    records = folder / "pretrain_tfrecords"
    records.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(SPECIAL + WORDS) + "\n")
    for i in range(2):
        write_records(records / f"pretrain_data.tfrecord-{i}-of-2", make_examples(40, seed=i))
    return folder


def half_length(data_dir) -> dict:
    """Writes records of half the length; what a run or a stage needs to read them."""
    short = {k: v[:, : LENGTH // 2] for k, v in make_examples(40, seed=5).items()}
    write_records(data_dir / "short.tfrecord", short)
    return {
        "max_seq_length": LENGTH // 2,
        "pretrain_tfrecords": str(data_dir / "short.tfrecord"),
    }


def tiny_config(data_dir, model_name="tiny", shape=None, **changes) -> PretrainingConfig:
    return PretrainingConfig.from_hparams(model_name, str(data_dir), hparams_with(shape, **changes))


def tiny_pretrainer(data_dir, shape=None, **changes) -> ElectraPretrainer:
    """A compiled pretrainer."""
    config = tiny_config(data_dir, "tiny", shape, **changes)
    pretrainer = ElectraPretrainer(config, load_vocabulary(config.vocab_file))
    pretrainer.compile(optimizer=make_optimizer(config))
    return pretrainer


def outputs_and_gradients(pretrainer, batch, fakes):
    """With the given fakes: the outputs, and the gradients of the total loss by weight."""
    weights = weights_by_name(pretrainer)
    with tf.GradientTape() as tape:
        outputs = pretrainer.compute_outputs(batch, fakes)
    gradients = tape.gradient(outputs["total_loss"], list(weights.values()))
    return outputs, dict(zip(weights, map(tf.convert_to_tensor, gradients), strict=True))


def assert_near(found, expected):
    """Of gradients, as far as their size allows."""
    for name, gradient in expected.items():
        tolerance = 1e-5 * max(1e-2, np.abs(gradient).max())
        np.testing.assert_allclose(found[name], gradient, atol=tolerance, rtol=0, err_msg=name)


def tensors(batch) -> dict[str, tf.Tensor]:
    return {name: tf.constant(rows) for name, rows in batch.items()}
