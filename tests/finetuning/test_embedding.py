# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Embeddings: rows of several texts, the contrastive loss, scores, and a model from data to use."""

import json
import pathlib
import shutil
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_finetuning import MODEL, classification, finetune, write_task

import electra_tf
from electra_tf.config.task_table import Columns, Split, TaskSpec
from electra_tf.finetuning.files.examples import TextExample
from electra_tf.finetuning.kinds import KINDS, Predictions
from electra_tf.finetuning.kinds.embedding import EmbeddingHead
from electra_tf.finetuning.kinds.scorers import ranking_scores
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.finetuning.prediction import Predictor
from electra_tf.finetuning.split_data import TrainingBatches
from electra_tf.finetuning.task import load_task
from electra_tf.interop.conversion import HUGGING_FACE, convert
from electra_tf.interop.opening import open_model
from electra_tf.model import Initializers
from electra_tf.runs import resolve_finetuning
from electra_tf.serving.export import export_model
from electra_tf.text import load_tokenizer
from electra_tf.training.distribution.replicas import rows_of_replica, sum_over_replicas

KIND = KINDS["embedding"]
PAIR = {"text_a": "a", "text_b": "b"}


def table(rows, header):
    return "\n".join("\t".join(row) for row in [header, *rows]) + "\n"


def pairs(count, seed):
    """A pair shares a word; everything else differs."""
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        words = [f"w{i}" for i in generator.permutation(90)[:5]]
        rows.append((" ".join(words[:3]), " ".join([words[3], words[0], words[4]])))
    return rows


def spec_of(pooling="mean", metric="mrr", **columns):
    split = Split("train", "train.tsv", "tsv", Columns(**{"text_a": 0, **columns}))
    options = {"pooling": pooling, "temperature": 0.1}
    return TaskSpec("near", "embedding", (split,), metric, options=options)


@pytest.fixture(scope="module")
def tokenizer(pretrained):
    return load_tokenizer(str(pretrained / "vocab.txt"))


@pytest.fixture(scope="module")
def config(pretrained):
    hparams = {"task_names": ["rte"], "max_seq_length": 6, "seed": 3}
    return resolve_finetuning(MODEL, str(pretrained), hparams)[0]


@pytest.mark.parametrize("pooling", ["mean", "first_token"])
def test_each_text_of_a_row_is_encoded_as_it_is_alone(config, tokenizer, pooling):
    spec = spec_of(pooling)
    texts = ["w1", "w2 w3 w4 w5 w6 w7 w8", "w9 w2", "w1 w1 w1", "w7 w8"]  # the second one is cut
    rows = [
        TextExample(0, texts[0], texts[1], negative=texts[2]),
        TextExample(1, texts[3], texts[4], negative=" "),
    ]
    alone = [TextExample(number, text) for number, text in enumerate(texts)]
    model = FinetuningModel(config, [spec], seed=1)

    def vectors(examples):
        arrays, _ = KIND.rows(spec, examples, tokenizer, config.max_seq_length)
        features = {name: tf.constant(values) for name, values in arrays.items()}
        return arrays, model.compute_outputs(features)["near"]["embeddings"].numpy()

    arrays, packed = vectors(rows)
    _, plain = vectors(alone)
    assert packed.shape == (2, 3, 16) and plain.shape == (5, 1, 16)
    assert arrays["input_ids"].shape == (2, 18)
    assert arrays["position_ids"][0].tolist() == [0, 1, 2, *range(6), *range(4), *[0] * 5]
    assert arrays["near_text_ids"].tolist() == [[1, 2, 3], [4, 5, 0]]
    found = np.concatenate([packed[0], packed[1, :2]])
    np.testing.assert_allclose(found, plain[:, 0], atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1, atol=1e-6)
    assert not packed[1, 2].any()


def test_single_texts_to_train_on_are_two_passes_of_dropout(config, tokenizer):
    spec = spec_of()
    arrays, _ = KIND.rows(spec, [TextExample(0, "w1 w2", "w1 w2")], tokenizer, 6)
    features = {name: tf.constant(values) for name, values in arrays.items()}
    model = FinetuningModel(config, [spec], seed=1)
    seed = tf.constant([1, 2])
    (dropped,) = model.compute_outputs(features, training=True, seed=seed)["near"]["embeddings"]
    (whole,) = model.compute_outputs(features)["near"]["embeddings"]
    assert np.abs(dropped[0] - dropped[1]).max() > 1e-3
    np.testing.assert_allclose(whole[0], whole[1], atol=1e-6)


def test_what_a_head_adds_to_others_is_given_by_name():
    with pytest.raises(TypeError, match="positional"):
        EmbeddingHead("near", Initializers(0.02, 0), 2, "first_token")


