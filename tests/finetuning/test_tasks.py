# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The table of tasks, tasks described in JSON, and the labels and splits that they get."""

import dataclasses
import json
import pathlib

import pytest
from task_files import TASK_FOLDERS, write

from electra_tf.finetuning.task import UNSEEN_TAG, is_held_out, load_task
from electra_tf.finetuning.task_json import task_from_json
from electra_tf.finetuning.task_table import KINDS, TASKS, HeldOut

CONFIGS = pathlib.Path(__file__).parent.parent.parent / "configs" / "finetuning"
DESCRIBED = sorted(path.stem for path in CONFIGS.glob("*.json"))


def test_all_tasks_of_the_reference_and_more_are_there():
    assert set(TASKS) == {
        *("cola", "sst", "mrpc", "qqp", "sts", "mnli", "qnli", "rte", "wnli"),
        *("squad", "squadv1", "newsqa", "naturalqs", "triviaqa", "searchqa", "hotpotqa"),
        *("chunk", "ner", "pos", "ccg"),
    }
    for spec in TASKS.values():
        assert spec.kind in KINDS
        assert {"train", "dev"} <= set(spec.split_names)


@pytest.mark.parametrize("name", ["cola", "sst", "mrpc", "qqp", "sts", "mnli", "qnli", "rte"])
def test_every_split_of_a_built_in_task_is_read(name):
    task = load_task(name, TASK_FOLDERS)
    for split in task.spec.split_names:
        assert task.has(split)
        examples = task.examples(split)
        assert len(examples) == (12 if task.is_labelled(split) else 4)
        assert all((e.label is not None) == task.is_labelled(split) for e in examples)
    doubled = task.examples("train", double_unordered=True)
    assert len(doubled) == (24 if name in ("mrpc", "sts") else 12)


def test_wnli_has_the_columns_of_its_release(tmp_path):
    write(tmp_path / "train.tsv", "index\tsentence1\tsentence2\tlabel\n0\ta\tb\t1\n")
    (example,) = load_task("wnli", tmp_path).examples("train")
    assert (example.text_a, example.text_b, example.label) == ("a", "b", "1")


def test_unknown_names_are_errors_with_the_choices(tmp_path):
    with pytest.raises(ValueError, match=r"'colla' is not known; .* cola, sst"):
        load_task("colla", tmp_path)
    with pytest.raises(ValueError, match=r"rte has no split 'val'; it has train, dev, test"):
        load_task("rte", tmp_path).examples("val")


def tagged(folder, **splits):
    for name, text in splits.items():
        write(folder / f"{name}.txt", text.replace(" / ", "\n\n").replace(", ", "\n"))
    return folder


def test_tags_come_from_all_splits_and_unseen_ones_of_ccg_share_a_label(tmp_path):
    folder = tagged(tmp_path, train="a N, b V", dev="a N, c X, d Y")
    assert load_task("pos", folder).spec.labels == ("N", "V", "X", "Y")
    assert load_task("ccg", folder).spec.labels == ("N", "V", UNSEEN_TAG)
    seen = tagged(tmp_path, dev="b V")
    assert load_task("ccg", seen).spec.labels == ("N", "V")


def test_tags_of_spans_become_bioes_and_others_are_errors(tmp_path):
    folder = tagged(tmp_path, train="a B-geo-loc, b I-geo-loc, c O")
    assert load_task("ner", folder).spec.labels == ("B-geo-loc", "E-geo-loc", "O")
    tagged(tmp_path, train="a B-X / b Y")
    with pytest.raises(ValueError, match=r"line 3 \(sentence\): expected tags O, B-type, .* 'Y'"):
        load_task("ner", folder)
    assert load_task("ner", folder, tmp_path / "skipped").spec.labels == ("S-X",)
    assert (tmp_path / "skipped").read_text().startswith("1 rows skipped\n")


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_described_task_loads_and_is_in_the_readme(name):
    spec = task_from_json(CONFIGS / f"{name}.json")
    assert spec.name == name
    assert f"`{name}`" in (CONFIGS / "README.md").read_text()


TSV = {
    "kind": "classification",
    "format": "tsv",
    "columns": {"text_a": "text", "label": "label"},
    "files": {"train": "data.tsv"},
}


def described(tmp_path, **changed):
    fields = {key: value for key, value in (TSV | changed).items() if value is not ...}
    return write(tmp_path / "own.json", json.dumps(fields))


def test_own_data_need_nothing_but_a_description(tmp_path):
    write(tmp_path / "data.tsv", "text\tlabel\nx\tno\ny\tmaybe\n")
    task = load_task(described(tmp_path, metric="macro_f1"), tmp_path)
    assert (task.name, task.spec.labels, task.spec.metric) == ("own", ("maybe", "no"), "macro_f1")
    assert [e.label for e in task.examples("train")] == ["no", "maybe"]
    assert not task.has("dev")


