# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What the points of a comparison at equal compute show: tables in Markdown, and a picture."""

import collections
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from equal_compute_points import RANDOM, STUDY, SWEEP, Measured, Point, base_of

CONFIDENCE = 0.95
POOLED = "mean of the tasks"

Scores = Mapping[int, float]
"""Seed -> score."""


class Difference(NamedTuple):
    """The mean of paired differences, and half the width of its confidence interval."""

    mean: float
    half_width: float | None
    """None of a single pair."""
    pairs: int

    def __str__(self) -> str:
        if self.half_width is None:
            return f"{self.mean:+.1f} (1 seed)"
        low, high = self.mean - self.half_width, self.mean + self.half_width
        mark = "**" if low > 0 or high < 0 else ""
        return f"{mark}{self.mean:+.1f}{mark} ({low:+.1f} to {high:+.1f}; {self.pairs})"


def difference(first: Scores, second: Scores) -> Difference | None:
    """Of two objectives, paired by their seeds; by Student's t. None without a common seed."""
    from scipy import stats

    values = [first[seed] - second[seed] for seed in sorted(first.keys() & second.keys())]
    if not values:
        return None
    mean, count = float(np.mean(values)), len(values)
    if count == 1:
        return Difference(mean, None, 1)
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, count - 1)
    return Difference(mean, float(quantile * np.std(values, ddof=1) / np.sqrt(count)), count)


class Table:
    """The scores of a study, by measure, budget, task and objective.

    Args:
        points: of a results file.

    Raises:
        ValueError: two points of the study differ in their rates alone.
    """

    def __init__(self, points: Mapping[Point, Measured]):
        self._scores = collections.defaultdict(dict)
        self.trivial, self.metrics = {}, {}
        for point, measured in points.items():
            if point.part != STUDY or measured.score is None:
                continue
            key = point.measure, point.budget, point.task, point.objective
            if point.seed in self._scores[key]:
                raise ValueError(
                    "the study is expected to have one point for each objective, seed, budget, "
                    f"task and measure, but has another one besides {point}."
                )
            self._scores[key][point.seed] = measured.score
            self.trivial[point.task] = measured.trivial
            self.metrics[point.task] = measured.metric

    @property
    def measures(self) -> list[str]:
        """Those of trained models."""
        return [measure for measure in self._names(0) if self.budgets(measure)]

    def budgets(self, measure: str) -> list[float]:
        """Without that of random weights, ascending."""
        return sorted({key[1] for key in self._scores if key[0] == measure and key[1]})

    def tasks(self, measure: str) -> list[str]:
        """Those on which trained models were measured."""
        return list(dict.fromkeys(key[2] for key in self._scores if key[0] == measure and key[1]))

    @property
    def objectives(self) -> list[str]:
        """Without variants."""
        return [name for name in self._names(3) if name == base_of(name) != RANDOM]

    @property
    def variants(self) -> list[str]:
        return [name for name in self._names(3) if name != base_of(name)]

    def scores(self, measure: str, budget: float, task: str, objective: str) -> Scores:
        """Of random weights at any budget; of POOLED: the mean over the tasks by seed."""
        if objective == RANDOM:
            budget = 0.0
        if task != POOLED:
            return self._scores.get((measure, budget, task, objective), {})
        found = [self.scores(measure, budget, t, objective) for t in self.tasks(measure)]
        seeds = set.intersection(*(set(scores) for scores in found))  # that have all tasks
        return {seed: float(np.mean([scores[seed] for scores in found])) for seed in seeds}

    def _names(self, position: int) -> list[str]:
        return list(dict.fromkeys(key[position] for key in self._scores))


# ---- Markdown


def report(points: Mapping[Point, Measured], first: str) -> str:
    """All tables.

    Args:
        points: of a results file.
        first: the objective with which the others are compared.
    """
    table, parts = Table(points), ["Rates, of the sweep's seed", _markdown(_sweep_rows(points))]
    for measure in table.measures:
        parts.append(f"Scores by {measure}: mean of the seeds (lowest to highest; seeds)")
        parts.append(_markdown(_score_rows(table, measure)))
        rows = list(_difference_rows(table, measure, first))
        if len(rows[0]) > 2:
            parts.append(
                f"{first} minus the others by {measure}, paired by seed: mean "
                f"({CONFIDENCE:.0%} confidence interval; seeds)"
            )
            parts.append(_markdown(rows))
        rows = list(_variant_rows(table, measure))
        if len(rows) > 1:
            parts.append(
                f"Variants by {measure}: mean of the seeds, and, paired by seed, the variant minus "
                f"its objective ({CONFIDENCE:.0%} confidence interval; seeds)"
            )
            parts.append(_markdown(rows))
    diverged = [point for point, measured in points.items() if measured.score is None]
    if diverged:
        parts.append(f"{len(diverged)} points without a score, since their loss was not finite:")
        parts.append("\n".join(f"- {point}" for point in diverged))
    return "\n\n".join(parts)


