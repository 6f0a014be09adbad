# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Real tokens per second with a document per sequence, and with packed sequences.

    python benchmarks/packing.py --corpus movie-reviews.txt

Documents are separated by blank lines; those longer than a sequence lose their end. Both ways train
the same model on batches of the same shape, alternating, and the median times are compared.
"""

import itertools
import os
import pathlib
import statistics
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import electra_tf  # noqa: E402

electra_tf.configure()  # before TensorFlow is imported

import tensorflow as tf  # noqa: E402

from benchmarks.options import positive_int, width  # noqa: E402
from electra_tf.cli import arguments  # noqa: E402
from electra_tf.config import PretrainingConfig  # noqa: E402
from electra_tf.data.examples import fill_sequences, pack_rows  # noqa: E402
from electra_tf.data.spec import Rows  # noqa: E402
from electra_tf.pretraining import run  # noqa: E402
from electra_tf.text import load_tokenizer  # noqa: E402
from electra_tf.text.vocabulary_training import train_wordpiece_vocabulary  # noqa: E402
from electra_tf.training.loop.runners import make_runner  # noqa: E402


def read_documents(path, count):
    """The first documents of a file, each as one line."""
    with open(path, encoding="utf-8") as file:
        groups = itertools.groupby(file, key=lambda line: bool(line.strip()))
        documents = (" ".join(line.strip() for line in lines) for text, lines in groups if text)
        return list(itertools.islice(documents, count))


def make_tokenizer(documents, folder):
    path = os.path.join(folder, "vocab.txt")
    tokens = train_wordpiece_vocabulary(documents, 8000)
    pathlib.Path(path).write_text("\n".join(tokens) + "\n", encoding="utf-8")
    return load_tokenizer(path)


def make_rows(documents, tokenizer, length):
    """One `[CLS] document [SEP]` per row: features as ragged rows."""
    ids = tokenizer(tf.constant(documents))[:, : length - 2]
    first = Rows(ids.values.numpy(), ids.row_splits.numpy())
    second = Rows(np.zeros([0], np.int32), np.zeros(len(documents) + 1, np.int64))
    special = tokenizer.vocabulary
    return pack_rows(first, second, special.cls_id, special.sep_id)


def make_batches(features, batch_size, length, count):
    """Padded batches [B, L] of the first rows."""
    splits = features["input_ids"].splits
    batches = []
    for start in range(0, count * batch_size, batch_size):
        batch = {
            name: np.zeros([batch_size, length], np.int32) for name in (*features, "input_mask")
        }
        for row in range(batch_size):
            begin, end = splits[start + row], splits[start + row + 1]
            batch["input_mask"][row, : end - begin] = 1
            for name, rows in features.items():
                batch[name][row, : end - begin] = rows.values[begin:end]
        batches.append(batch)
    return batches


def measure(options):
    documents = read_documents(options.corpus, options.documents)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = make_tokenizer(documents, folder)
    length, batch_size = options.max_seq_length, options.batch_size
    config = PretrainingConfig.from_hparams(
        "packing",
        ".",
        {
            "vocab_size": len(tokenizer.vocabulary),
            "max_seq_length": length,
            "train_batch_size": batch_size,
            "model_hparam_overrides": {
                "hidden_size": options.hidden_size,
                "num_hidden_layers": options.layers,
                "max_position_embeddings": length,
            },
        },
    )
    alone = make_rows(documents, tokenizer, length)
    ways = {"a document per sequence": alone, "packed": fill_sequences(alone, length)}
    needed, found = options.steps * batch_size, len(ways["packed"]["input_ids"].splits) - 1
    if found < needed:
        raise ValueError(
            f"{options.steps} steps of {batch_size} sequences need {needed} packed ones of "
            f"{length} tokens, but {options.corpus} has {found}; give more --documents or a "
            "larger corpus."
        )
    runners, batches, times = {}, {}, {name: [] for name in ways}
    for name, features in ways.items():
        pretrainer = run.make_pretrainer(config, tokenizer)
        runners[name] = make_runner(
            tf.distribute.get_strategy(),
            pretrainer.train_step,
            batch_size,
            config.iterations_per_loop,
            config.jit_compile,
        )
        batches[name] = make_batches(features, batch_size, length, options.steps)
        runners[name](batches[name][:1])  # traces
    for step in range(options.steps):
        for name in ways:
            start = time.perf_counter()
            runners[name](batches[name][step : step + 1])
            times[name].append(time.perf_counter() - start)

    speeds = {}
    print(f"{len(documents):,} documents, {batch_size} sequences of {length} tokens per step")
    for name, features in ways.items():
        sizes = np.diff(features["input_ids"].splits)
        seconds = statistics.median(times[name])
        speeds[name] = sizes.mean() * batch_size / seconds
        print(
            f"{name:24} {len(sizes):6,} sequences, {sizes.mean() / length:6.1%} real tokens, "
            f"{seconds:.3f} s per step, {speeds[name]:8,.0f} real tokens/s"
        )
    packed, plain = speeds["packed"], speeds["a document per sequence"]
    print(f"packed: {packed / plain:.2f} times the real tokens/s")


def main():
    parser = arguments.make_parser(__doc__.split("\n")[0])
    parser.add_argument("--corpus", required=True, help="text file, blank lines between documents")
    parser.add_argument("--documents", type=positive_int, default=2000, help="at most")
    parser.add_argument("--max-seq-length", type=positive_int, default=512)
    parser.add_argument("--batch-size", type=positive_int, default=4)
    parser.add_argument("--steps", type=positive_int, default=5)
    parser.add_argument("--hidden-size", type=width, default=256)
    parser.add_argument("--layers", type=positive_int, default=12)
    arguments.run(measure, parser)


if __name__ == "__main__":
    main()
