# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The table of tasks, tasks described in JSON, and the labels and splits that they get."""

import dataclasses
import json
import pathlib

import pytest
from task_files import TASK_FOLDERS, write

from electra_tf.config.task_json import task_from_json
from electra_tf.config.task_table import TASKS, HeldOut
from electra_tf.finetuning.kinds import KINDS
from electra_tf.finetuning.kinds.tagging import UNSEEN_TAG
from electra_tf.finetuning.starting_weights import asked_config
from electra_tf.finetuning.task import is_held_out, load_task

CONFIGS = pathlib.Path(__file__).parent.parent.parent / "configs" / "finetuning"
DESCRIBED = sorted(path.stem for path in CONFIGS.glob("*.json"))


def test_all_tasks_of_the_reference_and_more_are_there():
    assert set(TASKS) == {
        *("cola", "sst", "mrpc", "qqp", "sts", "mnli", "qnli", "rte", "wnli"),
        *("squad", "squadv1", "newsqa", "naturalqs", "triviaqa", "searchqa", "hotpotqa"),
        *("chunk", "ner", "pos", "ccg"),
    }
    for spec in (row.spec for row in TASKS.values()):
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
    with pytest.raises(ValueError, match=r"line 3: expected tags O, B-type, .* 'Y'"):
        load_task("ner", folder)
    assert load_task("ner", folder, tmp_path / "skipped").spec.labels == ("S-X",)
    assert (tmp_path / "skipped").read_text().startswith("1 rows skipped\n")


def test_no_sentence_left_is_an_error(tmp_path):
    folder = tagged(tmp_path, train="a X / b Y")
    with pytest.raises(ValueError, match=r"train\.txt: .* received an empty split"):
        load_task("ner", folder, tmp_path / "skipped")


def test_mnli_has_its_gold_label_last_whatever_is_before(tmp_path):
    names = ["index", *"abcdefg", "sentence1", "sentence2"]
    votes = ["label1", "label2", "label3", "label4", "label5"]
    cells = ["0", *"abcdefg", 'a "b', "c", *["neutral"] * 5, "entailment"]
    text = "\t".join([*names, *votes, "gold_label"]) + "\n" + "\t".join(cells) + "\n"
    write(tmp_path / "dev_matched.tsv", text)
    (example,) = load_task("mnli", tmp_path).examples("dev")
    assert (example.text_a, example.text_b, example.label) == ('a "b', "c", "entailment")


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_described_task_loads_and_is_in_the_readme(name):
    spec = task_from_json(CONFIGS / f"{name}.json")
    assert name.startswith(spec.name)  # a second file for the same data has its name in front
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


def test_metrics_of_two_labels_need_two(tmp_path):
    write(tmp_path / "data.tsv", "text\tlabel\nx\tno\ny\tyes\nz\tmaybe\n")
    with pytest.raises(ValueError, match=r"metric f1 of the task own is for two labels, .* are 3"):
        load_task(described(tmp_path, metric="f1"), tmp_path)
    labels = ["yes", "no"]
    with pytest.raises(ValueError, match=r"labels yes, no, received 'maybe'\. To leave"):
        load_task(described(tmp_path, metric="f1", labels=labels), tmp_path).examples("train")


def test_labels_of_spans_may_be_those_of_the_files(tmp_path):
    write(tmp_path / "data.txt", "a B-X\nb I-X\nc B-X\n")
    tags = {"kind": "tagging", "format": "conll", "columns": ..., "files": {"train": "data.txt"}}
    path = described(tmp_path, **tags, labels=["O", "B-X", "I-X"])
    task = load_task(path, tmp_path)
    assert task.spec.labels == ("O", "B-X", "I-X", "E-X", "S-X")
    assert len(task.examples("train")) == 1
    with pytest.raises(ValueError, match=r"'labels' to be tags O, B-type, .* received \['X'\]"):
        load_task(described(tmp_path, **tags, labels=["O", "X"]), tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cola", (128, 3.0)),
        ("rte", (128, 10.0)),
        ("sts", (128, 10.0)),
        ("chunk", (256, 3.0)),
        ("squad", (512, 2.0)),
        ("triviaqa", (512, 2.0)),
        ("{}/qa/rte.json", (128, 3.0)),
        ("{}/qa/spans.json", (512, 2.0)),
        ("{}/qa/absent.json", (128, 3.0)),
    ],
)
def test_defaults_follow_the_task_and_of_own_ones_the_kind(name, expected, tmp_path):
    folder = tmp_path / "qa"
    folder.mkdir()
    write(folder / "rte.json", '{"kind": "classification"}')
    write(folder / "spans.json", '{"kind": "qa"}')
    hparams = {"task_names": [name.format(tmp_path)]}
    config = asked_config("model", str(tmp_path), hparams)
    assert (config.max_seq_length, config.num_train_epochs) == expected


