# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Nothing is removed unless a mark inside says that this program made it."""

import pathlib

import pytest
import tensorflow as tf

from electra_tf.files import write_text
from electra_tf.folders import MARK, check_removable, files_in, new_folder, remove_made
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder
from electra_tf.training.checkpoints.run_folder import remove_run


def write(folder, *names):
    for name in names:
        path = pathlib.Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


@pytest.mark.parametrize("name", ["notes.txt", "variables/variables.index", ".hidden"])
def test_an_incomplete_folder_of_others_stays(tmp_path, name):
    write(tmp_path / "model.incomplete", name)
    with (
        pytest.raises(FileExistsError, match=rf"model\.incomplete .* its own: {name}\. Nothing"),
        new_folder(str(tmp_path / "model")),
    ):
        pass
    assert files_in(str(tmp_path)) == [f"model.incomplete/{name}"]


def test_a_file_in_place_of_the_incomplete_folder_stays(tmp_path):
    write(tmp_path, "model.incomplete")
    with pytest.raises(FileExistsError, match=r"is a file"), new_folder(str(tmp_path / "model")):
        pass
    assert files_in(str(tmp_path)) == ["model.incomplete"]


@pytest.mark.parametrize("left", [[], [MARK, "half", "assets/half"]])
def test_what_a_killed_run_left_is_replaced(tmp_path, left):
    (tmp_path / "model.incomplete").mkdir()
    write(tmp_path / "model.incomplete", *left)
    with new_folder(str(tmp_path / "model")) as partial:
        assert files_in(partial) == [MARK]
        write(partial, "whole")
    assert files_in(str(tmp_path)) == ["model/whole"]


def test_files_that_others_put_there_meanwhile_stay(tmp_path):
    with (
        pytest.raises(ValueError, match="holds files already"),
        new_folder(str(tmp_path / "model")) as partial,
    ):
        write(partial, "whole")
        write(tmp_path / "model", "notes.txt")
    assert files_in(str(tmp_path)) == ["model/notes.txt"]


def test_links_are_not_followed(tmp_path):
    write(tmp_path, "elsewhere/thesis.txt", "run/config.json")
    (tmp_path / "run" / "best").symlink_to(tmp_path / "elsewhere")
    assert files_in(str(tmp_path / "run")) == ["best", "config.json"]
    with pytest.raises(FileExistsError, match="its own: best"):
        check_removable(str(tmp_path / "run"), True, lambda name: name == "config.json")
    assert remove_run(str(tmp_path / "run")) == ["best"]
    assert files_in(str(tmp_path)) == ["elsewhere/thesis.txt", "run/best"]


def test_the_mark_goes_last(tmp_path, monkeypatch):
    write(tmp_path / "run", "a", "config.json", "z/y/x", "mine/notes.txt")
    removed, remove = [], tf.io.gfile.remove
    monkeypatch.setattr(tf.io.gfile, "remove", lambda path: (removed.append(path), remove(path)))
    assert remove_made(str(tmp_path / "run"), lambda n: "mine" not in n, "config.json") == [
        "mine/notes.txt"
    ]
    names = [str(pathlib.Path(path).relative_to(tmp_path / "run")) for path in removed]
    assert names == ["a", "z/y/x", "config.json"]
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["mine"]


@pytest.mark.parametrize("scheme", ["file://", "ram:/"])
def test_other_file_systems_are_the_same(tmp_path, scheme):
    folder = f"{scheme}{tmp_path}/run"
    for name in ("config.json", "best/checkpoint", "notes.txt", "results/unsup_results.txt"):
        write_text(f"{folder}/{name}", name)
    assert remove_run(folder) == ["notes.txt"]
    assert files_in(folder) == ["notes.txt"]
    with pytest.raises(FileExistsError, match=r"notes\.txt"):
        check_removable(folder, is_ours=False)
    tf.io.gfile.remove(f"{folder}/notes.txt")


def test_a_run_removes_what_runs_write(tmp_path):
    folder = tmp_path / "run"
    for place in (folder, folder / "best"):
        CheckpointFolder(str(place)).save(5, {"a": tf.Variable(1.0)}, {})
    saver = tf.compat.v1.train.Saver({"electra/a": tf.Variable([1.0])})
    saver.save(None, str(folder / "model.ckpt"), global_step=1000)
    write(
        folder,
        *("config.json", "vocab.txt", "tokenizer.json", "train_log.jsonl", "config.json.tmp"),
        *("events.out.tfevents.17.host.1.2.v2", "nonfinite_batch_step_12_worker_1.npz"),
        *(
            "incomplete_checkpoint/model.ckpt-9.index",
            "best/incomplete_checkpoint/model.ckpt-9.index",
        ),
    )
    others = ["data.csv", "finetuning_models/cola_model_1/config.json", "model.ckpt-5.notes.txt"]
    write(folder, *others)
    released = ["model.ckpt-1000.data-00000-of-00001", "model.ckpt-1000.index"]
    kept = sorted([*others, *released])
    assert remove_run(str(folder)) == kept == files_in(str(folder))
    # Of a debug run, which is thrown away: models that were trained from it, and released weights.
    kept = sorted([others[1], *released])
    assert remove_run(str(folder), is_debug=True) == kept == files_in(str(folder))
