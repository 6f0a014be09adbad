# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Objectives of pre-training at equal FLOPs: same text, vocabulary, encoder and seeds.

    python benchmarks/equal_compute.py --data-dir quickstart_data

Each pair of objective and seed is one run whose rate is constant after its warm-up. At every budget
a copy of it decays to 0, which is measured on the tasks. Before that, a seed of its own chooses the
rates of each objective. Each point is a line of DATA_DIR/equal_compute.jsonl. What is there is
not measured again, so that the same command resumes, however it was stopped. What a worker has
claimed is free when its process ends.
"""

import argparse
import collections
import math
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from equal_compute_points import Measured, Point, append_point, read_points  # noqa: E402
from task_budgets import BUDGETS, save_step_0, task_file  # noqa: E402

import electra_tf  # noqa: E402

electra_tf.configure()  # before TensorFlow is imported

from electra_tf.config import PretrainingConfig, load_hparams  # noqa: E402
from electra_tf.pretraining.run_flops import flops_of_run  # noqa: E402

HPARAMS_FILE = ROOT / "configs" / "pretraining" / "quickstart.json"
OBJECTIVES = {
    "electra": {},
    "masked_lm": {"electra_objective": False, "mask_prob": 0.15},
}
"""Hyperparameters of each over those of HPARAMS_FILE; the first is compared with the others."""
RANDOM = "random"
"""Weights of step 0, fine-tuned like the others: a budget of 0."""
TASKS = ("bigram_shift", "pos_brown", "quac_spans", "boolq", "ner_wnut", "rt_sentiment")
FLOPS = (1.05e13, 4.2e13, 1.26e14)
"""Of the runs; the second is about that of the quickstart's ELECTRA."""
DECAY_SHARE = 0.2
SWEEP_SEED = 0
SWEEP_TASKS = TASKS[:2]
RATES = (5e-4, 1.5e-3, 3e-3)
FINETUNING_RATES = (5e-4, 2e-4, 1e-3)
"""With the first one the rates of pre-training are compared."""
MOST_KIB = 3 * 2**20
"""Memory of a worker, which grows with each traced program; beyond it another one takes over."""
FULL = 3
"""Exit status of such a worker."""


class Study(NamedTuple):
    """What was asked for."""

    data_dir: str
    objectives: tuple[str, ...]
    seeds: tuple[int, ...]
    budgets: tuple[float, ...]
    sweep_budget: float
    tasks: tuple[str, ...]
    hparams: Mapping[str, Any]
    """Of HPARAMS_FILE, with what was given over them."""
    sweep_only: bool

    @property
    def results(self) -> str:
        return os.path.join(self.data_dir, "equal_compute.jsonl")


class Job(NamedTuple):
    """A model of one budget, and what is measured of it."""

    objective: str
    seed: int
    budget: float
    learning_rate: float
    points: tuple[Point, ...]

    @property
    def run_name(self) -> str:
        """Of the run whose copies decay at the budgets; one worker at a time has it."""
        return f"{self.objective}_{self.learning_rate:g}_seed_{self.seed}"

    @property
    def model_name(self) -> str:
        return f"{self.run_name}_{self.budget:.3g}" if self.budget else self.run_name

    def missing(self, done: Mapping[Point, Measured]) -> list[Point]:
        return [point for point in self.points if point not in done]


def main():
    parser = make_parser()
    options = parser.parse_args()
    try:
        study = study_of(options)
        read_points(study.results)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    sys.exit(run_workers(study, options.workers))


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data-dir", required=True, help="records, vocab.txt, finetuning_data/")
    parser.add_argument("--objectives", nargs="+", default=list(OBJECTIVES))
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--budgets", nargs="+", type=float, default=list(FLOPS), help="FLOPs")
    parser.add_argument("--sweep-budget", type=float, default=FLOPS[0], help="FLOPs")
    parser.add_argument("--sweep", action="store_true", help="choose the rates, and stop")
    parser.add_argument("--hparams", default="{}", help="JSON or file; over the quickstart's")
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread each")
    return parser


