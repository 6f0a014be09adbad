# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Questions and their contexts as rows: windows over long contexts, answers as positions.

Contexts are tokenized once each, thousands at a time; rows are cut out of the flat tokens.
"""

import dataclasses
import typing

import numpy as np
import tensorflow as tf

from electra_tf.config import check
from electra_tf.finetuning.packed_rows import packed_rows, ragged_ranges

WINDOWS_PER_QUESTION = 1000
"""`<task>_eid` is 1000 * number of the question + number of the window (qa_tasks.py:406)."""

_CHARACTERS_AT_ONCE = 4_000_000  # some 100 bytes of memory each while they are tokenized


@dataclasses.dataclass(frozen=True)
class AnswerWindows:
    """Where the tokens of each row stand in the context, to turn positions into text.

    Vectors over rows: `eids`; `question`, the number of the example; `offset`, the position of
    the first context token in the row; `length`, the number of context tokens; `first_token`,
    the number of the first of them in its context; `best_first` and `best_last`, the positions
    between which the row has more context than any other row of the question (none: first > last).
    `context` is over questions: the number of its context. `splits` is over contexts:
    `starts` and `ends` of the tokens of context i, in characters, are at splits[i] .. splits[i+1].
    """

    eids: np.ndarray
    question: np.ndarray
    offset: np.ndarray
    length: np.ndarray
    first_token: np.ndarray
    best_first: np.ndarray
    best_last: np.ndarray
    context: np.ndarray
    splits: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    def characters(self, row, start, end):
        """Returns [first, end) characters of the context for positions start .. end of rows.

        row, start, end: integers or vectors of one shape.
        """
        base = self.splits[self.context[self.question[row]]] + self.first_token[row]
        base = base - self.offset[row]
        return self.starts[base + start], self.ends[base + end]


class QuestionFeatures(typing.NamedTuple):
    """Arrays for the model, and what belongs to their rows."""

    arrays: dict[str, np.ndarray]
    windows: AnswerWindows


def question_features(
    examples,
    tokenizer,
    max_seq_length,
    task_name,
    task_id=0,
    doc_stride=128,
    max_query_length=64,
    first_number=0,
):
    """Returns the `QuestionFeatures` of `QuestionExample`s.

    first_number: the number of the first example in its split, where they come in batches.

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
    queries = tokenizer([example.question for example in examples])
    query_lengths = np.minimum(queries.row_lengths().numpy(), max_query_length)
    contexts = _tokenize_contexts(examples, tokenizer)
    windows = _windows(examples, contexts, query_lengths, max_seq_length, doc_stride)
    eids = windows.eids + WINDOWS_PER_QUESTION * first_number
    windows = dataclasses.replace(windows, eids=eids.astype(np.int32))

    question = windows.question
    query_tokens = ragged_ranges(queries.row_splits.numpy()[:-1][question], query_lengths[question])
    context_tokens = ragged_ranges(
        contexts.splits[windows.context[question]] + windows.first_token, windows.length
    )
    arrays = packed_rows(
        _rows(queries.flat_values.numpy()[query_tokens], query_lengths[question]),
        _rows(contexts.ids[context_tokens], windows.length),
        tokenizer.vocabulary,
        max_seq_length,
    )
    arrays["task_id"] = np.full(len(question), task_id, np.int32)
    arrays[f"{task_name}_eid"] = windows.eids
    if all(example.is_impossible is not None for example in examples):
        arrays |= _answer_positions(examples, windows, task_name)
    return QuestionFeatures(arrays, windows)


class _Contexts(typing.NamedTuple):
    number: np.ndarray  # of each example's context
    ids: np.ndarray  # of the tokens of all contexts
    splits: np.ndarray
    starts: np.ndarray  # characters
    ends: np.ndarray


