# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`electra find-errors`: records of files and of standard input, colors, calibration."""

import json
import pathlib

import pytest
from commands import electra, run_verb, standard_input
from served_models import LENGTH

import electra_tf
from electra_tf.cli import find_errors
from electra_tf.interop.error_calibration import CALIBRATION_FILE

LONG = " ".join(f"wörd{number}" for number in range(40)) + " end."
LINES = ["\ufeffThe way is there.", "", LONG, "x" * 50 * LENGTH + " unaffable"]


@pytest.fixture
def folder(calibrated_dir):
    return calibrated_dir


@pytest.fixture(scope="module")
def model(error_finder):
    return error_finder


@pytest.fixture(autouse=True)
def loaded_once(model, monkeypatch):
    monkeypatch.setattr(electra_tf, "load", lambda *_, **__: model)


def test_long_texts_are_read_to_their_ends(model, folder, tmp_path, capsys):
    (tmp_path / "in.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    flags = ["--model-dir", folder, "--output", tmp_path / "out.jsonl", "--top-k", 3]
    run_verb("find_errors", *flags, "--input", tmp_path / "in.txt", "--threshold", 0)
    assert ", not calibrated. 1 lines are blank.\n" in capsys.readouterr().err
    written = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in written]
    assert [record["line"] for record in records] == [1, 3, 4]
    assert records[0]["text"] == "The way is there." and not records[0]["is_calibrated"]
    for record in records:
        # A word of more than 200 characters is unknown, which is no error.
        words = [word for word in record["text"].split() if len(word) <= 200]
        assert [error["word"] for error in record["errors"]] == words
        for error in record["errors"]:
            place = slice(error["start"], error["end"])
            assert record["text"].encode()[place].decode() == error["word"]
    assert len(records[1]["errors"]) == 41
    first = model.find_errors(["The way is there."], threshold=0)
    for place, error in enumerate(records[0]["errors"]):
        assert abs(error["probability"] - first["probabilities"][0, place]) < 1e-5
        assert [each["word"] for each in error["replacements"]] == list(
            first["replacements"][0, place]
        )


def test_a_word_longer_than_a_row_is_passed_over_and_said_to_be(folder, capsys, monkeypatch):
    word = "/".join("abcdefghij" * 8)
    monkeypatch.setattr("sys.stdin", standard_input(f"\n ä {word} the way {word}\n\n"))
    run_verb("find_errors", "--model-dir", folder, "--threshold", 0)
    out, err = capsys.readouterr()
    (record,) = map(json.loads, out.splitlines())
    assert [error["word"] for error in record["errors"]] == ["ä", "the", "way"]
    assert [record["text"].encode()[slice(*place)].decode() for place in record["unread"]] == [
        word,
        word,
    ]
    assert err.endswith(
        "not calibrated. 2 words are longer than a row and were not read. 1 lines are blank.\n"
    )


def test_long_texts_are_looked_at_in_bounded_parts(model, monkeypatch):
    word = "/".join("abcdefghij" * 8)
    lines = [f"  {LONG}\u3000{word}\u00a0{word} {LONG} ", "The end."]
    whole = list(find_errors.records_of(model, lines, threshold=0))
    looked_at, find = [], model.find_errors
    monkeypatch.setattr(model, "find_errors", lambda *a: (looked_at.extend(a[0]), find(*a))[1])
    monkeypatch.setattr(find_errors._Rest.__new__, "__defaults__", (0, 16))
    monkeypatch.setattr(find_errors, "_HEAD_BYTES", 16)
    in_parts = list(find_errors.records_of(model, lines, threshold=0))
    assert len(whole[0]["errors"]) == 82 and len(whole[0]["unread"]) == 2
    for of_parts, of_whole in zip(in_parts, whole, strict=True):  # sums differ in their last bits
        probabilities = [[e.pop("probability") for e in r["errors"]] for r in (of_parts, of_whole)]
        assert probabilities[0] == pytest.approx(probabilities[1], abs=1e-5)
        for error in (*of_parts["errors"], *of_whole["errors"]):
            error["replacements"] = [filling["word"] for filling in error["replacements"]]
        assert of_parts == of_whole
    assert max(map(len, looked_at)) < 2 * len(word) + 20 < len(lines[0]) / 2


def test_standard_input_is_marked_in_color(folder, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", standard_input("\ufeffThe wäy is.\n"))
    run_verb("find_errors", "--model-dir", folder, "--color", "--threshold", 0)
    out, err = capsys.readouterr()
    assert out.startswith("\x1b[31mThe\x1b[0m \x1b[32m(") and "\x1b[31mwäy\x1b[0m" in out
    assert out.endswith(".)\x1b[0m\n") and "3 errors in 1 texts" in err and "not calibrated" in err


def test_what_is_calibrated_by_the_command_counts(folder, tmp_path, capsys):
    text = tmp_path / "heldout.txt"
    text.write_text("there is some way to the end of it\n\n" * 60)
    flags = ["--model-dir", folder, "--calibrate", text]
    run_verb("find_errors", *flags, "--false-alarm-rate", 0.1, "--error-rate", 0.2)
    out, err = capsys.readouterr()
    assert not out and f"{folder} is calibrated on " in err and " of 60 texts" in err
    stored = json.loads(pathlib.Path(folder, CALIBRATION_FILE).read_text())
    measured = stored["5"]["measured"]
    assert measured["false_alarm_rate"] == 0.1 and measured["error_rate"] == 0.2
    assert electra(*find_flags(folder), "--calibrate", text, "--precision", 0.999) == 2
    assert "error: precision is expected to be at most " in capsys.readouterr().err
    text.write_text("\n")
    assert electra(*find_flags(folder), "--calibrate", text) == 2
    assert f"{text} is expected to have texts, but has none." in capsys.readouterr().err


def find_flags(folder):
    return ["find-errors", "--model-dir", folder]
