# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Every stored file of tiny runs is damaged in many ways: the right result, or one error.

The error names the file; there is no traceback, no minute of work and no gigabyte of memory. What
is damaged how follows from the seed, so that a line of the report can be tried again alone.
`DAMAGES_PER_FILE=2000 python -m pytest tests/test_damaged_files.py` tries more.
"""

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import threading

import pytest
from damaged_files import READERS, build
from damages import JSON, damage

from electra_tf.files import read_json

DAMAGES_PER_FILE = int(os.environ.get("DAMAGES_PER_FILE", "200"))
SECONDS = 300  # for all readers of a file; each has to be done in 60
DAMAGES_PER_PROCESS = 100
"""TensorFlow keeps memory of every model that a process has loaded."""
TESTS = pathlib.Path(__file__).parent


class Worker:
    """A process that damages files and has them read; started again when it dies."""

    def __init__(self, root, sound, log):
        paths = os.pathsep.join([str(TESTS.parent), str(TESTS), os.environ.get("PYTHONPATH", "")])
        self._command = [sys.executable, str(TESTS / "damaged_files.py"), root]
        self._command.append(sound)
        self._environment = {**os.environ, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"}
        self._log = log
        self._process = None
        self._count = 0

    def __call__(self, file, seed) -> list[str]:
        """What is wrong with what came of a damage."""
        if self._count % DAMAGES_PER_PROCESS == 0:
            self.close()
        self._count += 1
        if self._process is None:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                env=self._environment,
            )
        self._process.stdin.write(f"{file} {seed}\n")
        self._process.stdin.flush()
        ending = threading.Timer(SECONDS, self._process.kill)
        ending.start()
        try:
            for line in self._process.stdout:
                if line.startswith('{"file"'):
                    found = json.loads(line)
                    return [f"{found['how']}, reader {n}: {text}" for n, text in found["problems"]]
        finally:
            ending.cancel()
        status, self._process = self._process.wait(), None
        return [f"the process ended with status {status}"]

    def close(self):
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process = None


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    root, sound = folder / "root", folder / "sound"
    build(root)
    shutil.copytree(root, sound)
    with open(folder / "log.txt", "w") as log:
        found = Worker(str(root), str(sound), log)
        yield found
        found.close()


@pytest.mark.slow
@pytest.mark.parametrize("file", READERS)
def test_the_right_result_or_one_error_that_names_the_file(worker, file):
    problems = {}
    for seed in range(DAMAGES_PER_FILE):
        if found := worker(file, seed):
            problems[seed] = found
    lines = [f"seed {seed}: {text}" for seed, texts in problems.items() for text in texts]
    assert not problems, "\n".join(lines)


def test_damages_follow_from_the_seed_and_reach_every_way(tmp_path):
    path = tmp_path / "a.json"
    content = json.dumps({"a": [1, 2, {"b": "text"}], "c": {"d": None}}).encode()

    def damaged(seed):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        path.write_bytes(content)
        return damage(path, random.Random(seed)), path.is_file() and path.read_bytes()

    first = [damaged(seed) for seed in range(400)]
    assert first == [damaged(seed) for seed in range(400)]
    ways = {how for how, _ in first}
    assert {way.__name__ for way in JSON} | {"folder", "missing"} <= ways


def test_json_that_is_damaged_in_any_way_is_read_or_one_error_that_names_the_file(tmp_path):
    path = tmp_path / "a.json"
    errors = 0
    for seed in range(600):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        path.write_text(json.dumps({"a": [1, 2, {"b": "text"}], "c": {"d": 0.5}}))
        damage(path, random.Random(seed))
        try:
            assert isinstance(read_json(str(path)), dict)
        except (ValueError, OSError) as error:
            errors += 1
            assert str(path) in str(error) and len(str(error)) < 1000
    assert errors > 200
