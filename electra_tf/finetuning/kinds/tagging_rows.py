# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Sentences to tag as rows; long ones in windows, so that each word is predicted exactly once."""

import typing

import numpy as np
import tensorflow as tf

from electra_tf.config import check
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.files.examples import TaggingExamples, arrays_of_parts
from electra_tf.finetuning.kinds.spans import in_letters_of, to_bioes
from electra_tf.text import Tokenizer
from electra_tf.text.packing import packed_batch


class WordRows(typing.NamedTuple):
    """Where words are predicted; vectors int64.

    Over the words of all texts: `row` and `position`. Over rows: `sentence`, its number, and
    `first_word`, the number in its sentence of the first word that the row predicts.
    """

    row: tf.Tensor
    position: tf.Tensor
    sentence: tf.Tensor
    first_word: tf.Tensor


def word_batch(
    words: tf.RaggedTensor, tokenizer: Tokenizer, max_seq_length: int, length: int | None = None
) -> tuple[dict[str, tf.Tensor], WordRows]:
    """Rows of sentences [B, words]; each word is predicted once, at its first token.

    A sentence that is too long is in several rows that share up to half of their room; a sentence
    without words is an empty row. A word without tokens is predicted at the next one.

    length: as in `packed_batch`.
    """
    room = max_seq_length - 2
    pieces = tokenizer.of_words(words.flat_values)
    counts = tf.minimum(pieces.row_lengths(), room)
    windows = _windows(tf.maximum(counts, 1), words.row_splits, room)
    token_starts = tf.concat([[0], tf.cumsum(counts)], 0)
    first = tf.gather(token_starts, windows.first)
    within = tf.ragged.range(first, tf.gather(token_starts, windows.end))
    # Pieces of words longer than a row are cut, so tokens are found through their words.
    flat = tf.ragged.range(pieces.row_starts(), pieces.row_starts() + counts).flat_values
    places = tf.gather(flat, within.flat_values)
    rows = within.with_flat_values(tf.gather(pieces.flat_values, places))
    batch = packed_batch(rows, None, tokenizer.vocabulary, length)
    batch["segment_ids"] = batch["input_mask"]  # tagging_tasks.py:147

    # Ranges of predicted words follow each other; rows that predict none share a start.
    word = tf.range(tf.shape(counts, tf.int64)[0])
    row = tf.searchsorted(windows.predict_first, word, side="right", out_type=tf.int64) - 1
    position = 1 + tf.gather(token_starts, word) - tf.gather(first, row)
    first_word = windows.predict_first - tf.gather(words.row_starts(), windows.sentence)
    return batch, WordRows(row, position, windows.sentence, first_word)


class _Windows(typing.NamedTuple):
    """Vectors int64 over rows: the sentence, words first .. end of all texts, the first predicted.

    A row predicts the words up to the first of the next one, the last of a sentence to its end.
    """

    sentence: tf.Tensor
    first: tf.Tensor
    end: tf.Tensor
    predict_first: tf.Tensor


