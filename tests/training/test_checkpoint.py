# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import os

import numpy as np
import pytest
import tensorflow as tf

from electra_tf.training.checkpoints.checkpoint import (
    CheckpointFolder,
    load_variables,
    read_state,
    read_step,
    resolve_prefix,
    step_in_name,
)


def make_variables(scale=1.0):
    return {
        "electra/a/kernel": tf.Variable(scale * tf.random.stateless_normal([3, 4], [1, 2])),
        "electra/a/bias": tf.Variable(scale * tf.random.stateless_normal([4], [3, 4])),
        "electra/a/bias/adam_m": tf.Variable([scale * 1e-30, 0.0, 1.0, 2.0]),
    }


@pytest.fixture
def folder(tmp_path):
    return CheckpointFolder(str(tmp_path / "model"), keep=2)


def names_in(folder):
    return sorted(os.listdir(folder.folder))


def files_of(step):
    return [f"model.ckpt-{step}.data-00000-of-00001", f"model.ckpt-{step}.index"]


def test_round_trip_is_exact(folder):
    saved = make_variables()
    state = {"examples_seen": 48, "best_loss": None, "configuration": {"name": "ü"}}
    folder.save(6, saved, state)
    loaded = make_variables(scale=0.0)
    report = load_variables(folder.latest(), loaded, ignored="^(global_step|electra_tf/state)$")
    assert report.loaded == sorted(saved) and report.excused == []
    for name, variable in saved.items():
        assert variable.numpy().tobytes() == loaded[name].numpy().tobytes()
    assert read_step(folder.latest()) == 6
    assert read_state(folder.latest()) == state


def test_readable_by_tensorflow_under_the_names_of_the_original(folder):
    folder.save(6, make_variables(), {})
    reader = tf.train.load_checkpoint(folder.folder)
    assert reader.get_variable_to_shape_map() == {
        "electra/a/kernel": [3, 4],
        "electra/a/bias": [4],
        "electra/a/bias/adam_m": [4],
        "global_step": [],
        "electra_tf/state": [],
    }
    assert reader.get_tensor("global_step") == 6
    assert reader.get_variable_to_dtype_map()["global_step"] == tf.int64


def test_nothing_there(folder, tmp_path):
    assert folder.latest() is None
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(FileNotFoundError, match=f"{path} is expected to be a checkpoint"):
            resolve_prefix(str(path))


def test_newest_are_kept(folder):
    for step in (4, 8, 10, 12):
        folder.save(step, make_variables(), {"n": step})
    assert names_in(folder) == ["checkpoint", *files_of(10), *files_of(12)]
    assert folder.latest() == os.path.join(folder.folder, "model.ckpt-12")
    state = tf.train.get_checkpoint_state(folder.folder)
    assert [step_in_name(path) for path in state.all_model_checkpoint_paths] == [10, 12]


def test_a_downloaded_checkpoint_is_kept(folder):
    """Made like the original's: without what only we store."""
    os.makedirs(folder.folder)
    saver = tf.compat.v1.train.Saver({"electra/a/bias": tf.Variable([1.0])})
    saver.save(None, os.path.join(folder.folder, "model.ckpt"), global_step=1000)
    folder.keep = 1
    for step in (1001, 1002, 1003):
        folder.save(step, make_variables(), {"n": step})
    assert step_in_name(folder.latest()) == 1003
    assert {*files_of(1000), *files_of(1003)} <= set(names_in(folder))
    assert not {*files_of(1001), *files_of(1002)} & set(names_in(folder))


@pytest.mark.parametrize("ending", ["", ".index", ".data-00000-of-00001"])
def test_what_a_kill_left_while_old_ones_were_removed_goes_at_the_next_save(
    folder, ending, monkeypatch
):
    """Killed before the first file of step 4 went, or after it; or while step 4 was written."""
    for step in (4, 8):
        folder.save(step, make_variables(), {})
    remove = tf.io.gfile.remove

    def remove_or_die(path):
        if path.endswith(ending):
            raise KeyboardInterrupt
        remove(path)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(tf.io.gfile, "remove", remove_or_die)
        folder.save(10, make_variables(), {})
    left = [name for name in names_in(folder) if "ckpt-4." in name]
    assert len(left) == (1 if ending == ".index" else 2)
    assert step_in_name(folder.latest()) == 10
    folder.save(12, make_variables(), {})
    assert names_in(folder) == ["checkpoint", *files_of(10), *files_of(12)]


def test_the_data_of_a_write_that_was_killed_goes_at_the_next(folder):
    folder.save(4, make_variables(), {})
    elsewhere = CheckpointFolder(folder.folder + "_2")
    elsewhere.save(8, make_variables(), {})
    os.makedirs(os.path.join(folder.folder, "incomplete_checkpoint"))
    data, index = files_of(8)
    for name, place in ((data, ""), (index, "incomplete_checkpoint")):
        os.rename(os.path.join(elsewhere.folder, name), os.path.join(folder.folder, place, name))
    folder.save(9, make_variables(), {})
    assert names_in(folder) == ["checkpoint", *files_of(4), *files_of(9)]


