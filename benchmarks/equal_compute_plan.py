# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a comparison at equal compute measures, in which order, and the runs that it takes."""

import functools
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from equal_compute_points import (
    FINETUNING,
    PROBE,
    RANDOM,
    STUDY,
    SWEEP,
    Measured,
    Point,
    base_of,
)
from task_budgets import ROOT

from electra_tf.config import PretrainingConfig

HPARAMS_FILE = ROOT / "configs" / "pretraining" / "quickstart.json"


class Objective(NamedTuple):
    """What is pre-trained."""

    hparams: Mapping[str, Any]
    """Over those of HPARAMS_FILE."""
    rate_of: str | None = None
    """The objective whose rate of pre-training this one has; None: one of its own."""


OBJECTIVES = {
    "electra": Objective({}),
    "masked_lm": Objective({"electra_objective": False, "mask_prob": 0.15}),
    "electra_masked_only": Objective(
        {"discriminator_objective": "replaced_tokens_masked_only"}, rate_of="electra"
    ),
    "replace_mlm": Objective(
        {"discriminator_objective": "replace_mlm", "disc_weight": 1.0}, rate_of="masked_lm"
    ),
    "all_tokens_mlm": Objective(
        {"discriminator_objective": "all_tokens_mlm", "disc_weight": 4.0}, rate_of="masked_lm"
    ),
}
"""The first is compared with the others. The two that restore tokens have the same loss as their
generator, so a masked token weighs the same."""


class Variant(NamedTuple):
    """An objective with one thing of its recipe changed, fine-tuned with the objective's rates."""

    hparams: Mapping[str, Any]
    """Over those of the objective."""
    learning_rate: float | None = None
    """Of pre-training; None: the objective's."""


VARIANTS = {
    "electra+untied": Variant({"untied_generator": True, "generator_hidden_size": 0.25}),
    "electra+weight_50": Variant({"disc_weight": 50.0}),
    "electra+mask_15": Variant({"mask_prob": 0.15}),
    "electra+batch_16": Variant({"train_batch_size": 16}),
    "electra+rate_0.003": Variant({}, 3e-3),
    "masked_lm+mask_25": Variant({"mask_prob": 0.25}),
    "masked_lm+batch_16": Variant({"train_batch_size": 16}),
    "masked_lm+rate_0.003": Variant({}, 3e-3),
}
"""They are compared with the objectives that their names begin with."""
TASKS = ("bigram_shift", "pos_brown", "quac_spans", "boolq", "ner_wnut", "rt_sentiment")
PROBED = ("bigram_shift", "pos_brown", "boolq", "ner_wnut", "rt_sentiment")
"""Tasks with a class for each text or word."""
FLOPS = (1.05e13, 4.2e13, 1.26e14)
"""Of the runs; the second is about that of the quickstart's ELECTRA."""
DECAY_SHARE = 0.2
SWEEP_SEED = 0
SWEEP_TASKS = TASKS[:2]
"""On which rates of pre-training are compared."""
RATES = (5e-4, 1.5e-3, 3e-3)
FINETUNING_RATES = (5e-4, 1.5e-3, 4e-3)


class Study(NamedTuple):
    """What was asked for."""

    data_dir: str
    results: str
    objectives: tuple[str, ...]
    seeds: tuple[int, ...]
    budgets: tuple[float, ...]
    sweep_budget: float
    """Of the models by which rates of pre-training are compared."""
    tuning_budget: float
    """Of those by which rates of fine-tuning are."""
    rates: tuple[float, ...]
    """Of pre-training, among which the sweep chooses."""
    finetuning_rates: tuple[float, ...]
    """Likewise; those of pre-training are compared with the first one."""
    tasks: tuple[str, ...]
    hparams: Mapping[str, Any]
    """Of HPARAMS_FILE, with what was given over them."""
    sweep_only: bool


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
        return f"{self.run_name}_{budget_name(self.budget)}" if self.budget else self.run_name

    def missing(self, done: Mapping[Point, Measured]) -> list[Point]:
        return [point for point in self.points if point not in done]


def budget_name(budget: float) -> str:
    """What a model's name has of its budget."""
    return f"{budget:.3g}"


