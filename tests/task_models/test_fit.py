# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`fit` takes the steps of a run, and what Keras' `fit` takes."""

import json

import keras
import numpy as np
import pytest
from task_data import CLASSES, NAMES, classes, classifier, make, texts
from tiny_finetuning import LEARNING, MODEL, classification, finetune, make_data_dir, write_task
from tiny_run import NO_DROPOUT

from electra_tf.finetuning.kinds.spans import to_bioes
from electra_tf.finetuning.model_folder import load_finetuned, weights_prefix
from electra_tf.task_models import QuestionAnswerer, TextClassifier, TokenClassifier
from electra_tf.training.checkpoints.checkpoint_reader import CheckpointReader


def weights_of(model):
    return {variable.path: np.asarray(variable.value) for variable in model.weights}


def assert_same_weights(model, config, task):
    """Of a task model and of the run that a configuration describes."""
    reader = CheckpointReader(weights_prefix(f"{config.model_dir}_1"))
    for name, weight in weights_of(model).items():
        theirs = name.replace(f"task_specific/{model.kind.name}/", f"task_specific/{task}/")
        np.testing.assert_allclose(weight, reader[theirs], atol=1e-6, err_msg=name)


@pytest.mark.parametrize("epochs", [2.0, pytest.param(1.5, marks=pytest.mark.slow)])
def test_fit_ends_with_the_weights_of_a_run(tmp_path, epochs):
    """With dropout, layer-wise rates and a last batch that is not full."""
    data_dir = make_data_dir(tmp_path / "data")
    changes = {"layerwise_lr_decay": 0.8, "num_train_epochs": epochs}
    task = classification(data_dir, sizes=(21, 10, 5))
    config, results = finetune(data_dir, [task], **changes)
    model = classifier(str(data_dir / "models" / MODEL), **changes)
    history = model.fit(texts(21), classes(21), validation_data=(texts(10, 1), classes(10, 1)))
    assert_same_weights(model, config, "words")
    scores = results.trials[0]["scores"]["words"]
    assert {name: history.history[f"val_{name}"][-1] for name in scores} == pytest.approx(scores)


def test_the_same_holds_for_questions(tmp_path):
    data_dir = make_data_dir(tmp_path / "data")
    context = "w1 w2 w3 w4 w5 w6 w7"
    answers = [{"text": "w3 w4", "answer_start": 6}]
    qas = [{"id": "a", "question": "w9", "answers": answers}]
    qas.append({"id": "b", "question": "w8 w7", "answers": [], "is_impossible": True})
    file = {"data": [{"paragraphs": [{"context": context, "qas": qas}]}]}
    files = {f"{split}.json": json.dumps(file) for split in ("train", "dev")}
    task = write_task(data_dir, "asked", files, kind="qa", format="squad_v2")
    changes = {"max_query_length": 4, "doc_stride": 4, "beam_size": 4}
    config, results = finetune(data_dir, [task], **changes)
    model = QuestionAnswerer.from_preset(
        str(data_dir / "models" / MODEL), **{**LEARNING, **changes}
    )
    pairs, labels = [("w9", context), ("w8 w7", context)], [("w3 w4", 6), None]
    model.fit(pairs, labels, verbose=0)
    assert_same_weights(model, config, "asked")
    found = model.evaluate(pairs, labels, verbose=0, return_dict=True)
    scores = results.trials[0]["scores"]["asked"]
    assert {name: found[name] for name in scores} == pytest.approx(scores)
    assert load_finetuned(f"{config.model_dir}_1").tasks[0].spec.has_unanswerable


@pytest.mark.parametrize("name", NAMES)
def test_each_model_learns(preset, name):
    model, x, y = make(name, preset)
    before = model.evaluate(x, y, verbose=0)[0]
    history = model.fit(x, y, epochs=4, verbose=0, validation_split=0.25).history
    assert len(history["val_loss"]) == len(history["loss"]) == 4
    assert model.evaluate(x, y, verbose=0)[0] < before


# ---- Weights


def test_weights_of_examples_multiply_their_loss(preset):
    """Examples of weight 0 are as good as not there; clipping hides a common factor."""
    x, y = texts(16), classes(16)
    changes = {"train_batch_size": 16, "num_train_epochs": 2.0}
    weighed, few = classifier(preset, **changes), classifier(preset, **changes)
    weights = np.array([3.0] * 8 + [0.0] * 8)
    for model in (weighed, few):  # dropout differs by the row
        model.encoder.trainable = False
        model.task_heads.heads[0].dropout_rate = 0.0
    weighed.fit(x, y, sample_weight=weights, verbose=0, shuffle=False)
    few.fit(x[:8], y[:8], sample_weight=weights[:8], verbose=0, shuffle=False)
    assert weighed.evaluate(x, y, verbose=0, sample_weight=weights)[0] == pytest.approx(
        1.5 * weighed.evaluate(x[:8], y[:8], verbose=0)[0], rel=1e-5
    )


