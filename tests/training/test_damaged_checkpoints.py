# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A checkpoint that cannot be read is one error that names it, and the way out works."""

import os
import pathlib
import shutil
import tempfile

import numpy as np
import pytest
import tensorflow as tf

from electra_tf.training.checkpoints.checkpoint import (
    GLOBAL_STEP,
    STATE,
    CheckpointFolder,
    load_variables,
    read_state,
    read_step,
)
from electra_tf.training.checkpoints.checkpoint_reader import (
    CheckpointReader,
    DamagedCheckpointError,
)

INDEX, DATA = "index", "data-00000-of-00001"


def flip(path, place=-1):
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


def make_folder(path):
    path.unlink()
    path.mkdir()


DAMAGES = {
    "flipped": flip,
    "flipped at the beginning": lambda path: flip(path, 3),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-30]),
    "cut to a byte": lambda path: path.write_bytes(b"x"),
    "empty": lambda path: path.write_bytes(b""),
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "text": lambda path: path.write_text("<html>404 Not Found</html>\n" * 50),
    "a folder": make_folder,
}


def weights(value=1.0):
    return {"a/kernel": tf.Variable(tf.fill([8, 4], value)), "b/bias": tf.Variable([value] * 9)}


def load(prefix, variables):
    read_step(prefix)
    read_state(prefix)
    return load_variables(prefix, variables, ignored=f"{GLOBAL_STEP}|{STATE}")


@pytest.fixture
def folder(tmp_path):
    """Checkpoints of the steps 4, 8 and 12."""
    found = CheckpointFolder(str(tmp_path / "model"))
    for step in (4, 8, 12):
        found.save(step, weights(float(step)), {"n": step})
    return found


def file_of(folder, step, ending):
    return pathlib.Path(folder.folder) / f"model.ckpt-{step}.{ending}"


def delete_what_is_named(message, folder):
    for name in message.split("delete ")[1].removesuffix(".").split(", "):
        path = pathlib.Path(folder.folder) / name
        path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.parametrize("ending", [INDEX, DATA])
@pytest.mark.parametrize("how", DAMAGES)
def test_the_way_out_that_the_error_names_works(folder, ending, how):
    DAMAGES[how](file_of(folder, 12, ending))
    variables = weights(0.0)
    with pytest.raises(DamagedCheckpointError) as raised:
        load(folder.latest(), variables)
    message = str(raised.value)
    assert message.startswith(f"the checkpoint {folder.folder}/model.ckpt-12 cannot be read: ")
    assert f"newest intact one before it is {folder.folder}/model.ckpt-8:" in message
    assert "\n" not in message
    assert not any(variable.numpy().any() for variable in variables.values())

    delete_what_is_named(message, folder)
    load(folder.latest(), variables)
    assert variables["b/bias"].numpy().tolist() == [8.0] * 9


def test_damage_of_several_is_left_behind_at_once(folder):
    flip(file_of(folder, 12, DATA), 3)
    file_of(folder, 8, DATA).unlink()
    with pytest.raises(DamagedCheckpointError) as raised:
        load(folder.latest(), weights())
    message = str(raised.value)
    assert f"before it is {folder.folder}/model.ckpt-4:" in message
    delete_what_is_named(message, folder)
    assert read_state(folder.latest()) == {"n": 4}


def test_nothing_sound_is_left(folder):
    for step in (4, 8, 12):
        flip(file_of(folder, step, DATA), 3)
    with pytest.raises(DamagedCheckpointError, match=r"No older one in .* is intact: copy"):
        load(folder.latest(), weights())


def test_missing_data(folder):
    file_of(folder, 12, DATA).unlink()
    with pytest.raises(
        DamagedCheckpointError, match=r"ckpt-12.data.*No such file.*ckpt-8: to resume"
    ):
        load(folder.latest(), weights())


