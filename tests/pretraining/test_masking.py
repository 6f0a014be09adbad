# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import functools

import numpy as np
import pytest
import tensorflow as tf
from tiny_run import LENGTH, make_examples, tensors

from electra_tf.pretraining.masking import candidate_positions, mask_tokens

CLS, SEP, MASK, WORD = 2, 3, 4, 50
RULE = {"mask_prob": 0.2, "num_masked": 4, "mask_id": MASK, "excluded_ids": (CLS, SEP, MASK)}


def seed(number=0):
    return tf.constant([number, 1], tf.int32)


def batch_of(*rows):
    """input_ids and input_mask of rows of ids, padded with 0."""
    width = max(len(row) for row in rows)
    return {
        "input_ids": tf.constant([[*row, *[0] * (width - len(row))] for row in rows]),
        "input_mask": tf.constant([[1] * len(row) + [0] * (width - len(row)) for row in rows]),
    }


def numpy_of(batch):
    return {name: np.asarray(rows) for name, rows in batch.items()}


def words(count):
    return [CLS, *range(WORD, WORD + count), SEP]


def test_candidates():
    batch = batch_of([CLS, 7, MASK, 0, SEP], [CLS, 8, SEP])
    found = candidate_positions(batch["input_ids"], batch["input_mask"], (CLS, SEP, MASK))
    expected = [[False, True, False, True, False], [False, True, False, False, False]]
    np.testing.assert_array_equal(found, expected)


def test_positions_are_real_ordinary_tokens_and_unique():
    batch = tensors(make_examples(64))
    rule = {**RULE, "num_masked": 6, "mask_prob": 0.4}
    for number in range(5):
        masked = numpy_of(mask_tokens(batch, seed(number), **rule))
        for row in range(64):
            real = masked["masked_weights"][row] == 1
            positions = masked["masked_positions"][row][real]
            ids = masked["input_ids"][row][positions]
            assert len(set(positions)) == len(positions)
            assert masked["input_mask"][row][positions].all()
            assert not set(ids) & {CLS, SEP, MASK}
            np.testing.assert_array_equal(masked["masked_ids"][row][real], ids)


def test_batch_gains_keys_and_loses_nothing():
    batch = {**tensors(make_examples(3)), "other": tf.constant([1, 2, 3])}
    masked = mask_tokens(batch, seed(), **RULE)
    assert set(masked) - set(batch) == {
        "masked_positions",
        "masked_ids",
        "masked_weights",
        "masked_input_ids",
    }
    for name in batch:
        np.testing.assert_array_equal(masked[name], batch[name])
    assert masked["masked_positions"].dtype == masked["masked_ids"].dtype == tf.int32
    assert masked["masked_weights"].dtype == tf.float32
    assert masked["masked_input_ids"].dtype == tf.int32


@pytest.mark.parametrize("mask_prob", [0.01, 0.15, 0.3, 0.9])
def test_number_of_masked_tokens(mask_prob):
    rows = [words(count) for count in (1, 2, 5, 8, 14, 30)]
    masked = numpy_of(
        mask_tokens(batch_of(*rows), seed(), **{**RULE, "mask_prob": mask_prob, "num_masked": 10})
    )
    for row, weights in zip(rows, masked["masked_weights"], strict=True):
        wanted = max(1, min(10, round(len(row) * mask_prob)))
        count = min(wanted, len(row) - 2)  # [CLS] and [SEP] are no candidates
        assert weights.tolist() == [1.0] * count + [0.0] * (10 - count)


def test_entries_beyond_the_count_are_zero_and_write_nothing():
    masked = numpy_of(
        mask_tokens(batch_of(words(3), words(20)), seed(), **RULE, mask_token_rate=1.0)
    )
    unused = masked["masked_weights"] == 0
    assert unused.any()
    assert not masked["masked_positions"][unused].any()
    assert not masked["masked_ids"][unused].any()
    assert (masked["masked_input_ids"][:, 0] == CLS).all()  # position 0 is where they point


def test_rows_without_candidates_are_left_alone():
    batch = batch_of(words(5), [CLS, SEP], [CLS, MASK, MASK, SEP])
    batch["input_ids"] = tf.concat([batch["input_ids"], tf.zeros([1, 7], tf.int32)], 0)
    batch["input_mask"] = tf.concat([batch["input_mask"], tf.zeros([1, 7], tf.int32)], 0)
    for with_replacement in (False, True):
        masked = numpy_of(mask_tokens(batch, seed(), **RULE, with_replacement=with_replacement))
        assert not masked["masked_weights"][1:].any()
        np.testing.assert_array_equal(masked["masked_input_ids"][1:], batch["input_ids"][1:])


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_mask_token_rates_0_and_1(rate):
    batch = tensors(make_examples(32))
    masked = numpy_of(mask_tokens(batch, seed(), **RULE, mask_token_rate=rate))
    expected = masked["input_ids"].copy()
    if rate:
        for row, position in zip(*np.nonzero(masked["masked_weights"]), strict=True):
            expected[row, masked["masked_positions"][row, position]] = MASK
    np.testing.assert_array_equal(masked["masked_input_ids"], expected)


def test_85_percent_become_mask_and_the_others_keep_their_token():
    batch = batch_of(*[words(38)] * 500)
    rule = {**RULE, "mask_prob": 0.25, "num_masked": 10}
    masked = numpy_of(mask_tokens(batch, seed(), **rule))
    assert masked["masked_weights"].sum() == 5000
    shown = np.take_along_axis(masked["masked_input_ids"], masked["masked_positions"], axis=1)
    assert set(np.unique(shown[shown != masked["masked_ids"]])) == {MASK}
    assert abs(np.mean(shown == MASK) - 0.85) < 0.02


