# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How fast records become batches, and what share of a core that takes.

    python benchmarks/input_pipeline.py [--records folder ...]

Without records, two sets with full sequences of random tokens are made, of length 128 and 512. The
first column is how many sequences a second come out when nothing else waits for them, the second
how many come out for every second of a core, the third the share of one core that is needed to
feed an accelerator that takes `--demand` sequences a second.
"""

import argparse
import itertools
import os
import pathlib
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import electra_tf  # noqa: E402

electra_tf.configure()  # before TensorFlow is imported

import tensorflow as tf  # noqa: E402

from electra_tf.data import PretrainingRecords, spec  # noqa: E402

LENGTHS = (128, 512)
_VOCABULARY = 30522
_SHARDS = 8
_WARM_UP_BATCHES = 20


def main():
    """Measures and prints a table."""
    args = make_parser().parse_args()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(
        f"{'length':>6}{'sequences/s':>14}{'per core second':>18}{f'share for {args.demand}/s':>20}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for length in LENGTHS:
            records = args.records or make_records(folder, length, args.num_sequences)
            wall, core = measure(records, length, args.batch_size, args.num_sequences)
            share = f"{args.demand / core:.1%}"
            print(f"{length:>6}{wall:>14,.0f}{core:>18,.0f}{share:>20}")


def make_parser():
    """The flags."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", help="folder or patterns; by default records are made")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--num-sequences", type=int, default=1 << 16, help="how many to read")
    parser.add_argument("--demand", type=int, default=5000, help="sequences/s of an accelerator")
    return parser


def measure(records, length, batch_size, num_sequences):
    """(sequences per second, sequences per second of a core), shuffling and parsing included."""
    batches = PretrainingRecords(records).batches(batch_size, length, seed=1).as_numpy_iterator()
    for _ in itertools.islice(batches, _WARM_UP_BATCHES):
        pass
    count = max(1, num_sequences // batch_size)
    wall, core = time.perf_counter(), time.process_time()
    for _ in itertools.islice(batches, count):
        pass
    wall, core = time.perf_counter() - wall, time.process_time() - core
    return count * batch_size / wall, count * batch_size / core


def make_records(parent, length, num_sequences):
    """Shards of full sequences without a manifest."""
    folder = pathlib.Path(parent, str(length))
    folder.mkdir()
    per_shard = num_sequences // _SHARDS
    splits = np.arange(per_shard + 1) * length
    segments = np.tile(np.repeat(np.array([0, 1], np.int32), length // 2), per_shard)
    for shard in range(_SHARDS):
        rng = np.random.default_rng(shard)
        ids = rng.integers(5, _VOCABULARY, per_shard * length).astype(np.int32)
        path = str(folder / f"pretrain_data.tfrecord-{shard}-of-{_SHARDS}")
        rows = {"input_ids": spec.Rows(ids, splits), "segment_ids": spec.Rows(segments, splits)}
        with tf.io.TFRecordWriter(path) as writer:
            for record in spec.serialize(rows):
                writer.write(record)
    return str(folder)


if __name__ == "__main__":
    main()
