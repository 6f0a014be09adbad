# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What TensorFlow and Keras do not promise to keep is used in one file."""

import ast
import importlib
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).parent.parent / "electra_tf"
ONLY_IN = "training/private_tensorflow.py"
PRIVATE_MODULES = ("tensorflow.python", "tensorflow.core", "keras.src", "keras._")
OF_PYTHON = {"_asdict", "_replace", "_fields", "_exit", "_ArgumentGroup", "_option_string_actions"}
LIBRARIES = {"tf": "tensorflow", "keras": "keras"}


def is_private(name):
    return name == "__internal__" or (name.startswith("_") and not name.startswith("__"))


def own_names(tree):
    """Names that a file defines: functions, classes, attributes of `self`, fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def library_class(base):
    """The class of TensorFlow or Keras that is named as a base of a class, if it is one."""
    name = ast.unparse(base)
    library, _, rest = name.partition(".")
    if library not in LIBRARIES or not rest:
        return None
    found = importlib.import_module(LIBRARIES[library])
    for part in rest.split("."):
        found = getattr(found, part)
    return found


def private_uses(source, others=()):
    """(line, name) of each use of something private of a library in the source of a file.

    `others` are names that other files of the package define.
    """
    tree = ast.parse(source)
    own = OF_PYTHON.union(own_names(tree), others)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                modules = [f"{node.module}.{name}" for name in modules]
            yield from ((node.lineno, m) for m in modules if m.startswith(PRIVATE_MODULES))
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            yield node.lineno, node.attr
        elif isinstance(node, ast.ClassDef):
            # Names of ours that stand for a method or attribute that the library's class has.
            bases = [base for base in map(library_class, node.bases) if base is not None]
            names = {name for name in own_names(node) if is_private(name)}
            yield from ((node.lineno, n) for n in sorted(names) for b in bases if hasattr(b, n))


def test_private_api_is_used_in_one_file():
    sources = {
        str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8")
        for path in PACKAGE.rglob("*.py")
    }
    ours = {
        name
        for path, source in sources.items()
        for name in own_names(ast.parse(source))
        if path != ONLY_IN
    }
    found = {
        f"{path}:{line} {name}"
        for path, source in sources.items()
        for line, name in private_uses(source, ours)
    }
    elsewhere = sorted(use for use in found if not use.startswith(f"{ONLY_IN}:"))
    assert elsewhere == []
    assert found != set(), f"{ONLY_IN} uses nothing private: the test finds nothing any more"


@pytest.mark.parametrize(
    "source",
    [
        "from tensorflow.python.eager import context",
        "import keras.src.backend",
        "import tensorflow as tf\ntf.__internal__.distribute.interim.maybe_merge_call",
        "def f(strategy):\n    return strategy._container_strategy()",
        "class A(keras.optimizers.Optimizer):\n    def _backend_update_step(self):\n        pass",
    ],
)
def test_planted_uses_are_found(source):
    assert list(private_uses(source))


def test_own_private_names_are_no_such_uses():
    source = "class A(keras.Model):\n    def f(self):\n        self._ours = 1\n        a._ours"
    assert not list(private_uses(source))
