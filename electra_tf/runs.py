# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Whole runs of pre-training and fine-tuning, for Python and for the command line.

TensorFlow is imported when a run begins, so that `electra_tf.configure()` can come first.
"""

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import logging

from electra_tf.config import FinetuningConfig, PretrainingConfig, check
from electra_tf.config.finetuning import without_shape
from electra_tf.config.given_hparams import expanded_paths
from electra_tf.environment import PRODUCTS_BY_CUBLAS, XLA, unset_flags
from electra_tf.given_files import HUB_PREFIX, no_initial_weights

if TYPE_CHECKING:
    from electra_tf.finetuning.results import RunResults
    from electra_tf.finetuning.starting_weights import StartingPoint

Path = str | os.PathLike[str]


@dataclasses.dataclass(frozen=True)
class PretrainingResults:
    """The results of a pre-training run."""

    config: PretrainingConfig
    """All hyperparameters of the run."""
    step: int
    """Steps that the model has been trained for."""
    metrics: dict[str, float]
    """After training the last logged values; after evaluation those on the evaluation records,
    under the original's names."""

    @property
    def model_dir(self) -> str:
        """The folder of the model, for `electra_tf.load` and `electra_tf.finetune`."""
        return self.config.model_dir


def pretrain(
    data_dir: Path, model_name: str, *, verbose: bool = True, **hparams: Any
) -> PretrainingResults:
    """Pre-train or evaluate a model, as `electra pretrain` does.

    A run that was stopped resumes when it is called again with the same arguments; one that is
    finished returns at once. With `do_train=False, do_eval=True` the newest checkpoint is
    evaluated. Ctrl-C and SIGTERM save the run if this is called in the main thread.

    Args:
        data_dir: folder of vocabulary, records and models.
        model_name: the model is written to `<data_dir>/models/<model_name>`.
        verbose: log the progress (absl, level INFO) while it runs; False leaves the log as it is.
        **hparams: hyperparameters by their names, see docs/pretraining.md. Paths may be
            `pathlib.Path`, lists tuples, numbers NumPy's.

    Returns:
        The folder of the model, the steps done, and its metrics.

    Raises:
        ValueError: an unknown hyperparameter or a wrong value; configuration, vocabulary, records
            or checkpoint do not fit each other; or this is called in a strategy's scope.
        OSError: a file is missing or cannot be written, or another run trains in the folder.
        ArithmeticError: the loss of a step is not finite.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the run is saved.
    """
    return run_pretraining(_plain(data_dir), model_name, _plain(hparams), verbose)


def finetune(
    model: Path | None,
    task: Path | Sequence[Path],
    data_dir: Path,
    *,
    model_name: str | None = None,
    verbose: bool = True,
    **hparams: Any,
) -> "RunResults":
    """Fine-tune a model on one or several tasks and evaluate it, as `electra finetune` does.

    Models, scores and predictions are written below `<data_dir>/models/<model_name>`. A run that
    was stopped resumes when it is called again with the same arguments; finished trials are not
    trained again. Ctrl-C and SIGTERM save the run if this is called in the main thread.

    Args:
        model: the initial weights: the name of a model in `<data_dir>/models`; the path of a
            folder that pre-training or fine-tuning wrote here, of a Hugging Face ELECTRA folder,
            or of a checkpoint of the original or its folder; None for random weights.
        task: a built-in task, the path of a JSON file that describes one
            (configs/finetuning/README.md), or a list of such for a model with several heads.
        data_dir: folder of the tasks' files (`finetuning_data/<task>`) and of models.
        model_name: what the results are kept under; default: the name of the model or of its
            folder.
        verbose: log the progress (absl, level INFO) while it runs; False leaves the log as it is.
        **hparams: hyperparameters by their names, see configs/finetuning/README.md. Paths may be
            `pathlib.Path`, lists tuples, numbers NumPy's.

    Returns:
        The scores of all trials with their baselines, and where the models are.

    Raises:
        ValueError: an unknown hyperparameter, task or value; model, vocabulary and data do not
            fit each other; or this is called in a strategy's scope.
        OSError: a model or a file is missing or cannot be written, or another run trains there.
        ArithmeticError: the losses of all trials were not finite.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the run is saved.
    """
    data_dir, hparams = _plain(data_dir), _plain(hparams)
    given = hparams.get("task_names")
    check("task_names" not in hparams, "task_names", "left out, since task is given", given)
    is_one, is_list = isinstance(task, str | os.PathLike), isinstance(task, list | tuple)
    expected = "a task's name, the path of a JSON file, or a list of such"
    check(is_one or (is_list and len(task) > 0), "task", expected, task)
    hparams["task_names"] = [_plain(task)] if is_one else _plain(task)
    check(isinstance(data_dir, str), "data_dir", "a path", data_dir)
    model_name, hparams = _with_start(model, model_name, data_dir, hparams)
    return run_finetuning(data_dir, model_name, hparams, verbose)


