# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""An export of a fine-tuned model beside what `finetuning.prediction` says."""

import numpy as np
import tensorflow as tf

from electra_tf.finetuning.examples import QuestionExample, TaggingExample, TextExample
from electra_tf.finetuning.prediction import Predictor
from electra_tf.serving import probes
from electra_tf.serving.compare_pair import compare_layers
from electra_tf.serving.differences import Differences
from electra_tf.serving.live import encoder_states, padded_rows
from electra_tf.serving.sources import FinetunedSource


def compare_task(signatures, source: FinetunedSource, differences: Differences):
    """Every signature that there is."""
    kinds = {"qa": _compare_answers, "tagging": _compare_tags}
    if "text" in signatures:
        kinds.get(source.task.spec.kind, _compare_sequences)(signatures, source, differences)
    batch, texts = _single_texts(source)
    encoder = source.loaded.model.encoder
    if "features" in signatures:
        inputs = _with_empty_seconds(source, texts)
        states = encoder_states(encoder, batch)
        compare_layers(signatures["features"], inputs, states, batch, differences)
    if "ids" in signatures:
        if source.task.spec.kind == "qa":
            half = np.arange(source.max_length) >= source.max_length // 2
            batch["segment_ids"] = batch["input_mask"] * half.astype(np.int32)
        _compare_ids(signatures["ids"], source, batch, differences)


def _single_texts(source):
    """Rows of single texts, and the texts."""
    texts = list(probes.TEXTS)
    ids = source.tokenizer(texts).to_list()
    rows = [row[: source.max_length - 2] for row in ids]
    batch = padded_rows(rows, source.tokenizer.vocabulary, source.max_length)
    if source.task.spec.kind == "tagging":
        batch["segment_ids"] = batch["input_mask"].copy()
    return batch, texts


def _with_empty_seconds(source, texts):
    spec = source.task.spec
    if spec.kind == "qa":
        return {"question": texts, "context": [""] * len(texts)}
    columns = spec.splits[0].columns
    is_pair = columns is not None and columns.text_b is not None
    pair = {"text_pair": [""] * len(texts)} if is_pair and spec.kind != "tagging" else {}
    return {"text": texts, **pair}


def _compare_ids(ids, source, batch, differences):
    """Probabilities that follow from the head's numbers, of all rows at full length."""
    batch = {name: tf.constant(rows) for name, rows in batch.items()}
    found = ids(**batch)
    hidden = source.loaded.model.encoder(batch).last_hidden_state
    head = source.loaded.model.task_heads.heads[source.task_id]
    kind, real = source.task.spec.kind, tf.cast(batch["input_mask"], tf.float32)
    if kind == "tagging":
        expected = tf.nn.softmax(head.output_layer(hidden)) * real[..., None]
        differences.probability("ids", found["probabilities"] * real[..., None], expected)
        return
    live = head(hidden, batch)
    if kind == "qa":
        for name in found.keys() & {"start_logits", "end_logits"}:
            differences.probability(f"ids: {name}", *map(tf.nn.softmax, (found[name], live[name])))
        if "answerable_logit" in found:
            odds = (found["answerable_logit"], live["answerable_logit"])
            differences.probability("ids: answerable_logit", *map(tf.sigmoid, odds))
    elif kind == "regression":
        low, high = source.task.spec.value_range
        scaled = (found["score"] - low) / (high - low)
        differences.feature("ids", scaled, live["predictions"])
    else:
        normalize = tf.nn.softmax if kind == "classification" else tf.sigmoid
        differences.probability("ids", found["probabilities"], normalize(live["logits"]))


def _predictor(source: FinetunedSource) -> Predictor:
    return Predictor.of_loaded(source.loaded, source.task_id)


