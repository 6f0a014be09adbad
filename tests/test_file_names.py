# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Folders whose names hold commas, brackets, asterisks or braces are folders like others."""

import os
import shutil

import pytest
import tensorflow as tf
from tiny_finetuning import classification, finetune, make_data_dir
from tiny_run import make_examples, tiny_config, write_records

from electra_tf.cli import arguments
from electra_tf.config.finetuning import filled
from electra_tf.data import PretrainingRecords
from electra_tf.data.corpus import find_sources
from electra_tf.finetuning.prediction import Predictor
from electra_tf.patterns import escaped, listed, matching, split_patterns
from electra_tf.serving import export_model
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder, resolve_prefix
from electra_tf.training.checkpoints.checkpoint_reader import CheckpointReader

NAMES = {  # and what a pattern of that name would find, or a list of such patterns
    "lr=1e-4,bs=8": ("lr=1e-4",),
    "[x]": ("x",),
    "a*b": ("axb", "ab"),
    "q?": ("qa",),
    "{a}": ("a",),
    "back\\slash": ("backslash",),
    "[a,b]*{:}": ("aX{:}", "[a"),
}


@pytest.fixture(params=sorted(NAMES))
def folder(request, tmp_path):
    """A folder of an odd name, beside others that hold files of the same names."""
    for name in (request.param, *NAMES[request.param]):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.txt").write_text(f"in {name}")
    return tmp_path / request.param


def test_patterns_that_are_made_of_names_find_what_has_the_name(folder):
    path = str(folder / "one.txt")
    for pattern in (path, escaped(path), os.path.join(escaped(str(folder)), "*.txt")):
        (part,) = split_patterns(pattern)
        assert matching(part) == [path]
    assert listed(str(folder), "o*.txt") == [path]
    assert listed(str(folder / "none"), "*") == []


def test_text_files_of_a_corpus(folder):
    by_files = arguments.corpus_of(_flags(input_files=str(folder / "one.txt")))
    by_pattern = arguments.corpus_of(_flags(input_files=str(folder / "*.txt")))
    for corpus in (str(folder), by_files, by_pattern):
        assert [source.path for source in find_sources(corpus)] == [str(folder / "one.txt")]


def _flags(**given):
    parser = arguments.make_parser("test")
    arguments.add_corpus_flags(parser)
    return parser.parse_args([f"--{name}={value}" for name, value in given.items()])


def test_lists_of_patterns_are_lists(tmp_path):
    for name in ("a1", "a2", "b,1", "c"):
        (tmp_path / name).write_text(name)
    text = f"{tmp_path}/a*, {tmp_path}/b,1 ,{tmp_path}/c,{tmp_path}/[b,c]"
    parts = split_patterns(text)
    assert parts == [f"{tmp_path}/{name}" for name in ("a*", "b,1", "c", "[b,c]")]
    found = [[os.path.basename(path) for path in matching(part)] for part in parts]
    assert found == [["a1", "a2"], ["b,1"], ["c"], ["c"]]


def test_records_of_a_data_folder_are_its_own(folder):
    for place in folder.parent.iterdir():
        (place / "pretrain_tfrecords").mkdir()
        path = place / "pretrain_tfrecords" / "pretrain_data.tfrecord-0-of-1"
        write_records(path, make_examples(3))
    default = tiny_config(folder).pretrain_tfrecords
    expected = str(folder / "pretrain_tfrecords" / "pretrain_data.tfrecord-0-of-1")
    literal = str(folder / "pretrain_tfrecords" / "pretrain_data.tfrecord*")
    for patterns in (default, literal, os.path.dirname(expected), expected):
        assert PretrainingRecords(patterns).files == (expected,)
    shutil.rmtree(folder / "pretrain_tfrecords")
    with pytest.raises(ValueError, match="No pre-training records found"):
        PretrainingRecords(default)


def test_checkpoints(folder):
    checkpoints = CheckpointFolder(str(folder), keep=2)
    for step in (1, 2, 3):
        checkpoints.save(step, {"w": tf.Variable([float(step)])}, {})
    assert checkpoints.latest() == resolve_prefix(str(folder)) == str(folder / "model.ckpt-3")
    assert CheckpointReader(str(folder / "model.ckpt-2"))["w"].tolist() == [2.0]
    indices = sorted(path.name for path in folder.glob("*.index"))
    assert indices == ["model.ckpt-2.index", "model.ckpt-3.index"]


def test_places_for_tasks_are_not_those_of_folders():
    assert filled("/{:}/{:}_eval.json", "/{:}", "cola") == "/{:}/cola_eval.json"
    assert filled("/x/{:}/{:}.json", "/data", "cola") == "/x/cola/cola.json"
    assert filled("/{a}{:}{}/{:}_{:}_{:}.pkl", "/", "rte", "test", 2) == "/{a}{:}{}/rte_test_2.pkl"
    assert filled("/data/all.pkl", "/data", "rte", "test", 2) == "/data/all.pkl"
    assert filled("/data/{:}.pkl", "/data", "rte", "test", 2) == "/data/rte.pkl"


def test_a_run_in_a_folder_of_every_odd_character(tmp_path):
    data_dir = make_data_dir(tmp_path / "lr=1,[x]*?{a}{}{:}")
    task = classification(data_dir)
    settings = {"num_train_epochs": 1.0, "write_test_outputs": True}
    for _ in range(2):  # the second one finds the first one's features and checkpoints
        config, results = finetune(data_dir, [task], **settings)
    assert results.trials[0]["scores"]["words"]["accuracy"] >= 0
    assert os.listdir(tmp_path) == [data_dir.name]
    places = (config.preprocessed_data_dir, os.path.dirname(config.test_predictions))
    assert [len(os.listdir(place)) for place in places] == [3, 1]
    model = f"{config.model_dir}_1"
    assert len(Predictor(model).of_lines(["w1 w2"], "lines").__next__()["probabilities"]) == 2
    with pytest.raises(ValueError, match=r"export-dir .* is expected to be a path without \["):
        export_model(model, str(data_dir / "export"))
