# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A pre-training run: from a configuration to checkpoints, logs and results."""

from collections.abc import Mapping

import tensorflow as tf

from electra_tf.config import MODEL_KEYS, PretrainingConfig
from electra_tf.data import PretrainingRecords
from electra_tf.files import write_json, write_pickle, write_text
from electra_tf.pretraining import model_folder
from electra_tf.pretraining.decayed_run import checkpoint_to_decay
from electra_tf.pretraining.held_out import Evaluator
from electra_tf.pretraining.pretrainer import ElectraPretrainer
from electra_tf.pretraining.stage_records import StageRecords
from electra_tf.pretraining.starting_weights import FindWeights, found_weights
from electra_tf.pretraining.training import PretrainingTrainer, make_optimizer
from electra_tf.text import Tokenizer, load_matching_tokenizer
from electra_tf.training.checkpoints.checkpoint import read_state, read_step, resolve_prefix
from electra_tf.training.checkpoints.run_folder import locked
from electra_tf.training.checkpoints.weights import check_size, load_weights
from electra_tf.training.distribution.coordination import ending_with_others
from electra_tf.training.distribution.strategy import make_strategy
from electra_tf.training.distribution.workers import Workers, check_same_run, check_same_weights
from electra_tf.training.loop.runners import rows_of_each
from electra_tf.training.optimization.updates import rows_of_part
from electra_tf.training.private_tensorflow import without_lasting_gradients


def train(
    config: PretrainingConfig,
    strategy: tf.distribute.Strategy | None = None,
    find_weights: FindWeights | None = None,
) -> dict:
    """Pre-train to `num_train_steps`, resuming where the model folder's last checkpoint stopped.

    Args:
        config: the run.
        strategy: where to compute; default: what `config` says.
        find_weights: reads what the run begins with where it is no checkpoint.

    Returns:
        The last logged values; empty if there was nothing left to do.

    Raises:
        ValueError: configuration, vocabulary, records or checkpoint do not fit each other.
        ArithmeticError: the loss of a step is not finite.
        OSError: another run trains in the model folder, or another worker has died.
        Stopped: SIGTERM or Ctrl-C; the run is saved and can be continued.
    """
    # First: workers cannot find each other once TensorFlow has computed something.
    strategy = strategy or make_strategy(config.devices)
    workers = Workers(strategy)
    lock = workers.only_chief(lambda: locked(config.model_dir))
    with ending_with_others(workers.resolver), lock:
        return _train(config, strategy, workers, find_weights)


@without_lasting_gradients()
def _train(
    config: PretrainingConfig,
    strategy: tf.distribute.Strategy,
    workers: Workers,
    find_weights: FindWeights | None,
) -> dict:
    check_same_run(workers, config)
    tokenizer = load_matching_tokenizer(config)
    records = StageRecords(
        config.plan,
        lambda patterns, length: open_records(config, patterns, length, tokenizer),
        config.length_buckets,
    )
    held_out, fingerprints = None, records.fingerprints
    if config.eval_every_steps:
        patterns = config.eval_tfrecords or config.pretrain_tfrecords
        held_out = open_records(config, patterns, config.max_seq_length, tokenizer)
        fingerprints["evaluation records"] = held_out.fingerprint
    _check_same_data(workers, tokenizer, fingerprints)
    _check_shares(config, strategy)
    if model_folder.starts_over(config):
        if workers.is_chief:
            model_folder.clear_debug_folder(config)
        workers.wait_for_all()  # before the others look into the folder
    check_saved_model(config)
    start = found_weights(config, find_weights)

    with strategy.scope():
        pretrainer = make_pretrainer(config, tokenizer)
    trainer = PretrainingTrainer(config, strategy, pretrainer, tokenizer, records, held_out, start)
    trainer.run()
    return trainer.last_logged


def evaluate(
    config: PretrainingConfig, strategy: tf.distribute.Strategy | None = None
) -> dict[str, float]:
    """Evaluate the newest checkpoint of the model folder on its first `num_eval_steps` batches.

    Writes `results_txt`, a JSON file beside it, and `results_pkl`.

    Args:
        config: the run.
        strategy: where to compute; default: what `config` says.

    Returns:
        Metrics under the original's names, see `Evaluator`.

    Raises:
        FileNotFoundError: the model folder has no checkpoint.
        ValueError: configuration, vocabulary, records or checkpoint do not fit each other.
        OSError: another worker has died.
    """
    strategy = strategy or make_strategy(config.devices)
    workers = Workers(strategy)
    with ending_with_others(workers.resolver):
        check_same_run(workers, config)
        tokenizer = load_matching_tokenizer(config)
        patterns = config.eval_tfrecords or config.pretrain_tfrecords
        records = open_records(config, patterns, config.max_seq_length, tokenizer)
        _check_same_data(workers, tokenizer, {"evaluation records": records.fingerprint})
        step = read_step(resolve_prefix(config.model_dir))
        workers.check_same("the checkpoint to evaluate", {"step": step})
        with strategy.scope():
            pretrainer = load_pretrainer(config, tokenizer)
        check_same_weights(workers, "the checkpoint to evaluate", pretrainer)
        results = Evaluator(pretrainer, records, config.num_eval_steps, strategy)()
        results["global_step"] = step
        if workers.is_chief:
            write_results(config, results)
        workers.wait_for_all()
    return results


