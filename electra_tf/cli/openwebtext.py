# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Preprocesses the OpenWebText corpus for ELECTRA pre-training.

Reads the archives in <data-dir>/openwebtext and <data-dir>/vocab.txt, and writes the records to
<data-dir>/pretrain_tfrecords.
"""

import argparse
import os

from electra_tf import given_files
from electra_tf.cli.records import add_building_flags, build, check_building_flags


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The reference's flags (build_openwebtext_pretraining_dataset.py:76-99) and some new ones."""
    parser.add_argument(
        "--data-dir", required=True, help="location of data (vocabulary file, corpus, records)"
    )
    add_building_flags(parser)


def check(args: argparse.Namespace) -> None:
    """Check the flags, and that the files exist."""
    check_building_flags(args)
    given_files.check_vocabulary(os.path.join(args.data_dir, "vocab.txt"))
    given_files.check_corpus(os.path.join(args.data_dir, "openwebtext"))


def run(args: argparse.Namespace) -> None:
    """Build records as the flags say."""
    build(
        args,
        os.path.join(args.data_dir, "openwebtext"),
        os.path.join(args.data_dir, "vocab.txt"),
        os.path.join(args.data_dir, "pretrain_tfrecords"),
        # Every file of an archive is one document, blank lines separate its paragraphs.
        blanks_separate_docs=False,
    )