def _windows(costs: tf.Tensor, row_splits: tf.Tensor, room: int) -> _Windows:
    """The windows of all sentences, one of each per iteration.

    Neighbours share up to half of the room; of these words each predicts the half that has more
    context in it.

    costs: tokens of each word, 1 at least.
    row_splits: of the words of the sentences.
    """
    cost_before = tf.concat([[0], tf.cumsum(costs)], 0)
    first, end = row_splits[:-1], row_splits[1:]

    def last_start(cost: tf.Tensor):
        return tf.searchsorted(cost_before, cost, side="right", out_type=tf.int64) - 1

    def first_start(cost: tf.Tensor):
        return tf.searchsorted(cost_before, cost, side="left", out_type=tf.int64)

    def more(sentence: tf.Tensor, *_: tf.Tensor):
        return tf.size(sentence) > 0

    def body(
        sentence: tf.Tensor,
        first: tf.Tensor,
        end: tf.Tensor,
        predict_first: tf.Tensor,
        *found: tf.Tensor,
    ):
        cost = tf.gather(cost_before, first)
        window_end = tf.minimum(last_start(cost + room), end)
        rows = (sentence, first, window_end, predict_first)
        found = [tf.concat([column, row], 0) for column, row in zip(found, rows, strict=True)]
        # What is left of sentences that this window does not end.
        continues = window_end < end
        sentence, window_end, end = (
            tf.boolean_mask(column, continues) for column in (sentence, window_end, end)
        )
        next_first = tf.maximum(
            first_start(tf.gather(cost_before, window_end) - room // 2),
            first_start(tf.gather(cost_before, window_end + 1) - room),
        )
        middle = tf.gather(cost_before, next_first) + tf.gather(cost_before, window_end)
        return sentence, next_first, end, first_start((middle + 1) // 2), *found

    vector = tf.TensorShape([None])
    sentence = tf.range(tf.shape(first, tf.int64)[0])
    state = [sentence, first, end, first, *[tf.zeros([0], tf.int64)] * 4]
    found = tf.while_loop(more, body, state, shape_invariants=[vector] * 8)[4:]
    order = tf.argsort(found[0], stable=True)
    return _Windows(*(tf.gather(column, order) for column in found))


def tagging_features(
    examples: TaggingExamples,
    tokenizer: Tokenizer,
    max_seq_length: int,
    spec: TaskSpec,
) -> dict[str, np.ndarray]:
    """Returns the arrays of `TaggingExample`s.

    A word is predicted at its first token. `<task>_labels, _labels_mask, _labeled_positions`
    [rows, L] have one entry per word that the row predicts; the words of a sentence come in order,
    distributed over its rows, which share `<task>_eid`; `<task>_first_word` [rows] is the number
    of a row's first word in its sentence. A word without tokens is predicted at the next one.

    Raises:
        ValueError: max_seq_length leaves no room for a token.
    """
    check(max_seq_length >= 3, "max_seq_length", "3 or more for tags", max_seq_length)

    def make(part: slice) -> dict[str, np.ndarray]:
        return _part_features(examples[part], tokenizer, max_seq_length, spec)

    sizes = [sum(len(word) + 1 for word in example.words) for example in examples]
    return arrays_of_parts(make, sizes)


def _part_features(
    examples: TaggingExamples, tokenizer: Tokenizer, max_seq_length: int, spec: TaskSpec
) -> dict[str, np.ndarray]:
    flat = tf.constant([word for example in examples for word in example.words], tf.string)
    counts = tf.constant([len(example.words) for example in examples], tf.int64)
    words = tf.RaggedTensor.from_row_lengths(flat, counts, validate=False)
    arrays, places = word_batch(words, tokenizer, max_seq_length, max_seq_length)
    places = type(places)(*(column.numpy() for column in places))

    predicted = np.bincount(places.row, minlength=len(places.sentence))
    mask = np.arange(max_seq_length)[None, :] < predicted[:, None]
    labels, positions = (np.zeros(mask.shape, np.int32) for _ in range(2))
    labels[mask], positions[mask] = _label_ids(examples, spec), places.position
    ids = np.array([example.id for example in examples], np.int32)
    return {
        **arrays,
        f"{spec.name}_eid": ids[places.sentence],
        f"{spec.name}_first_word": places.first_word.astype(np.int32),
        f"{spec.name}_labels": labels,
        f"{spec.name}_labels_mask": mask.astype(np.float32),
        f"{spec.name}_labeled_positions": positions,
    }


def join_windows(
    eids: np.ndarray, first_words: np.ndarray, masks: np.ndarray, predictions: np.ndarray
) -> dict[int, np.ndarray]:
    """Returns {eid: predictions of all words of the sentence, a vector}, from rows in any order.

    eids, first_words: int [rows]; masks, predictions: [rows, L], as in `tagging_features`.
    """
    parts = {}
    for row in np.lexsort((first_words, eids)):
        count = round(float(np.sum(masks[row])))
        parts.setdefault(int(eids[row]), []).append(np.asarray(predictions[row])[:count])
    return {eid: np.concatenate(rows) for eid, rows in parts.items()}


def _label_ids(examples: TaggingExamples, spec: TaskSpec) -> np.ndarray:
    """Returns the ids of the labels of all words, int32; 0 where there are no tags."""
    ids = {label: number for number, label in enumerate(spec.labels)}
    # With `share_unseen_tags` the last label stands for all tags that are not listed.
    unseen = len(ids) - 1
    labels = []
    for example in examples:
        if example.tags is None:
            labels += [0] * len(example.words)
            continue
        tags = example.tags
        if spec.scheme == "spans":
            tags = in_letters_of(to_bioes(tags, spec.span_rule), spec.labels)
        if spec.share_unseen_tags:
            labels += [ids.get(tag, unseen) for tag in tags]
        else:
            labels += [ids[tag] for tag in tags]
    return np.array(labels, np.int32)
