# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Pre-trains or evaluates an ELECTRA model."""

import argparse

from electra_tf import given_files
from electra_tf.cli import arguments
from electra_tf.config import PretrainingConfig
from electra_tf.config.continued_run import with_continued_run


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    arguments.add_run_flags(parser, PretrainingConfig)


def check(args: argparse.Namespace) -> None:
    """Check the hyperparameters, and that the files exist."""
    given = arguments.run_hparams(args)
    hparams = with_continued_run(args.model_name, args.data_dir, given)
    config = PretrainingConfig.to_find_files(args.model_name, args.data_dir, hparams)
    given_files.check_pretraining_files(config)


def run(args: argparse.Namespace) -> None:
    """Run what the hyperparameters ask for."""
    from electra_tf.runs import run_pretraining

    hparams = arguments.run_hparams(args)
    results = run_pretraining(args.data_dir, args.model_name, hparams)
    if results.config.do_eval:
        for name, value in sorted(results.metrics.items()):
            print(f"  {name} = {value}")
