# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The work of a comparison at equal compute: training, measuring, and processes that share it."""

import multiprocessing
import multiprocessing.connection
import os
import pathlib
import resource
import shutil
import signal
import sys
import time
from typing import Any

from equal_compute_plan import Job, Study, config_of, hparams_of, jobs_of
from equal_compute_points import FINETUNING, RANDOM, Measured, Point, append_point, read_points
from task_budgets import BUDGETS, save_step_0, task_file

import electra_tf

MOST_KIB = 3 * 2**20
"""Memory of a worker, which grows with each traced program; beyond it another one takes over."""
FULL = 3
"""Exit status of such a worker."""


def pretrain(study: Study, job: Job) -> tuple[int, float]:
    """Train a job's model, unless it is there; returns its steps and their FLOPs."""
    from electra_tf.pretraining.run_flops import flops_of_run

    if job.objective == RANDOM:
        hparams = hparams_of(study, "electra", job.seed, study.rates[0], study.sweep_budget)
        save_step_0(config_of(study, hparams), job.model_name)
        return 0, 0.0
    hparams = hparams_of(study, job.objective, job.seed, job.learning_rate, job.budget)
    config = config_of(study, hparams)
    steps, flops = config.num_train_steps, flops_of_run(config)
    assert abs(flops - job.budget) <= flops / steps
    models = pathlib.Path(study.data_dir) / "models"
    if max(_saved_steps(models / job.model_name), default=-1) < steps:
        constant = steps - config.num_decay_steps
        start, beginning = models / job.run_name, {}
        if max(_saved_steps(start), default=-1) < constant:
            # It keeps all checkpoints, from which other budgets start.
            changes = {"num_train_steps": constant, "lr_decay_share": 0.0, "keep_checkpoint_max": 0}
            electra_tf.pretrain(study.data_dir, job.run_name, **{**hparams, **changes})
        if min(_saved_steps(start), default=constant) <= constant:
            beginning = {"decay_from": str(start)}  # else from step 0, with the same result
        electra_tf.pretrain(study.data_dir, job.model_name, **beginning, **hparams)
    return steps, flops


def _saved_steps(folder: pathlib.Path) -> list[int]:
    """The steps of the checkpoints in a folder."""
    from electra_tf.training.checkpoints.checkpoint_reader import step_in_name

    names = (path.name for path in folder.glob("model.ckpt-*.index"))
    return [step_in_name(name.removesuffix(".index")) for name in names]


def finetune(study: Study, job: Job, point: Point) -> tuple[float | None, str, float]:
    """Score, metric and trivial score of a model on a point's task; its files are removed."""
    name = f"{job.model_name}_{point.task}_{point.finetuning_rate:g}"
    data = pathlib.Path(study.data_dir)
    hparams = {
        **BUDGETS[point.task],
        "learning_rate": point.finetuning_rate,
        "num_trials": 1,
        "seed": job.seed,
        "preprocessed_data_dir": _features(study),
    }
    task, model = task_file(point.task), job.model_name
    try:
        results = electra_tf.finetune(model, task, study.data_dir, model_name=name, **hparams)
    except ArithmeticError as error:
        print(f"{name}: {error}", flush=True)
        results = None
    shutil.rmtree(data / "models" / name)
    if results is None:
        return None, "", 0.0
    results = results.as_dict()
    metric = results["primary_metrics"][point.task]
    score = results["trials"][0]["scores"][point.task][metric]
    return score, metric, results["baselines"][point.task][metric]


def probe(study: Study, job: Job, point: Point) -> tuple[float, str, float]:
    """Score, metric and trivial score of a linear classifier of a model's hidden states."""
    import linear_probe

    folder = os.path.join(study.data_dir, "models", job.model_name)
    hparams = {**BUDGETS[point.task], "preprocessed_data_dir": _features(study)}
    return linear_probe.probe(folder, task_file(point.task), study.data_dir, hparams)


def _features(study: Study) -> str:
    """The folder of the tasks' features, which all models share."""
    return os.path.join(study.data_dir, "finetuning_tfrecords")


# ---- Workers


def run_workers(study: Study, count: int) -> int:
    """Work in so many processes until nothing is left; returns the exit status."""
    start, workers = multiprocessing.get_context("spawn").Process, []
    stopped = []

    def stop(signal_number: int, frame: Any):
        stopped.append(signal_number)
        for worker in workers:
            if worker.is_alive():
                worker.terminate()  # it saves what it trains

    # Of scikit-learn; those of TensorFlow are set in the workers.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    while not stopped:
        while len(workers) < count:
            workers.append(start(target=work, args=(study, os.getpid())))
            workers[-1].start()
        multiprocessing.connection.wait([worker.sentinel for worker in workers])
        ended = [worker for worker in workers if not worker.is_alive()]
        if any(worker.exitcode != FULL for worker in ended):
            break
        workers = [worker for worker in workers if worker not in ended]
    for worker in workers:
        worker.join(None if not stopped else 10)
        while stopped and worker.is_alive():
            worker.terminate()  # a run that was at its end continues with the next one
            worker.join(10)
    return int(any(worker.exitcode not in (0, FULL) for worker in workers))


def work(study: Study, parent: int):
    """Measure what no other worker has claimed, until nothing is left.

    Args:
        study: what was asked for.
        parent: the process that started this one; where it has died, the worker ends.
    """
    import tensorflow as tf

    from electra_tf.training.checkpoints.run_folder import FolderInUseError, locked

    os.setsid()  # Linux may share processors among sessions first
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    while os.getppid() == parent:
        jobs = list(jobs_of(study, read_points(study.results)))
        if not jobs:
            return
        for job in jobs:
            try:
                with locked(os.path.join(study.data_dir, "claims", job.run_name)):
                    finish(study, job)
                break  # what comes first may have changed
            except FolderInUseError:
                continue
        else:
            time.sleep(5)  # all are claimed, but more may follow from them
        tf.keras.backend.clear_session()
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > MOST_KIB:
            sys.exit(FULL)


def finish(study: Study, job: Job):
    """Pre-train a model, and append those of its points that are not there yet.

    Where the loss of pre-training is not finite, none of them has a score.
    """
    missing = job.missing(read_points(study.results))
    if not missing:
        return
    try:
        steps, flops = pretrain(study, job)
    except ArithmeticError as error:
        print(f"{job.model_name}: {error}", flush=True)
        steps = None
    for point in missing:
        measure = finetune if point.measure == FINETUNING else probe
        if steps is None:
            measured = Measured(None, "", 0.0, 0, 0.0)
        else:
            measured = Measured(*measure(study, job, point), steps, flops)
        append_point(study.results, point, measured)
        said = f"{job.model_name} {point.measure} {point.task} {measured.metric} {measured.score}"
        print(f"== {time.strftime('%H:%M:%S')} {said}", flush=True)