def test_a_share_is_held_out_by_the_text(tmp_path):
    rows = [f"text {number % 200}\t{number % 2}" for number in range(400)]
    write(tmp_path / "data.tsv", "\n".join(["text\tlabel", *rows]) + "\n")
    path = described(tmp_path, held_out={"split": "dev", "from": "train", "share": 0.25})
    task = load_task(path, tmp_path)
    train, dev = ([e.text_a for e in task.examples(split)] for split in ("train", "dev"))
    assert sorted(train + dev) == sorted(row.split("\t")[0] for row in rows)
    assert not set(train) & set(dev)
    assert 60 < len(dev) < 140
    assert task.has("dev")
    assert task.is_labelled("dev")
    assert all(is_held_out(text, 0.25) for text in dev)
    tiny = dataclasses.replace(task.spec, held_out=HeldOut("dev", "train", 1e-9))
    with pytest.raises(ValueError, match="expected examples for 'dev'"):
        dataclasses.replace(task, spec=tiny).examples("dev")


def test_labels_of_held_out_texts_are_known(tmp_path):
    rows = [f"text {number}\tlabel {number}" for number in range(20)]
    write(tmp_path / "data.tsv", "\n".join(["text\tlabel", *rows]) + "\n")
    path = described(tmp_path, held_out={"split": "dev", "from": "train", "share": 0.5})
    task = load_task(path, tmp_path)
    assert len(task.spec.labels) == 20
    assert len(task.examples("train")) + len(task.examples("dev")) == 20


def test_other_files_in_the_layout_of_a_split_can_be_read(tmp_path):
    write(tmp_path / "data.tsv", "text\tlabel\nx\tno\ny\tmaybe\n")
    task = load_task(described(tmp_path), tmp_path)
    other = write(tmp_path / "other.tsv", "id\ttext\n5\tnew\n")
    (example,) = task.examples_of(other, like="train")
    assert (example.text_a, example.label, example.file) == ("new", None, str(other))


def test_one_label_is_too_few(tmp_path):
    write(tmp_path / "data.tsv", "text\tlabel\nx\tno\n")
    with pytest.raises(ValueError, match=r"expected at least two labels, received \['no'\]"):
        load_task(described(tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"kind": ...}, r"expected 'kind' to be given"),
        ({"kind": "ranking"}, r"'kind' to be one of classification, .*, received 'ranking'"),
        ({"lables": ["a", "b"]}, r"has no key 'lables'; the keys are .*labels"),
        ({"scheme": "spans"}, r"kind classification has no key 'scheme'"),
        ({"format": "conll"}, r"'format' to be one of tsv, csv, jsonl, received 'conll'"),
        ({"files": {}}, r"'files' to be"),
        ({"files": {"train": 3}}, r"'files' to be"),
        ({"columns": {"label": "label"}}, r"'columns' to have 'text_a'"),
        ({"columns": {"text_a": "text"}}, r"'columns' to have 'label' for labelled splits"),
        (
            {"columns": {"text_a": "t", "label": 1, "c": 2}},
            r"to place text_a, text_b, label, .*'c'",
        ),
        ({"header": False}, r"'columns' to be numbers, since there is no header"),
        ({"labels": ["a"]}, r"'labels' to be a list of two or more"),
        ({"labels": ["a", "a"]}, r"'labels' to be different"),
        ({"metric": "spearman"}, r"'metric' to be one of accuracy, .*, received 'spearman'"),
        ({"unlabelled": ["test"]}, r"'unlabelled' to be among \['train'\], received 'test'"),
        ({"kind": "regression"}, r"'value_range' to be \[lowest, highest\] score, received None"),
        ({"kind": "regression", "value_range": [5, 1]}, r"'value_range' to be"),
        ({"held_out": {"split": "dev"}}, r"'held_out' to have the keys"),
        ({"held_out": {"split": "train", "from": "train", "share": 0.1}}, r"to be a new split"),
        ({"held_out": {"split": "dev", "from": "test", "share": 0.1}}, r"from one of \['train'\]"),
        ({"held_out": {"split": "dev", "from": "train", "share": 2.0}}, r"share between 0 and 1"),
        ({"name": "a/b"}, r"'name' to be letters, digits and _"),
    ],
)
def test_descriptions_that_do_not_fit_are_errors(changed, expected, tmp_path):
    path = described(tmp_path, **changed)
    with pytest.raises(ValueError, match=expected) as error:
        task_from_json(path)
    assert str(path) in str(error.value)


def test_descriptions_must_be_json_objects(tmp_path):
    with pytest.raises(ValueError, match=r"a\.json, line 2: expected JSON"):
        task_from_json(write(tmp_path / "a.json", '{\n"kind": }'))
    with pytest.raises(ValueError, match="expected a JSON object, received a list"):
        task_from_json(write(tmp_path / "a.json", "[]"))
    with pytest.raises(FileNotFoundError, match="does not exist"):
        task_from_json(tmp_path / "none.json")
