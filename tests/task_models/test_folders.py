# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Task models come from folders of every format, and become such folders, exports and files."""

import dataclasses
import functools
import json
import pathlib
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from task_data import CLASSES, NAMES, classes, classifier, make, tagged, texts
from tiny_finetuning import LEARNING, MODEL, classification, finetune, make_data_dir

import electra_tf
from electra_tf.finetuning.kinds.spans import given_tag
from electra_tf.finetuning.prediction import Predictor
from electra_tf.interop import convert, open_model
from electra_tf.task_models import TextClassifier, TextRegressor, TokenClassifier, presets

ROOT = pathlib.Path(__file__).parents[2]
INPUTS = {"input_ids": 7, "input_mask": 1, "segment_ids": 0}
HEADS = {"model_hparam_overrides": {"num_attention_heads": 2}}
"""What a checkpoint of the original does not contain."""


@pytest.fixture(scope="module")
def folders(preset, tmp_path_factory):
    """One pre-trained model in every format."""
    root, found = tmp_path_factory.mktemp("folders"), {"own": preset}
    for name in ("reference", "huggingface"):
        found[name] = str(root / name)
        convert(open_model(preset), name, found[name])
    return found


@pytest.mark.parametrize("name", ["reference", "huggingface"])
def test_every_format_gives_the_same_model(folders, name):
    own = classifier(folders["own"])
    other = classifier(folders[name], **(HEADS if name == "reference" else {}))
    np.testing.assert_allclose(
        other.predict(texts(4), verbose=0), own.predict(texts(4), verbose=0), atol=1e-6
    )
    assert other.tokenizer.settings == own.tokenizer.settings
    assert electra_tf.load_tokenizer(folders[name]).settings == own.tokenizer.settings
    encoder = electra_tf.Encoder.from_preset(folders[name], name="my_encoder")
    for ours, theirs in zip(encoder.weights, own.encoder.weights, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_an_encoder_of_a_folder_is_part_of_any_model(preset):
    encoder = electra_tf.Encoder.from_preset(preset)
    given = {name: keras.Input([None], dtype="int32", name=name) for name in INPUTS}
    hidden = encoder(given).last_hidden_state
    model = keras.Model(given, keras.layers.Dense(2)(hidden[:, 0]))
    rows = {name: np.full([2, 4], value, np.int32) for name, value in INPUTS.items()}
    assert np.any(model(rows, training=True) != model(rows, training=True))  # it drops out
    before = encoder.get_weights()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(rows, np.array([0, 1]), verbose=0)
    assert any(np.any(w != b) for w, b in zip(encoder.get_weights(), before, strict=True))


def test_tokenizers_of_vocabularies(data_dir, preset):
    expected = electra_tf.load_tokenizer(preset).settings
    for path in (data_dir, data_dir / "vocab.txt"):
        assert electra_tf.load_tokenizer(str(path)).settings == expected
    with pytest.raises(FileNotFoundError):
        electra_tf.load_tokenizer(str(data_dir / "nothing"))


def test_a_folder_without_a_model_is_an_error(data_dir, tmp_path):
    with pytest.raises(FileNotFoundError, match="Hugging Face models come with"):
        classifier(str(tmp_path / "nothing"))
    with pytest.raises(ValueError, match="lerning_rate"):
        classifier(str(data_dir / "models" / MODEL), lerning_rate=1.0)


@pytest.fixture(scope="module")
def trained(preset):
    """Gives, by name, a fitted model, its texts and its labels; not to be changed."""

    @functools.cache
    def fitted(name):
        model, x, y = make(name, preset)
        model.fit(x, y, epochs=1, verbose=0)
        return model, x, y

    return fitted


def assert_same(found, expected):
    """Predictions of two models."""
    assert type(found) is type(expected) and len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        if not isinstance(one, dict):
            np.testing.assert_allclose(one, other, atol=1e-5)
            continue
        assert set(one) == set(other)
        for key, value in one.items():
            if isinstance(value, float | list) and key != "words":
                continue
            assert value == other[key], key


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_folder_is_that_of_a_run(trained, name, tmp_path):
    model, x, _ = trained(name)
    folder = str(tmp_path / "model")
    model.save_to_preset(folder)
    expected = model.predict(x, verbose=0)
    again = type(model).from_preset(folder)
    assert_same(again.predict(x, verbose=0), expected)
    assert again.tasks[0].labels == model.tasks[0].labels and again.is_settled
    assert again.config.learning_rate == model.config.learning_rate
    rows = list(zip(*x, strict=True)) if isinstance(x, tuple) else x
    lines = [" ".join(row) if isinstance(row, list) else row for row in rows]
    if name == "QuestionAnswerer":
        records = [{"question": q, "context": c} for q, c in rows]
        lines = [json.dumps(record) for record in records]
    elif isinstance(x, tuple):
        lines = ["\t".join(row) for row in rows]
    predictor = Predictor(folder)
    found = [record["prediction"] for record in predictor.of_lines(lines, "test")]
    labels = model.predict_labels(x, verbose=0)
    if name == "TextRegressor":
        assert found == pytest.approx(labels, abs=1e-5)
    else:
        assert found == labels
    with pytest.raises(ValueError, match="is expected to be a new folder"):
        model.save_to_preset(folder)
    stored = open_model(folder)
    assert stored.step == 3 - (name == "QuestionAnswerer") * 2
    assert len(stored.moments) == 2 * len(stored.weights)
    assert stored.origin == f"the Keras model {model.name}"


@pytest.mark.parametrize(
    "name", ["TextClassifier", pytest.param("QuestionAnswerer", marks=pytest.mark.slow)]
)
def test_an_export_is_that_of_the_command(trained, name, tmp_path):
    model, x, _ = trained(name)
    model.export(str(tmp_path / "export"))
    rows = list(zip(*x, strict=True)) if isinstance(x, tuple) else x
    found = electra_tf.load(str(tmp_path / "export")).predict(rows)
    expected = model.predict(x, verbose=0)
    if name == "TextClassifier":
        np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)
    else:
        assert found["answer"].tolist() == [prediction["answer"] for prediction in expected]
    with pytest.raises(FileExistsError, match="is expected to be new, but exists"):
        model.export(str(tmp_path / "export"))
    with pytest.raises(
        ValueError, match="format is expected to be one of tf_saved_model, onnx, li"
    ):
        model.export(str(tmp_path / "other"), format="pickle")
    with pytest.raises(ValueError, match="unknown option of an export as litert 'dtype'"):
        model.export(str(tmp_path / "other"), format="litert", dtype="float32")


