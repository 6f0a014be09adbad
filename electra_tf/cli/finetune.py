# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Fine-tunes an ELECTRA model on one or several tasks, and evaluates it."""

import argparse

from electra_tf import given_files
from electra_tf.cli import arguments
from electra_tf.config import FinetuningConfig


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    arguments.add_run_flags(parser, FinetuningConfig)


def check(args: argparse.Namespace) -> None:
    """Check the hyperparameters, and that the files exist."""
    hparams = arguments.run_hparams(args)
    config = FinetuningConfig.to_find_files(args.model_name, args.data_dir, hparams)
    given_files.check_finetuning_files(config)


def run(args: argparse.Namespace) -> None:
    """Run what the hyperparameters ask for."""
    from electra_tf.runs import run_finetuning

    results = run_finetuning(args.data_dir, args.model_name, arguments.run_hparams(args))
    for line in results.lines():
        print(line)
    if results.config.do_eval:
        print(f"results: {results.config.results_txt}")
