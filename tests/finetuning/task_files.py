# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The recorded tasks and questions, the tokenizer they were made with, and small files."""

import functools
import json
import pathlib

import numpy as np

from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.files.squad import read_squad
from electra_tf.text import load_tokenizer

GOLDENS = pathlib.Path(__file__).parent.parent / "goldens"
TASK_FOLDERS = str(GOLDENS / "tasks" / "finetuning_data" / "{:}")


@functools.cache
def tokenizer():
    return load_tokenizer(GOLDENS / "tokenization" / "bert_uncased_vocab.txt")


@functools.cache
def recorded(name):
    """The content of a recorded JSON file, such as "qa/scoring.json"."""
    return json.loads((GOLDENS / name).read_text())


@functools.cache
def squad_examples():
    """The recorded questions; training and development split of the reference's run are one."""
    return read_squad(GOLDENS / "qa" / "squad.json", BadRows(), has_unanswerable=True)


def write(path, text):
    path.write_text(text, encoding="utf-8", newline="")
    return path


def tokens_of(ids):
    """The tokens of a row without the padding."""
    return [tokenizer().vocabulary.token_of(int(i)) for i in ids if i]


def as_arrays(rows):
    """A list of dicts as a dict of arrays."""
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
