# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A tiny corpus of records and a tiny model, for whole runs in seconds."""

import numpy as np
import pytest
import tensorflow as tf

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [f"w{i}" for i in range(95)]
LENGTH = 16


def write_records(path, num_examples: int, seed: int = 0):
    """Records as the original writes them: padded, with a mask; words follow each other in order."""
    generator = np.random.default_rng(seed)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for _ in range(num_examples):
            count = int(generator.integers(4, LENGTH - 1))
            first = int(generator.integers(0, len(WORDS)))
            words = [len(SPECIAL) + (first + i) % len(WORDS) for i in range(count)]
            ids = [2, *words, 3]
            padding = [0] * (LENGTH - len(ids))
            features = {
                "input_ids": ids + padding,
                "input_mask": [1] * len(ids) + padding,
                "segment_ids": [0] * LENGTH,
            }
            example = tf.train.Example(
                features=tf.train.Features(
                    feature={
                        name: tf.train.Feature(int64_list=tf.train.Int64List(value=values))
                        for name, values in features.items()
                    }
                )
            )
            writer.write(example.SerializeToString())


@pytest.fixture
def data_dir(tmp_path):
    """A data folder with a vocabulary and two files of records."""
    folder = tmp_path / "data"
    records = folder / "pretrain_tfrecords"
    records.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(SPECIAL + WORDS) + "\n")
    for i in range(2):
        write_records(records / f"pretrain_data.tfrecord-{i}-of-2", 40, seed=i)
    return folder


@pytest.fixture
def hparams():
    """A run of 12 steps of a model with two narrow layers."""
    return {
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