def test_older_checkpoints_of_others_and_damaged_ones_stay(folder):
    os.makedirs(folder.folder)
    saver = tf.compat.v1.train.Saver({"electra/a/bias": tf.Variable([1.0])})
    saver.save(None, os.path.join(folder.folder, "model.ckpt"), global_step=1)
    saver.save(None, os.path.join(folder.folder, "model.ckpt"), global_step=2)
    os.remove(os.path.join(folder.folder, "checkpoint"))
    os.remove(os.path.join(folder.folder, files_of(2)[0]))
    for content in (b"", b"damaged" * 100):
        with open(os.path.join(folder.folder, f"model.ckpt-{3 + len(content)}.index"), "wb") as f:
            f.write(content)
    with open(os.path.join(folder.folder, "model.ckpt-4.notes.txt"), "w") as file:
        file.write("mine")
    others = set(names_in(folder))
    for step in (1000, 1001, 1002, 1003):
        folder.save(step, make_variables(), {})
    assert set(names_in(folder)) - others == {"checkpoint", *files_of(1002), *files_of(1003)}
    assert others <= set(names_in(folder))


@pytest.mark.parametrize("name", ["notes.txt", "model.ckpt-5.index"])
def test_an_incomplete_folder_of_others_stays(folder, name):
    saver = tf.compat.v1.train.Saver({"electra/a/bias": tf.Variable([1.0])})
    os.makedirs(os.path.join(folder.folder, "incomplete_checkpoint"))
    path = os.path.join(folder.folder, "incomplete_checkpoint", name)
    if name == "notes.txt":
        open(path, "w").close()
    else:
        saver.save(None, path.replace("-5.index", ""), global_step=5)
    with pytest.raises(FileExistsError, match=r"incomplete_checkpoint .* not its own: "):
        folder.save(4, make_variables(), {})
    assert os.path.exists(path) and names_in(folder) == ["incomplete_checkpoint"]


@pytest.mark.parametrize("keep", [None, 0])
def test_all_are_kept(folder, keep):
    folder.keep = keep
    for step in range(1, 9):
        folder.save(step, make_variables(), {"n": step})
    assert len(names_in(folder)) == 1 + 2 * 8


def test_saving_the_same_step_again_replaces_it(folder):
    folder.save(4, make_variables(), {"n": 1})
    folder.save(4, make_variables(2.0), {"n": 2})
    assert names_in(folder) == ["checkpoint", *files_of(4)]
    assert read_state(folder.latest()) == {"n": 2}


@pytest.fixture
def with_state_file(folder):
    """Checkpoints of steps 9 and 10, beside a `checkpoint` file of the given content."""

    def write(content):
        for step in (9, 10):
            folder.save(step, make_variables(), {})
        with open(os.path.join(folder.folder, "checkpoint"), "wb") as file:
            file.write(content)
        return folder

    return write


def test_newest_is_found_without_a_state_file(with_state_file):
    folder = with_state_file(b"")
    os.remove(os.path.join(folder.folder, "checkpoint"))
    assert step_in_name(folder.latest()) == 10
    assert resolve_prefix(folder.folder) == folder.latest()
    assert resolve_prefix(folder.latest()) == folder.latest()


@pytest.mark.parametrize(
    "content",
    [
        b'model_checkpoint_path: "/elsewhere/model.ckpt-1"',
        b'model_checkpoint_path: "gs://bucket/run/model.ckpt-1"\n',
        b'model_checkpoint_path: "model.ckpt-8"',
        b'model_checkpoint_path: "../other/model.ckpt-9"',
        b'# model_checkpoint_path: "model.ckpt-9"',
        b"",
        b"\x00\xff damaged",
        b'model_checkpoint_path: "',
        b'model_checkpoint_path: "\\xzz"',
        b'model_checkpoint_path: "a\\000b"',
    ],
)
def test_newest_is_taken_with_a_word_where_the_state_file_is_of_no_use(
    with_state_file, content, caplog, capfd
):
    folder = with_state_file(content)
    for _ in range(2):
        assert step_in_name(folder.latest()) == 10
    (record,) = caplog.records
    assert record.levelname == "WARNING" and f"{folder.folder}/checkpoint" in record.getMessage()
    assert record.getMessage().endswith(f"{folder.folder}/model.ckpt-10 is used.")
    assert "ERROR" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "content",
    [
        b'model_checkpoint_path: "model.ckpt-9"\nall_model_checkpoint_paths: "model.ckpt-10"\n',
        b'model_checkpoint_path: "/elsewhere/model.ckpt-9"',
        b'model_checkpoint_path: "s3://bucket/model.ckpt-9"',
        b'all_model_checkpoint_paths: "model.ckpt-10"\r\nmodel_checkpoint_path:"model.ckpt-9"\r\n',
        b'\xef\xbb\xbfmodel_checkpoint_path: "./model.ckpt-9"',
    ],
)
def test_what_the_state_file_names_is_taken(with_state_file, content, caplog):
    assert step_in_name(with_state_file(content).latest()) == 9
    assert not caplog.records


