# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The built package, installed in a separate environment."""

import email
import os
import pathlib
import subprocess
import sys
import tarfile
import zipfile

import pytest

ROOT = pathlib.Path(__file__).parents[1]
BUILD = (
    "import sys; from setuptools import build_meta as backend\n"
    "getattr(backend, sys.argv[1])(sys.argv[2])"
)


def ran(*command, cwd):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_the_source_distribution_installs_and_works(tmp_path):
    """Tracked files -> sdist -> wheel -> environment without this checkout."""
    files = ran("git", "ls-files", cwd=ROOT).splitlines()
    checkout = tmp_path / "checkout"
    for name in files:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_bytes((ROOT / name).read_bytes())
    python = tmp_path / "env" / "bin" / "python"
    ran(sys.executable, "-m", "venv", str(tmp_path / "env"), cwd=tmp_path)
    ran(python, "-m", "pip", "install", "-q", "setuptools>=68", "wheel", cwd=tmp_path)
    ran(python, "-c", BUILD, "build_sdist", str(tmp_path), cwd=checkout)
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    ran(python, "-c", BUILD, "build_wheel", str(tmp_path), cwd=unpacked)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        described = email.message_from_bytes(archive.read(metadata))
    packaged = {name for name in names if name.startswith("electra_tf/")}
    assert packaged >= {name for name in files if name.startswith("electra_tf/")}
    assert described["License-Expression"] or described["License"] == "Apache-2.0"
    assert "Typing :: Typed" in described.get_all("Classifier")
    install = ("-m", "pip", "install", "-q", "-c", str(ROOT / "constraints.txt"), str(wheel))
    ran(python, *install, cwd=tmp_path)
    assert "pretrain" in ran(tmp_path / "env" / "bin" / "electra", "--help", cwd=tmp_path)
    code = "import electra_tf; print(electra_tf.Encoder.__name__, electra_tf.__file__)"
    name, place = ran(python, "-c", code, cwd=tmp_path).split()
    assert name == "Encoder" and place.startswith(str(tmp_path / "env"))
