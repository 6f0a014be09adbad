# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Pre-trains or evaluates an ELECTRA model."""

import argparse

from absl import logging

from electra_tf.cli import arguments


def make_parser() -> argparse.ArgumentParser:
    """Return the flags of the verb."""
    return arguments.make_run_parser(__doc__)


def run(args: argparse.Namespace) -> None:
    """Run what the hyperparameters ask for."""
    from electra_tf.interop.opening import find_pretraining_weights
    from electra_tf.pretraining import model_folder
    from electra_tf.pretraining.run import evaluate, train

    logging.set_verbosity(max(logging.get_verbosity(), logging.INFO))
    config = model_folder.resolve_config(
        args.model_name, args.data_dir, arguments.run_hparams(args)
    )
    if config.do_train == config.do_eval:
        raise ValueError(
            "exactly one of do_train and do_eval is expected to be true, but both are "
            f"{str(config.do_train).lower()}."
        )
    for name, value in sorted(config.to_dict().items()):
        logging.info("%s = %r", name, value)
    if config.do_train:
        train(config, find_weights=find_pretraining_weights)
    else:
        for name, value in sorted(evaluate(config).items()):
            print(f"  {name} = {value}")