def _tokenize_contexts(examples, tokenizer):
    numbers = {}
    for example in examples:
        numbers.setdefault(example.context, len(numbers))
    ids, token_starts, token_ends, counts = _offsets(list(numbers), tokenizer)
    splits = np.concatenate([[0], np.cumsum(counts)])
    for example in examples:
        number = numbers[example.context]
        if splits[number] == splits[number + 1]:
            raise ValueError(f"{example.place}: expected a context with words, received none.")
    # From bytes of each context to characters of it, by way of all contexts in one.
    encoded = [text.encode() for text in numbers]
    is_first_byte = (np.frombuffer(b"".join(encoded), np.uint8) & 0xC0) != 0x80
    character_at = np.concatenate([[0], np.cumsum(is_first_byte)])
    lengths = np.array([len(text) for text in encoded], np.int64)
    row_starts = np.repeat(np.cumsum(lengths) - lengths, np.diff(splits))
    return _Contexts(
        np.array([numbers[example.context] for example in examples], np.int64),
        ids,
        splits,
        *(
            character_at[offsets + row_starts] - character_at[row_starts]
            for offsets in (token_starts, token_ends)
        ),
    )


def _offsets(texts, tokenizer):
    """Returns ids, byte starts and byte ends of all tokens, and the number of tokens per text."""
    parts, batch, size = [], [], 0
    for number, text in enumerate(texts):
        batch.append(text)
        size += len(text)
        if size >= _CHARACTERS_AT_ONCE or number == len(texts) - 1:
            tokens = tokenizer.offsets(batch)
            flat = [ragged.flat_values.numpy() for ragged in tokens]
            parts.append((*flat, tokens.ids.row_lengths().numpy()))
            batch, size = [], 0
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _windows(examples, contexts, query_lengths, max_seq_length, doc_stride):
    tokens = np.diff(contexts.splits)[contexts.number]
    rooms = max_seq_length - 3 - query_lengths
    strides = np.minimum(rooms, doc_stride)
    counts = 1 + np.maximum(0, -(-(tokens - rooms) // strides))
    if counts.max(initial=0) > WINDOWS_PER_QUESTION:
        worst = int(np.argmax(counts))
        raise ValueError(
            f"{examples[worst].place}: expected at most {WINDOWS_PER_QUESTION} windows, received "
            f"{counts[worst]} of {rooms[worst]} tokens; raise max_seq_length or doc_stride."
        )
    question = np.repeat(np.arange(len(examples)), counts)
    number = ragged_ranges(np.zeros_like(counts), counts)
    first_token = number * strides[question]
    length = np.minimum(rooms[question], tokens[question] - first_token)
    offset = query_lengths[question] + 2
    best_first, best_last = _best_context(counts, first_token, length, tokens)
    return AnswerWindows(
        eids=(WINDOWS_PER_QUESTION * question + number).astype(np.int32),
        question=question,
        offset=offset,
        length=length,
        first_token=first_token,
        best_first=best_first - first_token + offset,
        best_last=best_last - first_token + offset,
        context=contexts.number,
        splits=contexts.splits,
        starts=contexts.starts,
        ends=contexts.ends,
    )


def _best_context(counts, first_token, length, tokens):
    """Returns for each window the first and last context token that it sees best of all windows.

    Context is the smaller number of tokens on either side, then the length of the window, then
    the earlier window (qa_tasks.py:75-110). The tokens that are best in a window are neighbours.
    """
    best_first, best_last = np.zeros_like(first_token), length - 1
    row_ends = np.cumsum(counts)
    for question in np.flatnonzero(counts > 1):
        rows = slice(row_ends[question] - counts[question], row_ends[question])
        token = np.arange(tokens[question])[None, :]
        left = token - first_token[rows, None]
        right = length[rows, None] - 1 - left
        context = np.minimum(left, right)
        score = np.where(context >= 0, context + 0.01 * length[rows, None], -1.0)
        best = np.argmax(score, axis=0)
        numbers = np.arange(counts[question])
        best_first[rows] = np.searchsorted(best, numbers, side="left")
        best_last[rows] = np.searchsorted(best, numbers, side="right") - 1
    return best_first, best_last


def _rows(values, lengths):
    return tf.RaggedTensor.from_row_lengths(values, lengths)


def _answer_positions(examples, windows, task_name):
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


def _answer_tokens(example, number, windows):
    """Returns the first and the last token that share a character with the answer."""
    text, start = example.answers[0]
    context = windows.context[number]
    tokens = slice(windows.splits[context], windows.splits[context + 1])
    first = np.searchsorted(windows.ends[tokens], start, side="right")
    last = np.searchsorted(windows.starts[tokens], start + len(text), side="left") - 1
    if first > last:
        raise ValueError(f"{example.place}: expected an answer with words, received {text!r}.")
    return first, last