def study_of(options: argparse.Namespace) -> Study:
    """What was asked for.

    Raises:
        ValueError, OSError: a name or number is wrong, or a file is missing.
    """
    for name, choices in (("objectives", OBJECTIVES), ("tasks", TASKS)):
        for given in getattr(options, name):
            if given not in choices:
                raise ValueError(
                    f"--{name} is expected to be some of {', '.join(choices)}, but has {given!r}."
                )
    if any(seed <= SWEEP_SEED for seed in options.seeds):
        raise ValueError(
            f"--seeds is expected to be greater than {SWEEP_SEED}, the seed of the sweep, but is "
            f"{options.seeds}."
        )
    if options.workers < 1:
        raise ValueError(f"--workers is expected to be at least 1, but is {options.workers}.")
    data = pathlib.Path(options.data_dir)
    needed = [data / "pretrain_tfrecords" / "manifest.json", data / "vocab.txt"]
    needed += [data / "finetuning_data" / task for task in options.tasks]
    for path in needed:
        if not path.exists():
            raise FileNotFoundError(f"--data-dir is expected to have {path}, but has not.")
    study = Study(
        options.data_dir,
        tuple(dict.fromkeys(options.objectives)),
        tuple(dict.fromkeys(options.seeds)),
        tuple(sorted(set(options.budgets))),
        options.sweep_budget,
        tuple(dict.fromkeys(options.tasks)),
        {**load_hparams(str(HPARAMS_FILE)), **load_hparams(options.hparams)},
        options.sweep,
    )
    for objective in study.objectives:
        for budget in (*study.budgets, study.sweep_budget):
            hparams_of(study, objective, SWEEP_SEED, RATES[0], budget)
    return study


# ---- What is to be done


def jobs_of(study: Study, done: Mapping[Point, Measured]) -> Iterator[Job]:
    """The jobs with something to measure whose rates are known, in their order."""
    chosen = {}
    for objective in (RANDOM, *study.objectives):
        sweep = list(_sweep_of(objective, study, done))
        yield from sweep
        if not sweep:
            chosen[objective] = chosen_rates(objective, done)
    if study.sweep_only:
        return
    for budget in (0.0, *study.budgets):
        for seed in study.seeds:
            for objective in study.objectives if budget else [RANDOM]:
                if objective in chosen:
                    rates = chosen[objective]
                    job = _job("study", objective, seed, budget, *rates, study.tasks)
                    if job.missing(done):
                        yield job


def _sweep_of(objective: str, study: Study, done: Mapping[Point, Measured]) -> Iterator[Job]:
    """What is missing of it: rates of pre-training first, then those of fine-tuning."""
    budget, rates = (0.0, (0.0,)) if objective == RANDOM else (study.sweep_budget, RATES)
    tasks = [task for task in SWEEP_TASKS if task in study.tasks]
    first, *others = FINETUNING_RATES
    jobs = [_job("sweep", objective, SWEEP_SEED, budget, r, first, tasks) for r in rates]
    missing = [job for job in jobs if job.missing(done)]
    if not missing:
        rate, _ = chosen_rates(objective, done)
        jobs = [_job("sweep", objective, SWEEP_SEED, budget, rate, f, tasks) for f in others]
        missing = [job for job in jobs if job.missing(done)]
    yield from missing


def _job(
    part: str,
    objective: str,
    seed: int,
    budget: float,
    rate: float,
    finetuning_rate: float,
    tasks: Sequence[str],
) -> Job:
    points = [
        Point(part, objective, seed, budget, rate, task, "finetuning", finetuning_rate)
        for task in tasks
    ]
    return Job(objective, seed, budget, rate, tuple(points))


def chosen_rates(objective: str, done: Mapping[Point, Measured]) -> tuple[float, float]:
    """Rates of pre-training and of fine-tuning with the best mean over the sweep's tasks."""
    found = {p: m for p, m in done.items() if p.part == "sweep" and p.objective == objective}
    first = {p: m for p, m in found.items() if p.finetuning_rate == FINETUNING_RATES[0]}
    rate = _best(first, "learning_rate")
    of_rate = {p: m for p, m in found.items() if p.learning_rate == rate}
    return rate, _best(of_rate, "finetuning_rate")


def _best(points: Mapping[Point, Measured], name: str) -> float:
    sums = collections.Counter()
    for point, measured in points.items():
        sums[getattr(point, name)] += -math.inf if measured.score is None else measured.score
    return max(sorted(sums), key=sums.get)


# ---- Runs


