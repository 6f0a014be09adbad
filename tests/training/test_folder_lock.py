# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""One run at a time in a folder; runs that were killed do not count."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
import tensorflow as tf

from electra_tf.files import write_text
from electra_tf.training.checkpoints import run_folder
from electra_tf.training.checkpoints.run_folder import FolderInUseError, locked


def test_one_after_the_other(tmp_path):
    folder = str(tmp_path / "models" / "name")
    for _ in range(2):
        with locked(folder):
            assert os.listdir(tmp_path / "models") == ["name.lock"]
        assert not (tmp_path / "models").exists()


def test_not_two_at_once(tmp_path):
    folder = str(tmp_path / "name")
    with locked(folder):
        with pytest.raises(FolderInUseError) as caught, locked(folder + "/"):
            pass
        assert f"{folder} is in use by another run: process {os.getpid()} on " in str(caught.value)
    with locked(folder):
        pass


def test_a_failed_run_lets_go(tmp_path):
    folder = str(tmp_path / "name")
    with pytest.raises(RuntimeError), locked(folder):
        raise RuntimeError
    with locked(folder):
        pass


@pytest.mark.parametrize("scheme", ["", "file://", "ram:/"])
@pytest.mark.parametrize("content", ["mine", '{"dependencies": []}', "[1]"])
def test_a_file_of_others_stays(tmp_path, scheme, content):
    path = f"{scheme}{tmp_path}/thesis.lock"
    write_text(path, content)
    with pytest.raises(FileExistsError, match=r"thesis\.lock is expected to be absent or the lock"):
        with locked(f"{scheme}{tmp_path}/thesis"):
            pass
    assert tf.io.gfile.GFile(path).read() == content


def test_a_lock_that_a_kill_left_empty_is_taken(tmp_path):
    (tmp_path / "name.lock").touch()
    with locked(str(tmp_path / "name")):
        assert (tmp_path / "name.lock").read_text().startswith("{")


@pytest.mark.slow
def test_a_killed_run_lets_go(tmp_path):
    folder = str(tmp_path / "name")
    script = textwrap.dedent("""
        import sys, time
        from electra_tf.training.checkpoints.run_folder import locked
        with locked(sys.argv[1]):
            print("here", flush=True)
            time.sleep(300)
    """)
    command = [sys.executable, "-c", script, folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "here\n"
        with pytest.raises(FolderInUseError, match=f"process {process.pid} "), locked(folder):
            pass
        process.send_signal(signal.SIGKILL)
    assert os.path.exists(folder + ".lock")
    with locked(folder):
        assert json.loads((tmp_path / "name.lock").read_text())["process"] == os.getpid()


class TestOnARemoteFileSystem:
    """TensorFlow's file system in memory stands for gs://."""

    @pytest.fixture
    def folder(self, monkeypatch, tmp_path):
        monkeypatch.setattr(run_folder, "RENEW_SECONDS", 0.2)
        monkeypatch.setattr(run_folder, "ABANDONED_SECONDS", 1.5)
        return f"ram://{tmp_path}/name"

    def test_one_after_the_other(self, folder):
        for _ in range(2):
            with locked(folder):
                assert tf.io.gfile.exists(folder + ".lock")
            assert not tf.io.gfile.exists(folder + ".lock")

    def test_not_two_at_once(self, folder):
        with (
            locked(folder),
            pytest.raises(FolderInUseError, match=f"process {os.getpid()} on"),
            locked(folder),
        ):
            pass

    def test_an_abandoned_lock_is_taken_over(self, folder):
        with tf.io.gfile.GFile(folder + ".lock", "w") as file:
            file.write(json.dumps({"host": "gone", "process": 1, "since": "long ago"}))
        with locked(folder), tf.io.gfile.GFile(folder + ".lock") as file:
            assert json.loads(file.read())["process"] == os.getpid()
