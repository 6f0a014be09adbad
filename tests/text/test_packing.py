# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import tensorflow as tf

from electra_tf import text

CLS, SEP = 2, 3


def ragged(rows):
    return tf.ragged.constant(rows, tf.int32, ragged_rank=1)


def test_one_and_two_segments():
    packed = text.pack_segments(ragged([[7, 8], [9], []]), ragged([[5], [], [6, 6]]), CLS, SEP)
    assert packed.input_ids.to_list() == [[2, 7, 8, 3, 5, 3], [2, 9, 3], [2, 3, 6, 6, 3]]
    assert packed.segment_ids.to_list() == [[0, 0, 0, 0, 1, 1], [0, 0, 0], [0, 0, 1, 1, 1]]
    assert packed.input_ids.dtype == packed.segment_ids.dtype == tf.int32


def test_no_second_segments():
    packed = text.pack_segments(ragged([[7, 8], []]), None, CLS, SEP)
    assert packed.input_ids.to_list() == [[2, 7, 8, 3], [2, 3]]
    assert packed.segment_ids.to_list() == [[0, 0, 0, 0], [0, 0]]


def test_no_rows():
    packed = text.pack_segments(ragged([]), ragged([]), CLS, SEP)
    assert packed.input_ids.to_list() == packed.segment_ids.to_list() == []


def test_in_a_pipeline():
    rows = {"first": ragged([[7, 8], [9], [4]]), "second": ragged([[5], [], [6, 6]])}
    dataset = tf.data.Dataset.from_tensor_slices(rows).batch(2)
    packed = dataset.map(lambda r: text.pack_segments(r["first"], r["second"], CLS, SEP))
    found = [row for batch in packed for row in batch.input_ids.to_list()]
    assert found == [[2, 7, 8, 3, 5, 3], [2, 9, 3], [2, 4, 3, 6, 6, 3]]


def test_after_the_tokenizer(uncased):
    vocabulary = uncased.vocabulary
    packed = text.pack_segments(
        uncased(["Hello!"]), uncased(["You"]), vocabulary.cls_id, vocabulary.sep_id
    )
    tokens = [vocabulary.token_of(i) for i in packed.input_ids.to_list()[0]]
    assert tokens == ["[CLS]", "hello", "!", "[SEP]", "you", "[SEP]"]
