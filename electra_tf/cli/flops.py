# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Counts the floating-point operations of a pre-training run, beside those of published runs."""

import argparse

from electra_tf.cli import arguments
from electra_tf.config import PretrainingConfig


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    arguments.add_hparams_flags(parser)


def check(args: argparse.Namespace) -> None:
    """Check the hyperparameters."""
    _config(args)


def _config(args: argparse.Namespace):
    return PretrainingConfig.from_hparams("model", ".", arguments.given_hparams_of(args))


def run(args: argparse.Namespace) -> None:
    """Print the run's operations, and the table of published ones."""
    from electra_tf.pretraining.run_flops import flops_of_run, flops_of_sequence, published_flops

    config = _config(args)
    total = flops_of_run(config)
    print(f"this run       {total:.4g} FLOPs in {config.num_train_steps:,} steps")
    for stage in config.plan:
        per_sequence = flops_of_sequence(config, stage.max_seq_length)
        print(
            f"  {stage.steps:,} steps of {stage.train_batch_size} x {stage.max_seq_length} tokens: "
            f"{per_sequence:.4g} per sequence"
        )
    print("published      FLOPs      times this run")
    for name, flops in published_flops().items():
        print(f"{name:14} {flops:.4g}  {flops / total:.3g}")