def test_loss_counts_what_is_negative():
    head = EmbeddingHead("near", Initializers(0.02, 0), 2, temperature=0.5)
    angles = np.array([[0.0, 0.3, 1.0], [2.0, 2.2, 0.0], [4.0, 3.5, 0.5], [0.0, 1.3, 0.0]])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)
    # The second text of row 2 is also that of row 0; row 3 is a filler; row 1 has no negative, and
    # the negative of row 2 is the first text of row 1.
    ids = np.array([[1, 2, 3], [4, 5, 0], [6, 2, 4], [0, 0, 0]], np.int32)
    outputs = {"embeddings": tf.constant(vectors), "text_ids": tf.constant(ids)}

    def cosine(i, j, slot):
        return np.exp(np.cos(angles[i, 0] - angles[j, slot]) / 0.5)

    candidates = [
        [(0, 1), (1, 1), (0, 2), (2, 2)],
        [(1, 1), (0, 1), (2, 1), (0, 2)],
        [(2, 1), (1, 1), (0, 2), (2, 2)],
    ]
    expected = [
        -np.log(cosine(i, *row[0]) / sum(cosine(i, *place) for place in row))
        for i, row in enumerate(candidates)
    ]
    np.testing.assert_allclose(head.loss(outputs).numpy(), [*expected, 0.0], rtol=1e-5)
    single = {"embeddings": outputs["embeddings"][:, :1], "text_ids": outputs["text_ids"][:, :1]}
    assert head.loss(single).numpy().tolist() == [0.0] * 4
    # Two answers to one question are not negatives of each other.
    ids = tf.constant([[1, 2], [1, 3]], tf.int32)
    two = {"embeddings": outputs["embeddings"][:2, :2], "text_ids": ids}
    np.testing.assert_allclose(head.loss(two).numpy(), [0, 0], atol=1e-6)


def test_rank_scores_by_hand():
    scores = ranking_scores([0, 2, 0], [1, 1, 2], (1, 5))
    assert scores["mrr"] == pytest.approx(100 * (1 + 1 / 3 + (1 + 1 / 2) / 2) / 3)
    assert scores["recall_at_1"] == pytest.approx(100 * (1 + 0 + 0.5) / 3)
    assert scores["recall_at_5"] == 100


def test_candidates_are_the_other_texts_that_do_not_belong_to_a_query():
    def unit(angle):
        return np.array([np.cos(angle), np.sin(angle)])

    # Two answers to question 1; the answer of the last row is also that of row 1, and its hard
    # negative is the nearest text to question 1.
    ids = np.array([[1, 2, 0], [1, 3, 0], [4, 3, 5]], np.int32)
    angles = {1: 0.0, 2: 0.2, 3: 0.5, 4: 2.0, 5: 0.1}
    vectors = np.array([[unit(angles[i]) if i else [0, 0] for i in row] for row in ids])
    examples = [TextExample(n, "a", "b") for n in range(3)]
    task = types.SimpleNamespace(name="near")
    data = types.SimpleNamespace(task=task, arrays={"near_text_ids": ids}, examples=examples)
    # Ranks: 2, behind the hard negative; 2, since text 2 belongs to the question; 1.
    scores = KIND.scores(data, Predictions(vectors))
    assert scores["mrr"] == pytest.approx(100 * (1 / 2 + 1 / 2 + 1) / 3)
    assert scores["recall_at_1"] == pytest.approx(100 / 3) and scores["recall_at_5"] == 100
    lost = KIND.scores(data, Predictions(np.full_like(vectors, np.nan)))
    assert lost["recall_at_1"] == 0
    same = KIND.trivial(data, data)
    assert KIND.collapse(spec_of(), same) == "every text has the same vector"
    assert KIND.scores(data, Predictions(same))["recall_at_1"] == pytest.approx(100 * 4 / 9)


def test_rows_of_several_tasks_have_one_form():
    wide = {name: np.full((2, 6), 7, np.int32) for name in ("input_ids", "position_ids")}
    narrow = {"input_ids": np.full((3, 4), 9, np.int32)}
    parts = [
        {**part, "task_id": np.full(n, i)} for i, (part, n) in enumerate([(wide, 2), (narrow, 3)])
    ]
    batch = TrainingBatches(parts, 5, None).batch(0)
    assert batch["input_ids"][4].tolist() == [9, 9, 9, 9, 0, 0]
    assert batch["position_ids"][[0, 4]].tolist() == [[7] * 6, [0, 1, 2, 3, 0, 0]]
    alone = TrainingBatches(parts[1:], 3, None)
    assert set(alone.batch(0)) == {"input_ids", "task_id"}


