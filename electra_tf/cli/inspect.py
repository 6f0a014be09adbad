# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Shows what pre-training records hold: the manifest as a table, and decoded examples."""

import argparse

from electra_tf import given_files


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    parser.add_argument(
        "--records", required=True, help="folder of records, or patterns separated by commas"
    )
    parser.add_argument("--vocab-file", required=True, help="vocabulary to decode examples with")
    parser.add_argument("--num-examples", default=3, type=_count, help="examples to show")


def _count(text: str):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a number of examples, received {text!r}")
    return int(text)


def check(args: argparse.Namespace) -> None:
    """Check that the files exist."""
    given_files.find_records(args.records)
    given_files.check_vocabulary(args.vocab_file)


def run(args: argparse.Namespace) -> None:
    """Print the table and the examples."""
    from electra_tf.data import PretrainingRecords
    from electra_tf.data.inspection import decode_examples, describe
    from electra_tf.text import load_vocabulary

    records = PretrainingRecords(args.records)
    vocabulary = load_vocabulary(args.vocab_file)
    print(describe(records))
    for example in decode_examples(records, vocabulary, args.num_examples):
        print("\n" + example)
