# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`electra_tf.configure`: what TensorFlow finds in the environment, and when it is too late."""

import argparse
import contextlib
import gc
import importlib
import os
import subprocess
import sys
import types

import pytest

import electra_tf
from electra_tf.cli.running import guarded
from electra_tf.environment import without_collections, without_optional_imports

CUBLAS = "--xla_gpu_enable_triton_gemm=false"
WIDE = "--xla_cpu_prefer_vector_width=512"
FLAGS = f"{CUBLAS} {WIDE}"


@pytest.fixture
def early(monkeypatch):
    """A process that has not imported TensorFlow, without the variables."""
    monkeypatch.delitem(sys.modules, "tensorflow")
    for name in ("XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, FLAGS),
        ("", FLAGS),
        ("--xla_dump_to=/tmp/x", f"--xla_dump_to=/tmp/x {FLAGS}"),
        ("--xla_gpu_enable_triton_gemm=true", f"--xla_gpu_enable_triton_gemm=true {WIDE}"),
        ("--xla_cpu_prefer_vector_width=256", f"--xla_cpu_prefer_vector_width=256 {CUBLAS}"),
    ],
)
def test_flags_of_xla_are_added_unless_the_user_says_otherwise(early, before, after):
    if before is not None:
        early.setenv("XLA_FLAGS", before)
    electra_tf.configure()
    electra_tf.configure()
    assert os.environ["XLA_FLAGS"] == after


def test_flags_of_xla_in_a_file_are_kept(early, tmp_path):
    file = tmp_path / "flags.txt"
    file.write_text("--xla_dump_to=/tmp/x\n--xla_cpu_prefer_vector_width=256\n")
    early.setenv("XLA_FLAGS", str(file))
    electra_tf.configure()
    kept = "--xla_dump_to=/tmp/x --xla_cpu_prefer_vector_width=256"
    assert os.environ["XLA_FLAGS"] == f"{kept} {CUBLAS}"


@pytest.mark.parametrize(("before", "after"), [(None, "1"), ("0", "0"), ("1", "1")])
def test_onednn_is_on_unless_the_user_says_otherwise(early, before, after):
    if before is not None:
        early.setenv("TF_ENABLE_ONEDNN_OPTS", before)
    electra_tf.configure()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == after


def test_after_tensorflow_it_is_an_error_that_names_what_is_missing(early):
    early.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    early.setitem(sys.modules, "tensorflow", types.ModuleType("tensorflow"))
    before = dict(os.environ)
    with pytest.raises(RuntimeError) as error:
        electra_tf.configure()
    assert f'imported already, without XLA_FLAGS="{FLAGS}". Call it first' in str(error.value)
    assert "ONEDNN" not in str(error.value) and os.environ == before


def test_after_tensorflow_with_everything_as_wanted_it_does_nothing(early):
    early.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    early.setenv("XLA_FLAGS", FLAGS)
    early.setitem(sys.modules, "tensorflow", types.ModuleType("tensorflow"))
    electra_tf.configure()
    assert os.environ["XLA_FLAGS"] == FLAGS and os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"


@pytest.mark.parametrize("start", ["main()", "run_script('flops')"])
def test_commands_set_it_before_tensorflow_is_imported(start):
    """Both ways in: the command and the scripts of the original's names."""
    program = (
        "import os, sys\n"
        "from electra_tf.cli.main import main, run_script\n"
        "sys.argv = ['electra', '--help']\n"
        "assert 'tensorflow' not in sys.modules and 'XLA_FLAGS' not in os.environ\n"
        "try:\n"
        f"    {start}\n"
        "except SystemExit:\n"
        "    print('found', os.environ['XLA_FLAGS'], os.environ['TF_ENABLE_ONEDNN_OPTS'])\n"
    )
    hidden = ("XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert f"found {FLAGS} 1" in done.stdout


@pytest.mark.parametrize("error", [None, ZeroDivisionError])
def test_what_is_optional_is_hidden_only_inside_and_only_if_not_imported_yet(monkeypatch, error):
    pandas = types.ModuleType("pandas")
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    monkeypatch.delitem(sys.modules, "sklearn", raising=False)
    with pytest.raises(error) if error else contextlib.nullcontext(), without_optional_imports():
        assert importlib.import_module("pandas") is pandas
        with pytest.raises(ImportError):
            importlib.import_module("sklearn")
        if error:
            raise error
    assert "sklearn" not in sys.modules and sys.modules["pandas"] is pandas


@pytest.mark.parametrize("collects", [True, False])
def test_what_is_imported_is_not_searched_for_garbage(collects):
    class Module:
        pass

    (gc.enable if collects else gc.disable)()
    try:
        with pytest.raises(ZeroDivisionError), without_collections():
            assert not gc.isenabled()
            imported = Module()
            raise ZeroDivisionError
        assert gc.isenabled() == collects
        later = Module()
        searched = {id(found) for found in gc.get_objects()}
        assert id(later) in searched and id(imported) not in searched
    finally:
        gc.unfreeze()
        gc.enable()


def test_a_command_inside_of_another_program_leaves_its_garbage_collector_alone():
    importlib.import_module("keras")
    frozen = gc.get_freeze_count()
    assert guarded(lambda _: 0, argparse.Namespace()) == 0
    assert gc.get_freeze_count() == frozen
