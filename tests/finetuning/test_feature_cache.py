# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Cached features: used again when nothing changed, made anew when anything did."""

import concurrent.futures
import io
import os
import pathlib
import shutil
import threading

import numpy as np
import pytest
import tensorflow as tf
from task_files import GOLDENS
from tiny_finetuning import MODEL, SETTINGS, classification

from electra_tf.files import TEMPORARY
from electra_tf.finetuning import split_data
from electra_tf.finetuning.run import load_matching_tokenizer
from electra_tf.finetuning.split_data import load_split
from electra_tf.finetuning.task import load_task
from electra_tf.runs import resolve_finetuning


@pytest.fixture
def made(monkeypatch):
    """Counts how often features are made."""
    calls = []
    make = split_data.split_of_examples

    def counted(task, *arguments):
        calls.append(task.name)
        return make(task, *arguments)

    monkeypatch.setattr(split_data, "split_of_examples", counted)
    return calls


def load(data_dir, name, split="train", **changes):
    config, _ = resolve_finetuning(
        MODEL, str(data_dir), {**SETTINGS, "task_names": [name], **changes}
    )
    task = load_task(name, config.raw_data_dir)
    data = load_split(task, split, 2, config, load_matching_tokenizer(config), split == "train")
    return data, config


def files_of(config):
    return sorted(path.name for path in pathlib.Path(config.preprocessed_data_dir).iterdir())


def assert_same(one, two):
    assert set(one.arrays) == set(two.arrays)
    for name, rows in one.arrays.items():
        np.testing.assert_array_equal(rows, two.arrays[name])
        assert rows.dtype == two.arrays[name].dtype


def test_the_share_of_unknown_tokens_is_told(tuning_dir, caplog):
    """Of features that are made and of those that are there already."""
    task = classification(tuning_dir)
    with caplog.at_level("INFO", logger="absl"):
        load(tuning_dir, task)
    assert any("words train: 0 of " in message for message in caplog.messages)
    path = tuning_dir / "finetuning_data" / "words" / "train.tsv"
    path.write_text("text\tlabel\nw1 한국어 w2\tno\nw3 w4\tyes\n", encoding="utf-8")
    caplog.clear()
    for _ in range(2):
        load(tuning_dir, task)
    found = [m for m in caplog.messages if "words train: 1 of 5 tokens are unknown (20.0%). " in m]
    assert len(found) == 2


def test_used_again(tuning_dir, made):
    task = classification(tuning_dir)
    first, config = load(tuning_dir, task)
    second, _ = load(tuning_dir, task)
    assert made == ["words"]
    assert_same(first, second)
    assert set(first.arrays["task_id"]) == {2}
    assert files_of(config) == [f"words_train_{first.key[:16]}.npz"]
    load(tuning_dir, task, use_tfrecords_if_existing=False)
    assert len(made) == 2


def change_data(data_dir):
    path = data_dir / "finetuning_data" / "words" / "train.tsv"
    path.write_text(path.read_text() + "w9\tno\n")
    return {}


def change_vocabulary(data_dir):
    path = data_dir / "models" / MODEL / "vocab.txt"
    path.write_text(path.read_text().replace("w90\n", "w900\n"))
    return {}


def change_labels(data_dir):
    path = data_dir / "words.json"
    path.write_text(path.read_text().replace('["no", "yes"]', '["yes", "no"]'))
    return {}


CHANGES = {
    "data": change_data,
    "vocabulary": change_vocabulary,
    "labels": change_labels,
    "length": lambda _: {"max_seq_length": 12},
    "bad rows": lambda _: {"skip_bad_rows": True},
}


@pytest.mark.parametrize("change", CHANGES)
def test_made_anew_when_anything_changes(tuning_dir, made, change):
    task = classification(tuning_dir)
    first, config = load(tuning_dir, task)
    second, _ = load(tuning_dir, task, **CHANGES[change](tuning_dir))
    assert len(made) == 2 and first.key != second.key
    # The stale file is gone.
    assert files_of(config) == [f"words_train_{second.key[:16]}.npz"]


def test_files_of_others_stay(tuning_dir, made):
    task = classification(tuning_dir)
    first, config = load(tuning_dir, task)
    folder = pathlib.Path(config.preprocessed_data_dir)
    others = [f"words_train_{'x' * 16}.npz", f"words_train_{'a' * 16}.npz", "words_train_old.npz"]
    (folder / others[0]).write_text("mine")
    np.savez(folder / others[1], key=np.array("b" * 64))
    (folder / others[2]).write_text("mine")
    second, _ = load(tuning_dir, task, max_seq_length=12)
    assert files_of(config) == sorted([*others, f"words_train_{second.key[:16]}.npz"])
    assert first.key != second.key


