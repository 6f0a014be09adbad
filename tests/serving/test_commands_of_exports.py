# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Commands on an exported model, and how many fillings it gives."""

import json
import types

import pytest
from commands import electra, run_verb

from electra_tf import loading


@pytest.fixture(autouse=True)
def read_once(monkeypatch, pair):
    """The graph of the export is read once for all tests; nothing else is left out."""
    exported = types.SimpleNamespace(signatures=pair)
    monkeypatch.setattr(loading, "load_exported", lambda _: (exported, None))


def run_on(pair_export, folder, verb, line, *flags):
    (folder / "in.txt").write_text(line + "\n")
    paths = ["--input", folder / "in.txt", "--output", folder / "out.txt"]
    run_verb(verb, "--model-dir", pair_export, *paths, *flags)
    return (folder / "out.txt").read_text().rstrip("\n")


@pytest.mark.parametrize(("flags", "count"), [([], 3), (["--top-k", 1], 1)])
def test_errors(pair_export, tmp_path, flags, count):
    flags = ["--threshold", 0, *flags]
    record = json.loads(run_on(pair_export, tmp_path, "find_errors", "The way is", *flags))
    assert [error["word"] for error in record["errors"]] == ["The", "way", "is"]
    assert {len(error["replacements"]) for error in record["errors"]} == {count}


def test_options_and_lists(pair_export, tmp_path):
    written = run_on(pair_export, tmp_path, "score_options", "{} way", "--options", "the,some")
    assert json.loads(written)["best"] in ("the", "some")
    written = run_on(pair_export, tmp_path, "score_texts", "a\tthe way")
    assert written.startswith("a\tthe way\t-") and written.endswith("\t1\t0")


@pytest.mark.parametrize("verb", ["find_errors", "score_options", "score_texts"])
def test_flags_of_the_model_reach_what_loads_it(pair_export, tmp_path, verb):
    line = "{}\tthe\tway" if verb == "score_options" else "a\tthe"
    for flags in (["--pre-split"], ["--labels", "a,b"], ["--hparams", '{"seed": 1}']):
        with pytest.raises(ValueError, match="is an exported model, which has nothing to choose"):
            run_on(pair_export, tmp_path, verb, line, *flags)


def test_fewer_fillings_are_the_first_of_them(pair_export):
    text = ["the [MASK] is"]
    whole, cut = (loading.load(pair_export, top_k=k) for k in (None, 2))
    filled = whole.fill_mask(text)
    for name, values in cut.fill_mask(text).items():
        is_filling = name in ("tokens", "token_ids", "probabilities")
        assert (values == (filled[name][..., :2] if is_filling else filled[name])).all()
    found = cut.find_errors(text, threshold=0)
    assert found["replacements"].shape == found["replacement_probabilities"].shape == (1, 3, 2)
    assert found["words"].shape == (1, 3) and cut.signatures == whole.signatures


def test_more_fillings_than_there_are_is_an_error(pair_export, tmp_path, capsys):
    with pytest.raises(ValueError, match=r"top_k is expected to be at most 3, which .*pair was ex"):
        loading.load(pair_export, top_k=4)
    (tmp_path / "in.txt").write_text("the\n")
    flags = ["--model-dir", pair_export, "--input", tmp_path / "in.txt", "--top-k", 4]
    assert electra("find-errors", *flags) == 2
    assert "top_k is expected to be at most 3" in capsys.readouterr().err
    for wrong in (0, "3", 1.5, True):
        with pytest.raises(ValueError, match="top_k is expected to be "):
            loading.load(pair_export, top_k=wrong)


def test_wrong_arguments_of_methods(pair_export):
    model = loading.load(pair_export)
    methods = (model.find_errors, model.encode, lambda *a, **k: model.similarity(*a, *a, **k))
    for method in methods:
        with pytest.raises(ValueError, match="batch_size is expected to be at least 1, but is -1"):
            method(["the"], batch_size=-1)
        with pytest.raises(ValueError, match="batch_size is expected to be a whole number, but is"):
            method(["the"], batch_size="3")
    with pytest.raises(ValueError, match=r"threshold is expected to be in 0\.\.1, but is '0\.5'"):
        model.find_errors(["the"], threshold="0.5")
