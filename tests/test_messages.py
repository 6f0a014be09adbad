# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Messages that show several values name each: "received 64, 64 and 128" says nothing."""

import ast
import pathlib
import re

import pytest

import electra_tf
from electra_tf.finetuning.kinds import scorers

BARE = re.compile(r"\b(received|are|is|shapes?|says) (of shape )?\{\}(, | and |, and | or )\{\}")


def bare_values(source):
    """Lines and texts of formatted strings that show values side by side without names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            if BARE.search("".join(parts)):
                yield node.lineno, "".join(parts)


def test_no_message_shows_values_without_their_names():
    folder = pathlib.Path(electra_tf.__file__).parent
    found = {
        str(path.relative_to(folder)): bare
        for path in sorted(folder.rglob("*.py"))
        if (bare := list(bare_values(path.read_text(encoding="utf-8"))))
    }
    assert not found


@pytest.mark.parametrize("text", ["received {a}, {b} and {c}.", "rules are {a} and {b}."])
def test_such_messages_are_found(text):
    assert list(bare_values(f"f'{text}'"))
    assert not list(bare_values("f'received a={a} and b={b}'"))


@pytest.mark.parametrize(
    ("predictions", "gold", "named"),
    [
        ([[1, 0]], [[1, 0, 1]], r"predictions of shape \(1, 2\) and gold of shape \(1, 3\)"),
        ([[1], [0]], [[1]], r"predictions of shape \(2, 1\) and gold of shape \(1, 1\)"),
    ],
)
def test_shapes_of_predictions_and_labels_are_named(predictions, gold, named):
    with pytest.raises(ValueError, match=named):
        scorers.multilabel_scores(predictions, gold)
