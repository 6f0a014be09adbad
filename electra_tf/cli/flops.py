# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Counts the floating-point operations of a pre-training run, beside those of published runs."""

import argparse

from electra_tf.cli import arguments
from electra_tf.config import PretrainingConfig, load_hparams


def make_parser() -> argparse.ArgumentParser:
    """Return the flags of the verb."""
    parser = arguments.make_parser(__doc__)
    parser.add_argument(
        "--hparams", default="{}", help="JSON object of hyperparameters, or path of a file with one"
    )
    return parser


def run(args: argparse.Namespace) -> None:
    """Print the run's operations, and the table of published ones."""
    from electra_tf.pretraining.run_flops import flops_of_run, flops_of_sequence, published_flops

    config = PretrainingConfig.from_hparams("model", ".", load_hparams(args.hparams))
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
