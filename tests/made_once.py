# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Folders that several processes of tests share, made by the first that asks for one."""

import fcntl
import os
import pathlib
from collections.abc import Callable

import pytest


def made_once(
    factory: pytest.TempPathFactory, name: str, make: Callable[[pathlib.Path], None]
) -> pathlib.Path:
    """The folder of that name, which `make` has filled; the other processes wait for it."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # of all processes
    folder, done = root / f"shared_{name}", root / f"shared_{name}.done"
    with open(root / f"shared_{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir()
            make(folder)
            done.touch()
    return folder