def test_a_checkpoint_of_another_folder_can_be_named(folder, tmp_path):
    other = CheckpointFolder(str(tmp_path / "mödel"))
    other.save(3, make_variables(), {})
    folder.save(4, make_variables(), {})
    # As TensorFlow spells it.
    tf.compat.v1.train.update_checkpoint_state(folder.folder, f"{other.folder}/model.ckpt-3")
    assert folder.latest() == other.latest() == f"{other.folder}/model.ckpt-3"


def test_a_state_file_without_checkpoints(folder, caplog):
    os.makedirs(folder.folder)
    with open(os.path.join(folder.folder, "checkpoint"), "w") as file:
        file.write('model_checkpoint_path: "model.ckpt-7"')
    assert folder.latest() is None
    assert "names model.ckpt-7, which is not there. No other is in the folder." in caplog.text


@pytest.mark.parametrize("failing", ["data", "index", "checkpoint"])
def test_a_write_that_fails_leaves_the_older_checkpoint(folder, failing, monkeypatch):
    folder.save(4, make_variables(), {"n": 4})
    rename = tf.io.gfile.rename

    def rename_or_die(source, target, overwrite=False):
        if failing in os.path.basename(target).replace("model.ckpt", ""):
            raise tf.errors.UnavailableError(None, None, "disk full")
        rename(source, target, overwrite)

    monkeypatch.setattr(tf.io.gfile, "rename", rename_or_die)
    with pytest.raises((OSError, tf.errors.OpError)):
        folder.save(8, make_variables(2.0), {"n": 8})
    monkeypatch.undo()

    assert step_in_name(folder.latest()) == 4
    assert read_state(folder.latest()) == {"n": 4}
    assert "incomplete_checkpoint" not in names_in(folder)
    folder.save(8, make_variables(2.0), {"n": 8})
    assert read_state(folder.latest()) == {"n": 8}


def test_what_a_killed_write_left_is_no_checkpoint(tmp_path):
    folder = CheckpointFolder(str(tmp_path / "model"))
    partial = tmp_path / "model" / "incomplete_checkpoint"
    partial.mkdir(parents=True)
    for name in files_of(4):
        (partial / name).write_bytes(b"half")
    (tmp_path / "model" / files_of(4)[0]).write_bytes(b"renamed, its index was not")
    assert folder.latest() is None
    folder.save(4, make_variables(), {})
    assert names_in(folder) == ["checkpoint", *files_of(4)]
    load_variables(folder.latest(), make_variables(), ignored="^(global_step|electra_tf/state)$")


@pytest.fixture
def other_model(folder):
    """A checkpoint, and variables with one name missing there, one extra, one other shape."""
    folder.save(1, make_variables(), {})
    variables = make_variables(scale=0.0)
    del variables["electra/a/bias/adam_m"]
    variables["electra/z/kernel"] = tf.Variable([1.0])
    variables["electra/b/kernel"] = tf.Variable([1.0])
    variables["electra/a/kernel"] = tf.Variable(tf.zeros([3, 5]))
    return folder.latest(), variables


def test_all_differences_are_one_error_and_nothing_is_assigned(other_model):
    prefix, variables = other_model
    with pytest.raises(ValueError) as error:
        load_variables(prefix, variables, ignored="^(global_step|electra_tf/state)$")
    assert str(error.value).splitlines() == [
        f"{prefix} does not fit the model:",
        "  missing in the checkpoint: electra/b/kernel",
        "  missing in the checkpoint: electra/z/kernel",
        "  unexpected in the checkpoint: electra/a/bias/adam_m",
        "  of another shape: electra/a/kernel: [3, 4] in the checkpoint, [3, 5] here",
    ]
    np.testing.assert_array_equal(variables["electra/a/bias"], np.zeros(4))


def test_excused_names_are_left_alone(other_model):
    prefix, variables = other_model
    report = load_variables(
        prefix, variables, excused="kernel|adam", ignored="^(global_step|electra_tf/state)$"
    )
    assert report.loaded == ["electra/a/bias"]
    assert report.excused == [
        "electra/a/bias/adam_m",
        "electra/a/kernel",
        "electra/b/kernel",
        "electra/z/kernel",
    ]
    assert np.abs(variables["electra/a/bias"].numpy()).max() > 0
    np.testing.assert_array_equal(variables["electra/a/kernel"], np.zeros([3, 5]))


def test_an_excuse_for_some_does_not_excuse_others(other_model):
    prefix, variables = other_model
    with pytest.raises(ValueError) as error:
        load_variables(
            prefix, variables, excused="electra/b", ignored="^(global_step|electra_tf/state)$"
        )
    assert "electra/b" not in str(error.value) and "electra/z/kernel" in str(error.value)


def test_names_that_fit_are_loaded_even_if_the_pattern_would_excuse_them(folder):
    folder.save(1, make_variables(), {})
    variables = make_variables(scale=0.0)
    report = load_variables(folder.latest(), variables, excused=".*", ignored="^global_step|state$")
    assert report.loaded == sorted(variables)


@pytest.mark.parametrize(
    ("name", "step"), [("a/model.ckpt-7000", 7000), ("a-3/model", -1), ("electra_small", -1)]
)
def test_step_in_name(name, step):
    assert step_in_name(name) == step
