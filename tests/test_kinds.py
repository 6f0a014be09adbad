# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A kind of task decides for itself: nobody else asks for its name, and others can be added."""

import ast
import json
import pathlib

import pytest
import tensorflow as tf
from tiny_finetuning import finetune, make_data_dir, sentences, write_task

import electra_tf
from electra_tf.config.task_kinds import BUILT_IN
from electra_tf.finetuning.files.labels import ScoreRule
from electra_tf.finetuning.kinds import KINDS, register
from electra_tf.finetuning.kinds.regression import Regression
from electra_tf.finetuning.prediction import Predictor
from electra_tf.interop.conversion import HUGGING_FACE, convert
from electra_tf.interop.opening import open_model
from electra_tf.serving.export import export_model

ROOT = pathlib.Path(__file__).parent.parent / "electra_tf"
NAMES = ("classification", "regression", "multilabel", "tagging", "qa", "embedding")
NAMES += ("prompted_classification",)
TABLES = {"interop/huggingface/names.py": {"HEADS"}}
"""File -> names of the tables in it whose keys may be names of kinds."""


def is_name_of_kind(node):
    return isinstance(node, ast.Constant) and node.value in NAMES


def questions_for_a_kind(text, tables=()):
    """Lines of a file where something depends on the name of a kind."""
    tree = ast.parse(text)
    allowed = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and {getattr(t, "id", "") for t in node.targets} & {*tables}
        for part in ast.walk(node.value)
    }
    lines = []
    for node in ast.walk(tree):
        found = []
        if isinstance(node, ast.Compare):
            found = [part for side in (node.left, *node.comparators) for part in ast.walk(side)]
        elif isinstance(node, ast.Dict) and id(node) not in allowed:
            found = node.keys
        elif isinstance(node, ast.match_case):
            found = ast.walk(node.pattern)
        elif isinstance(node, ast.Subscript):
            found = [node.slice]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            # in the manner of kind.startswith("q"), {...}.get("qa")
            found = node.args if node.func.attr in ("startswith", "endswith", "get") else []
        lines += [part.lineno for part in found if part is not None and is_name_of_kind(part)]
    return sorted(lines)


def test_all_kinds_are_looked_for():
    assert tuple(KINDS) == NAMES
    assert all(kind.name == name for name, kind in KINDS.items())


def test_a_row_names_what_a_file_can_say_and_the_kind_that_is_derived_from_it():
    for described, place in BUILT_IN:
        kind = type(KINDS[described.name])
        assert issubclass(kind, type(described))
        assert f"{kind.__module__}.{kind.__name__}" == f"electra_tf.finetuning.kinds.{place}"


@pytest.mark.parametrize(
    "text",
    [
        'if spec.kind == "qa":\n    pass',
        'is_one = kind in ("tagging", "qa")',
        'is_one = "regression" != kind',
        'table = {"multilabel": 1}',
        'match kind:\n    case "tagging" | "qa":\n        pass',
        'found = table["classification"]',
        'found = table.get("qa")',
    ],
)
def test_questions_for_a_kind_are_found(text):
    assert questions_for_a_kind(text)
    assert not questions_for_a_kind("spec = TaskSpec(name, 'qa')\nname = 'tagging'")


def test_nobody_asks_for_the_name_of_a_kind():
    problems = []
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith("finetuning/kinds/"):
            lines = questions_for_a_kind(path.read_text(encoding="utf-8"), TABLES.get(name, ()))
            problems += [f"{name}:{line}" for line in lines]
    assert not problems


class WordCount(Regression):
    """The number of the words of a text, which is its label."""

    name = "word_count"
    keys = ("columns", "header")
    metrics = ("mse",)
    most = 20.0

    def described(self, description):
        metric = description.one_of("metric", self.metrics, self.metrics[0])
        return {"metric": metric, "value_range": (0.0, self.most)}

    def label_rule(self, spec):
        return ScoreRule((0.0, self.most))

    def predicted(self, spec, predictions, row):
        return {"num_words": round(float(predictions.values[row]))}

    def served(self, spec, outputs, config):
        return {"num_words": tf.cast(tf.round(self.most * outputs["predictions"]), tf.int32)}


@pytest.fixture
def word_count():
    register(WordCount())
    yield
    del KINDS["word_count"]


def test_a_kind_has_a_name_of_its_own():
    with pytest.raises(ValueError, match="name of a kind is expected to be none of classification"):
        register(Regression())


@pytest.mark.usefixtures("word_count")
def test_a_kind_from_outside_is_trained_used_and_exported(tmp_path):
    data_dir = make_data_dir(tmp_path / "data")

    def table(count, seed):
        rows = [f"{' '.join(words)}\t{len(words)}" for words, _ in sentences(count, seed)]
        return "\n".join(["text\tcount", *rows]) + "\n"

    files = {"train.tsv": table(24, 0), "dev.tsv": table(10, 1)}
    columns = {"text_a": "text", "label": "count"}
    task = write_task(data_dir, "lengths", files, kind="word_count", format="tsv", columns=columns)
    config, results = finetune(data_dir, [task])
    scores = results.trials[0]["scores"]["lengths"]
    assert next(iter(scores)) == "mse"
    assert results.baselines["lengths"]["mse"] > 0
    details = pathlib.Path(config.results_txt.replace("_results.txt", "_results_details"))
    lines = (details / "lengths_dev_1_predictions.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["label"] for record in records] == [len(w) for w, _ in sentences(10, 1)]

    folder = f"{config.model_dir}_1"
    texts = ["w1 w4 w5", "w2 w3 w4 w5 w6 w7 w8"]
    predicted = [record["num_words"] for record in Predictor(folder).of_lines(texts, "texts")]
    with pytest.raises(ValueError, match="has none for a task of the kind word_count, only for"):
        convert(open_model(folder), HUGGING_FACE, str(tmp_path / "huggingface"))
    assert all(isinstance(count, int) for count in predicted)
    export_model(folder, str(tmp_path / "exported"))
    for place in (folder, tmp_path / "exported"):
        found = electra_tf.load(str(place)).predict(texts)
        assert found["num_words"].tolist() == predicted
