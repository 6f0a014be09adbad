# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import json
import pathlib

import pytest

from electra_tf import text

GOLDENS = pathlib.Path(__file__).parent.parent / "goldens" / "tokenization"
SETTINGS = {
    "uncased": (True, True),
    "cased": (False, False),
    "uncased_keep_accents": (True, False),
}


@pytest.fixture(scope="session")
def vocab_file():
    return str(GOLDENS / "bert_uncased_vocab.txt")


@pytest.fixture(scope="session")
def goldens():
    """The lines, and for each setting the ids that the reference gives them."""
    return json.loads((GOLDENS / "tokenizer.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session", params=SETTINGS)
def setting(request):
    return request.param


@pytest.fixture(scope="session")
def tokenizer(setting, vocab_file):
    return text.load_tokenizer(vocab_file, *SETTINGS[setting])


@pytest.fixture(scope="session")
def uncased(vocab_file):
    return text.load_tokenizer(vocab_file)