def _sweep_rows(points: Mapping[Point, Measured]) -> Iterator[Sequence[str]]:
    found = {point: measured for point, measured in points.items() if point.part == SWEEP}
    tasks = list(dict.fromkeys(point.task for point in found))
    yield ["objective", "FLOPs", "rate", "of fine-tuning", *tasks]
    rows = collections.defaultdict(dict)
    for point, measured in found.items():
        key = point.objective, point.budget, point.learning_rate, point.finetuning_rate
        score = measured.score
        rows[key][point.task] = "not finite" if score is None else f"{score:.1f}"
    for (objective, *numbers), row in sorted(rows.items()):
        cells = [f"{number:.3g}" if number else "" for number in numbers]
        yield [objective, *cells, *(row.get(task, "") for task in tasks)]


def _score_rows(table: Table, measure: str) -> Iterator[Sequence[str]]:
    names = [RANDOM, *table.objectives]
    yield ["task", "metric", "FLOPs", "trivial", *names]
    for task in [*table.tasks(measure), POOLED]:
        trivial = f"{table.trivial[task]:.1f}" if task in table.trivial else ""
        for budget in table.budgets(measure):
            cells = [_cell(table.scores(measure, budget, task, name)) for name in names]
            if any(cells[1:]):
                yield [task, table.metrics.get(task, ""), f"{budget:.3g}", trivial, *cells]


def _cell(scores: Scores) -> str:
    values = list(scores.values())
    if not values:
        return ""
    return f"{np.mean(values):.1f} ({min(values):.1f}-{max(values):.1f}; {len(values)})"


def _difference_rows(table: Table, measure: str, first: str) -> Iterator[Sequence[str]]:
    others = [name for name in table.objectives if name != first]
    yield ["task", "FLOPs", *others]
    for task in [*table.tasks(measure), POOLED]:
        for budget in table.budgets(measure):
            own = table.scores(measure, budget, task, first)
            found = [difference(own, table.scores(measure, budget, task, o)) for o in others]
            if any(found):
                yield [task, f"{budget:.3g}", *("" if d is None else str(d) for d in found)]


def _variant_rows(table: Table, measure: str) -> Iterator[Sequence[str]]:
    tasks = table.tasks(measure)
    yield ["variant", "FLOPs", *tasks]
    for name in table.variants:
        for budget in table.budgets(measure):
            cells = []
            for task in tasks:
                own = table.scores(measure, budget, task, name)
                change = difference(own, table.scores(measure, budget, task, base_of(name)))
                cells.append(f"{np.mean(list(own.values())):.1f}, {change}" if change else "")
            if any(cells):
                yield [name, f"{budget:.3g}", *cells]


def _markdown(rows: Iterable[Sequence[str]]) -> str:
    head, *others = rows
    lines = [head, ["---"] * len(head), *others]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


# ---- Picture


def draw(points: Mapping[Point, Measured], path: str | os.PathLike[str]) -> None:
    """A panel for each measure and task: score over FLOPs, with the range of the seeds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    table = Table(points)
    panels = [(measure, task) for measure in table.measures for task in table.tasks(measure)]
    rows = -(-len(panels) // 3)
    figure, grid = pyplot.subplots(rows, 3, figsize=(12, 3.2 * rows), squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for axes, (measure, task) in zip(grid.flat, panels, strict=False):
        _draw_panel(axes, table, measure, task)
    handles = {}
    for axes in grid.flat:
        handles |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles, loc="upper center", ncols=len(handles))
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.4 / (3.2 * rows)))
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def _draw_panel(axes, table: Table, measure: str, task: str) -> None:
    for number, name in enumerate(table.objectives):
        found = {b: table.scores(measure, b, task, name) for b in table.budgets(measure)}
        found = {budget: list(scores.values()) for budget, scores in found.items() if scores}
        means = [np.mean(values) for values in found.values()]
        axes.plot(list(found), means, marker="o", color=f"C{number}", label=name)
        low, high = ([f(values) for values in found.values()] for f in (min, max))
        axes.fill_between(list(found), low, high, color=f"C{number}", alpha=0.2, linewidth=0)
    random = list(table.scores(measure, 0.0, task, RANDOM).values())
    if random:
        axes.axhline(np.mean(random), color="gray", linestyle="--", label="random weights")
        axes.axhspan(min(random), max(random), color="gray", alpha=0.2, linewidth=0)
    axes.axhline(table.trivial[task], color="gray", linestyle=":", label="trivial")
    axes.set_xscale("log")
    axes.set_title(f"{task}, {measure}")
    axes.set_xlabel("FLOPs of pre-training")
    axes.set_ylabel(table.metrics[task])