@pytest.mark.slow
def test_exports_for_other_runtimes(trained, tmp_path):
    model = trained("TextClassifier")[0]
    path = str(tmp_path / "model.tflite")
    model.export(path, format="litert")
    runner = tf.lite.Interpreter(path).get_signature_runner("ids")
    data = model._rows(model._read(texts(4), classes(4), None), labelled=False)
    names = ("input_ids", "input_mask", "segment_ids")
    found = runner(**{name: data.arrays[name] for name in names})
    expected = model.predict(texts(4), verbose=0)
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)
    with pytest.raises(FileExistsError, match="is expected to be new, but exists"):
        model.export(path, format="litert")


# ---- Heads that a folder brings


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a model that a run has fine-tuned."""
    data_dir = make_data_dir(tmp_path_factory.mktemp("run") / "data")
    config, results = finetune(data_dir, [classification(data_dir)])
    return f"{config.model_dir}_1", results.trials[0]["scores"]["words"]


def test_a_run_brings_its_head(run):
    folder, scores = run
    model = TextClassifier.from_preset(folder)
    found = model.evaluate(texts(10, 1), classes(10, 1), verbose=0, return_dict=True)
    assert {name: found[name] for name in scores} == pytest.approx(scores)
    assert model.config.max_seq_length == LEARNING["max_seq_length"]
    same = TextClassifier.from_preset(folder, CLASSES, learning_rate=0.5, task="words")
    assert same.config.learning_rate == 0.5 and same.tasks == model.tasks
    np.testing.assert_array_equal(
        same.predict(texts(3), verbose=0), model.predict(texts(3), verbose=0)
    )


def test_other_classes_and_other_kinds_have_new_heads(run):
    folder, _ = run
    other = TextClassifier.from_preset(folder, ["a", "b", "c"], seed=5)
    assert other.tasks[0].labels == ("a", "b", "c") and not other.is_settled
    regressor = TextRegressor.from_preset(folder)
    for ours, theirs in zip(regressor.encoder.weights, other.encoder.weights, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    with pytest.raises(ValueError, match="has no head of the kind tagging, but both are None"):
        TokenClassifier.from_preset(folder)


def test_a_head_is_only_replaced_with_a_warning(run, monkeypatch):
    folder, _ = run
    warned = []
    monkeypatch.setattr(presets.logging, "warning", lambda text, *args: warned.append(text % args))
    kept = TextClassifier.from_preset(folder, num_classes=2)
    assert kept.tasks[0].labels == CLASSES and kept.is_settled and not warned
    for given in ({"labels": CLASSES[::-1]}, {"num_classes": 3}):
        assert not TextClassifier.from_preset(folder, **given).is_settled
    assert "has the labels no, yes, so a new one with random weights is made for yes" in warned[0]
    assert "made for 0, 1, 2." in warned[1]


def test_hyperparameters_agree_with_the_head(run, trained, tmp_path):
    folder, _ = run
    with pytest.raises(ValueError, match="classifier_hidden_layer=True asked for, False trained"):
        TextClassifier.from_preset(folder, classifier_hidden_layer=True)
    with pytest.raises(ValueError, match=r"hidden_size=32 asked for, 16 loaded"):
        TextClassifier.from_preset(folder, model_hparam_overrides={"hidden_size": 32})
    trained("TextRegressor")[0].save_to_preset(str(tmp_path / "scores"))
    with pytest.raises(ValueError, match=r"value_range is expected to be \(0.0, 5.0\), as that"):
        TextRegressor.from_preset(str(tmp_path / "scores"), value_range=(0, 1))


def test_heads_of_huggingface_are_brought(preset, tmp_path):
    """Written there and read again: classes with a hidden layer, and BIO tags of a foreign head."""
    model = classifier(preset, classifier_hidden_layer=True)
    model.fit(texts(), classes(), epochs=1, verbose=0)
    model.save_to_preset(str(tmp_path / "own"))
    convert(open_model(str(tmp_path / "own")), "huggingface", str(tmp_path / "theirs"))
    again = TextClassifier.from_preset(str(tmp_path / "theirs"))
    np.testing.assert_allclose(
        again.predict(texts(4), verbose=0), model.predict(texts(4), verbose=0), atol=1e-6
    )
    assert again.tasks[0].labels == CLASSES
    again.fit(texts(), classes(), epochs=1, verbose=0)


@pytest.mark.slow
def test_a_head_of_other_letters_keeps_them(preset, tmp_path):
    """Foreign heads have BIO tags; they learn BIO and are scored by entities."""
    model = TokenClassifier.from_preset(preset, ("O", "B-A", "I-A"), **LEARNING)
    spec = dataclasses.replace(model.tasks[0], labels=("O", "B-A", "I-A"))
    foreign = TokenClassifier(model.config, [spec], tokenizer=model.tokenizer)
    foreign.save_to_preset(str(tmp_path / "own"))
    convert(open_model(str(tmp_path / "own")), "huggingface", str(tmp_path / "theirs"))
    again = TokenClassifier.from_preset(str(tmp_path / "theirs"), **LEARNING)
    assert again.tasks[0].labels == ("O", "B-A", "I-A")
    words, tags = tagged()
    history = again.fit(words, tags, epochs=4, verbose=0, validation_data=(words, tags)).history
    assert history["val_f1"][-1] > 90
    assert set(np.concatenate(again.predict_labels(words, verbose=0))) <= {"O", "B-A", "I-A"}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("O", "B-A", "I-A"), "B-A I-A B-A O I-A"),
        (("O", "B-A", "I-A", "L-A", "U-A"), "B-A L-A U-A O L-A"),
        (("O", "I-A"), "I-A I-A I-A O I-A"),
    ],
)
def test_predictions_have_the_letters_of_the_labels(preset, tmp_path, labels, expected):
    model = TokenClassifier.from_preset(preset, labels, **LEARNING)
    model.save_to_preset(str(tmp_path / "tagger"))
    again = TokenClassifier.from_preset(str(tmp_path / "tagger"))
    assert again.tasks[0].given_labels == labels
    tags = set(np.concatenate(again.predict_labels(["w1 w2 w3"], verbose=0)))
    assert tags <= set(labels)
    found = [given_tag(tag, labels) for tag in ("B-A", "E-A", "S-A", "O", "E-A")]
    assert found == expected.split()


# ---- Files of Keras


@pytest.mark.parametrize("name", NAMES)
def test_a_keras_file_has_everything(trained, name, tmp_path):
    model, x, _ = trained(name)
    path = str(tmp_path / "model.keras")
    model.save(path)
    loaded = keras.models.load_model(path)
    assert type(loaded) is type(model) and loaded.tasks == model.tasks
    assert_same(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert int(loaded.optimizer.iterations) == int(model.optimizer.iterations)
    assert loaded.config == model.config and loaded.is_settled


@pytest.mark.slow
def test_a_loaded_model_can_be_trained_further(trained, tmp_path):
    model, x, y = trained("TextClassifier")
    path = str(tmp_path / "model.keras")
    model.save(path)
    results = []
    for each in (keras.models.load_model(path), keras.models.load_model(path)):
        each.fit(x, y, epochs=1, verbose=0)
        results.append(each.predict(x, verbose=0))
    np.testing.assert_array_equal(*results)
    assert not np.allclose(results[0], model.predict(x, verbose=0), atol=1e-4)


def test_weights_alone(trained, preset, tmp_path):
    model, x, _ = trained("TextClassifier")
    path = str(tmp_path / "model.weights.h5")
    model.save_weights(path)
    other = classifier(preset)
    other.load_weights(path)
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.slow
def test_a_fresh_process_loads_it(trained, tmp_path):
    model, x, _ = trained("TextClassifier")
    model.save(str(tmp_path / "model.keras"))
    program = (
        "import json, sys, keras, electra_tf\n"
        "electra_tf.TextClassifier\n"
        "model = keras.models.load_model(sys.argv[1])\n"
        "print(json.dumps(model.predict(json.loads(sys.argv[2]), verbose=0).tolist()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model.keras"), json.dumps(x)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    np.testing.assert_allclose(found, model.predict(x, verbose=0), atol=1e-6)


def test_the_lines_of_the_readme_run(preset, tmp_path, monkeypatch, capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```python\n((?:(?!```).)*TextClassifier.*?)```", text, re.S)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quickstart_data" / "models").mkdir(parents=True)
    (tmp_path / "quickstart_data" / "models" / "quickstart").symlink_to(preset)
    exec(lines, {})
    assert "'accuracy'" in capsys.readouterr().out
    assert (tmp_path / "my_classifier" / "config.json").exists()


PROMPT = {"template": "{text_a} w20 {} w21", "options": {"no": "w30", "yes": "w31 w32"}}


def test_a_prompt_predicts_before_it_learns(preset, tmp_path):
    model = TextClassifier.from_preset(preset, prompt=PROMPT, **LEARNING)
    templates = [PROMPT["template"].replace("{text_a}", text) for text in texts()]
    options = list(PROMPT["options"].values())
    scored = electra_tf.load(preset).score_options(templates, options)
    found = model.predict(texts(), verbose=0)
    assert found.argmax(axis=1).tolist() == scored["option_ids"].tolist()
    model.save_to_preset(str(tmp_path / "own"))
    again = TextClassifier.from_preset(str(tmp_path / "own"))
    assert again.tasks[0].prompt == model.tasks[0].prompt
    np.testing.assert_allclose(again.predict(texts(), verbose=0), found, rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prompt": "x"}, 'prompt is expected to have the keys "template" and "options"'),
        ({"prompt": {**PROMPT, "template": "{text_a}"}}, r"with {} and {text_a} once each"),
        ({"prompt": PROMPT, "labels": ["no", "maybe"]}, "for each of the labels no, maybe, and"),
        ({"prompt": PROMPT, "num_classes": 3}, "an option for each of the labels 0, 1, 2"),
    ],
)
def test_a_prompt_that_cannot_be_used_is_named(preset, changes, message):
    with pytest.raises(ValueError, match=message):
        TextClassifier.from_preset(preset, **changes)
