# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Rows of texts with a gap that an option fills, and where the option's tokens are in them."""

import typing
from collections.abc import Sequence

import tensorflow as tf

from electra_tf.config.prompts import GAP
from electra_tf.files import shortened
from electra_tf.text.packing import dense, packed_batch, shares_of_room
from electra_tf.text.tokenizer import Tokenizer


class Cut(typing.NamedTuple):
    """A piece of a prompt that loses tokens where the whole is too long."""

    piece: int
    at_start: bool = False
    """Whether its first tokens are lost, or the last ones."""


OUTER_ENDS = (Cut(0, at_start=True), Cut(2))
"""What is cut of (before, option, behind): what is farthest from the option."""


class PromptRows(typing.NamedTuple):
    """Rows with one option each.

    batch: `input_ids, input_mask, segment_ids` int32 [R, L].
    option_mask: int32 [R, L], 1 at the tokens of the option.
    num_tokens, num_unknown: int32 [R], tokens of the option, and the unknown ones among them.
    is_truncated: bool [R], whether a piece was cut.
    fits: bool [R], whether the row is no longer than it may be; what cannot be cut counts.
    """

    batch: dict[str, tf.Tensor]
    option_mask: tf.Tensor
    num_tokens: tf.Tensor
    num_unknown: tf.Tensor
    is_truncated: tf.Tensor
    fits: tf.Tensor


def split_at_gap(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """What stands before and behind the one gap of each text [R]; another number is an error."""
    parts = tf.strings.split(texts, GAP)
    is_one = parts.row_lengths() == 2
    check = tf.debugging.Assert(
        tf.reduce_all(is_one),
        [f"text is expected to have {GAP} once, but is", tf.boolean_mask(texts, ~is_one)],
        summarize=1,
    )
    with tf.control_dependencies([check]):
        columns = parts.to_tensor("", shape=[None, 2])
    return columns[:, 0], columns[:, 1]


def prompt_rows(
    tokenizer: Tokenizer,
    pieces: Sequence[tf.Tensor],
    option: int,
    cuts: Sequence[Cut],
    max_seq_length: int,
    length: int | None = None,
) -> PromptRows:
    """Rows `[CLS] text [SEP]` of texts that consist of pieces.

    A text is tokenized as a whole, so that its tokens are those of the same text from elsewhere. A
    token that has any byte of the option is the option's. Two pieces that can be cut lose tokens as
    the two texts of a pair do, see `packing.kept_lengths`.

    Args:
        tokenizer: of the texts.
        pieces: strings [R] each, in their order.
        option: which piece the option is.
        cuts: the pieces that may be cut, one or two.
        max_seq_length: the most tokens of a row, with [CLS] and [SEP].
        length: L; default: that of the longest row.
    """
    lengths = tf.stack([tf.strings.length(piece) for piece in pieces], axis=1)  # [R, pieces]
    lasts = tf.cumsum(lengths, axis=1)
    found = tokenizer.offsets(tf.strings.join(list(pieces)))
    ids, starts, ends = (dense(tf.cast(column, tf.int32)) for column in found)  # [R, T]
    counts = found.ids.row_lengths()
    is_real = tf.sequence_mask(counts, tf.shape(ids)[1])

    first, last = (lasts - lengths)[:, :, None], lasts[:, :, None]
    is_option = is_real & (starts < last[:, option]) & (ends > first[:, option])
    inside = [
        is_real & ~is_option & (starts >= first[:, piece]) & (ends <= last[:, piece])
        for piece, _ in cuts
    ]
    sizes = [tf.math.count_nonzero(mask, axis=1) for mask in inside]  # [R]
    room = max_seq_length - 2 - counts + tf.add_n(sizes)
    pair = (*sizes, tf.zeros_like(counts))[:2]
    is_kept = is_real
    for mask, size, kept, cut in zip(
        inside, sizes, shares_of_room(*pair, room), cuts, strict=False
    ):
        kept, rank = tf.maximum(kept, 0), tf.cumsum(tf.cast(mask, tf.int64), axis=1, exclusive=True)
        stays = rank >= (size - kept)[:, None] if cut.at_start else rank < kept[:, None]
        is_kept &= ~mask | stays

    own = [
        tf.ragged.boolean_mask(values, is_kept) for values in (ids, tf.cast(is_option, tf.int32))
    ]
    inner = None if length is None else length - 2
    is_unknown = is_option & (ids == tokenizer.vocabulary.unk_id)
    return PromptRows(
        packed_batch(own[0], None, tokenizer.vocabulary, length),
        tf.pad(dense(own[1], 0, inner), [[0, 0], [1, 1]]),
        tf.math.count_nonzero(is_option, axis=1, dtype=tf.int32),
        tf.math.count_nonzero(is_unknown, axis=1, dtype=tf.int32),
        own[0].row_lengths() < counts,
        room >= 0,
    )


def row_ids(rows: PromptRows) -> tf.Tensor:
    """The ids of each row as one string [R], whatever the padding: "2 17 3"."""
    ids = tf.where(rows.batch["input_mask"] > 0, tf.strings.as_string(rows.batch["input_ids"]), "")
    return tf.strings.strip(tf.strings.reduce_join(ids, axis=1, separator=" "))


def check_different(
    templates: Sequence[str], options: Sequence[str], ids: Sequence[str | bytes]
) -> None:
    """Raise a ValueError if two options have the same tokens in a template.

    All three are of the same R rows; the ids are those of `row_ids`.
    """
    seen: dict[tuple[str, str | bytes], str] = {}
    for template, option, row in zip(templates, options, ids, strict=True):
        first = seen.setdefault((template, row), option)
        if first != option:
            raise ValueError(
                f"options are expected to differ for the tokenizer, but {first!r} and {option!r} "
                f"have the same tokens in {shortened(repr(template), 200)}."
            )