@pytest.mark.parametrize("with_replacement", [False, True])
def test_every_candidate_is_as_likely(with_replacement):
    rows = 3000
    batch = batch_of(*[words(10)] * rows)
    rule = {**RULE, "mask_prob": 0.25, "num_masked": 3, "with_replacement": with_replacement}
    masked = numpy_of(mask_tokens(batch, seed(), **rule))
    counts = np.bincount(masked["masked_positions"].ravel(), minlength=12)
    assert counts[0] == counts[11] == 0
    # 4 standard deviations of a binomial count
    np.testing.assert_allclose(counts[1:11], 3 * rows / 10, atol=4 * np.sqrt(3 * rows * 0.09))


def test_reference_rule_repeats_positions():
    batch = batch_of(*[words(6)] * 100)
    rule = {**RULE, "mask_prob": 0.5, "num_masked": 4}

    def repeats(with_replacement):
        positions = mask_tokens(batch, seed(), **rule, with_replacement=with_replacement)[
            "masked_positions"
        ].numpy()
        return sum(len(set(row)) < len(row) for row in positions)

    # Four draws of six differ with probability 6 * 5 * 4 * 3 / 6^4 = 0.28.
    assert repeats(with_replacement=False) == 0
    assert abs(repeats(with_replacement=True) - 72) < 18


def test_decided_by_the_seed():
    batch = tensors(make_examples(16))
    first, again, other = (
        numpy_of(mask_tokens(batch, seed(number), **RULE)) for number in (1, 1, 2)
    )
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    assert (first["masked_positions"] != other["masked_positions"]).any()
    assert len({tuple(row) for row in first["masked_positions"]}) > 1  # rows differ


@pytest.mark.parametrize("way", ["function", "tf.data"])
def test_the_same_in_graphs(way):
    batch = tensors(make_examples(8))
    expected = mask_tokens(batch, seed(3), **RULE)
    mask = functools.partial(mask_tokens, seed=seed(3), **RULE)
    if way == "tf.data":
        found = next(iter(tf.data.Dataset.from_tensors(batch).map(lambda b: mask(b))))
    else:
        found = tf.function(mask)(batch)
    assert found["masked_positions"].shape == (8, 4)
    assert found["masked_input_ids"].shape == (8, LENGTH)
    for name, rows in expected.items():
        np.testing.assert_array_equal(found[name], rows, err_msg=name)


@pytest.mark.parametrize("with_replacement", [False, True])
def test_compiled_by_xla_it_follows_the_same_rules(with_replacement):
    """And draws the same positions, time and again."""
    batch = tensors(make_examples(64))
    mask = functools.partial(mask_tokens, **RULE, with_replacement=with_replacement)
    compiled = tf.function(mask, jit_compile=True)
    found, again = numpy_of(compiled(batch, seed(3))), numpy_of(compiled(batch, seed(3)))
    plain = numpy_of(mask(batch, seed(3)))
    for name in found:
        np.testing.assert_array_equal(found[name], plain[name])
        np.testing.assert_array_equal(found[name], again[name])
    for row in range(64):
        positions = found["masked_positions"][row][found["masked_weights"][row] == 1]
        tokens = found["input_ids"][row][positions]
        assert found["input_mask"][row][positions].all()
        assert not set(tokens) & {CLS, SEP, MASK}
        assert with_replacement or len(set(positions)) == len(positions)
        changed = np.flatnonzero(found["masked_input_ids"][row] != found["input_ids"][row])
        assert set(changed) <= set(positions)
        assert (found["masked_input_ids"][row][changed] == MASK).all()


# ---- Whole words


def word_batch(sizes, copies=1):
    """`[CLS]` words of these numbers of tokens `[SEP]`, with the place of every word's tokens."""
    starts = [1]
    places = []
    for size in sizes:
        places.append(set(range(len(starts), len(starts) + size)))
        starts += [1] + [0] * (size - 1)
    batch = batch_of(*[words(len(starts) - 1)] * copies)
    batch["word_starts"] = tf.constant([[*starts, 1]] * copies)
    return batch, places


@pytest.mark.parametrize("compiled", [False, True])
def test_words_are_masked_whole(compiled):
    batch, places = word_batch([1, 2, 3, 1, 2, 1, 2, 2], copies=200)
    rule = {**RULE, "num_masked": 6, "mask_prob": 0.4}
    draw = tf.function(
        lambda: mask_tokens(batch, seed(), **rule, whole_words=True), jit_compile=compiled
    )
    masked = numpy_of(draw())
    counts, chosen = [], []
    for positions, weights in zip(
        masked["masked_positions"], masked["masked_weights"], strict=True
    ):
        found = positions[weights == 1].tolist()
        assert len(set(found)) == len(found)
        words_found = [place for place in places if place & set(found)]
        assert set().union(*words_found) == set(found)
        counts.append(len(found))
        chosen += [places.index(place) for place in words_found]
    assert max(counts) == 6 and min(counts) >= 4  # a word of up to 3 tokens may not fit any more
    assert len(set(chosen)) == len(places)


def test_words_of_one_token_are_masked_like_tokens():
    batch, _ = word_batch([1] * 16, copies=50)
    by_word = numpy_of(mask_tokens(batch, seed(), **RULE, whole_words=True))
    np.testing.assert_array_equal(by_word["masked_weights"].sum(1), [4] * 50)
    frequencies = np.bincount(by_word["masked_positions"].ravel(), minlength=18)
    assert frequencies[0] == frequencies[17] == 0  # [CLS], [SEP]
    assert frequencies[1:17].min() > 0


def test_records_without_word_starts_are_an_error():
    with pytest.raises(ValueError, match="word_starts"):
        mask_tokens(batch_of(words(8)), seed(), **RULE, whole_words=True)
