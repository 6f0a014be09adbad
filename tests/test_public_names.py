# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The public names of the package: all of them are there, documented, and imported lazily."""

import importlib
import inspect
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

import electra_tf

NAMES = [name for name in electra_tf.__all__ if not name.startswith("__")]
API = pathlib.Path(__file__).parents[1] / "docs" / "api.md"


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_there_with_a_docstring(name):
    value = getattr(electra_tf, name)
    assert callable(value) and value.__name__ == name
    assert inspect.cleandoc(value.__doc__ or "").split("\n")[0]


@pytest.mark.parametrize("name", NAMES)
def test_no_module_hides_a_public_name(name):
    """Importing `electra_tf.x` would set the attribute x of the package."""
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"electra_tf.{name}")


def test_documents_have_a_line_for_each_in_order():
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", API.read_text(encoding="utf-8"), re.M)
    assert [name for name, _ in rows] == NAMES
    assert all(line[0].islower() or line[0] in "`AH" for _, line in rows)


def test_completion_shows_them():
    assert set(NAMES) <= set(dir(electra_tf))


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'electra_tf' has no attribute 'laod'"):
        _ = electra_tf.laod
    assert not hasattr(electra_tf, "__path_of_nothing__")


def test_importing_changes_nothing_in_the_process():
    """The package alone imports no library; what it gives lazily sets nothing either."""
    program = """
import json, logging, os, signal, sys
def state():
    handlers = [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
    return [dict(os.environ), handlers, str(logging.getLogger().handlers), sys.path]
before = state()
import electra_tf
libraries = [name for name in ("tensorflow", "keras", "numpy", "absl") if name in sys.modules]
dir(electra_tf)
alone = before == state()
# These set variables of their own.
import absl.logging, keras, sklearn, tensorflow, tensorflow_text
before = state(), tensorflow.config.experimental.tensor_float_32_execution_enabled()
names = [getattr(electra_tf, name) for name in electra_tf.__all__]
after = state(), tensorflow.config.experimental.tensor_float_32_execution_enabled()
print(json.dumps([libraries, alone, before == after]))
"""
    hidden = ("XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [[], True, True]
