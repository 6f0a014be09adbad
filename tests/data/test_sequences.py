# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Rows of records from segments, and several examples in one row."""

import random

import numpy as np
import pytest
import tensorflow as tf
from record_files import rows_of

from electra_tf.data.examples import (
    assign_to_bins,
    fill_sequences,
    pack_rows,
    word_start_table,
)
from electra_tf.text import Vocabulary, pack_segments

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def lists_of(rows):
    return [part.tolist() for part in np.split(rows.values, rows.splits[1:-1])]


def test_rows_are_those_that_the_graph_packs():
    rng = random.Random(2)
    first = [[rng.randrange(5, 99) for _ in range(rng.randrange(1, 9))] for _ in range(40)]
    second = [[rng.randrange(5, 99) for _ in range(rng.randrange(0, 9))] for _ in range(40)]
    second[3] = second[-1] = []
    packed = pack_rows(rows_of(first), rows_of(second), cls_id=2, sep_id=3)
    expected = pack_segments(
        tf.ragged.constant(first, tf.int32), tf.ragged.constant(second, tf.int32), 2, 3
    )
    assert lists_of(packed["input_ids"]) == expected.input_ids.to_list()
    assert lists_of(packed["segment_ids"]) == expected.segment_ids.to_list()


def test_no_rows_are_packed_to_no_rows():
    packed = pack_rows(rows_of([]), rows_of([]), cls_id=2, sep_id=3)
    assert len(packed["input_ids"].values) == 0 and packed["input_ids"].splits.tolist() == [0]
    assert fill_sequences(packed, 8)["position_ids"].splits.tolist() == [0]


def test_examples_fill_sequences_and_keep_their_own_positions():
    ids = [[2, 7, 7, 7, 3], [2, 8, 3], [2, 3]]
    features = {"input_ids": rows_of(ids), "word_starts": rows_of([[1] * len(i) for i in ids])}
    filled = {name: lists_of(rows) for name, rows in fill_sequences(features, 8).items()}
    assert filled == {
        "input_ids": [[2, 7, 7, 7, 3, 2, 8, 3], [2, 3]],
        "word_starts": [[1] * 8, [1, 1]],
        "position_ids": [[0, 1, 2, 3, 4, 0, 1, 2], [0, 1]],
        "sequence_ids": [[1, 1, 1, 1, 1, 2, 2, 2], [1, 1]],
    }


@pytest.mark.parametrize("seed", range(5))
def test_bins_hold_every_item_once_and_are_well_filled(seed):
    rng = random.Random(seed)
    sizes = [rng.choice([rng.randint(1, 128), rng.randint(1, 20)]) for _ in range(500)]
    bins = assign_to_bins(sizes, 128)
    assert sorted(item for members in bins for item in members) == list(range(500))
    assert all(0 < sum(sizes[item] for item in members) <= 128 for members in bins)
    # Best fit of items in falling order needs at most 11/9 of the fewest bins, and one.
    assert len(bins) <= 11 / 9 * -(-sum(sizes) // 128) + 1
    with pytest.raises(ValueError, match="129 tokens does not fit into 128"):
        assign_to_bins([5, 129], 128)


def test_words_begin_where_their_first_piece_is():
    wordpiece = Vocabulary((*SPECIAL, "play", "##ing", "#", "!"))
    assert word_start_table(wordpiece).tolist() == [1] * 5 + [1, 0, 1, 1]
    sentencepiece = Vocabulary((*SPECIAL, "\u2581play", "ing", "\u2581"), kind="sentencepiece")
    assert word_start_table(sentencepiece).tolist() == [1] * 5 + [1, 0, 1]
