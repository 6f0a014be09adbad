# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The command `electra` itself: its verbs, its help, and what it says of wrong ones."""

import importlib
import pathlib
import re
import subprocess
import sys

import pytest
from commands import electra

import electra_tf
from electra_tf.cli import arguments, convert, embeddings, export, records, vocab
from electra_tf.cli.main import VERBS
from electra_tf.data import cooccurrence, plan
from electra_tf.interop import conversion
from electra_tf.interop.huggingface import our_models
from electra_tf.pretraining import initial_embeddings
from electra_tf.serving import export as exporting
from electra_tf.text import SPECIAL_TOKENS, sentencepiece_tokenizer, sentencepiece_training

ROOT = pathlib.Path(__file__).parents[2]


def test_help_lists_the_verbs_in_the_order_of_use(capsys):
    assert electra("--help") == 0
    out = capsys.readouterr().out
    assert re.findall(r"^  ([\w-]+)  ", out, re.M) == list(VERBS)
    for meaning in VERBS.values():
        assert meaning in out
    assert all(len(line) <= 100 for line in out.splitlines())


def test_the_version(capsys):
    assert electra("--version") == 0
    assert capsys.readouterr().out == f"electra {electra_tf.__version__}\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ([], "a verb is expected first. The verbs are vocab, records, "),
        (["pretarin"], "received 'pretarin': did you mean 'pretrain'? The verbs are"),
        (["build_everything"], "received 'build_everything'. The verbs are"),
        (["--data-dir", "d", "pretrain"], "received '--data-dir'"),
        (["openwebtext"], "received 'openwebtext'"),  # a script only
    ],
)
def test_a_wrong_verb_is_one_line_and_status_2(capsys, line, message):
    assert electra(*line) == 2
    out, err = capsys.readouterr()
    assert message in err and not out
    assert [line.startswith("error: ") for line in err.splitlines()] == [False, True]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_its_usage(capsys, verb):
    assert electra(verb, "--help") == 0
    assert capsys.readouterr().out.startswith(f"usage: electra {verb} [-h]")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["predict", "--modeldir", "m"], "arguments are required: --model-dir"),
        (["predict", "--model_dir", "absent", "--modl", "m"], "unrecognized arguments: --modl"),
        (["export", "--model-dir", "m", "--export-dir", "e", "--dtype", "int8"], "invalid choice"),
    ],
)
def test_wrong_flags_name_the_verb(capsys, line, message):
    assert electra(*line) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"electra {line[0]}: error: ") and message in last


def test_underscores_are_hyphens(tmp_path, capsys):
    assert electra("inspect", f"--records={tmp_path}/no", f"--vocab_file={tmp_path}/no.txt") == 2
    assert f"{tmp_path}/no' matches no file" in capsys.readouterr().err


def test_choices_and_defaults_are_those_of_the_library():
    """The modules of verbs repeat them, since the library loads TensorFlow."""
    assert convert.FORMATS == conversion.FORMATS
    assert convert.PARTS == our_models.PARTS
    assert export.DTYPES == exporting.DTYPES
    assert vocab.TOKENIZERS == ("wordpiece", *sentencepiece_training.MODEL_TYPES)
    assert embeddings.BLOCK_TOKENS == cooccurrence.BLOCK_TOKENS
    assert embeddings.NORM == initial_embeddings.NORM
    assert vocab.MODEL_SUFFIX == sentencepiece_tokenizer.MODEL_SUFFIX
    assert vocab.NUM_SPECIAL_TOKENS == len(SPECIAL_TOKENS)
    assert records.SEED == plan.DEFAULT_SEED


def test_the_package_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "electra_tf", "--version"], capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (0, f"electra {electra_tf.__version__}\n")


def test_scripts_of_the_original_run_a_module_that_is_there():
    for script in ROOT.glob("*_*.py"):
        (verb,) = re.findall(r'run_script\("(\w+)"\)', script.read_text())
        module = importlib.import_module(f"electra_tf.cli.{verb}")
        assert callable(module.run) and arguments.parser_of(module)
