# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Texts, labels and weights in any container; what is wrong with them is named."""

import math
import re

import numpy as np
import pytest
import tensorflow as tf
from task_data import CLASSES, NAMES, QUESTION_SETTINGS, classes, classifier, make, texts
from tiny_finetuning import LEARNING

from electra_tf.task_models import (
    MultiLabelClassifier,
    QuestionAnswerer,
    TextClassifier,
    TextRegressor,
    TokenClassifier,
)


@pytest.fixture(scope="module")
def models(preset):
    names = [getattr(name, "values", [name])[0] for name in NAMES]
    return {name: make(name, preset)[0] for name in names}


def examples(model, x, y=None, weights=None):
    """What a model reads of its arguments."""
    return model.examples(model._read(x, y, weights))


def slices(*parts):
    return tf.data.Dataset.from_tensor_slices(parts)


NAMED = [CLASSES[label] for label in classes()]
CONTAINERS = {
    "tuples": lambda x, y: (tuple(x), tuple(y)),
    "numpy": lambda x, y: (np.array(x), np.array(y)),
    "objects": lambda x, y: (np.array(x, object), np.array(y, np.int64)),
    "columns": lambda x, y: ({"text": x}, y),
    "names": lambda x, y: (x, NAMED),
    "floats": lambda x, y: (x, np.array(y, np.float32)),
    "bools": lambda x, y: (x, np.array(y, bool)),
    "tensors": lambda x, y: (tf.constant(x), tf.constant(y)),
    "bytes": lambda x, y: ([text.encode() for text in x], y),
    "dataset": lambda x, y: (slices(x, y),),
    "batches": lambda x, y: (slices(x, y).batch(7),),
    "columns_dataset": lambda x, y: (slices({"text": x}, NAMED).batch(5),),
    "generator": lambda x, y: (
        tf.data.Dataset.from_generator(
            lambda: zip(x, y, strict=True),
            output_signature=(tf.TensorSpec([], tf.string), tf.TensorSpec([], tf.int32)),
        ),
    ),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_container_does_not_matter(models, container):
    model = models["TextClassifier"]
    expected = examples(model, texts(), classes())
    assert examples(model, *CONTAINERS[container](texts(), classes())) == expected
    assert [example.label for example in expected] == NAMED


PAIRS = {
    "columns": lambda a, b: (a, b),
    "rows": lambda a, b: list(zip(a, b, strict=True)),
    "lists": lambda a, b: [list(pair) for pair in zip(a, b, strict=True)],
    "numpy": lambda a, b: np.stack([a, b], axis=1),
    "names": lambda a, b: {"text_pair": b, "text": a},
    "dataset": lambda a, b: slices((a, b), np.zeros(len(a))),
}


@pytest.mark.parametrize("form", PAIRS)
def test_pairs(models, form):
    first, second = texts(6), texts(6, seed=1)
    y = None if form == "dataset" else [0.0] * 6
    found = examples(models["TextRegressor"], PAIRS[form](first, second), y)
    assert [(e.text_a, e.text_b, e.label) for e in found] == [
        (a, b, 0.0) for a, b in zip(first, second, strict=True)
    ]


def test_labels_of_several_classes(models):
    model = models["MultiLabelClassifier"]

    def labels(y):
        return [example.label for example in examples(model, texts(3), y)]

    expected = [("yes",), (), ("no", "yes")]
    assert labels([["yes"], [], ["no", "yes"]]) == expected
    assert labels([[0, 1], [0, 0], [1, 1]]) == expected
    assert labels(np.array([[0, 1], [0, 0], [1, 1]], np.float32)) == expected
    assert labels([[1], [], ["no", 1]]) == expected
    ragged = tf.ragged.constant([["yes"], [], ["no", "yes"]])
    dataset = tf.data.Dataset.from_tensor_slices((texts(3), ragged)).batch(2)
    assert [e.label for e in examples(model, dataset)] == expected


def test_whole_numbers_are_names_of_classes_that_are_whole_numbers(preset):
    model = TextClassifier.from_preset(preset, [1, 2, 3], **LEARNING)
    assert [e.label for e in examples(model, texts(3), [3, 1, 2])] == ["3", "1", "2"]
    with pytest.raises(ValueError, match=r"y\[0\] is expected to be one of the labels 1, 2, 3"):
        examples(model, texts(1), [0])


def test_words_and_tags(models):
    model = models["TokenClassifier"]
    expected = examples(model, [["w1", "w2"], ["w3"]], [["B-A", "O"], ["O"]])
    assert [(e.words, e.tags) for e in expected] == [
        (("w1", "w2"), ("B-A", "O")),
        (("w3",), ("O",)),
    ]
    assert examples(model, ["w1 w2", "w3"], ["B-A O", "O"]) == expected
    assert examples(model, [("w1", "w2"), ("w3",)], [[1, 0], [0]]) == expected
    assert examples(model, slices(["w1 w2", "w3"], ["B-A O", "O"]).batch(2)) == expected
    other = examples(model, ["w1 w2"], ["B-A L-A"])  # BILOU
    assert other[0].tags == ("B-A", "L-A")


ANSWERS = [
    ("w2", 3),
    {"text": "w2", "start": 3},
    {"text": "w2", "answer_start": 3},
    {"text": ["w2", "w2"], "answer_start": [3, 3]},
    [("w2", 3), ("w1", 0)],
]


@pytest.mark.parametrize("answer", ANSWERS, ids=str)
def test_answers(preset, answer):
    model = QuestionAnswerer.from_preset(preset, **LEARNING | QUESTION_SETTINGS)
    (found,) = examples(model, [("w9", "w1 w2")], [answer])
    assert found.answers[0] == ("w2", 3) and found.is_impossible is False
    model._labelled(model._read([("w9", "w1 w2")] * 2, [answer, None], None))
    for none in (None, "", [], {}, ("", 0), {"text": [], "answer_start": []}):
        (found,) = examples(model, {"question": ["w9"], "context": ["w1 w2"]}, [none])
        assert found.is_impossible and not found.answers


# ---- Errors


WRONG = [
    ("TextClassifier", [], [], "x is expected to have at least one row, but is empty"),
    ("TextClassifier", "w1", [0], "x is expected to be a sequence of rows, but is 'w1'"),
    ("TextClassifier", ["w1", None], [0, 1], r"x\[1\] is expected to be a text in Unicode"),
    ("TextClassifier", ["w1", "\ud800"], [0, 1], r"x\[1\] is expected to be a text in Unicode"),
    ("TextClassifier", [b"\xff"], [0], r"x\[0\] is expected to be a text in Unicode"),
    ("TextClassifier", ["w1"], None, "y is expected to be the labels of the texts, but is None"),
    ("TextClassifier", ["w1", "w2"], [0], "a label for each of the 2 texts, but has 1"),
    ("TextClassifier", ["w1"], ["maybe"], r"y\[0\] is expected to be one of the labels no, yes"),
    ("TextClassifier", ["w1"], [2], r"or the id of one, 0 to 1, but is 2"),
    ("TextClassifier", ["w1"], [-1], r"or the id of one, 0 to 1, but is -1"),
    ("TextClassifier", ["w1"], [0.5], r"y\[0\] is expected to be one of the labels"),
    ("TextClassifier", ["w1"], [[1, 0]], r"y\[0\] is expected to be one of the labels"),
    ("TextClassifier", ["w1", "w2"], [0, None], r"y\[1\] is expected to be one of the labels"),
    ("TextClassifier", ["w1"], [math.nan], r"y\[0\] is expected to be one of the labels"),
    ("TextClassifier", {"txt": ["w1"]}, [0], "unknown column 'txt': did you mean 'text'"),
    ("TextClassifier", {"text_pair": ["w1"]}, [0], "x is expected to have the column 'text'"),
    (
        "TextClassifier",
        (["w1"], ["w1", "w2"]),
        [0],
        "expected to have one length, but have 1 and 2",
    ),
    ("TextClassifier", [("w1", "w2"), "w3"], [0, 1], r"x\[1\] is expected to be \(text, text_pair"),
    ("TextClassifier", [("w1", "w2", "w3")], [0], r"x\[0\] is expected to be \(text, text_pair\)"),
    ("MultiLabelClassifier", ["w1"], ["yes"], r"y\[0\] is expected to be a list of labels"),
    ("MultiLabelClassifier", ["w1"], [["yes", "x"]], r"y\[0\] is expected to be one of the labels"),
    ("MultiLabelClassifier", ["w1"], [None], r"y\[0\] is expected to be a list of labels"),
    ("TextRegressor", ["w1"], [None], r"y\[0\] is expected to be a number from 0 to 5"),
    ("TextRegressor", ["w1"], [5.5], r"y\[0\] is expected to be a number from 0 to 5, the value_r"),
    ("TextRegressor", ["w1"], ["1"], r"y\[0\] is expected to be a number from 0 to 5"),
    ("TokenClassifier", ["w1 w2"], ["O"], r"y\[0\] is expected to have a tag for each of the 2"),
    ("TokenClassifier", ["w1"], [None], r"y\[0\] is expected to be "),
    ("TokenClassifier", ["w1"], ["B-B"], r"y\[0\]\[0\] is expected to be one of the labels"),
    ("TokenClassifier", [7], ["O"], r"x\[0\] is expected to be a sequence of words"),
    ("TokenClassifier", [["w1", None]], ["O O"], r"x\[0\]\[1\] is expected to be a text"),
    ("QuestionAnswerer", ["w1"], [None], "x is expected to be question and context, as two"),
    (
        "QuestionAnswerer",
        [("w1", "w2")],
        [("w3", 0)],
        r"y\[0\] is expected to be the answer 'w3' at",
    ),
    (
        "QuestionAnswerer",
        [("w1", "w2")],
        ["w2"],
        r"y\[0\] is expected to be a list under 'answers'",
    ),
    ("QuestionAnswerer", [("w1", "w2")], [None], r"y\[0\] is expected to be at least one answer"),
]


@pytest.mark.parametrize(("name", "x", "y", "message"), WRONG, ids=str)
def test_what_is_wrong_is_named(models, name, x, y, message):
    with pytest.raises(ValueError, match=message):
        examples(models[name], x, y)


@pytest.mark.parametrize(
    ("weights", "received"),
    [([1.0], "[1.0]"), ([1.0, -1.0], "-1.0"), ([1.0, np.nan], "nan"), ([1, "a"], "'a'")],
)
def test_weights_are_checked(models, weights, received):
    expected = "sample_weight is expected to be 2 numbers of at least 0, one for each text, but is"
    with pytest.raises(ValueError, match=f"{expected}.*{re.escape(received)}"):
        examples(models["TextClassifier"], texts(2), [0, 1], weights)


def test_datasets_are_finite_and_have_everything_inside(models):
    model = models["TextClassifier"]
    endless = slices(texts(2), [0, 1]).repeat()
    with pytest.raises(ValueError, match="x is expected to be a finite dataset"):
        model.fit(endless)
    with pytest.raises(ValueError, match="y is expected to be None for a dataset"):
        model.fit(slices(texts(2)), [0, 1])
    with pytest.raises(ValueError, match="x is expected to have at least one row, but is an empty"):
        model.fit(slices(texts(2), [0, 1]).take(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size is expected to be a number of at least 1, but is 0"),
        ({"epochs": 0}, "epochs is expected to be a number of at least 1, but is 0"),
        ({"steps_per_epoch": 1.5}, "steps_per_epoch is expected to be a number of at least 1"),
        ({"validation_split": 1.5}, "validation_split is expected to be a share between 0 and 1"),
        ({"validation_split": 0.5, "x": texts(1), "y": [0]}, "leaves rows on both sides of the 1,"),
        ({"validation_data": texts(3)[:1]}, r"validation_data is expected to be \(texts, labels\)"),
        ({"class_weight": {"maybe": 1.0}}, "a key of class_weight is expected to be one of the"),
        ({"class_weight": {"yes": -1}}, "class_weight of 'yes' is expected to be a number of at"),
        ({"class_weight": [1, 2]}, "class_weight is expected to be class -> weight"),
    ],
    ids=str,
)
def test_options_of_fit_are_checked(models, options, message):
    with pytest.raises(ValueError, match=message):
        models["TextClassifier"].fit(**{"x": texts(), "y": classes(), "verbose": 0, **options})


def test_only_losses_of_classes_have_weights_of_classes(models):
    for name, x, y in (
        ("MultiLabelClassifier", texts(2), [["yes"], []]),
        ("TextRegressor", texts(2), [1.0, 2.0]),
    ):
        with pytest.raises(ValueError, match=f"class_weight is expected to be None for {name}"):
            models[name].fit(x, y, class_weight={0: 1.0})


def test_the_first_labels_decide_on_pairs(preset):
    model = classifier(preset)
    model.evaluate(texts(4), classes(4), verbose=0)
    pairs = (texts(4), texts(4))
    for use in (lambda: model.fit(pairs, classes(4)), lambda: model.predict(pairs)):
        with pytest.raises(ValueError, match="each row of x is expected to be one text, as the"):
            use()


def test_what_fails_does_not_decide_on_pairs(preset):
    model = classifier(preset)
    pairs = (texts(4), texts(4))
    for use in (
        lambda: model.fit(pairs, ["maybe"] * 4),
        lambda: model.fit(pairs, classes(4), class_weight={"maybe": 1}),
        lambda: model.fit(pairs, classes(4), validation_data=(pairs, ["maybe"] * 4)),
        lambda: model.evaluate(pairs, ["maybe"] * 4),
        lambda: model.evaluate(pairs, classes(4), batch_size=0),
    ):
        with pytest.raises(ValueError, match="is expected to be"):
            use()
        assert not model.is_settled
    model.evaluate(texts(4), classes(4), verbose=0)
    assert model.reads_pairs is False


def test_the_second_texts_of_a_dataset_are_not_left_out(preset):
    model = classifier(preset)
    first, second = texts(4), texts(4, seed=1)
    with pytest.raises(ValueError, match=r"dataset of texts or of \(\(text, text_pair\),\), since"):
        model.predict(slices(first, second), verbose=0)
    assert len(model.predict(slices(first, classes(4)), verbose=0)) == 4  # labels are, as in Keras
    model.evaluate((first, second), classes(4), verbose=0)
    expected = model.predict((first, second), verbose=0)
    for dataset in (slices(first, second).batch(3), slices((first, second))):
        np.testing.assert_array_equal(model.predict(dataset, verbose=0), expected)
    with pytest.raises(ValueError, match="each row of x is expected to be"):
        model.predict(slices(first, classes(4)), verbose=0)
    asked, _, _ = make("QuestionAnswerer", preset)
    found = asked.predict(slices(["w1 w2"], ["w3 w4 w5"]), verbose=0)
    assert found == asked.predict([("w1 w2", "w3 w4 w5")], verbose=0)


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        (TextClassifier, {}, "labels is expected to be the names of the classes, or num_classes"),
        (TextClassifier, {"labels": ["a"]}, "labels is expected to be the different names of at"),
        (TextClassifier, {"labels": ["a", "a"]}, "labels is expected to be the different names"),
        (TextClassifier, {"labels": "ab"}, "labels is expected to be the different names"),
        (TextClassifier, {"num_classes": 1}, "num_classes is expected to be at least 2, but is 1"),
        (
            TextClassifier,
            {"labels": ["a", "b"], "num_classes": 3},
            "num_classes is expected to be 2",
        ),
        (MultiLabelClassifier, {"labels": []}, "different names of at least 1 classes"),
        (TextRegressor, {"value_range": (1, 1)}, r"value_range is expected to be \(lowest, high"),
        (TextRegressor, {"lerning_rate": 1.0}, "unknown hyperparameter 'lerning_rate': did you"),
        (
            TokenClassifier,
            {"num_classes": 2, "max_seq_length": 17},
            "max_seq_length is expected to",
        ),
        (QuestionAnswerer, {"task": "squad"}, "which has none, but is 'squad'"),
        (TextRegressor, {"task_names": ["sts"]}, "unknown hyperparameter 'task_names'"),
        *(
            (TextRegressor, {name: value}, f"{name} is expected to be left out, since it has no ef")
            for name, value in {
                "early_stopping_patience": 1,
                "eval_every_steps": 2,
                "num_trials": 3,
                "strategy": "mirrored",
                "tpu_name": "a",
                "do_train": False,
                "results_txt": "a.txt",
                "skip_bad_rows": True,
            }.items()
        ),
    ],
)
def test_arguments_of_from_preset_are_checked(preset, model, arguments, message):
    with pytest.raises(ValueError, match=message):
        model.from_preset(preset, **arguments)