def hparams_of(
    study: Study, objective: str, seed: int, rate: float, budget: float
) -> dict[str, Any]:
    """Hyperparameters of a run that has a budget's FLOPs, within a step.

    Warm-ups have the FLOPs of that in HPARAMS_FILE, at all budgets, since these share it.

    Raises:
        ValueError: the budget is too small.
    """
    from electra_tf.pretraining.run_flops import flops_of_run

    hparams = {
        **study.hparams,
        **OBJECTIVES[base_of(objective)].hparams,
        **VARIANTS.get(objective, Variant({})).hparams,
        "seed": seed,
        "learning_rate": rate,
        "lr_schedule": "trapezoid",
        "lr_decay_share": DECAY_SHARE,
        "num_train_steps": 1,
        "num_warmup_steps": 0,
        "eval_every_steps": 0,
        "save_checkpoints_steps": 500,
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


# ---- What is to be done


def jobs_of(study: Study, done: Mapping[Point, Measured]) -> Iterator[Job]:
    """The jobs with something to measure whose rates are known, in their order."""
    chosen = {}
    for objective in (RANDOM, *study.objectives):
        sweep = list(_sweep_of(objective, study, done))
        yield from sweep
        if not sweep:
            chosen[objective] = (
                chosen_rate(objective, study, done),
                chosen_finetuning(objective, study, done),
            )
    if study.sweep_only:
        return
    for budget in (0.0, *study.budgets):
        for seed in study.seeds:
            for objective in study.objectives if budget else [RANDOM]:
                if objective in chosen:
                    job = _job(STUDY, objective, seed, budget, *chosen[objective])
                    if job.missing(done):
                        yield job


def _sweep_of(objective: str, study: Study, done: Mapping[Point, Measured]) -> Iterator[Job]:
    """What is missing of it: rates of pre-training first, then those of fine-tuning."""
    objective = base_of(objective)
    jobs, first = [], study.finetuning_rates[0]
    if objective != RANDOM:
        swept = OBJECTIVES[objective].rate_of or objective
        what, tasks = (
            (SWEEP, swept, SWEEP_SEED, study.sweep_budget),
            dict.fromkeys(SWEEP_TASKS, first),
        )
        jobs = [_job(*what, rate, tasks) for rate in study.rates]
    missing = [job for job in jobs if job.missing(done)]
    if not missing:
        what = SWEEP, objective, SWEEP_SEED, _tuning_budget(objective, study)
        rate = chosen_rate(objective, study, done)
        jobs = [_job(*what, rate, dict.fromkeys(study.tasks, r)) for r in study.finetuning_rates]
        missing = [job for job in jobs if job.missing(done)]
    yield from missing


def _tuning_budget(objective: str, study: Study) -> float:
    return 0.0 if objective == RANDOM else study.tuning_budget


def _job(
    part: str,
    objective: str,
    seed: int,
    budget: float,
    rate: float,
    finetuning_rates: Mapping[str, float],
) -> Job:
    """A job with the tasks of `finetuning_rates`; in the study there are also probes of them."""
    what = part, objective, seed, budget, rate
    points = [Point(*what, task, FINETUNING, given) for task, given in finetuning_rates.items()]
    if part == STUDY:
        points += [Point(*what, task, PROBE, 0.0) for task in finetuning_rates if task in PROBED]
    return Job(objective, seed, budget, rate, tuple(points))


def chosen_rate(objective: str, study: Study, done: Mapping[Point, Measured]) -> float:
    """The rate of pre-training with the best mean over SWEEP_TASKS; 0 of random weights."""
    if objective == RANDOM:
        return 0.0
    given = VARIANTS.get(objective, Variant({})).learning_rate
    if given is not None:
        return given
    objective = base_of(objective)
    what = OBJECTIVES[objective].rate_of or objective, SWEEP_SEED, study.sweep_budget
    first = study.finetuning_rates[0]

    def score(rate: float) -> float:
        return sum(_score(done, *what, rate, task, first) for task in SWEEP_TASKS)

    return max(sorted(study.rates), key=score)


def chosen_finetuning(
    objective: str, study: Study, done: Mapping[Point, Measured]
) -> dict[str, float]:
    """The best rate of fine-tuning on each task, after pre-training with the chosen rate."""
    objective = base_of(objective)
    what = objective, SWEEP_SEED, _tuning_budget(objective, study)
    rate, ascending = chosen_rate(objective, study, done), sorted(study.finetuning_rates)
    return {
        task: max(ascending, key=functools.partial(_score, done, *what, rate, task))
        for task in study.tasks
    }


def _score(done: Mapping[Point, Measured], *point: Any) -> float:
    """Of a point of the sweep that was fine-tuned, of which `point` has the other fields."""
    *what, finetuning_rate = point
    measured = done.get(Point(SWEEP, *what, FINETUNING, finetuning_rate))
    return -math.inf if measured is None or measured.score is None else measured.score