# ---- A model from data to use


@pytest.fixture(scope="module")
def trained(pretrained, tmp_path_factory):
    """A run on pairs, its results and its data folder; not to be changed."""
    data_dir = shutil.copytree(pretrained, tmp_path_factory.mktemp("embedding") / "data")
    files = {
        "train.tsv": table(pairs(64, 0), ("a", "b")),
        "dev.tsv": table(pairs(16, 1), ("a", "b")),
    }
    task = write_task(data_dir, "near", files, kind="embedding", format="tsv", columns=PAIR)
    options = {"max_seq_length": 8, "train_batch_size": 32, "num_train_epochs": 20.0}
    config, results = finetune(data_dir, [task], save_checkpoints_steps=1000, **options)
    return config, results, data_dir


def test_pairs_are_found_again(trained):
    config, results, _ = trained
    scores, baseline = results.trials[0]["scores"]["near"], results.baselines["near"]
    assert list(scores) == ["mrr", "recall_at_1", "recall_at_5", "recall_at_10"]
    assert baseline["recall_at_1"] == pytest.approx(100 / 16)
    assert baseline["recall_at_10"] == pytest.approx(1000 / 16)
    assert baseline["mrr"] == pytest.approx(100 * np.mean(1 / np.arange(1, 17)))
    assert scores["mrr"] > 2 * baseline["mrr"] and not results.trials[0]["failures"]
    details = pathlib.Path(config.results_txt.replace(".txt", "_details"))
    first = json.loads((details / "near_dev_1_predictions.jsonl").read_text().splitlines()[0])
    assert set(first) == {"id", "text_a", "text_b", "similarity"}


TEXTS = ["w1 w2", "w3 w4 w5 w6 w7 w8 w9 w10", "w11"]


def test_loaded_models_give_the_vectors_that_are_predicted(trained):
    config, *_ = trained
    folder = f"{config.model_dir}_1"
    expected = [row["embedding"] for row in Predictor(folder).of_lines(TEXTS, "texts")]
    np.testing.assert_allclose(np.linalg.norm(expected, axis=1), 1, atol=1e-6)
    model = electra_tf.load(folder)
    np.testing.assert_allclose(model.encode(TEXTS)["embedding"], expected, atol=1e-5)
    cosines = model.similarity(TEXTS, TEXTS[:2], batch_size=2)
    assert cosines.shape == (3, 2)
    np.testing.assert_allclose(cosines, expected @ np.transpose(expected[:2]), atol=1e-5)
    with pytest.raises(ValueError, match="texts is expected to be a sequence"):
        model.similarity(TEXTS, [])


def test_replicas_have_the_negatives_of_the_whole_batch(two_replicas):
    head = EmbeddingHead("near", Initializers(0.02, 0), 2, temperature=0.5)
    generator = np.random.default_rng(0)
    ids = np.array([[1, 2, 3], [4, 5, 0], [6, 2, 4], [0, 0, 0], [1, 7, 8], [9, 10, 11]], np.int32)
    batch = {
        "hidden": generator.normal(size=(6, 6, 2)).astype(np.float32),
        "sequence_ids": np.tile(np.array([1, 1, 2, 2, 3, 3], np.int32), (6, 1)),
        "input_mask": np.ones((6, 6), np.int32),
        "near_text_ids": ids,
    }
    start = generator.normal(size=(2, 2)).astype(np.float32)

    def step(rows, weights):
        with tf.GradientTape() as tape:
            outputs = head(rows["hidden"] @ weights, rows, training=True)
            loss = tf.reduce_sum(outputs["loss"])
        return sum_over_replicas({"loss": loss, "gradient": tape.gradient(loss, weights.value)})

    batch = {name: tf.constant(values) for name, values in batch.items()}
    expected = step(batch, keras.Variable(start))
    with two_replicas.scope():
        weights = keras.Variable(start)
    spread = tf.function(lambda: step(rows_of_replica(batch, 3, 2), weights))
    for name, found in two_replicas.run(spread).items():
        for local in two_replicas.experimental_local_results(found):
            np.testing.assert_allclose(local, expected[name], rtol=1e-5)
    alone = step({name: values[:3] for name, values in batch.items()}, keras.Variable(start))
    assert abs(float(alone["loss"])) < float(expected["loss"])


