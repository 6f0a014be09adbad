# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From the path of a model to its weights: few files, which a reader follows from top to bottom."""

import pathlib
import shutil
import sys

import pytest
from test_conversion import GOLDENS, hparams_of, released

import electra_tf
from electra_tf.interop import find_starting_point, open_model
from electra_tf.interop.conversion import convert

ROOT = pathlib.Path(electra_tf.__file__).parent
MOST_FILES = 9
PRETRAINED, FINETUNED = "pretrain/electra_untied", "finetune/cola"


def files_given(path, call):
    """Files of the package with a function that gets the path, or one inside, until `call` ends.

    How the vocabulary is read (text/) is a way of its own.
    """
    found = set()

    def watch(frame, event, _):
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(f"{ROOT}/"):
            return
        arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        values = [frame.f_locals.get(name) for name in arguments]
        # What find_model returns is a tuple with the path.
        values += [part for value in values if isinstance(value, tuple) for part in value]
        if any(isinstance(value, str) and path in value for value in values):
            found.add(str(pathlib.Path(code.co_filename).relative_to(ROOT)))

    sys.setprofile(watch)
    try:
        call(path)
    finally:
        sys.setprofile(None)
    return {name for name in found if not name.startswith("text/")}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root, made = tmp_path_factory.mktemp("models"), {}
    for kind, case in (("pretrained", PRETRAINED), ("fine-tuned", FINETUNED)):
        (root / kind).mkdir()
        made[f"reference, {kind}"] = released(root / kind, case), hparams_of(case)
        made[f"ours, {kind}"] = str(root / kind / "ours"), None
        convert(open_model(*made[f"reference, {kind}"]), "electra_tf", made[f"ours, {kind}"][0])
    for name in ("discriminator", "token_classification"):
        folder = shutil.copytree(GOLDENS / "huggingface" / name, root / name)
        made[f"Hugging Face, {name}"] = str(folder), None
    return made


@pytest.mark.parametrize(
    "kind",
    [
        "ours, pretrained",
        "ours, fine-tuned",
        "reference, pretrained",
        "reference, fine-tuned",
        "Hugging Face, discriminator",
        "Hugging Face, token_classification",
    ],
)
def test_a_path_visits_few_files(folders, kind):
    path, hparams = folders[kind]
    for call in (lambda path: open_model(path, hparams), find_starting_point):
        files = files_given(path, call)
        assert "interop/opening.py" in files
        assert len(files) <= MOST_FILES, sorted(files)
