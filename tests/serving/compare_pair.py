# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""An export of a pre-trained pair beside the models it was made of."""

import numpy as np
import probes
import tensorflow as tf
from live import LivePair


def compare_pair(signatures, live: LivePair, differences):
    for texts in (probes.TEXTS, probes.SHORT):
        _compare_texts(signatures, live, list(texts), differences)
    if "ids" in signatures:
        _compare_segments(signatures["ids"], live, differences)
    if "fill_mask" in signatures:
        _compare_fillings(signatures["fill_mask"], live, differences)


def _compare_texts(signatures, live, texts, differences):
    batch = live.batch(texts)
    states = live.states(batch)
    chances = live.replaced(batch)
    inputs = {
        "text": {"text": tf.constant(texts)},
        "ids": {name: tf.constant(rows) for name, rows in batch.items()},
    }
    for name in inputs.keys() & set(signatures):
        outputs = signatures[name](**inputs[name])
        _compare_features(name, outputs, states[-1], batch, texts, differences)
        if name == "text":
            compare_ids(name, outputs, batch, differences)
        if chances is not None:
            found = tf.sigmoid(outputs["replaced_logits"]).numpy()
            _compare_rows(f"{name}: replaced_logits", found, chances, batch, texts, differences)
    if "features" in signatures:
        outputs = compare_layers(
            signatures["features"], {"text": texts}, states, batch, differences
        )
        _compare_located("features", outputs, texts, live, differences)
    if "replaced_tokens" in signatures:
        _compare_replaced(signatures["replaced_tokens"], texts, live, chances, differences)


def _compare_segments(ids, live, differences):
    """Rows no wider than they need, their second halves in the other segment."""
    texts = list(probes.SHORT)
    batch = live.batch(texts)
    width = int(batch["input_mask"].sum(1).max())
    half = np.arange(batch["input_ids"].shape[1]) >= width // 2
    batch["segment_ids"] = batch["input_mask"] * half.astype(np.int32)
    outputs = ids(**{name: tf.constant(rows[:, :width]) for name, rows in batch.items()})
    expected = live.states(batch)[-1]
    _compare_features("ids in two segments", outputs, expected, batch, texts, differences)


def compare_layers(features, inputs, states, batch, differences):
    """The signature `features` for every layer.

    Args:
        inputs: name -> list of texts.
        states: expected [B, L, H] of each layer.
        batch: the rows of the texts.

    Returns:
        What it gave for the last layer.
    """
    tensors = {name: tf.constant(texts) for name, texts in inputs.items()}
    texts = next(iter(inputs.values()))
    for layer, expected in enumerate(states):
        outputs = features(**tensors, layer=tf.fill([len(texts)], layer))
        name = f"features of layer {layer}"
        _compare_features(name, outputs, expected, batch, texts, differences)
    return outputs


def compare_ids(name, outputs, batch, differences):
    """The rows that an export made of texts: as the live ones, but for padding at their ends."""
    for key in outputs.keys() & batch.keys():
        found = outputs[key].numpy()
        filled = np.zeros_like(batch[key])
        filled[:, : found.shape[1]] = found
        expected = np.where(batch["input_mask"], batch[key], 0)
        real = np.where(batch["input_mask"], filled, 0)
        differences.same(f"{name}: {key}", real.tolist(), expected.tolist())


def _compare_replaced(replaced_tokens, texts, live, chances, differences):
    outputs = replaced_tokens(text=tf.constant(texts))
    _compare_located("replaced_tokens", outputs, texts, live, differences)
    counts = outputs["num_tokens"].numpy()
    for row, (text, count) in enumerate(zip(texts, counts, strict=True)):
        found = outputs["probabilities"][row, :count]
        expected = chances[row, 1 : count + 1]
        differences.probability(f"replaced_tokens of {text[:60]!r}", found, expected)


def _compare_located(name, outputs, texts, live, differences):
    """Tokens, their places and numbers."""
    outputs = {key: values.numpy() for key, values in outputs.items()}
    for row, located in enumerate(live.located(texts)):
        count, is_truncated = len(located["token_ids"]), located.pop("is_truncated")
        where = f"{name} of {texts[row][:60]!r}"
        differences.same(f"{where}: num_tokens", int(outputs["num_tokens"][row]), count)
        differences.same(f"{where}: is_truncated", bool(outputs["is_truncated"][row]), is_truncated)
        for key, expected in located.items():
            differences.same(f"{where}: {key}", outputs[key][row, :count].tolist(), expected)


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
    texts = probes.masked(live.mask_token)
    outputs = {k: v.numpy() for k, v in fill_mask(text=tf.constant(texts)).items()}
    for row, text in enumerate(texts):
        where = f"fill_mask of {text[:60]!r}"
        places, chances = live.fillings(text)
        differences.same(f"{where}: num_masks", int(outputs["num_masks"][row]), len(places))
        is_truncated = live.is_truncated(text)
        differences.same(f"{where}: is_truncated", bool(outputs["is_truncated"][row]), is_truncated)
        for number, (start, end) in enumerate(places):
            found = (outputs["starts"][row, number], outputs["ends"][row, number])
            differences.same(f"{where}: place", tuple(map(int, found)), (start, end))
            ids = outputs["token_ids"][row, number]
            probabilities = outputs["probabilities"][row, number]
            names = [live.token(i).encode() for i in ids]
            differences.same(f"{where}: tokens", outputs["tokens"][row, number].tolist(), names)
            # Ties may be in another order, so what counts is how probable the chosen ones are.
            differences.probability(where, probabilities, chances[number, ids])
            best = np.sort(chances[number])[::-1][: len(ids)]
            differences.probability(where, probabilities, best)
