# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""An export is used only if it says what its model says: both answer the probes."""

import dataclasses

import numpy as np
import tensorflow as tf

from electra_tf.finetuning.examples import QuestionExample, TaggingExample, TextExample
from electra_tf.finetuning.prediction import Predictor
from electra_tf.serving import probes
from electra_tf.serving.live import LivePair
from electra_tf.serving.sources import FinetunedSource, PretrainedSource

TOLERANCES = {"float32": 1e-4, "bfloat16": 0.1}
"""Allowed difference of a probability; and of features, whose scale is 1, ten times as much."""


class Differences:
    """The largest difference so far; one that is too large is an error."""

    def __init__(self, dtype: str):
        self.tolerance = TOLERANCES[dtype]
        self.largest = 0.0
        self.count = 0

    def probability(self, what: str, exported, live):
        self._compare(what, exported, live, self.tolerance)

    def feature(self, what: str, exported, live):
        self._compare(what, exported, live, 10 * self.tolerance)

    def same(self, what: str, exported, live):
        """Of what must be equal."""
        self.count += 1
        if exported != live:
            raise ExportDiffersError(f"{what}: {exported!r} exported, {live!r} expected")

    def chosen(self, what: str, chance_of_choice: float, best_chance: float):
        """Of a choice that may differ where the model itself is undecided."""
        self.count += 1
        if best_chance - chance_of_choice > 2 * self.tolerance:
            raise ExportDiffersError(
                f"{what}: the choice has the probability {chance_of_choice}, the best {best_chance}"
            )

    def _compare(self, what, exported, live, tolerance):
        exported, live = np.asarray(exported, np.float64), np.asarray(live, np.float64)
        if exported.shape != live.shape:
            raise ExportDiffersError(
                f"{what}: shape {exported.shape} exported, {live.shape} expected"
            )
        self.count += 1
        if not exported.size:
            return
        worst = float(np.max(np.abs(exported - live)))
        self.largest = max(self.largest, worst)
        if not worst <= tolerance:
            raise ExportDiffersError(f"{what}: differs by {worst:.2e}, allowed are {tolerance:.0e}")


class ExportDiffersError(ArithmeticError):
    """The export does not say what the model says."""


def compare(signatures, source: PretrainedSource | FinetunedSource, dtype: str) -> Differences:
    """Compare the signatures of a loaded export with the model it was made of.

    Args:
        source: with the export's length.

    Raises:
        ExportDiffersError: they differ by more than rounding; names signature, output and text.
    """
    differences = Differences(dtype)
    if isinstance(source, PretrainedSource):
        _compare_pair(signatures, LivePair(source), differences)
    else:
        compare_task = {"qa": _compare_answers, "tagging": _compare_tags}
        kind = source.task.spec.kind
        compare_task.get(kind, _compare_sequences)(signatures, source, differences)
    return differences


# ---- Pre-trained


def _compare_pair(signatures, live: LivePair, differences):
    texts = list(probes.TEXTS)
    batch = live.batch(texts)
    states = live.states(batch)
    chances = live.replaced(batch)
    exported = {
        "text": signatures["text"](text=tf.constant(texts)),
        "ids": signatures["ids"](**{name: tf.constant(rows) for name, rows in batch.items()}),
    }
    for name, outputs in exported.items():
        _compare_features(name, outputs, states[-1], batch, texts, differences)
        if chances is not None:
            found = tf.sigmoid(outputs["replaced_logits"]).numpy()
            _compare_rows(f"{name}: replaced_logits", found, chances, batch, texts, differences)
    for layer, expected in enumerate(states):
        outputs = signatures["features"](
            text=tf.constant(texts), layer=tf.fill([len(texts)], layer)
        )
        _compare_features(
            f"features of layer {layer}", outputs, expected, batch, texts, differences
        )
    if chances is not None:
        outputs = signatures["replaced_tokens"](text=tf.constant(texts))
        for row, text in enumerate(texts):
            where = f"replaced_tokens of {text[:60]!r}"
            located = live.located(text)
            count = len(located["starts"])
            for name, expected in located.items():
                differences.same(
                    f"{where}: {name}", outputs[name][row].numpy()[:count].tolist(), expected
                )
            found = outputs["probabilities"][row].numpy()[:count]
            differences.probability(where, found, chances[row, 1 : count + 1])
    if "fill_mask" in signatures:
        _compare_fillings(signatures["fill_mask"], live, differences)


def _compare_features(name, outputs, expected, batch, texts, differences):
    _compare_rows(
        f"{name}: token_features",
        outputs["token_features"].numpy(),
        expected,
        batch,
        texts,
        differences,
        features=True,
    )
    mask = batch["input_mask"][:, :, None]
    mean = (expected * mask).sum(1) / mask.sum(1)
    differences.feature(f"{name}: first_token", outputs["first_token"], expected[:, 0])
    differences.feature(f"{name}: mean", outputs["mean"], mean)


def _compare_rows(name, found, expected, batch, texts, differences, features=False):
    """Of the real tokens of each row: the export's rows may be shorter."""
    compare_values = differences.feature if features else differences.probability
    for row, text in enumerate(texts):
        count = int(batch["input_mask"][row].sum())
        compare_values(f"{name} of {text[:60]!r}", found[row, :count], expected[row, :count])


def _compare_fillings(fill_mask, live, differences):
    outputs = {k: v.numpy() for k, v in fill_mask(text=tf.constant(probes.MASKED)).items()}
    for row, text in enumerate(probes.MASKED):
        where = f"fill_mask of {text[:60]!r}"
        places, chances = live.fillings(text)
        differences.same(f"{where}: num_masks", int(outputs["num_masks"][row]), len(places))
        for number, (start, end) in enumerate(places):
            found = (outputs["starts"][row, number], outputs["ends"][row, number])
            differences.same(f"{where}: place", tuple(map(int, found)), (start, end))
            ids = outputs["token_ids"][row, number]
            probabilities = outputs["probabilities"][row, number]
            # Ties may be in another order, so what counts is how probable the chosen ones are.
            differences.probability(where, probabilities, chances[number, ids])
            best = np.sort(chances[number])[::-1][: len(ids)]
            differences.probability(where, probabilities, best)


# ---- Fine-tuned


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
            differences.probability(
                where, outputs["score"][row] / scale, record["prediction"] / scale
            )
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


def with_length(source, max_seq_length: int):
    """The same model for rows of another length."""
    if isinstance(source, PretrainedSource):
        return dataclasses.replace(
            source, config=source.config.replace(max_seq_length=max_seq_length)
        )
    config = dataclasses.replace(source.config, max_seq_length=max_seq_length)
    return dataclasses.replace(source, loaded=dataclasses.replace(source.loaded, config=config))
