# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`electra score-options`: templates with options in, a line of JSON for each out."""

import gzip
import json

import pytest
from commands import run_verb, standard_input
from tiny_finetuning import make_data_dir

import electra_tf
from electra_tf.cli import arguments, score_options

OPTIONS = ["w1", "w2 w3"]


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    return make_data_dir(tmp_path_factory.mktemp("options") / "data") / "models" / "tiny"


@pytest.fixture(scope="module")
def model(model_dir):
    return electra_tf.load(str(model_dir))


@pytest.fixture(autouse=True)
def loaded_once(model, monkeypatch):
    """Every command of this file gets the same model."""
    monkeypatch.setattr(electra_tf, "load", lambda *_, **__: model)


def scored(model_dir, folder, name, lines, *flags):
    content = "".join(line + "\n" for line in lines).encode()
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    paths = ["--input", str(folder / name), "--output", str(folder / "out.jsonl")]
    parser = arguments.parser_of(score_options)
    args = parser.parse_args(["--model-dir", str(model_dir), *paths, *map(str, flags)])
    score_options.check(args)
    score_options.run(args)
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


def test_lines_with_options_and_options_of_all(model_dir, tmp_path, model):
    templates = ["w5 {} w6", "{} w7"]
    lines = ["\t".join([template, *OPTIONS]) for template in templates]
    found = scored(model_dir, tmp_path, "in.tsv", [lines[0], "", lines[1]])
    assert [record.pop("line") for record in found] == [1, 3]
    expected = model.score_options(templates, OPTIONS)
    assert [record["best"] for record in found] == expected["best"].tolist()
    for record, means in zip(found, expected["mean"], strict=True):
        assert list(record["scores"].values()) == pytest.approx(means.tolist(), abs=1e-5)
        assert list(record["scores"]) == OPTIONS and record["scores"] == record["mean"]
    found = [{"line": number, **record} for number, record in enumerate(found, start=1)]
    assert scored(model_dir, tmp_path, "all.tsv", templates, "--options", "w1, w2 w3") == found
    others = {"id": ["é", 1], "option": "w1", "best": 0, "line": 7}
    objects = [json.dumps({**others, "template": t, "options": OPTIONS}) for t in templates]
    expected = [{**record, "id": ["é", 1], "option": "w1"} for record in found]
    assert scored(model_dir, tmp_path, "in.jsonl.gz", objects) == expected
    by_rule = scored(model_dir, tmp_path, "in.tsv", lines, "--rule", "sum_corrected")
    assert all(record["scores"] == record["sum_corrected"] for record in by_rule)


@pytest.mark.slow
def test_examples_are_learned_from_first(model_dir, tmp_path, model):
    (tmp_path / "shots.tsv").write_text("w5 {} w6\tw1\nw7 {} w8\tw2 w3\n")
    hparams = {"learning_rate": 5e-3, "layerwise_lr_decay": 0.0, "num_train_epochs": 5}
    flags = ["--options", json.dumps(OPTIONS), "--few-shot", tmp_path / "shots.tsv"]
    flags += ["--few-shot-hparams", json.dumps(hparams)]
    templates = ["w5 {} w6", "w7 {} w8"]
    found = scored(model_dir, tmp_path, "in.tsv", templates, *flags)
    shots = list(zip(templates, OPTIONS, strict=True))
    expected = model.score_options(templates, OPTIONS, few_shot=shots, **hparams)["mean"]
    means = [list(record["mean"].values()) for record in found]
    assert means == pytest.approx(expected, abs=1e-4)
    assert means != pytest.approx(model.score_options(templates, OPTIONS)["mean"], abs=1e-2)


@pytest.mark.parametrize(
    ("name", "lines", "flags", "message"),
    [
        ("in.tsv", ["{}\tw1"], [], "in.tsv, line 1: expected template, options as tsv, received"),
        ("in.tsv", ["{} a", "{}\tw1"], ["--options", "a,b"], "line 2: expected template as tsv"),
        ("in.jsonl", ["{}"], [], "in.jsonl, line 1: expected template, options as jsonl"),
        ("in.jsonl", ['{"template": "{}", "options": "w1"}'], [], "line 1: expected template"),
        ("in.jsonl", ["3"], [], "line 1: expected template"),
        ("in.jsonl", ['{"template": "{}", "options": ["a", "b"], "id": "\\ud800"}'], [], "line 1"),
        ("in.tsv", ["no gap\tw1\tw2"], [], r"templates\[0\] is expected to have {} once"),
        ("in.tsv", [], [], "is expected to have templates, but has none"),
    ],
)
def test_lines_that_cannot_be_scored_are_named(model_dir, tmp_path, name, lines, flags, message):
    with pytest.raises(ValueError, match=message):
        scored(model_dir, tmp_path, name, lines, *flags)
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_lines_of_standard_input(model_dir, tmp_path, monkeypatch, encoding):
    line = "w5 {} w6\tw1\tw2 w3"
    expected = scored(model_dir, tmp_path, "in.tsv", [line])
    monkeypatch.setattr("sys.stdin", standard_input(f"{line}\r\n\n".encode(encoding)))
    output = tmp_path / "of_standard_input.jsonl"
    run_verb("score_options", "--model-dir", model_dir, "--output", output)
    assert [json.loads(output.read_text())] == expected
