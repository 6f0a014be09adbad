# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""One declaration writes and parses records."""

import numpy as np
import pytest
import tensorflow as tf
from record_files import reference_record, rows_of

from electra_tf.data import spec

IDS = [[2, 0, 127, 128, 3], [2, 16383, 16384, 2097151, 2097152, 2**31 - 1, 3], [2, 3]]
SEGMENTS = [[0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0, 0], [0, 0]]


def serialized():
    return spec.serialize({"input_ids": rows_of(IDS), "segment_ids": rows_of(SEGMENTS)})


def test_serialized_records_are_examples_with_two_lists_without_padding():
    for record, ids, segments in zip(serialized(), IDS, SEGMENTS, strict=True):
        feature = tf.train.Example.FromString(record).features.feature
        assert sorted(feature) == ["input_ids", "segment_ids"]
        assert list(feature["input_ids"].int64_list.value) == ids
        assert list(feature["segment_ids"].int64_list.value) == segments


def test_long_rows_are_encoded_right():
    ids = np.arange(40_000, dtype=np.int32)
    rows = spec.Rows(ids, np.array([0, 100, 300, 40_000]))
    records = spec.serialize({"input_ids": rows, "segment_ids": rows})
    values = [
        list(tf.train.Example.FromString(record).features.feature["segment_ids"].int64_list.value)
        for record in records
    ]
    assert values == [list(range(100)), list(range(100, 300)), list(range(300, 40_000))]


def test_serialize_refuses_features_that_do_not_fit():
    with pytest.raises(ValueError, match="segment_ids"):
        spec.serialize({"input_ids": rows_of(IDS)})
    with pytest.raises(ValueError, match="differ in length"):
        spec.serialize({"input_ids": rows_of(IDS), "segment_ids": rows_of(SEGMENTS[:2])})
    with pytest.raises(ValueError, match=r"non-negative.*-1"):
        spec.serialize({"input_ids": rows_of([[-1]]), "segment_ids": rows_of([[0]])})


def padded(lists, length):
    return [row + [0] * (length - len(row)) for row in lists]


@pytest.mark.parametrize("in_dataset", [False, True])
def test_parse_pads_our_records(in_dataset):
    batch = parse(serialized(), 9, in_dataset)
    assert {name: (value.dtype, value.shape) for name, value in batch.items()} == dict.fromkeys(
        ("input_ids", "input_mask", "segment_ids"), (np.int32, (3, 9))
    )
    assert batch["input_ids"].tolist() == padded(IDS, 9)
    assert batch["segment_ids"].tolist() == padded(SEGMENTS, 9)
    assert batch["input_mask"].tolist() == padded([[1] * len(row) for row in IDS], 9)


@pytest.mark.parametrize("in_dataset", [False, True])
def test_parse_reads_records_of_the_reference_mixed_with_ours(in_dataset):
    records = serialized()
    records[0] = reference_record(IDS[0], SEGMENTS[0], 7)
    batch = parse(records, 9, in_dataset)
    assert batch["input_ids"].tolist() == padded(IDS, 9)
    assert batch["segment_ids"].tolist() == padded(SEGMENTS, 9)
    assert batch["input_mask"].tolist() == padded([[1] * len(row) for row in IDS], 9)


def test_a_stored_mask_is_taken_as_it_is():
    ids = [5, 6, 7]
    lists = {"input_ids": ids, "input_mask": [0, 1, 0], "segment_ids": [0, 0, 0]}
    feature = {
        name: tf.train.Feature(int64_list=tf.train.Int64List(value=value))
        for name, value in lists.items()
    }
    record = tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()
    assert spec.parse(tf.constant([record]), 4)["input_mask"].numpy().tolist() == [[0, 1, 0, 0]]


@pytest.mark.parametrize("in_dataset", [False, True])
def test_longer_records_are_an_error_and_never_cut(in_dataset):
    with pytest.raises(tf.errors.InvalidArgumentError, match="longer than max_seq_length=6"):
        parse(serialized(), 6, in_dataset)


@pytest.mark.parametrize(
    "lists, message",
    [
        ({"segment_ids": [0]}, "has no `input_ids`"),
        ({"input_ids": [2, 3]}, "`segment_ids` and `input_ids` differ"),
        ({"input_ids": [2], "segment_ids": [0], "input_mask": [1, 1]}, "`input_mask` and"),
    ],
)
def test_records_that_are_no_pretraining_records_are_errors(lists, message):
    feature = {
        name: tf.train.Feature(int64_list=tf.train.Int64List(value=value))
        for name, value in lists.items()
    }
    record = tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        parse([record], 8, in_dataset=True)


def parse(records, length, in_dataset, optional=()):
    if in_dataset:
        dataset = tf.data.Dataset.from_tensors(tf.constant(records))
        dataset = dataset.map(lambda batch: spec.parse(batch, length, optional))
        (batch,) = dataset.as_numpy_iterator()
        return batch
    batch = spec.parse(tf.constant(records), length, optional)
    return {name: value.numpy() for name, value in batch.items()}


@pytest.mark.parametrize("in_dataset", [False, True])
def test_optional_features_are_written_and_parsed_where_they_are_wanted(in_dataset):
    starts = [[1] + [0] * (len(row) - 1) for row in IDS]
    features = {"input_ids": IDS, "segment_ids": SEGMENTS, "word_starts": starts}
    records = spec.serialize({name: rows_of(lists) for name, lists in features.items()})
    batch = parse(records, 9, in_dataset, ["word_starts"])
    assert batch["word_starts"].tolist() == padded(starts, 9)
    assert "word_starts" not in parse(records, 9, in_dataset)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`position_ids` and `input_ids`"):
        parse(records, 9, in_dataset, ["position_ids"])
    with pytest.raises(ValueError, match=r"A record has the features .*word_ends"):
        spec.serialize({name: rows_of(IDS) for name in ("input_ids", "segment_ids", "word_ends")})
