# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Questions and their contexts as arrays: the rows of their windows, answers as positions."""

import dataclasses
import typing
from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from electra_tf.config import check
from electra_tf.finetuning.files.examples import QuestionExample, arrays_of_parts
from electra_tf.finetuning.kinds.question_windows import (
    WINDOWS_PER_QUESTION,
    AnswerWindows,
    QuestionTokens,
    question_tokens,
    rooms_of,
    window_batch,
    window_counts,
)
from electra_tf.text import Tokenizer


class QuestionFeatures(typing.NamedTuple):
    """Arrays for the model, and what belongs to their rows."""

    arrays: dict[str, np.ndarray]
    windows: AnswerWindows


def question_features(
    examples: Sequence[QuestionExample],
    tokenizer: Tokenizer,
    max_seq_length: int,
    task_name: str,
    doc_stride: int = 128,
    max_query_length: int = 64,
) -> QuestionFeatures:
    """Returns the `QuestionFeatures` of `QuestionExample`s.

    A row is `[CLS] question [SEP] part of the context [SEP]`; the parts begin every doc_stride
    tokens. An answer that is not wholly in the row, or no answer, has the positions 0.
    Rows of questions without labels have no positions.

    Raises:
        ValueError: a setting leaves no room for the context, or a context or an answer has no
            token; names the question.
    """
    for name, value in {"doc_stride": doc_stride, "max_query_length": max_query_length}.items():
        check(value >= 1, name, "at least 1", value)
    check(
        max_query_length <= max_seq_length - 4,
        "max_query_length",
        f"at most {max_seq_length - 4}, 4 less than max_seq_length={max_seq_length}",
        max_query_length,
    )
    found = []

    def make(part: slice) -> dict[str, tf.Tensor]:
        arrays, windows = _part_rows(
            examples[part], tokenizer, max_seq_length, doc_stride, max_query_length
        )
        found.append(windows)
        return arrays

    # Contexts count once for each of their questions, as their tokens do in the rows.
    sizes = [len(example.question) + len(example.context) for example in examples]
    arrays = arrays_of_parts(make, sizes)
    windows = _joined(found)
    arrays[f"{task_name}_eid"] = windows.eids
    if all(example.is_impossible is not None for example in examples):
        arrays |= _answer_positions(examples, windows, task_name)
    return QuestionFeatures(arrays, windows)


def _part_rows(
    examples: Sequence[QuestionExample],
    tokenizer: Tokenizer,
    max_seq_length: int,
    doc_stride: int,
    max_query_length: int,
) -> QuestionFeatures:
    """The rows of examples, and their windows as arrays; starts and ends are characters."""
    numbers = {}
    for example in examples:
        numbers.setdefault(example.context, len(numbers))
    context = np.array([numbers[example.context] for example in examples], np.int64)
    questions = tf.constant([example.question for example in examples], tf.string)
    contexts = tf.constant(list(numbers), tf.string)
    tokens = question_tokens(tokenizer, questions, contexts, context, max_query_length)
    counts = window_counts(tokens, max_seq_length, doc_stride)
    _check(examples, tokens, counts.numpy(), rooms_of(tokens, max_seq_length).numpy())
    batch, windows = window_batch(
        tokens, counts, tokenizer.vocabulary, max_seq_length, doc_stride, max_seq_length
    )
    vectors = {
        field.name: np.asarray(getattr(windows, field.name))
        for field in dataclasses.fields(windows)
    }
    characters = _characters(numbers, vectors["splits"], vectors["starts"], vectors["ends"])
    return QuestionFeatures(batch, AnswerWindows(**vectors | characters))


def _check(
    examples: Sequence[QuestionExample],
    tokens: QuestionTokens,
    counts: np.ndarray,
    rooms: np.ndarray,
):
    """Raise the ValueError of a context without tokens, or with too many windows."""
    empty = tokens.contexts.ids.row_lengths().numpy()[tokens.context] == 0
    if empty.any():
        place = examples[int(np.argmax(empty))].place
        raise ValueError(f"{place}: expected a context with words, received none.")
    if counts.max(initial=0) > WINDOWS_PER_QUESTION:
        worst = int(np.argmax(counts))
        raise ValueError(
            f"{examples[worst].place}: expected at most {WINDOWS_PER_QUESTION} windows, received "
            f"{counts[worst]} of {rooms[worst]} tokens; raise max_seq_length or doc_stride."
        )


def _characters(
    contexts: Iterable[str], splits: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> dict[str, np.ndarray]:
    """`starts` and `ends` as characters, from bytes, by way of all contexts in one."""
    encoded = [text.encode() for text in contexts]
    is_first_byte = (np.frombuffer(b"".join(encoded), np.uint8) & 0xC0) != 0x80
    character_at = np.concatenate([[0], np.cumsum(is_first_byte)])
    lengths = np.array([len(text) for text in encoded], np.int64)
    row_starts = np.repeat(np.cumsum(lengths) - lengths, np.diff(splits))
    return {
        name: character_at[offsets + row_starts] - character_at[row_starts]
        for name, offsets in (("starts", starts), ("ends", ends))
    }


def _joined(parts: list[AnswerWindows]) -> AnswerWindows:
    """The windows of parts of the examples as those of all, numbered throughout."""
    shifted, questions, contexts, tokens = [], 0, 0, 0
    for part in parts:
        eids = part.eids + WINDOWS_PER_QUESTION * questions
        shifted.append(
            dataclasses.replace(
                part,
                eids=eids.astype(np.int32),
                question=part.question + questions,
                context=part.context + contexts,
                splits=part.splits[1 if shifted else 0 :] + tokens,
            )
        )
        questions += len(part.context)
        contexts += len(part.splits) - 1
        tokens += len(part.starts)
    columns = zip(*(vars(windows).values() for windows in shifted), strict=True)
    return AnswerWindows(*map(np.concatenate, columns))


def _answer_positions(
    examples: Sequence[QuestionExample], windows: AnswerWindows, task_name: str
) -> dict[str, np.ndarray]:
    """Returns start and end positions of the first answer in every row, and is_impossible."""
    first, last = np.full((2, len(examples)), -1, np.int64)
    for number, example in enumerate(examples):
        if example.answers:
            first[number], last[number] = _answer_tokens(example, number, windows)
    question = windows.question
    start = first[question] - windows.first_token
    end = last[question] - windows.first_token
    inside = (first[question] >= 0) & (start >= 0) & (end < windows.length)
    impossible = np.array([example.is_impossible for example in examples], np.int32)
    return {
        f"{task_name}_start_positions": np.where(inside, start + windows.offset, 0).astype(
            np.int32
        ),
        f"{task_name}_end_positions": np.where(inside, end + windows.offset, 0).astype(np.int32),
        f"{task_name}_is_impossible": impossible[question],
    }


def _answer_tokens(
    example: QuestionExample, number: int, windows: AnswerWindows
) -> tuple[int, int]:
    """Returns the first and the last token that share a character with the answer."""
    text, start = example.answers[0]
    context = windows.context[number]
    tokens = slice(windows.splits[context], windows.splits[context + 1])
    first = np.searchsorted(windows.ends[tokens], start, side="right")
    last = np.searchsorted(windows.starts[tokens], start + len(text), side="left") - 1
    if first > last:
        raise ValueError(f"{example.place}: expected an answer with words, received {text!r}.")
    return first, last