@pytest.mark.slow
def test_exports_have_the_vectors_and_hugging_face_has_no_name_for_them(trained, tmp_path):
    config, *_ = trained
    folder = f"{config.model_dir}_1"
    export_model(folder, str(tmp_path / "exported"))
    model, exported = electra_tf.load(folder), electra_tf.load(str(tmp_path / "exported"))
    expected = model.predict(TEXTS)["embedding"]
    for found in (exported.predict(TEXTS), exported.encode(TEXTS)):
        np.testing.assert_allclose(found["embedding"], expected, atol=1e-5)
    np.testing.assert_allclose(
        exported.similarity(TEXTS, TEXTS), model.similarity(TEXTS, TEXTS), atol=1e-5
    )
    assert "embedding" in exported.encode(TEXTS, layer=0)
    with pytest.raises(ValueError, match="has none for a task of the kind embedding"):
        convert(open_model(folder), HUGGING_FACE, str(tmp_path / "huggingface"))


@pytest.mark.slow
def test_single_texts_are_trained_on_and_scored_pairs_measured(tuning_dir, two_replicas):
    rows = pairs(16, 0)
    files = {
        "train.tsv": table([(a,) for a, _ in rows], ("text",)),
        "dev.tsv": table([(a, b, str(n)) for n, (a, b) in enumerate(rows)], ("a", "b", "score")),
        "test.tsv": table(rows, ("a", "b")),
    }
    task = write_task(
        tuning_dir,
        "alike",
        files,
        kind="embedding",
        format="tsv",
        columns={"text_a": "text"},
        columns_of_splits={"dev": {**PAIR, "label": "score"}, "test": PAIR},
        unlabelled=["test"],
        pooling="first_token",
    )
    words = classification(tuning_dir)
    config, results = finetune(tuning_dir, [task, words], two_replicas, num_train_epochs=1.0)
    assert list(results.trials[0]["scores"]["alike"]) == ["spearman"]
    assert results.baselines["alike"] == {"spearman": 0.0}
    assert np.isfinite(results.trials[0]["scores"]["words"]["loss"])
    loaded = load_task(task, config.raw_data_dir)
    assert [e.text_b for e in loaded.examples("train")] == [a for a, _ in rows]
    predictor = Predictor(f"{config.model_dir}_1", "alike")
    found = predictor.of_file(str(tuning_dir / "finetuning_data" / "alike" / "test.tsv"))
    assert all(-1.001 <= record["similarity"] <= 1.001 for record in found)
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    with pytest.raises(ValueError, match=r"hidden_dropout_prob .* above 0 for the task alike"):
        finetune(tuning_dir, [task], model_hparam_overrides=still)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pooling": "max"}, "'pooling' to be one of mean, first_token, received 'max'"),
        ({"temperature": 0}, "'temperature' to be a number above 0, received 0"),
        (
            {"columns": {"text_a": "a", "negative": "n"}},
            "'columns' of train to have 'text_b' beside 'negative', received text_a, negat",
        ),
        (
            {"columns_of_splits": {"tset": PAIR}},
            "'columns_of_splits' to be the columns of some of train, dev",
        ),
        (
            {"columns": {**PAIR, "label": "s"}},
            "'columns' of train to have no label, .* received text_a, text_b, label",
        ),
        (
            {"columns": {"text_a": "a"}},
            "'columns' of dev to have 'text_b' and no label for the metric mrr",
        ),
        (
            {"metric": "spearman"},
            "'columns' of dev to have 'text_b' and 'label' for the metric spearman",
        ),
    ],
)
def test_descriptions_that_do_not_fit(tmp_path, fields, message):
    files = {"train.tsv": "a\tb\nx\ty\n", "dev.tsv": "a\tb\nx\ty\n"}
    task = {"kind": "embedding", "format": "tsv", "columns": PAIR, **fields}
    path = write_task(tmp_path, "near", files, **task)
    with pytest.raises(ValueError, match=message):
        load_task(path, str(tmp_path / "finetuning_data" / "near"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("x\t \n", "dev.tsv, line 2: expected two texts, received an empty cell"),
        ("x\ty\tgood\n", "dev.tsv, line 2: expected a score, a number, received 'good'"),
        ("x\ty\tnan\n", "dev.tsv, line 2: expected a score, a number, received 'nan'"),
    ],
)
def test_rows_that_do_not_fit(tmp_path, rows, message):
    header = "a\tb\ts\n" if rows.count("\t") == 2 else "a\tb\n"
    files = {"train.tsv": "a\tb\nx\ty\n", "dev.tsv": header + rows}
    scored = {"columns_of_splits": {"dev": {**PAIR, "label": "s"}}} if "s" in header else {}
    path = write_task(tmp_path, "n", files, kind="embedding", format="tsv", columns=PAIR, **scored)
    task = load_task(path, str(tmp_path / "finetuning_data" / "n"))
    with pytest.raises(ValueError, match=message):
        task.examples("dev")
