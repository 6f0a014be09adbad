# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Pre-trains or evaluates an ELECTRA model."""

import sys

from absl import logging

from electra_tf.cli import arguments
from electra_tf.config import load_hparams
from electra_tf.pretraining import model_folder, run
from electra_tf.training import stops


def make_parser():
    parser = arguments.make_parser(__doc__)
    parser.add_argument("--data-dir", required=True, help="folder of data, vocabulary and models")
    parser.add_argument("--model-name", required=True, help="name of the model")
    parser.add_argument(
        "--hparams", default="{}", help="JSON object of hyperparameters, or path of a .json file"
    )
    return parser


def pretrain(args) -> int:
    """Run what the hyperparameters ask for; returns the exit status."""
    logging.set_verbosity(max(logging.get_verbosity(), logging.INFO))
    config = model_folder.resolve_config(args.model_name, args.data_dir, load_hparams(args.hparams))
    if config.do_train == config.do_eval:
        raise ValueError(
            "exactly one of do_train and do_eval is expected to be true, but both are "
            f"{str(config.do_train).lower()}."
        )
    for name, value in sorted(config.to_dict().items()):
        logging.info("%s = %r", name, value)
    try:
        if config.do_train:
            run.train(config)
        else:
            for name, value in sorted(run.evaluate(config).items()):
                print(f"  {name} = {value}")
    except stops.Stopped as stopped:
        print(stopped, file=sys.stderr)
        return 128 + stopped.signal
    except ArithmeticError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def main():
    arguments.run(pretrain, make_parser())


if __name__ == "__main__":
    main()