def hparams_of(
    study: Study, objective: str, seed: int, rate: float, budget: float
) -> dict[str, Any]:
    """Hyperparameters of a run that has a budget's FLOPs, within a step.

    Warm-ups have the FLOPs of that in HPARAMS_FILE, at all budgets, since these share it.

    Raises:
        ValueError: the budget is too small.
    """
    hparams = {
        **study.hparams,
        **OBJECTIVES.get(objective, {}),
        "seed": seed,
        "learning_rate": rate,
        "lr_schedule": "trapezoid",
        "lr_decay_share": DECAY_SHARE,
        "num_train_steps": 1,
        "num_warmup_steps": 0,
        "eval_every_steps": 0,
        "save_checkpoints_steps": 1000,
        "keep_checkpoint_max": 1,
    }
    step = flops_of_run(config_of(study, hparams))
    warmup_flops = study.hparams["num_warmup_steps"] * flops_of_run(
        config_of(study, {**study.hparams, "num_train_steps": 1, "num_warmup_steps": 0})
    )
    steps, warmup = round(budget / step), round(warmup_flops / step)
    if steps - round(DECAY_SHARE * steps) <= warmup:
        raise ValueError(
            f"--budgets is expected to be more than the warm-up of {objective}, {warmup} steps of "
            f"{step:.3g} FLOPs, and its decay, but has {budget:.3g}."
        )
    return {**hparams, "num_train_steps": steps, "num_warmup_steps": warmup}


def config_of(study: Study, hparams: Mapping[str, Any]) -> PretrainingConfig:
    return PretrainingConfig.from_hparams("equal_compute", study.data_dir, dict(hparams))


def pretrain(study: Study, job: Job) -> tuple[int, float]:
    """Train a job's model, unless it is there; returns its steps and their FLOPs."""
    if job.objective == RANDOM:
        hparams = hparams_of(study, "electra", job.seed, RATES[0], study.sweep_budget)
        save_step_0(config_of(study, hparams), job.model_name)
        return 0, 0.0
    hparams = hparams_of(study, job.objective, job.seed, job.learning_rate, job.budget)
    config = config_of(study, hparams)
    steps, flops = config.num_train_steps, flops_of_run(config)
    assert abs(flops - job.budget) <= flops / steps
    constant = steps - config.num_decay_steps
    models = pathlib.Path(study.data_dir) / "models"
    if not (models / job.model_name / f"model.ckpt-{steps}.index").exists():
        start = models / job.run_name / f"model.ckpt-{constant}"
        if not start.with_name(f"{start.name}.index").exists():
            # It keeps all checkpoints, since the run of a smaller budget may be asked for later.
            changes = {"num_train_steps": constant, "lr_decay_share": 0.0, "keep_checkpoint_max": 0}
            electra_tf.pretrain(study.data_dir, job.run_name, **{**hparams, **changes})
        electra_tf.pretrain(study.data_dir, job.model_name, decay_from=str(start), **hparams)
    return steps, flops


def finetune(study: Study, job: Job, point: Point) -> tuple[float | None, str, float]:
    """Score, metric and trivial score of a model on a point's task; its files are removed."""
    name = f"{job.model_name}_{point.task}_{point.finetuning_rate:g}"
    data = pathlib.Path(study.data_dir)
    hparams = {
        **BUDGETS[point.task],
        "learning_rate": point.finetuning_rate,
        "num_trials": 1,
        "seed": job.seed,
        "preprocessed_data_dir": str(data / "finetuning_tfrecords"),
    }
    task, model = task_file(point.task), job.model_name
    try:
        results = electra_tf.finetune(model, task, study.data_dir, model_name=name, **hparams)
    except ArithmeticError as error:
        print(f"{name}: {error}", flush=True)
        return None, "", 0.0
    results = results.as_dict()
    shutil.rmtree(data / "models" / name)
    metric = results["primary_metrics"][point.task]
    score = results["trials"][0]["scores"][point.task][metric]
    return score, metric, results["baselines"][point.task][metric]


# ---- Workers


def run_workers(study: Study, count: int) -> int:
    """Work in so many processes until nothing is left; returns the exit status."""
    start, workers = multiprocessing.get_context("spawn").Process, []
    stopped = []

    def stop(signal_number: int, frame: Any):
        stopped.append(signal_number)
        for worker in workers:
            worker.terminate()  # they save what they train

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
        worker.join()
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
                    measure(study, job)
                break  # what comes first may have changed
            except FolderInUseError:
                continue
        else:
            time.sleep(5)  # all are claimed, but more may follow from them
        tf.keras.backend.clear_session()
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > MOST_KIB:
            sys.exit(FULL)


def measure(study: Study, job: Job):
    """Pre-train a model, and append those of its points that are not there yet."""
    missing = job.missing(read_points(study.results))
    if not missing:
        return
    steps, flops = pretrain(study, job)
    for point in missing:
        score, metric, trivial = finetune(study, job, point)
        append_point(study.results, point, Measured(score, metric, trivial, steps, flops))
        print(f"== {job.model_name} {point.task} {metric} {score}", flush=True)


if __name__ == "__main__":
    main()
