# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Reports on a run as one HTML file: what is off, and its curves beside those of recorded runs."""

import argparse
import os

from electra_tf.files import exists, is_folder, read_bytes
from electra_tf.given_files import CONFIG_FILE, LOG_FILE
from electra_tf.reports.page import BEGINNING

NAME = "report.html"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    parser.add_argument(
        "--model-dir",
        required=True,
        help="folder of a pre-trained model, or of a fine-tuned one, "
        ".../finetuning_models/<tasks>_model_<trial>; its run may be going on",
    )
    parser.add_argument("--output", help=f"HTML file; default: {NAME} in the folder")


def check(args: argparse.Namespace) -> None:
    """Check that the folder has a log, and that the output is no file of others."""
    for name, what in ((LOG_FILE, "the log of a run"), (CONFIG_FILE, "what its model is")):
        path = os.path.join(args.model_dir, name)
        if not exists(path):
            raise FileNotFoundError(f"{path} is expected to be {what}, but does not exist.")
    output = _output(args)
    if is_folder(output):
        raise IsADirectoryError(f"--output is expected to be a file, but {output} is a folder.")
    beginning = BEGINNING.encode()
    if exists(output) and read_bytes(output, len(beginning)) != beginning:
        raise FileExistsError(
            f"--output is expected to be a new file or an earlier report, but {output} is another "
            "file."
        )


def _output(args: argparse.Namespace):
    return args.output or os.path.join(args.model_dir, NAME)


def run(args: argparse.Namespace) -> None:
    """Write the report."""
    from electra_tf.files import write_text
    from electra_tf.reports import make_report

    write_text(_output(args), make_report(args.model_dir))
    print(f"Wrote {_output(args)}.")