def test_weights_of_classes_are_those_of_the_hyperparameter(preset):
    """As `class_weights`, which heads apply; keys are ids or names."""
    by_head = classifier(preset, class_weights={"yes": 3.0})
    by_head.fit(texts(), classes(), verbose=0)
    model = classifier(preset)
    model.fit(texts(), classes(), verbose=0, class_weight={1: 3.0, "no": 1})
    for name, weight in weights_of(model).items():
        np.testing.assert_allclose(weight, weights_of(by_head)[name], atol=1e-6, err_msg=name)


@pytest.mark.slow
def test_weights_of_tags(preset):
    words, tags = make("TokenClassifier", preset)[1:]
    settings = {**LEARNING, "num_train_epochs": 1.0}
    labels = ("O", "B-A", "I-A")
    by_head = TokenClassifier.from_preset(preset, labels, class_weights={"O": 0.25}, **settings)
    by_head.fit(words, tags, verbose=0)
    model = TokenClassifier.from_preset(preset, labels, **settings)
    model.fit(words, tags, verbose=0, class_weight={"O": 0.25})
    for name, weight in weights_of(model).items():
        np.testing.assert_allclose(weight, weights_of(by_head)[name], atol=1e-6, err_msg=name)


def test_a_tag_weighs_as_what_it_stands_for(preset):
    """S-A, which rows have inside, as B-A, and E-A as L-A."""
    model = make("TokenClassifier", preset)[0]
    assert model.tasks[0].labels == ("O", "B-A", "I-A", "E-A", "S-A")
    assert model.class_weights({"B-A": 3, "I-A": 2, 0: 0}).tolist() == [0, 3, 2, 2, 3]
    with pytest.raises(ValueError, match="a key of class_weight is expected to be one of the"):
        model.class_weights({"S-A": 3})
    given = model._read([["w1"]] * 4, [["B-A"]] * 4, None)
    weighed = model._training_arrays(given, {"O": 0, "B-A": 0, "I-A": 0})
    assert not weighed["tagging_labels_mask"].any()
    bilou = TokenClassifier.from_preset(preset, ["O", "B-A", "I-A", "L-A", "U-A"], **LEARNING)
    assert bilou.class_weights({"L-A": 3, 4: 2}).tolist() == [1, 1, 1, 3, 2]


# ---- Compile, callbacks, freezing


def test_any_optimizer_and_metrics(preset):
    model = classifier(preset)
    model.compile(
        keras.optimizers.Adam(1e-2),
        metrics=["accuracy", keras.metrics.SparseCategoricalCrossentropy(name="entropy")],
        weighted_metrics=[keras.metrics.SparseCategoricalCrossentropy(name="weighed")],
    )
    weights = np.linspace(0.5, 2, 24)
    model.fit(texts(), classes(), epochs=3, verbose=0, sample_weight=weights)
    found = model.evaluate(texts(), classes(), verbose=0, return_dict=True, sample_weight=weights)
    right = np.array(model.predict_labels(texts(), verbose=0)) == np.array(CLASSES)[classes()]
    assert found["accuracy"] == pytest.approx(right.mean())  # not in percent, as Keras has it
    plain = model.evaluate(texts(), classes(), verbose=0, return_dict=True)
    assert plain["entropy"] == pytest.approx(plain["loss"], rel=1e-5)
    assert found["weighed"] == pytest.approx(found["loss"] * 24 / weights.sum(), rel=1e-4)


def test_metrics_of_tags_leave_padding_out(preset):
    _, words, tags = make("TokenClassifier", preset)
    labels = ("O", "B-A", "I-A", "E-A", "S-A")
    model = TokenClassifier.from_preset(preset, labels, **LEARNING)
    model.compile("sgd", metrics=["accuracy"])
    found = model.evaluate(words, tags, verbose=0, return_dict=True)
    predicted = model.predict_labels(words, verbose=0)
    gold = np.concatenate([to_bioes(row) for row in tags])
    assert found["accuracy"] == pytest.approx(np.mean(np.concatenate(predicted) == gold))


def test_a_metric_that_nothing_fits_is_refused(preset):
    model, pairs, answers = make("QuestionAnswerer", preset)
    model.compile("sgd", metrics=["accuracy"])
    with pytest.raises(ValueError, match="metrics are expected to be none for a task of the kind"):
        model.fit(pairs, answers, verbose=0)
    with pytest.raises(ValueError, match="loss is expected to be None"):
        model.compile("sgd", loss="mse")


def test_the_history_has_each_name_once(preset):
    model = classifier(preset)
    history = model.fit(
        texts(), classes(), verbose=0, validation_data=(texts(10, 1), classes(10, 1))
    ).history
    train = [name for name in history if not name.startswith("val_")]
    assert sorted(train) == ["gradient_norm", "loss"]
    assert {len(values) for values in history.values()} == {2}


