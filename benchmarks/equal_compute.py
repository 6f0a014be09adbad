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
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import electra_tf  # noqa: E402

electra_tf.configure()  # before TensorFlow is imported

import equal_compute_report  # noqa: E402
from equal_compute_plan import (  # noqa: E402
    FINETUNING_RATES,
    FLOPS,
    HPARAMS_FILE,
    OBJECTIVES,
    RATES,
    SWEEP_SEED,
    SWEEP_TASKS,
    TASKS,
    VARIANTS,
    Study,
    budget_name,
    hparams_of,
)
from equal_compute_points import read_points  # noqa: E402
from equal_compute_work import run_workers  # noqa: E402

from electra_tf.config import load_hparams  # noqa: E402

RESULTS = "equal_compute.jsonl"


def main():
    parser = make_parser()
    options = parser.parse_args()
    try:
        if options.report:
            print_report(options)
            return
        study = study_of(options)
        read_points(study.results)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    sys.exit(run_workers(study, options.workers))


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data-dir", help="records, vocab.txt, finetuning_data/")
    parser.add_argument("--results", help=f"default: {RESULTS} in the data folder")
    parser.add_argument("--objectives", nargs="+", default=list(OBJECTIVES), help="or variants")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--budgets", nargs="+", type=float, default=list(FLOPS), help="FLOPs")
    parser.add_argument("--sweep-budget", type=float, default=FLOPS[0], help="FLOPs")
    parser.add_argument("--tuning-budget", type=float, default=FLOPS[1], help="FLOPs")
    parser.add_argument("--rates", nargs="+", type=float, default=list(RATES), help="of the sweep")
    parser.add_argument(
        "--finetuning-rates", nargs="+", type=float, default=list(FINETUNING_RATES), help="likewise"
    )
    parser.add_argument("--sweep", action="store_true", help="choose the rates, and stop")
    parser.add_argument(
        "--hparams",
        default="{}",
        help="JSON or file; over the quickstart's; with others a data folder of its own is needed",
    )
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread each")
    parser.add_argument(
        "--report", metavar="PICTURE", help="print tables of what is there, draw it, and stop"
    )
    return parser


def results_of(options: argparse.Namespace) -> str:
    """The file of points.

    Raises:
        ValueError: neither it nor the data folder is given.
    """
    if not (options.results or options.data_dir):
        raise ValueError("--data-dir or --results is expected to be given with --report.")
    return options.results or os.path.join(options.data_dir, RESULTS)


def print_report(options: argparse.Namespace):
    """Tables on standard output, and the picture.

    Raises:
        FileNotFoundError: there is no file of points.
        ValueError: something in it is no point, or none is a score of a trained model in the study.
    """
    path = results_of(options)
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path} is expected to have points, but does not exist.")
    points = read_points(path)
    if not equal_compute_report.Table(points).measures:
        raise ValueError(
            f"{path} is expected to have scores of trained models in the study, but has none."
        )
    print(equal_compute_report.report(points, next(iter(OBJECTIVES))))
    equal_compute_report.draw(points, options.report)


def study_of(options: argparse.Namespace) -> Study:
    """What was asked for.

    Raises:
        ValueError, OSError: a name or number is wrong, or a file is missing.
    """
    for name, choices in (("objectives", {**OBJECTIVES, **VARIANTS}), ("tasks", TASKS)):
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
    budgets = {*options.budgets, options.sweep_budget, options.tuning_budget}
    if len({budget_name(budget) for budget in budgets}) < len(budgets):
        raise ValueError(
            "--budgets, --sweep-budget and --tuning-budget are expected to be equal or to differ "
            "in their first three digits, by which models are named, but are "
            f"{', '.join(f'{budget:g}' for budget in sorted(budgets))}."
        )
    if options.workers < 1:
        raise ValueError(f"--workers is expected to be at least 1, but is {options.workers}.")
    if not options.data_dir:
        raise ValueError("--data-dir is expected to be given, unless with --report.")
    data = pathlib.Path(options.data_dir)
    tasks = dict.fromkeys([*options.tasks, *SWEEP_TASKS])
    for name in (
        "pretrain_tfrecords/pretrain_data.tfrecord*",
        "vocab.txt",
        *(f"finetuning_data/{task}/train.*" for task in tasks),
    ):
        if not list(data.glob(name)):
            raise FileNotFoundError(f"--data-dir is expected to have {data / name}, but has not.")
    study = Study(
        options.data_dir,
        results_of(options),
        tuple(dict.fromkeys(options.objectives)),
        tuple(dict.fromkeys(options.seeds)),
        tuple(dict.fromkeys(options.budgets)),
        options.sweep_budget,
        options.tuning_budget,
        tuple(dict.fromkeys(options.rates)),
        tuple(dict.fromkeys(options.finetuning_rates)),
        tuple(dict.fromkeys(options.tasks)),
        {**load_hparams(str(HPARAMS_FILE)), **load_hparams(options.hparams)},
        options.sweep,
    )
    for objective in study.objectives:
        for budget in (*study.budgets, study.sweep_budget, study.tuning_budget):
            hparams_of(study, objective, SWEEP_SEED, study.rates[0], budget)
    return study


if __name__ == "__main__":
    main()