# ---- For the command line, too


def run_pretraining(
    data_dir: str, model_name: str, hparams: Mapping[str, Any], verbose: bool = True
) -> PretrainingResults:
    """`pretrain`, of hyperparameters as JSON has them.

    Raises:
        ValueError, OSError, ArithmeticError, KeyboardInterrupt: see there.
    """
    from electra_tf.interop.opening import find_pretraining_weights
    from electra_tf.pretraining import model_folder, run

    hparams = expanded_paths(PretrainingConfig, dict(hparams))
    with _as_a_command(verbose):
        config = model_folder.resolve_config(model_name, data_dir, hparams)
        if config.do_train == config.do_eval:
            raise ValueError(
                "exactly one of do_train and do_eval is expected to be true, but both are "
                f"{str(config.do_train).lower()}."
            )
        _log_settings(config)
        if config.do_train:
            metrics = run.train(config, find_weights=find_pretraining_weights)
            metrics = metrics or _last_logged(config.model_dir)
            return PretrainingResults(config, int(metrics["step"]), metrics)
        metrics = run.evaluate(config)
        return PretrainingResults(config, int(metrics["global_step"]), metrics)


def run_finetuning(
    data_dir: str, model_name: str, hparams: Mapping[str, Any], verbose: bool = True
) -> "RunResults":
    """`finetune`, of hyperparameters as JSON has them.

    Raises:
        ValueError, OSError, ArithmeticError, KeyboardInterrupt: see there.
    """
    from electra_tf.finetuning import run

    hparams = expanded_paths(FinetuningConfig, dict(hparams))
    with _as_a_command(verbose):
        config, start = resolve_finetuning(model_name, data_dir, hparams)
        _log_settings(config)
        return run.finetune(config, start)


def resolve_finetuning(
    model_name: str, data_dir: str, hparams: Mapping[str, Any]
) -> tuple[FinetuningConfig, "StartingPoint | None"]:
    """Configuration of a run, and its initial weights.

    The encoder is that of the weights; hyperparameters may only confirm it. Without training, so
    are the heads.

    Raises:
        FileNotFoundError: there are no weights where they are expected.
        ValueError: see `config_for`, `with_stored_settings` and `find_starting_point`.
    """
    from electra_tf.finetuning.model_folder import read_config, with_stored_settings
    from electra_tf.finetuning.starting_weights import asked_config, config_for
    from electra_tf.interop import find_starting_point

    asked = asked_config(model_name, data_dir, without_shape(hparams))
    if not asked.do_train:
        # What is evaluated has been trained: its encoder is the one in its own folder.
        folder = f"{asked.model_dir}_1"
        found = find_starting_point(folder)
        hparams = {**with_stored_settings(folder, hparams), "debug": False}
        return config_for(model_name, data_dir, hparams, found), found
    if asked.init_checkpoint is None:
        # To resume an earlier run with random weights in the same folders.
        stored = read_config(f"{asked.model_dir}_1")
        if stored is not None:
            hparams = {"vocab_size": stored.finetuning.vocab_size, **hparams}
        return config_for(model_name, data_dir, hparams, None), None
    try:
        found = find_starting_point(
            asked.init_checkpoint, hparams.get("pre_split"), asked.tokenizer
        )
    except FileNotFoundError as error:
        raise no_initial_weights(error) from error
    return config_for(model_name, data_dir, hparams, found), found


# ---- Arguments of Python