def test_two_runs_write_the_same_file_at_once(tuning_dir, monkeypatch, made):
    """Both have written all of it before either gives it its name."""
    task = classification(tuning_dir)
    both, rename = threading.Barrier(2), tf.io.gfile.rename

    def rename_together(*arguments, **options):
        both.wait(timeout=60)
        rename(*arguments, **options)

    monkeypatch.setattr(tf.io.gfile, "rename", rename_together)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(load, tuning_dir, task) for _ in range(2)]
        (one, config), (two, _) = (run.result() for run in runs)
    assert_same(one, two)
    assert len(made) == 2 and len(files_of(config)) == 1
    assert_same(load(tuning_dir, task)[0], one)
    assert len(made) == 2


def test_what_killed_runs_left_half_written_goes_after_a_day(tuning_dir):
    task = classification(tuning_dir)
    _, config = load(tuning_dir, task)
    (name,) = files_of(config)
    folder = pathlib.Path(config.preprocessed_data_dir)
    left = [folder / f"{name}.{digit * 32}{TEMPORARY}" for digit in "ab"]
    for path in left:
        path.write_bytes(b"half")
    os.utime(left[0], (0, 0))
    change_data(tuning_dir)
    load(tuning_dir, task)
    assert [path.exists() for path in left] == [False, True]


def test_what_does_not_matter_changes_nothing(tuning_dir, made):
    task = classification(tuning_dir)
    load(tuning_dir, task)
    load(tuning_dir, task, learning_rate=1e-5, seed=9, doc_stride=5)
    assert len(made) == 1


def flip(content, place):
    changed = bytearray(content)
    changed[place] ^= 1
    return bytes(changed)


def with_rows_shifted(content):
    """A sound archive of the same key, whose rows are not those of the examples."""
    stored = dict(np.load(io.BytesIO(content)))
    shifted = {
        name: np.roll(rows, 1, axis=0) if rows.ndim else rows for name, rows in stored.items()
    }
    changed = io.BytesIO()
    np.savez(changed, **shifted)
    return changed.getvalue()


DAMAGES = {
    "empty": lambda content: b"",
    "one byte": lambda content: b"P",
    "another file": lambda content: b"PK\x03\x04 and no more",
    "flipped, first": lambda content: flip(content, 0),
    "flipped, name": lambda content: flip(content, content.index(b"input_ids")),
    "flipped, row": lambda content: flip(content, len(content) // 2),
    "flipped, last": lambda content: flip(content, -1),
    "cut short": lambda content: content[:-1],
    "cut in half": lambda content: content[: len(content) // 2],
    "appended": lambda content: content + b"\0" * 7,
    "rows shifted": with_rows_shifted,
}


@pytest.mark.parametrize("how", DAMAGES)
def test_damaged_files_are_made_again(tuning_dir, made, how, caplog):
    task = classification(tuning_dir)
    first, config = load(tuning_dir, task)
    path = pathlib.Path(config.preprocessed_data_dir) / files_of(config)[0]
    content = path.read_bytes()
    path.write_bytes(DAMAGES[how](content))
    second, _ = load(tuning_dir, task)
    assert len(made) == 2 and f"{path} is damaged and is made again" in caplog.text
    assert_same(first, second)
    assert path.read_bytes() == content


def test_the_file_of_another_split_is_made_again(tuning_dir, made, caplog):
    task = classification(tuning_dir)
    first, config = load(tuning_dir, task)
    load(tuning_dir, task, "dev")
    dev, train = (pathlib.Path(config.preprocessed_data_dir) / name for name in files_of(config))
    train.write_bytes(dev.read_bytes())
    second, _ = load(tuning_dir, task)
    assert len(made) == 3 and f"{train} belongs to other data" in caplog.text
    assert_same(first, second)


def test_a_folder_in_place_of_the_file(tuning_dir, made, caplog):
    task = classification(tuning_dir)
    first, config = load(tuning_dir, task)
    path = pathlib.Path(config.preprocessed_data_dir) / files_of(config)[0]
    path.unlink()
    path.mkdir()
    (path / "of_somebody.txt").write_text("kept")
    second, _ = load(tuning_dir, task)
    assert len(made) == 2 and f"{path} is a folder" in caplog.text
    assert_same(first, second)
    assert (path / "of_somebody.txt").read_text() == "kept"


def test_windows_of_questions_are_stored_too(tuning_dir, made):
    folder = tuning_dir / "finetuning_data" / "squad"
    folder.mkdir(parents=True)
    shutil.copy(GOLDENS / "qa" / "squad.json", folder / "dev.json")
    settings = {"max_query_length": 4, "doc_stride": 8}
    first, _ = load(tuning_dir, "squad", "dev", **settings)
    second, _ = load(tuning_dir, "squad", "dev", **settings)
    assert len(made) == 1
    assert_same(first, second)
    for name, values in vars(first.windows).items():
        np.testing.assert_array_equal(values, getattr(second.windows, name))
    load(tuning_dir, "squad", "dev", max_query_length=4, doc_stride=9)
    assert len(made) == 2