def test_one_label_is_too_few(tmp_path):
    write(tmp_path / "data.tsv", "text\tlabel\nx\tno\n")
    with pytest.raises(ValueError, match=r"expected at least two labels, received \['no'\]"):
        load_task(described(tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"kind": ...}, r"expected 'kind' to be given"),
        ({"kind": "ranking"}, r"'kind' to be one of classification, .*, received 'ranking'"),
        ({"lables": ["a", "b"]}, r"has no key 'lables': did you mean 'labels'"),
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
        ({"unlabelled": ["train"]}, r"'unlabelled' to leave out train and dev, received 'train'"),
        (
            {
                "files": {"train": "a.tsv", "test": "b.tsv"},
                "unlabelled": ["test"],
                "held_out": {"split": "dev", "from": "test", "share": 0.1},
            },
            r"'held_out' from a split with labels",
        ),
        ({"kind": "regression"}, r"'value_range' to be \[lowest, highest\] score, received None"),
        ({"kind": "regression", "value_range": [5, 1]}, r"'value_range' to be"),
        ({"held_out": {"split": "dev"}}, r"'held_out' to have the keys"),
        ({"held_out": {"split": "train", "from": "train", "share": 0.1}}, r"to be a new split"),
        ({"held_out": {"split": "dev", "from": "test", "share": 0.1}}, r"from one of \['train'\]"),
        ({"held_out": {"split": "dev", "from": "train", "share": 2.0}}, r"share between 0 and 1"),
        ({"double_unordered": True}, r"'double_unordered' of pairs only, received no 'text_b'"),
        ({"name": "a/b"}, r"'name' to be letters, digits and _"),
    ],
)
def test_descriptions_that_do_not_fit_are_errors(changed, expected, tmp_path):
    path = described(tmp_path, **changed)
    with pytest.raises(ValueError, match=expected) as error:
        task_from_json(path)
    assert str(path) in str(error.value)


def test_descriptions_must_be_json_objects(tmp_path):
    with pytest.raises(ValueError, match=r"a\.json is expected .* line 2"):
        task_from_json(write(tmp_path / "a.json", '{\n"kind": }'))
    with pytest.raises(ValueError, match="expected to be a JSON object, but is"):
        task_from_json(write(tmp_path / "a.json", "[]"))
    with pytest.raises(FileNotFoundError, match="No such file"):
        task_from_json(tmp_path / "none.json")


CHINESE = ("北京是中国的首都。", "上海是一座城市。")


@pytest.mark.parametrize(
    ("contexts", "changed", "hints"),
    [
        (CHINESE, {}, 1),
        (CHINESE, {"answer_units": "characters"}, 0),
        (("กรุงเทพมหานครเป็นเมืองหลวง และนครที่มีประชากรมากที่สุด",), {}, 1),
        (("北京 是 中国 的 首都 。",), {}, 0),
        (("서울은 대한민국의 수도이다.",), {}, 0),
        (("Tokyo (東京) is the capital of Japan.",), {}, 0),
    ],
)
def test_words_without_spaces_between_them_are_hinted_at(
    contexts, changed, hints, tmp_path, caplog
):
    paragraphs = [
        {
            "context": c,
            "qas": [{"id": n, "question": "?", "answers": [{"text": c[0], "answer_start": 0}]}],
        }
        for n, c in enumerate(contexts)
    ]
    for split in ("train", "dev"):
        write(tmp_path / f"{split}.json", json.dumps({"data": [{"paragraphs": paragraphs}]}))
    files = {"train": "train.json", "dev": "dev.json"}
    fields = {"kind": "qa", "format": "squad_v2", "files": files, **changed}
    task = load_task(write(tmp_path / "own.json", json.dumps(fields)), tmp_path)
    assert task.spec.answer_units == changed.get("answer_units", "words")
    for split in files:
        task.examples(split)
    assert [r.message.count('"answer_units": "characters"') for r in caplog.records] == [1] * hints


def test_answer_units_are_words_or_characters_of_questions(tmp_path):
    with pytest.raises(ValueError, match="no key 'answer_units'"):
        task_from_json(described(tmp_path, answer_units="characters"))
    fields = {"kind": "qa", "format": "squad_v1", "columns": ..., "answer_units": "letters"}
    with pytest.raises(ValueError, match="'answer_units' to be one of words, characters"):
        task_from_json(described(tmp_path, **fields))


@pytest.mark.parametrize("key", ["name", "kind", "format", "files"])
def test_messages_on_long_values_are_short(tmp_path, key):
    fields = {"kind": "classification", "format": "tsv", "files": {"train": "t.tsv"}}
    (tmp_path / "own.json").write_text(json.dumps({**fields, key: "y" * 5000}))
    with pytest.raises(ValueError, match=rf"/own.json: expected '{key}' .*\.\.\.") as raised:
        task_from_json(tmp_path / "own.json")
    assert len(str(raised.value)) < 700
