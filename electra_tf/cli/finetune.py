# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Fine-tunes an ELECTRA model on one or several tasks, and evaluates it."""

import argparse
from typing import TYPE_CHECKING, Any

from absl import logging

from electra_tf.cli import arguments
from electra_tf.config import FinetuningConfig

if TYPE_CHECKING:
    from electra_tf.finetuning.starting_weights import StartingPoint


def make_parser() -> argparse.ArgumentParser:
    """Return the flags of the verb."""
    return arguments.make_run_parser(__doc__)


def resolve(
    model_name: str, data_dir: str, hparams: dict[str, Any]
) -> tuple[FinetuningConfig, "StartingPoint | None"]:
    """Configuration of a run, and the weights it begins with.

    The encoder is that of the weights; hyperparameters may only confirm it. Without training, so
    are the heads.

    Raises:
        FileNotFoundError: there are no weights where they are expected.
        ValueError: see `config_for`, `with_stored_settings` and `find_starting_point`.
    """
    from electra_tf.finetuning.model_folder import with_stored_settings
    from electra_tf.finetuning.starting_weights import asked_config, config_for, without_shape
    from electra_tf.interop import find_starting_point

    asked = asked_config(model_name, data_dir, without_shape(hparams))
    if not asked.do_train:
        # What is evaluated has been trained: its encoder is the one in its own folder.
        folder = f"{asked.model_dir}_1"
        found = find_starting_point(folder)
        hparams = {**with_stored_settings(folder, hparams), "debug": False}
        return config_for(model_name, data_dir, hparams, found), found
    if asked.init_checkpoint is None:
        hparams = {**_stored_size(asked), **hparams}
        return config_for(model_name, data_dir, hparams, None), None
    try:
        found = find_starting_point(
            asked.init_checkpoint, hparams.get("pre_split"), asked.tokenizer
        )
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"init_checkpoint: {error} For random weights, give null."
        ) from error
    return config_for(model_name, data_dir, hparams, found), found


def run(args: argparse.Namespace) -> None:
    """Run what the hyperparameters ask for."""
    from electra_tf.finetuning.run import finetune

    logging.set_verbosity(max(logging.get_verbosity(), logging.INFO))
    config, start = resolve(args.model_name, args.data_dir, arguments.run_hparams(args))
    for name, value in sorted(config.to_dict().items()):
        logging.info("%s = %r", name, value)
    results = finetune(config, start)
    for line in results.lines():
        print(line)
    if config.do_eval:
        print(f"results: {config.results_txt}")


def _stored_size(asked: FinetuningConfig) -> dict[str, int]:
    """`vocab_size` of an earlier run with random weights in the same folders, to resume it."""
    from electra_tf.finetuning.model_folder import read_config

    found = read_config(f"{asked.model_dir}_1")
    return {} if found is None else {"vocab_size": found.finetuning.vocab_size}