def _compare_sequences(signatures, source, differences):
    is_pair = source.task.spec.splits[0].columns.text_b is not None
    firsts = list(probes.TEXTS)
    # Every text meets another one, so that both sides are cut somewhere.
    seconds = firsts[1:] + firsts[:1] if is_pair else [None] * len(firsts)
    examples = [TextExample(i, a, b) for i, (a, b) in enumerate(zip(firsts, seconds, strict=True))]
    inputs = {"text": tf.constant(firsts)}
    if is_pair:
        inputs["text_pair"] = tf.constant(seconds)
    outputs = {name: value.numpy() for name, value in signatures["text"](**inputs).items()}
    for row, record in enumerate(_predictor(source).of_examples(examples)):
        where = f"text {firsts[row][:60]!r}"
        if source.task.spec.kind == "regression":
            low, high = source.task.spec.value_range
            scale = high - low
            differences.feature(where, outputs["score"][row] / scale, record["prediction"] / scale)
            continue
        chances = list(record["probabilities"].values())
        differences.probability(where, outputs["probabilities"][row], chances)
        names = [name.decode() for name in outputs["labels"][row]]
        differences.same(f"{where}: labels", names, list(record["probabilities"]))
        if source.task.spec.kind == "classification":
            choice = record["probabilities"][outputs["label"][row].decode()]
            differences.chosen(where, choice, max(chances))


def _compare_tags(signatures, source, differences):
    texts = list(probes.TEXTS)
    outputs = {k: v.numpy() for k, v in signatures["text"](text=tf.constant(texts)).items()}
    filled = [row for row, text in enumerate(texts) if text.split()]
    examples = [TaggingExample(row, tuple(texts[row].split())) for row in filled]
    records = _predictor(source).of_examples(examples)
    for row, record in zip(filled, records, strict=True):
        where = f"tags of {texts[row][:60]!r}"
        count = int(outputs["num_words"][row])
        words = [word.decode() for word in outputs["words"][row, :count]]
        differences.same(f"{where}: words", words, record["words"])
        differences.probability(
            where, outputs["probabilities"][row, :count], record["probabilities"]
        )
        tags = [tag.decode() for tag in outputs["tags"][row, :count]]
        for tag, expected, chance in zip(
            tags, record["prediction"], record["probabilities"], strict=True
        ):
            # Two tags can be equally probable only below one half.
            if chance > 0.5 + differences.tolerance:
                differences.same(where, tag, expected)
    for row in set(range(len(texts))) - set(filled):
        differences.same(f"words of {texts[row]!r}", int(outputs["num_words"][row]), 0)


def _compare_answers(signatures, source, differences):
    contexts = probes.paragraphs()
    questions = [probes.QUESTIONS[i % len(probes.QUESTIONS)] for i in range(len(contexts))]
    # A context may hold no token although it holds characters; the model's own path refuses it.
    lengths = source.tokenizer(contexts).row_lengths().numpy()
    pairs = [
        pair for pair, n in zip(zip(questions, contexts, strict=True), lengths, strict=True) if n
    ]
    questions, contexts = map(list, zip(*pairs, strict=True))
    examples = [QuestionExample(str(i), q, c) for i, (q, c) in enumerate(pairs)]
    inputs = {"question": tf.constant(questions), "context": tf.constant(contexts)}
    outputs = {name: value.numpy() for name, value in signatures["text"](**inputs).items()}
    for row, record in enumerate(_predictor(source).of_examples(examples)):
        where = f"question {questions[row][:30]!r} about {contexts[row][:60]!r}"
        chances = {answer["text"]: answer["probability"] for answer in record["answers"]}
        count = int(outputs["num_answers"][row])
        texts = [text.decode() for text in outputs["answers"][row, :count]]
        for text, found in zip(texts, outputs["answer_probabilities"][row], strict=False):
            if text in chances:
                differences.probability(where, found, chances[text])
        differences.chosen(where, chances.get(texts[0], 0.0), max(chances.values()))
        begin, end = outputs["answer_starts"][row, 0], outputs["answer_ends"][row, 0]
        differences.same(where, contexts[row].encode()[begin:end].decode(), texts[0])
        if "null_odds" in record and source.config.answerable_classifier:
            odds = 1 / (
                1 + np.exp(-np.array([outputs["no_answer_score"][row], record["null_odds"]]))
            )
            differences.probability(f"{where}: no_answer_score", odds[0], odds[1])
