# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Rows, windows and answers, in a graph, are those that plain Python makes of hostile texts.

Fine-tuning and serving call the same functions; here stands what both are held to.
"""

import itertools

import numpy as np
import plain_rows
import probes
import pytest
import tensorflow as tf
from served_models import VOCABULARY

from electra_tf.finetuning.kinds.question_answers import best_answers
from electra_tf.finetuning.kinds.question_windows import AnswerWindows, question_batch
from electra_tf.finetuning.kinds.tagging_rows import word_batch
from electra_tf.text import load_tokenizer
from electra_tf.text.packing import text_batch

LENGTH = 24


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(VOCABULARY)


def rows_of(batch) -> list[tuple[list, list]]:
    """Ids and segments without the padding."""
    counts = batch["input_mask"].numpy().sum(axis=1)
    columns = (batch[name].numpy().tolist() for name in ("input_ids", "segment_ids"))
    rows = zip(*columns, counts, strict=True)
    return [(ids[:count], segments[:count]) for ids, segments, count in rows]


def test_pairs_of_texts(tokenizer):
    firsts, seconds = list(probes.TEXTS), [*probes.TEXTS[1:], probes.TEXTS[0]]
    make = tf.function(lambda a, b: text_batch(tokenizer, a, b, LENGTH), autograph=False)
    ids = dict(zip(firsts, tokenizer(firsts).to_list(), strict=True))
    expected = [
        plain_rows.packed(*plain_rows.cut_pair(ids[a], ids[b], LENGTH), tokenizer.vocabulary)
        for a, b in zip(firsts, seconds, strict=True)
    ]
    assert rows_of(make(tf.constant(firsts), tf.constant(seconds))) == expected


def test_sentences_of_words(tokenizer):
    sentences = [text.split() for text in (*probes.TEXTS, " ".join(probes.TEXTS[:8]))]
    make = tf.function(lambda words: word_batch(words, tokenizer, LENGTH), autograph=False)
    batch, places = make(tf.ragged.constant(sentences, dtype=tf.string, row_splits_dtype=tf.int64))
    rows, words, sentence_of_row, first_words = [], [], [], []
    for number, sentence in enumerate(sentences):
        pieces = [row[: LENGTH - 2] for row in tokenizer.of_words(sentence).to_list()]
        costs = [max(1, len(piece)) for piece in pieces]
        for first, end, predicted, predicted_end in plain_rows.word_windows(costs, LENGTH - 2):
            for word in range(predicted, predicted_end):
                words.append((len(rows), 1 + sum(map(len, pieces[first:word]))))
            in_row = [token for piece in pieces[first:end] for token in piece]
            ids, _ = plain_rows.packed(in_row, [], tokenizer.vocabulary)
            rows.append((ids, [1] * len(ids)))
            sentence_of_row.append(number)
            first_words.append(predicted)
    assert rows_of(batch) == rows
    assert list(zip(*(places[i].numpy().tolist() for i in (0, 1)), strict=True)) == words
    assert places.sentence.numpy().tolist() == sentence_of_row
    assert places.first_word.numpy().tolist() == first_words


@pytest.mark.parametrize("is_joint", [True, False])
def test_questions_and_their_answers(tokenizer, is_joint):
    contexts = probes.paragraphs(probes.TEXTS)
    questions = [probes.QUESTIONS[i % 4] for i in range(len(contexts))]
    stride, query_length, n, max_length = 5, 6, 7, 4

    def make(*texts):
        batch, windows = question_batch(tokenizer, *texts, LENGTH, stride, query_length)
        return batch, vars(windows)

    batch, vectors = tf.function(make, autograph=False)(*map(tf.constant, (questions, contexts)))
    windows = AnswerWindows(**vectors)
    count = len(windows.question)
    # Of few values, so that many sums are equal.
    logits = np.random.default_rng(0).integers(0, 4, [2, count, LENGTH]).astype(np.float32)
    likely = np.argsort(-logits, axis=2, kind="stable")[:, :, :n].astype(np.int32)
    outputs = {"start_logits": logits[0], "end_logits": logits[1]}
    if is_joint:
        best = np.take_along_axis(logits, likely, axis=2)
        outputs = {"start_top_index": likely[0], "start_top_log_probs": best[0]}
        for name, values in (("end_top_index", likely[1]), ("end_top_log_probs", best[1])):
            outputs[name] = np.repeat(values[:, None], n, axis=1)

    def answer(outputs):
        texts = tf.constant(contexts)
        return best_answers(texts, windows, outputs, n, max_length, is_joint, "BYTE")

    found = tf.function(answer, autograph=False)(outputs)
    columns = [column.to_list() for column in (found.texts, found.starts)]
    tokens = [column.to_list() for column in tokenizer.offsets(contexts)]
    rows = []
    for number, (ids, starts, ends) in enumerate(zip(*tokens, strict=True)):
        query = tokenizer(questions[number : number + 1]).to_list()[0][:query_length]
        offset, spans = len(query) + 2, []
        parts = plain_rows.context_windows(len(ids), LENGTH - 3 - len(query), stride)
        for window, (first, size) in enumerate(parts):
            row = len(rows)
            rows.append(plain_rows.packed(query, ids[first : first + size], tokenizer.vocabulary))
            for start, end in itertools.product(likely[0, row], likely[1, row]):
                begin, last = start - offset + first, end - offset + first
                is_inside = first <= begin <= last < min(first + size, begin + max_length)
                if is_inside and plain_rows.is_best(parts, window, begin):
                    score = logits[0, row, start] + logits[1, row, end]
                    spans.append((score, starts[begin], ends[last]))
        expected = plain_rows.n_best(contexts[number].encode(), spans, n)
        texts = [text.decode() for text in columns[0][number]]
        assert list(zip(texts, columns[1][number], strict=True)) == expected
    assert rows_of(batch) == rows
    assert count > len(contexts) and max(map(len, columns[0])) == n