def test_what_is_not_trainable_stays(preset):
    model = classifier(preset)
    model.encoder.trainable = False
    before = weights_of(model)
    model.fit(texts(), classes(), epochs=1, verbose=0)
    moved = {n for n, w in weights_of(model).items() if not np.array_equal(w, before[n])}
    assert moved == {n for n in before if n.startswith("task_specific/")}
    model.encoder.trainable = True
    model.encoder.embeddings.trainable = False
    model.encoder.stack.blocks[0].trainable = False
    before = weights_of(model)
    model.fit(texts(), classes(), epochs=1, verbose=0)
    moved = {n for n, w in weights_of(model).items() if not np.array_equal(w, before[n])}
    assert any("embeddings_project" in name for name in moved)
    assert not any("/layer_0/" in name or "/embeddings/" in name for name in moved)


def test_callbacks_find_scores_and_restore_where_they_stopped(preset, tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def fit(*callbacks):
        model = classifier(preset, num_train_epochs=4.0)
        backup = keras.callbacks.BackupAndRestore(str(tmp_path / "backup"))
        best = keras.callbacks.ModelCheckpoint(
            str(tmp_path / "best.keras"), monitor="val_loss", save_best_only=True
        )
        board = keras.callbacks.TensorBoard(str(tmp_path / "logs"))
        held_out = (texts(10, 1), classes(10, 1))
        model.fit(
            texts(),
            classes(),
            validation_data=held_out,
            verbose=0,
            callbacks=[backup, best, board, *callbacks],
        )
        return model

    with pytest.raises(KeyboardInterrupt):
        fit(Stop())
    resumed = fit()
    whole = classifier(preset, num_train_epochs=4.0)
    losses = whole.fit(
        texts(), classes(), verbose=0, validation_data=(texts(10, 1), classes(10, 1))
    ).history["val_loss"]
    for name, weight in weights_of(whole).items():
        np.testing.assert_allclose(weights_of(resumed)[name], weight, atol=1e-6, err_msg=name)
    kept = keras.models.load_model(str(tmp_path / "best.keras"))
    assert kept.evaluate(texts(10, 1), classes(10, 1), verbose=0)[0] == pytest.approx(min(losses))
    assert list((tmp_path / "logs" / "validation").iterdir())


@pytest.mark.slow
def test_a_new_fit_has_a_schedule_of_its_own(preset):
    model = classifier(preset)
    model.fit(texts(), classes(), epochs=1, verbose=0)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.0, abs=1e-9)
    before = weights_of(model)
    model.fit(texts(), classes(), epochs=2, verbose=0, steps_per_epoch=2)
    assert int(model.optimizer.iterations) == 4
    assert any(not np.array_equal(w, before[n]) for n, w in weights_of(model).items())


def test_classes_can_be_numbered(preset):
    model = TextClassifier.from_preset(preset, num_classes=3, **LEARNING)
    assert model.tasks[0].labels == ("0", "1", "2")
    assert model.predict(texts(3), verbose=0).shape == (3, 3)


@pytest.mark.slow
def test_replicas_share_the_rows(preset, two_replicas):
    changes = {"model_hparam_overrides": NO_DROPOUT, "classifier_dropout": 0.0}
    with two_replicas.scope():
        shared = classifier(preset, **changes)
    one = classifier(preset, **changes)
    for model in (one, shared):
        model.fit(texts(), classes(), verbose=0, validation_split=0.25)
    for name, weight in weights_of(one).items():
        np.testing.assert_allclose(weights_of(shared)[name], weight, atol=1e-4, err_msg=name)


@pytest.mark.slow
def test_replicas_may_have_metrics_and_different_numbers_of_rows(preset, two_replicas):
    changes = {"model_hparam_overrides": NO_DROPOUT, "classifier_dropout": 0.0}
    with two_replicas.scope():
        shared = classifier(preset, **changes)
    one, found = classifier(preset, **changes), []
    for model in (one, shared):
        model.compile("sgd", metrics=["accuracy"], weighted_metrics=["accuracy"])
        history = model.fit(texts(13), classes(13), batch_size=5, epochs=2, verbose=0).history
        scores = model.evaluate(texts(13), classes(13), batch_size=5, verbose=0, return_dict=True)
        found.append({**{name: values[-1] for name, values in history.items()}, **scores})
    assert found[1] == pytest.approx(found[0], rel=1e-3)


@pytest.mark.slow
def test_replicas_can_have_any_optimizer_in_or_outside_of_the_scope(preset, two_replicas):
    with two_replicas.scope():
        inside, outside = classifier(preset), classifier(preset)
        inside.compile("sgd")
        inside.fit(texts(), classes(), epochs=1, verbose=0)
    outside.compile("sgd")
    outside.fit(texts(), classes(), epochs=1, verbose=0)
    for name, weight in weights_of(inside).items():
        np.testing.assert_allclose(weights_of(outside)[name], weight, atol=1e-6, err_msg=name)
