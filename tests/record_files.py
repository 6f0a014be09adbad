# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Small record folders for tests, whose examples tell their numbers."""

import numpy as np
import tensorflow as tf

from electra_tf.data import spec
from electra_tf.data.manifest import Manifest, Shard, shard_name

TOKENIZER = {
    "kind": "wordpiece",
    "do_lower_case": True,
    "strip_accents": True,
    "vocab_size": 1000,
    "vocab_sha256": "ab" * 32,
}


def rows_of(lists):
    """`spec.Rows` of Python lists."""
    values = np.array([value for row in lists for value in row], dtype=np.int32)
    return spec.Rows(values, np.cumsum([0] + [len(row) for row in lists]))


def write_file(path, records):
    """Writes serialized records to a TFRecord file."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)


def numbered_example(number):
    """A record whose tokens tell which one it is: [CLS] high low [SEP], 4 to 8 tokens."""
    ids = [2, 10 + number // 100, 200 + number % 100, *[5] * (number % 5), 3]
    segments = [0] * (len(ids) - 1) + [1]
    return ids, segments


def reference_record(ids, segments, length):
    """A record as the reference writes it: three lists, padded."""
    padding = [0] * (length - len(ids))
    lists = {
        "input_ids": ids + padding,
        "input_mask": [1] * len(ids) + padding,
        "segment_ids": segments + padding,
    }
    feature = {
        name: tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        for name, values in lists.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def write_records(folder, counts, with_manifest=True, max_seq_length=8, word_starts=False):
    """Writes numbered examples 0, 1, ... into one shard per count; every token begins a word."""
    folder.mkdir(parents=True, exist_ok=True)
    shards, number = [], 0
    for index, count in enumerate(counts):
        examples = [numbered_example(number + place) for place in range(count)]
        number += count
        name = shard_name(index, len(counts))
        if with_manifest:
            ids, segments = zip(*examples, strict=True)
            features = {"input_ids": rows_of(ids), "segment_ids": rows_of(segments)}
            if word_starts:
                features["word_starts"] = rows_of([[1] * len(row) for row in ids])
            records = spec.serialize(features)
        else:
            records = [reference_record(*example, max_seq_length) for example in examples]
        write_file(folder / name, records)
        shards.append(Shard(name, count, (folder / name).stat().st_size))
    if with_manifest:
        features = ("word_starts",) if word_starts else ()
        make_manifest(tuple(shards), max_seq_length, features).save(str(folder))


def make_manifest(shards, max_seq_length=8, features=()):
    """A manifest of the given shards."""
    return Manifest(
        shards=shards,
        num_examples=sum(shard.num_examples for shard in shards),
        num_tokens=6 * sum(shard.num_examples for shard in shards),
        max_seq_length=max_seq_length,
        mean_length=6.0,
        padding_share=0.25,
        length_histogram=(0, 1, 2, 3),
        tokenizer=TOKENIZER,
        seed=7,
        blanks_separate_docs=True,
        replaced_bytes=0,
        cut_tokens=0,
        sources=(),
        features=features,
    )


def numbers_in(batch):
    """The numbers of the examples of a batch."""
    ids = np.asarray(batch["input_ids"])
    return ((ids[:, 1] - 10) * 100 + ids[:, 2] - 200).tolist()
