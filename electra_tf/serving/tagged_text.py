# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The words of texts and the entities that their tags mark, in the graph.

Words are what white space separates, as `str.split` has it; entities follow the rules of
`finetuning.kinds.spans`.
"""

import typing
from collections.abc import Sequence

import tensorflow as tf
import tensorflow_text as tf_text

from electra_tf.config.span_tags import OUTSIDE, tag_parts
from electra_tf.text.packing import dense
from electra_tf.text.ragged import row_numbers

_WHITE_SPACE = r"[\t-\r\x1c-\x20\x{85}\p{Z}]+"


class Words(typing.NamedTuple):
    """Ragged [B, words]: the words, and the bytes of the text that they are, int32."""

    texts: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor


def words_of(texts: tf.Tensor) -> Words:
    """The words of texts, strings [B]."""
    # The operation ends at a zero byte, so another byte stands for it while it looks.
    seen = tf.strings.regex_replace(texts, r"\x00", "\x01")
    _, starts, ends = tf_text.regex_split_with_offsets(seen, _WHITE_SPACE, "")
    of_words = tf.gather(texts, row_numbers(starts.row_splits))
    first, behind = starts.flat_values, ends.flat_values
    words = starts.with_flat_values(tf.strings.substr(of_words, first, behind - first))
    return Words(words, tf.cast(starts, tf.int32), tf.cast(ends, tf.int32))


def per_text(values: tf.Tensor, words: tf.RaggedTensor, default: int | float | str) -> tf.Tensor:
    """Values of all words [words, ...] as [B, W, ...], W the most words of a text."""
    return dense(words.with_flat_values(values), default)


def entities_of(
    texts: tf.Tensor,
    words: Words,
    tags: tf.Tensor,
    probabilities: tf.Tensor,
    labels: Sequence[str],
    rule: str,
) -> dict[str, tf.Tensor]:
    """The spans that tags mark.

    Args:
        texts: string [B].
        words: where the words of the texts are.
        tags: int64 [words of all texts], numbers of labels.
        probabilities: float32 [words of all texts], of the tags.
        labels: names of tags, see `is_span_tag`.
        rule: "conll" or "reference", see `spans_of`.

    Returns:
        `entities`, `entity_types` string, `entity_starts`, `entity_ends` int32 (bytes of the
        text), `entity_probabilities` [B, N], filled up with "" and 0, and `num_entities` int32
        [B]. The probability of an entity is that of its least certain word.
    """
    letters, types, names = _parts(labels)
    letter, kind = tf.gather(letters, tags), tf.gather(types, tags)
    row = words.starts.value_rowids()
    begins, ends = _bounds(letter, kind, row, rule)
    firsts, lasts = tf.where(begins)[:, 0], tf.where(ends)[:, 0]
    rows = tf.gather(row, firsts)
    starts = tf.gather(words.starts.flat_values, firsts)
    stops = tf.gather(words.ends.flat_values, lasts)
    entity = tf.cumsum(tf.cast(begins, tf.int32)) - 1
    inside = letter != 0
    least_certain = tf.math.unsorted_segment_min(
        tf.boolean_mask(probabilities, inside), tf.boolean_mask(entity, inside), tf.size(firsts)
    )
    columns = {
        "entities": tf.strings.substr(tf.gather(texts, rows), starts, stops - starts),
        "entity_types": tf.gather(names, tf.gather(kind, lasts)),
        "entity_starts": starts,
        "entity_ends": stops,
        "entity_probabilities": least_certain,
    }
    count = tf.shape(texts, tf.int64)[0]
    ragged = {
        name: tf.RaggedTensor.from_value_rowids(column, rows, count, validate=False)
        for name, column in columns.items()
    }
    found = {
        name: dense(column, "" if column.dtype == tf.string else 0)
        for name, column in ragged.items()
    }
    found["num_entities"] = tf.cast(ragged["entities"].row_lengths(), tf.int32)
    return found


_LETTERS = {OUTSIDE: 0, "B": 1, "I": 2, "E": 3, "S": 4}


def _parts(labels: Sequence[str]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Letter and type of each label as numbers, and the types' names."""
    parts = [tag_parts(label) for label in labels]
    names = sorted({kind for _, kind in parts})
    letters = [_LETTERS.get(letter, _LETTERS["I"]) for letter, _ in parts]
    types = [names.index(kind) for _, kind in parts]
    return tf.constant(letters), tf.constant(types), tf.constant(names)


def _bounds(
    letter: tf.Tensor, kind: tf.Tensor, row: tf.Tensor, rule: str
) -> tuple[tf.Tensor, tf.Tensor]:
    """Whether a span begins, and whether one ends, at each word; bool vectors."""
    same_row = row[1:] == row[:-1]
    boundary = tf.ones([1], tf.bool)
    count = tf.size(row)
    new_row = tf.concat([boundary, ~same_row], 0)[:count]
    last_of_row = tf.concat([~same_row, boundary], 0)[:count]
    previous = tf.concat([[0], letter[:-1]], 0)[:count]
    previous_kind = tf.concat([[0], kind[:-1]], 0)[:count]
    starts = (letter == _LETTERS["B"]) | (letter == _LETTERS["S"])
    if rule == "conll":
        starts |= (previous == _LETTERS["E"]) | (previous == _LETTERS["S"])
        starts |= kind != previous_kind
    inside = letter != 0
    begins = inside & (new_row | (previous == 0) | starts)
    next_begins = tf.concat([begins[1:], boundary], 0)[:count]
    next_outside = tf.concat([~inside[1:], boundary], 0)[:count]
    return begins, inside & (last_of_row | next_begins | next_outside)
