# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Predicts with a fine-tuned model for an unlabelled file or for lines of standard input."""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from typing import Any

from electra_tf import given_files
from electra_tf.files import new_file

STANDARD = "-"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    parser.add_argument(
        "--model-dir",
        required=True,
        help="folder of a fine-tuned model, .../finetuning_models/<tasks>_model_<trial>",
    )
    parser.add_argument(
        "--input",
        default=STANDARD,
        help="file laid out as one of the task's splits; - for lines of standard input: a text, "
        "two texts with a tab between, words of a sentence, or JSON with question and context",
    )
    parser.add_argument("--output", default=STANDARD, help="JSONL file; - for standard output")
    parser.add_argument("--task", help="which task of the model, if it has several")
    parser.add_argument(
        "--layout",
        help="split whose layout the input has; default: the first without labels, else the first",
    )


def check(args: argparse.Namespace) -> None:
    """Check that the model and the input exist."""
    given_files.check_finetuned(args.model_dir)
    if args.input != STANDARD:
        given_files.data_file(args.input)


def run(args: argparse.Namespace) -> None:
    """Write one JSON object per example."""
    from electra_tf.finetuning.files.contents import standard_input_lines
    from electra_tf.finetuning.prediction import Predictor

    predictor = Predictor(args.model_dir, args.task)
    if args.input == STANDARD:
        records = predictor.of_lines(standard_input_lines(), "standard input")
    else:
        records = predictor.of_file(args.input, args.layout)
    count = 0
    with output(args.output) as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            count += 1
    place = "standard output" if args.output == STANDARD else args.output
    # Not to standard output, which may hold the predictions.
    print(f"Wrote {count:,} predictions of {predictor.task.name} to {place}.", file=sys.stderr)
    print(f"{predictor.unknown}.", file=sys.stderr)


@contextlib.contextmanager
def output(path: str) -> Iterator[Any]:
    """Standard output, or a file that is written completely or not at all."""
    if path == STANDARD:
        yield sys.stdout
        return
    with new_file(path) as file:
        yield file
