# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Pseudo-log-likelihoods beside those computed by hand, a row for each token."""

import numpy as np
import pytest
import tensorflow as tf
from served_models import HPARAMS, VOCABULARY

import electra_tf
from electra_tf.config import PretrainingConfig
from electra_tf.interop.stored_model import Pair
from electra_tf.loading import LoadedModel
from electra_tf.serving import likelihood
from electra_tf.serving.pretrained import PretrainedServer
from electra_tf.text import load_tokenizer

TEXTS = ["the quick brown fox", "", "naïve 日本!", "the " * 50]
MASKED_LM = {"electra_objective": False}
ELECTRIC = {"electra_objective": False, "electric_objective": True}
TWO_TOWERS = {"two_tower_generator": True}


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(VOCABULARY)


def pair_of(**changes) -> Pair:
    hparams = {**HPARAMS, "generator_hidden_size": 0.5, "vocab_file": str(VOCABULARY), **changes}
    hparams["vocab_size"] = len(VOCABULARY.read_text().splitlines())
    return Pair.build(PretrainingConfig.from_hparams("model", "/nowhere", hparams))


def loaded(pair: Pair, tokenizer) -> LoadedModel:
    server = PretrainedServer(pair, tokenizer, pair.config.max_seq_length, tf.float32, 3)
    return LoadedModel(server.signatures, "a model", server)


def rows_by_hand(tokenizer, length):
    """`[CLS] text [SEP]` of each text, alone."""
    special = tokenizer.vocabulary
    for ids in tokenizer(TEXTS).to_list():
        row = np.array([[special.cls_id, *ids[: length - 2], special.sep_id]], np.int32)
        yield {
            "input_ids": row,
            "input_mask": np.ones_like(row),
            "segment_ids": np.zeros_like(row),
        }


def assert_same(found, expected, method):
    """The values of each text, their sums, means and perplexities."""
    assert (
        found["num_tokens"].tolist() == [len(values) for values in expected] and expected[1] == []
    )
    for row, values in zip(found["token_log_likelihoods"], expected, strict=True):
        np.testing.assert_allclose(row[: len(values)], values, rtol=1e-5, atol=1e-5)
        assert not row[len(values) :].any()
    sums = np.array([sum(values) for values in expected])
    np.testing.assert_allclose(found["log_likelihood"], sums, rtol=1e-5, atol=1e-5)
    means = sums / np.maximum(found["num_tokens"], 1)
    np.testing.assert_allclose(found["mean_log_likelihood"], means, rtol=1e-5, atol=1e-6)
    assert found["method"].tolist() == [method] * len(TEXTS)
    assert found["is_truncated"].tolist() == [False, False, False, True]
    assert ("perplexity" in found) == (method != likelihood.ENERGIES)
    if "perplexity" in found:
        np.testing.assert_allclose(found["perplexity"], np.exp(-means), rtol=1e-5)


@pytest.mark.parametrize("objective", [{}, pytest.param(MASKED_LM, marks=pytest.mark.slow)])
def test_each_token_is_masked_by_itself(objective, tokenizer, monkeypatch):
    pair = pair_of(**objective)
    expected = []
    for batch in rows_by_hand(tokenizer, pair.config.max_seq_length):
        (ids,) = batch["input_ids"]
        places = np.arange(1, len(ids) - 1, dtype=np.int32)
        inputs = {name: np.repeat(values, len(places), 0) for name, values in batch.items()}
        masked = inputs["input_ids"].copy()
        masked[np.arange(len(places)), places] = tokenizer.vocabulary.mask_id
        inputs |= {"masked_input_ids": masked, "masked_positions": places[:, None]}
        if len(places):
            logits = pair.generator({name: tf.constant(v) for name, v in inputs.items()})
            log_p = tf.nn.log_softmax(logits["mlm_logits"])[:, 0].numpy()
            expected.append(log_p[np.arange(len(places)), ids[1:-1]].tolist())
        else:
            expected.append([])
    # Parts of a text, and of two texts of different lengths.
    monkeypatch.setattr(likelihood, "_MOST_TOKENS", 120)
    found = loaded(pair, tokenizer).pseudo_log_likelihood(TEXTS, batch_size=3)
    assert_same(found, expected, "masked")


def test_energies_are_the_logits_without_the_noise(tokenizer):
    pair = pair_of(**ELECTRIC)
    expected = []
    for batch in rows_by_hand(tokenizer, pair.config.max_seq_length):
        energies = pair.discriminator({name: tf.constant(v) for name, v in batch.items()})
        expected.append((-energies["rtd_logits"][0, 1:-1]).numpy().tolist())
    model = loaded(pair, tokenizer)
    found = model.pseudo_log_likelihood(TEXTS)
    assert_same(found, expected, "energies")
    # P(data) / P(noise) = exp(-energy) / q(token) * (1 - mask_prob) / mask_prob.
    replaced = model.replaced_tokens(TEXTS[:1])["probabilities"][0, :4]
    (row,) = list(rows_by_hand(tokenizer, 40))[:1]
    row["masked_positions"] = np.zeros([1, 1], np.int32)
    cloze = pair.generator({name: tf.constant(v) for name, v in row.items()})["cloze_logits"]
    noise = tf.nn.log_softmax(cloze)[0].numpy()[np.arange(6), row["input_ids"][0]][1:-1]
    odds = pair.config.mask_prob / (1 - pair.config.mask_prob)
    log_ratio = np.log(1 / replaced - 1)
    energies = -(log_ratio + noise + np.log(odds))
    np.testing.assert_allclose(found["token_log_likelihoods"][0, :4], -energies, atol=2e-3)


def test_two_towers_need_one_pass(tokenizer, monkeypatch):
    pair = pair_of(**TWO_TOWERS)
    expected = []
    for batch in rows_by_hand(tokenizer, pair.config.max_seq_length):
        inputs = {**batch, "masked_positions": np.zeros([1, 1], np.int32)}
        logits = pair.generator({name: tf.constant(v) for name, v in inputs.items()})
        log_p = tf.nn.log_softmax(logits["cloze_logits"])[0].numpy()
        expected.append([float(log_p[i, t]) for i, t in enumerate(batch["input_ids"][0])][1:-1])
    monkeypatch.setattr(likelihood, "_MOST_POSITIONS", 7)
    assert_same(loaded(pair, tokenizer).pseudo_log_likelihood(TEXTS), expected, "two_towers")


def test_an_export_gives_the_same(pair_dir, pair_export):
    found = electra_tf.load(pair_export).pseudo_log_likelihood(TEXTS)
    expected = electra_tf.load(pair_dir).pseudo_log_likelihood(TEXTS)
    assert set(found) == set(expected)
    for name, values in expected.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-5)
        else:
            assert found[name].tolist() == values.tolist()


def test_models_without_either(tokenizer):
    model = loaded(pair_of(uniform_generator=True), tokenizer)
    with pytest.raises(ValueError, match="a model has no pseudo_log_likelihood; it has features"):
        model.pseudo_log_likelihood(TEXTS)
    pair = pair_of(**MASKED_LM)
    for wrong in ("one text", [("a", "b")], [5], []):
        with pytest.raises(ValueError, match="texts"):
            loaded(pair, tokenizer).pseudo_log_likelihood(wrong)