def _plain(value: Any) -> Any:
    """A value as JSON would have given it: no paths or tuples, nothing of NumPy."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _with_start(
    model: Path | None, model_name: str | None, data_dir: str, hparams: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Name of the run and its hyperparameters, with `init_checkpoint` as `model` says it."""
    from electra_tf.interop.opening import find_model

    valid = model is None or (isinstance(model, str | os.PathLike) and bool(os.fspath(model)))
    check(valid, "model", "the name of a model, the path of one, or None for random weights", model)
    is_name = isinstance(model, str) and _is_name(model, data_dir)
    if is_name and model_name in (None, model):
        return model, hparams
    expected, given = "left out, since model is given", hparams.get("init_checkpoint")
    check("init_checkpoint" not in hparams, "init_checkpoint", expected, given)
    if model is None:
        check(model_name is not None, "model_name", "given where model is None", None)
        return model_name, {**hparams, "init_checkpoint": None}
    path = os.path.join(data_dir, "models", model) if is_name else os.fspath(model)
    try:
        folder = find_model(path).folder
    except FileNotFoundError as error:
        raise FileNotFoundError(f"model: {error} For random weights, give None.") from error
    # A copy of what is on the hub is named by its revision.
    named = path if path.startswith(HUB_PREFIX) else folder
    name = model_name or os.path.basename(os.path.abspath(named))
    return name, {**hparams, "init_checkpoint": path}


def _is_name(model: str, data_dir: str) -> bool:
    """Whether a text names a model of the data folder; else it is a path.

    A folder here is meant only where the data folder has no model of that name.
    """
    from electra_tf.files import exists
    from electra_tf.interop.opening import find_model

    if "/" in model or os.sep in model:
        return False
    try:
        find_model(os.path.join(data_dir, "models", model))
    except FileNotFoundError:
        return not exists(model)
    return True


# ---- Around a run


@contextlib.contextmanager
def _as_a_command(verbose: bool) -> Iterator[None]:
    """Runs what is inside as in a separate process; afterwards all settings are restored.

    Args:
        verbose: whether messages of level INFO are logged.

    Raises:
        ValueError: this is inside of a strategy's scope or of a graph function.
    """
    import keras
    import tensorflow as tf

    place = type(tf.distribute.get_strategy()).__name__ if tf.distribute.has_strategy() else None
    place = "tf.function" if tf.inside_function() else place
    if place is not None:
        raise ValueError(
            "A run is expected to be called outside of a tf.function and of a tf.distribute "
            f"strategy's scope, but is inside of {place}. Where to compute is said by the "
            "hyperparameter strategy."
        )
    verbosity, policy = logging.get_verbosity(), keras.config.dtype_policy()
    is_tf32 = tf.config.experimental.tensor_float_32_execution_enabled()
    if verbose:
        logging.set_verbosity(max(verbosity, logging.INFO))
    keras.config.set_dtype_policy("float32")  # `precision` decides, not the program's policy
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)
        tf.config.experimental.enable_tensor_float_32_execution(is_tf32)
        if verbose:
            logging.set_verbosity(verbosity)


def _log_settings(config: PretrainingConfig | FinetuningConfig) -> None:
    """Log the changed hyperparameters, and whether this process lacks what commands have set."""
    import tensorflow as tf

    for name, value in sorted(config.changed.items()):
        logging.info("%s = %r", name, value)
    logging.info("Other hyperparameters have their defaults; config.json has all of them.")
    # No question that would start the devices: workers find each other before that.
    is_on_gpu = bool(tf.config.list_physical_devices("GPU"))
    if is_on_gpu and config.jit_compile is not False and PRODUCTS_BY_CUBLAS in unset_flags():
        logging.warning(
            "XLA may give a NaN loss on this GPU: %s lacks what electra_tf.configure() sets before "
            "TensorFlow is imported, see docs/speed.md.",
            XLA,
        )


def _last_logged(model_dir: str) -> dict[str, float]:
    """The last logged values of a run that was finished before."""
    from electra_tf.training.checkpoints.checkpoint import read_step, resolve_prefix
    from electra_tf.training.loop.logs import read_log

    try:
        entries = read_log(model_dir)
    except FileNotFoundError:
        entries = []
    values = {name: value for name, value in (entries or [{}])[-1].items() if name != "kind"}
    return values | {"step": read_step(resolve_prefix(model_dir))}