@pytest.mark.skipif(os.geteuid() != 0, reason="gives up the rights of root for a moment")
@pytest.mark.parametrize("ending", [INDEX, DATA])
def test_without_permission_nothing_is_said_to_be_deleted(ending):
    path = tempfile.mkdtemp()  # a folder that others may enter, unlike pytest's
    try:
        os.chmod(path, 0o755)
        folder = CheckpointFolder(path)
        for step in (4, 8):
            folder.save(step, weights(), {})
        unreadable = file_of(folder, 8, ending)
        unreadable.chmod(0)
        os.seteuid(65534)
        with pytest.raises(DamagedCheckpointError) as raised:
            load(f"{path}/model.ckpt-8", weights())
    finally:
        os.seteuid(0)
        shutil.rmtree(path)
    message = str(raised.value)
    assert message.endswith(f"cannot be read: permission to read {unreadable} is missing.")


def test_all_is_read_before_anything_is_assigned(folder):
    # The last variable in the file is damaged, the first one is not.
    path = file_of(folder, 12, DATA)
    content = path.read_bytes()
    flip(path, content.rindex(np.full(9, 12, np.float32).tobytes()))
    reader = CheckpointReader(folder.latest())
    assert reader["a/kernel"].tolist() == [[12.0] * 4] * 8
    variables = weights(0.0)
    with pytest.raises(DamagedCheckpointError):
        load(folder.latest(), variables)
    assert not any(variable.numpy().any() for variable in variables.values())


def test_a_damaged_older_checkpoint_is_no_reason_not_to_save(folder):
    folder.keep = 1
    flip(file_of(folder, 8, INDEX), 3)
    folder.save(16, weights(16.0), {"n": 16})
    assert read_state(folder.latest()) == {"n": 16}
    # Whose it is cannot be known, so it is left.
    assert file_of(folder, 8, INDEX).exists() and not file_of(folder, 4, INDEX).exists()


def save_tensors(tmp_path, **tensors):
    prefix = str(tmp_path / "model.ckpt-3")
    names = [name.replace("__", "/") for name in tensors]
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[tf.constant(value) for value in tensors.values()],
    )
    return prefix


@pytest.mark.parametrize("step", [1.5, "three", [3, 4], -1, True])
def test_a_step_that_is_no_number_of_steps(tmp_path, step):
    prefix = save_tensors(tmp_path, global_step=step)
    with pytest.raises(ValueError, match=f"^{prefix}: global_step is expected to be a whole num"):
        read_step(prefix)


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ('{"n": 1', "is expected to be a JSON object: "),
        ("[1]", r"is expected to be a JSON object, but is \[1\]"),
        ("[" * 100_000, "is expected to be a JSON object, but its brackets are nested too deeply"),
        (b"\xff\xfe\xfd", "expected UTF-16, received the byte"),
        (3.5, "is expected to be JSON, but is 3.5"),
    ],
)
def test_a_state_that_is_no_object(tmp_path, state, problem):
    prefix = save_tensors(tmp_path, electra_tf__state=state)
    with pytest.raises(ValueError, match=f"^{prefix}: {STATE}.*{problem}"):
        read_state(prefix)


@pytest.mark.parametrize("value", [["x", "y"], [1, 2], [True, False], [1j, 2j]])
def test_weights_of_another_type(tmp_path, value):
    prefix = save_tensors(tmp_path, a=value)
    with pytest.raises(ValueError, match=f"^{prefix}: a is expected to be of type float32, but is"):
        load_variables(prefix, {"a": tf.Variable([1.0, 2.0])})


def test_weights_of_another_precision_are_cast(tmp_path):
    prefix = save_tensors(tmp_path, a=np.array([1.5, 2.5], np.float16))
    variables = {"a": tf.Variable([0.0, 0.0])}
    load_variables(prefix, variables)
    assert variables["a"].numpy().tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    "error", [MemoryError(), tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")]
)
def test_without_memory_nothing_is_said_to_be_deleted(folder, monkeypatch, error):
    def fail(path):
        raise error

    monkeypatch.setattr(tf.compat.v1.train, "NewCheckpointReader", fail)
    with pytest.raises(DamagedCheckpointError, match=r"there is not enough memory for it\.$"):
        CheckpointReader(folder.latest())
