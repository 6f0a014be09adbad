# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import sys

import pytest
import tensorflow as tf

from electra_tf.cli import arguments


@pytest.fixture
def parser():
    parser = arguments.make_parser("A command.")
    parser.add_argument("--corpus-dir")
    parser.add_argument("--max_length", type=int)
    parser.add_argument("--blanks-separate-docs", type=arguments.parse_bool, default=True)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--in-group")
    arguments.add_case_flags(parser)
    return parser


@pytest.mark.parametrize(
    "line",
    [
        "--corpus-dir a_b --max-length 3 --in-group x_y",
        "--corpus_dir a_b --max_length 3 --in_group x_y",
        "--corpus_dir=a_b --max-length=3 --in_group=x_y",
    ],
)
def test_hyphens_and_underscores(parser, line):
    args = parser.parse_args(line.split())
    assert (args.corpus_dir, args.max_length, args.in_group) == ("a_b", 3, "x_y")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", (True, True)),
        ("--no-lower-case", (False, True)),
        ("--no_lower_case --no-strip-accents", (False, False)),
        ("--no-strip-accents --do-strip-accents", (True, True)),
    ],
)
def test_case_flags(parser, line, expected):
    args = parser.parse_args(line.split())
    assert (args.do_lower_case, args.strip_accents) == expected


@pytest.mark.parametrize(
    ("word", "value"),
    [("True", True), ("1", True), ("yes", True), ("False", False), ("0", False), ("NO", False)],
)
def test_truth_values_mean_what_they_say(parser, word, value):
    assert parser.parse_args(["--blanks-separate-docs", word]).blanks_separate_docs is value


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--blanks-separate-docs maybe", "expected one of true, 1, yes, false, 0, no"),
        ("--corpus x", "unrecognized arguments: --corpus x"),
        ("--max-length many", "invalid int value: 'many'"),
    ],
)
def test_wrong_command_lines(parser, line, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(line.split())
    assert message in capsys.readouterr().err


def status_of_run(main, parser, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["command", "--corpus-dir", "x"])
    with pytest.raises(SystemExit) as exit_info:
        arguments.run(main, parser)
    return exit_info.value.code


def test_run_passes_the_arguments(parser, monkeypatch):
    seen = []
    assert not status_of_run(lambda args: seen.append(args.corpus_dir), parser, monkeypatch)
    assert seen == ["x"]


def denied(message):
    return tf.errors.PermissionDeniedError(None, None, message)


@pytest.mark.parametrize("kind", [ValueError, FileNotFoundError, denied])
def test_wrong_input_is_one_line(parser, monkeypatch, capsys, kind):
    def main(args):
        raise kind(f"Nothing in {args.corpus_dir}.")

    assert status_of_run(main, parser, monkeypatch) == 2
    assert capsys.readouterr().err == "error: Nothing in x.\n"


def test_ctrl_c_is_one_line(parser, monkeypatch, capsys):
    def main(args):
        raise KeyboardInterrupt

    assert status_of_run(main, parser, monkeypatch) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_defects_keep_their_traceback(parser, monkeypatch):
    def main(args):
        raise KeyError("a defect")

    monkeypatch.setattr(sys, "argv", ["command"])
    with pytest.raises(KeyError, match="a defect"):
        arguments.run(main, parser)