def load_pretrainer(
    config: PretrainingConfig, tokenizer: Tokenizer | None = None
) -> ElectraPretrainer:
    """The model of a folder with the weights of its newest checkpoint."""
    check_saved_model(config)
    pretrainer = make_pretrainer(config, tokenizer or load_matching_tokenizer(config))
    load_weights(resolve_prefix(config.model_dir), pretrainer)
    pretrainer.updates.begin_averages()
    return pretrainer


def make_pretrainer(config: PretrainingConfig, tokenizer: Tokenizer) -> ElectraPretrainer:
    """A compiled pretrainer with initial weights."""
    pretrainer = ElectraPretrainer(config, tokenizer.vocabulary)
    pretrainer.compile(optimizer=make_optimizer(config))
    pretrainer.optimizer.build(pretrainer.trainable_variables)
    return pretrainer


# ---- Checks before anything is built


def open_records(
    config: PretrainingConfig, patterns: str, max_seq_length: int, tokenizer: Tokenizer
) -> PretrainingRecords:
    """Records that fit the run; those without a manifest are judged by their first ones.

    Raises:
        ValueError: they do not fit, or lack features that an option needs.
    """
    records = PretrainingRecords(patterns)
    records.check(max_seq_length, tokenizer.settings)
    if config.whole_word_masking and "word_starts" not in records.features:
        raise ValueError(
            "whole_word_masking needs records built with --word-starts; those of "
            f"{patterns} are not."
        )
    if config.two_tower_generator and "sequence_ids" in records.features:
        raise ValueError(
            f"packed records, as those of {patterns}, cannot be used with a two-tower generator: a "
            "token at the edge of its example would be guessed from the next example."
        )
    return records


def check_saved_model(config: PretrainingConfig) -> None:
    """Raise a ValueError with what differs if the model folder holds another model.

    The same goes for the checkpoint that a new run with `decay_from` continues.
    """
    given, found = config.to_dict(), model_folder.read_config(config.model_dir)
    models = {} if found is None else {config.model_dir: found.pretraining.to_dict()}
    prefix = model_folder.checkpoints(config).latest()
    if prefix is None and config.decay_from is not None:
        continued = checkpoint_to_decay(config)
        models[continued] = read_state(continued)["configuration"]
    for place, saved in models.items():
        differing = [
            f"{key}: saved {saved[key]!r}, given {given[key]!r}"
            for key in MODEL_KEYS
            if key in saved and saved[key] != given[key]
        ]
        if differing:
            raise ValueError(
                f"the model in {place} was made with other hyperparameters: "
                + "; ".join(differing)
                + "."
            )
    if prefix is not None:
        check_size(prefix, config.sizes)


def write_results(config: PretrainingConfig, results: dict[str, float]) -> None:
    """Results as "name = value" lines, as JSON, and pickled."""
    lines = [f"{name} = {value}" for name, value in sorted(results.items())]
    write_text(config.results_txt, "\n".join(lines) + "\n")
    write_json(config.results_json, results)
    write_pickle(config.results_pkl, results)


def _check_shares(config: PretrainingConfig, strategy: tf.distribute.Strategy):
    """Raise a ValueError unless the batches of every stage can be shared out evenly."""
    for stage in config.plan:
        try:
            rows = rows_of_each(strategy, stage.train_batch_size)
            rows_of_part(rows, stage.gradient_accumulation_steps)
        except ValueError as error:
            where = f"stages[{stage.number - 1}]: " if config.stages else ""
            raise ValueError(f"{where}{error}") from error


def _check_same_data(workers: Workers, tokenizer: Tokenizer, fingerprints: Mapping[str, str]):
    """Raise a ValueError unless all workers read the same records with the same vocabulary."""
    workers.check_same(
        "the vocabulary and the records", {"tokenizer": tokenizer.settings, **fingerprints}
    )
