# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The comparison at equal compute: points, statistics, what is to be done, and that it resumes."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from tiny_finetuning import sentences
from tiny_run import WORDS, hparams_with, make_data_dir

from electra_tf.pretraining.run_flops import flops_of_run

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "benchmarks" / "equal_compute.py"
sys.path.insert(0, str(ROOT / "benchmarks"))

import equal_compute  # noqa: E402
import equal_compute_plan as plan  # noqa: E402
import equal_compute_report as reports  # noqa: E402
import equal_compute_work as work  # noqa: E402
from equal_compute_points import (  # noqa: E402
    FINETUNING,
    PROBE,
    RANDOM,
    STUDY,
    SWEEP,
    Measured,
    Point,
    append_point,
    read_points,
)

POINT = Point(STUDY, "electra", 1, 1e13, 1e-3, "boolq", FINETUNING, 5e-4)
MEASURED = Measured(65.0, "accuracy", 62.0, 880, 1.01e13)


@pytest.fixture
def data_folder(tmp_path):
    """Records of words in order, and the two tasks of the sweep."""
    folder = make_data_dir(tmp_path / "data")
    for task, name in (("bigram_shift", "tsv"), ("pos_brown", "txt")):
        place = folder / "finetuning_data" / task
        place.mkdir(parents=True)
        for split, count in (("train", 40), ("dev", 12)):
            rows = sentences(count, seed=count)
            if name == "tsv":
                names = ["original", "swapped"]
                lines = [f"{' '.join(words)}\t{names[label]}" for words, label in rows]
                text = "\n".join(["sentence\tlabel", *lines]) + "\n"
            else:
                tagged = ["".join(f"{w} {len(w)}\n" for w in words) for words, _ in rows]
                text = "\n".join(tagged) + "\n"
            (place / f"{split}.{name}").write_text(text)
    return folder


def study(folder, *arguments):
    given = ["--data-dir", str(folder), "--tasks", "bigram_shift", "pos_brown", *arguments]
    return equal_compute.study_of(equal_compute.make_parser().parse_args(given))


# ---- Points


def test_a_torn_line_is_dropped_and_no_point_comes_twice(tmp_path):
    path, other = tmp_path / "points.jsonl", POINT._replace(seed=2)
    append_point(path, POINT, MEASURED)
    append_point(path, POINT, MEASURED._replace(score=1.0))
    assert read_points(path) == {POINT: MEASURED}
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:30])
    with pytest.warns(UserWarning, match="last line is torn"):
        assert read_points(path) == {POINT: MEASURED}
    with pytest.warns(UserWarning, match="last line is torn"):
        append_point(path, other, MEASURED._replace(score=None))
    assert read_points(path) == {POINT: MEASURED, other: MEASURED._replace(score=None)}
    assert read_points(tmp_path / "nothing.jsonl") == {}


@pytest.mark.parametrize("line", ["{}", "no JSON", '["a list"]', '{"part": 1}', "same"])
def test_a_foreign_line_is_an_error_that_names_it(tmp_path, line):
    path = tmp_path / "points.jsonl"
    append_point(path, POINT, MEASURED)
    same = path.read_text().strip()
    path.write_text(f"{same}\n{same if line == 'same' else line}\n")
    with pytest.raises(ValueError, match=r"points.jsonl, line 2, is expected to be"):
        read_points(path)


# ---- Statistics


def test_differences_are_paired_by_seed():
    """1, 2 and 3: mean 2, deviation 1; 97.5 % of t with 2 degrees of freedom are below 4.3027."""
    found = reports.difference({1: 11.0, 2: 22.0, 3: 33.0, 4: 0.0}, {3: 30.0, 1: 10.0, 2: 20.0})
    assert found.mean == pytest.approx(2.0) and found.pairs == 3
    assert found.half_width == pytest.approx(4.30265 / 3**0.5, rel=1e-5)
    assert str(found) == "+2.0 (-0.5 to +4.5; 3)"
    assert str(reports.difference({1: 2.0}, {1: 3.0})) == "-1.0 (1 seed)"
    assert reports.difference({1: 2.0}, {2: 3.0}) is None


@pytest.fixture
def points():
    points = {}
    for seed, (first, second) in {1: (60.0, 70.0), 2: (61.0, 72.0), 3: (62.0, 71.0)}.items():
        for objective, lead in (("electra", 3.0 + seed), ("masked_lm", 0.0)):
            for task, score in (("boolq", first), ("ner_wnut", second)):
                point = POINT._replace(objective=objective, seed=seed, task=task)
                points[point] = MEASURED._replace(score=score + lead)
        of_random = POINT._replace(objective=RANDOM, seed=seed, budget=0.0)
        points[of_random] = points[of_random._replace(task="rt_sentiment")] = MEASURED
        points[of_random._replace(measure=PROBE, finetuning_rate=0.0)] = MEASURED
    del points[POINT._replace(seed=3, task="ner_wnut")]  # then the pooled seed is missing, too
    return points


def test_the_report_pools_tasks_within_seeds(points):
    lines = reports.report(points, "electra").splitlines()
    assert "| boolq | 1e+13 | **+5.0** (+2.5 to +7.5; 3) |" in lines
    assert "| mean of the tasks | 1e+13 | +4.5 (-1.9 to +10.9; 2) |" in lines
    assert not [line for line in lines if "rt_sentiment" in line or "probe" in line]  # untrained
    row = next(line for line in lines if line.startswith("| boolq | accuracy | 1e+13 | 62.0 |"))
    assert "65.0 (65.0-65.0; 3) | 66.0 (64.0-68.0; 3) | 61.0 (60.0-62.0; 3) |" in row


def test_variants_are_compared_with_their_objectives(points):
    for seed, score in ((1, 50.0), (2, 51.0), (3, 53.0)):  # masked_lm has 60, 61 and 62
        point = POINT._replace(objective="masked_lm+batch_16", seed=seed)
        points[point] = MEASURED._replace(score=score)
    lines = reports.report(points, "electra").splitlines()
    assert "| masked_lm+batch_16 | 1e+13 | 51.3, **-9.7** (-11.1 to -8.2; 3) |  |" in lines
    assert "| task | FLOPs | masked_lm |" in lines


def test_a_study_of_two_rates_is_refused(points):
    with pytest.raises(ValueError, match=r"one point for each objective.*learning_rate=0.002"):
        reports.report({**points, POINT._replace(learning_rate=2e-3): MEASURED}, "electra")


def test_a_report_on_random_weights_alone_is_refused(points, tmp_path):
    path = tmp_path / "points.jsonl"
    for point in points:
        if point.objective == RANDOM:
            append_point(path, point, MEASURED)
    arguments = ["--results", str(path), "--report", str(tmp_path / "scores.png")]
    with pytest.raises(ValueError, match="expected to have scores of trained models in the study"):
        equal_compute.print_report(equal_compute.make_parser().parse_args(arguments))


@pytest.mark.slow  # matplotlib takes a second to import
def test_the_report_is_printed_and_drawn(points, tmp_path, capsys):
    for point, measured in points.items():
        append_point(tmp_path / "points.jsonl", point, measured)
    arguments = ["--results", str(tmp_path / "points.jsonl")]
    options = equal_compute.make_parser().parse_args(
        [*arguments, "--report", str(tmp_path / "scores.png")]
    )
    equal_compute.print_report(options)
    assert "**+5.0** (+2.5 to +7.5; 3)" in capsys.readouterr().out
    assert (tmp_path / "scores.png").stat().st_size > 10000


# ---- What is to be done


def test_runs_have_the_flops_of_their_budget_within_a_step(data_folder):
    asked = study(data_folder)
    for objective in (*plan.OBJECTIVES, *plan.VARIANTS):
        for budget in asked.budgets:
            hparams = plan.hparams_of(asked, objective, 1, 1e-3, budget)
            config = plan.config_of(asked, hparams)
            steps, step = config.num_train_steps, flops_of_run(config) / config.num_train_steps
            assert abs(steps * step - budget) <= step
            # The warm-up: 100 of some 3500 steps of the quickstart.
            assert config.num_warmup_steps * step == pytest.approx(1.193e12, abs=step)


def test_the_sweep_chooses_the_rates_of_the_study(data_folder):
    best = {"bigram_shift": 1.5e-3, "pos_brown": 4e-3}
    variants = {"electra+mask_15", "masked_lm+rate_0.003"}
    objectives = ["--objectives", *plan.OBJECTIVES, *sorted(variants)]
    asked, done, seen = study(data_folder, "--seeds", "1", "--budgets", "1e13", *objectives), {}, []
    while jobs := list(plan.jobs_of(asked, done)):
        seen.append(next((job for job in jobs if job.points[0].part == SWEEP), jobs[0]))
        for point in seen[-1].missing(done):
            lead = 10.0 if point.finetuning_rate == best[point.task] else 0.0
            done[point] = MEASURED._replace(score=100 * point.learning_rate + lead)
    of_study = {job.objective: job for job in seen if job.seed == 1}
    assert of_study.keys() == {RANDOM, *plan.OBJECTIVES, *variants}
    assert of_study["electra"].learning_rate == 3e-3  # of 5e-4, 1.5e-3 and 3e-3
    assert of_study["electra+mask_15"].learning_rate == 3e-3
    for job in of_study.values():
        tuned = [point for point in job.points if point.measure == FINETUNING]
        assert {point.task: point.finetuning_rate for point in tuned} == best
    of_sweep = [job for job in seen if job.points[0].part == SWEEP]
    assert len(of_sweep) == 3 + 2 * (3 + 3) + 3 * 3  # the last three have others' rates
    assert {job.seed for job in of_sweep} == {plan.SWEEP_SEED}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--objectives", "gan"], "--objectives is expected to be some of electra, masked_lm"),
        (["--tasks", "cola"], "--tasks is expected to be some of bigram_shift"),
        (["--seeds", "1", "0"], "--seeds is expected to be greater than 0"),
        (["--budgets", "1e9"], "more than the warm-up of electra"),
        (["--budgets", "1.001e13", "1.002e13"], "are expected to be equal or to differ in"),
        (["--workers", "0"], "--workers is expected to be at least 1"),
        (["--tasks", "boolq"], r"--data-dir is expected to have .*boolq/train"),
        (["--data-dir", "nowhere"], r"--data-dir is expected to have nowhere/pretrain_tfrecords"),
    ],
)
def test_wrong_arguments_are_named(data_folder, arguments, message):
    with pytest.raises((ValueError, OSError), match=message):
        study(data_folder, *arguments)


# ---- Runs


def test_a_small_budget_after_a_large_one_begins_where_it_can(data_folder, monkeypatch):
    begun = []
    monkeypatch.setattr(
        work.electra_tf, "pretrain", lambda *names, **given: begun.append(given.get("decay_from"))
    )
    asked = study(data_folder, "--objectives", "electra")
    job = next(job for job in plan.jobs_of(asked, {}) if job.budget)
    run = data_folder / "models" / job.run_name
    run.mkdir(parents=True)
    for step in (2817, 500):  # its rate decays from step 704 on
        (run / f"model.ckpt-{step}.index").touch()
        work.pretrain(asked, job)
    assert begun == [None, str(run)]


def test_a_rate_at_which_pretraining_diverges_has_no_scores(data_folder, monkeypatch):
    def diverge(*arguments):
        raise ArithmeticError("the loss is not finite")

    monkeypatch.setattr(work, "pretrain", diverge)
    asked = study(data_folder, "--rates", "1e-3", "2e-3", "--objectives", "electra")
    of_rate = {job.learning_rate: job for job in plan.jobs_of(asked, {}) if job.budget}
    work.finish(asked, of_rate[1e-3])
    done = read_points(asked.results)
    assert list(done) == list(of_rate[1e-3].points)
    assert {measured.score for measured in done.values()} == {None}
    done |= dict.fromkeys(of_rate[2e-3].points, MEASURED)
    assert plan.chosen_rate("electra", asked, done) == 2e-3


@pytest.mark.slow
def test_it_resumes_after_kills_and_measures_no_point_twice(data_folder):
    results = data_folder / "equal_compute.jsonl"
    shape = {"max_position_embeddings": 64, "num_hidden_layers": 1}
    hparams = hparams_with(shape, num_warmup_steps=1, vocab_size=len(WORDS) + 5)
    command = [sys.executable, str(SCRIPT), "--data-dir", str(data_folder), "--seeds", "1"]
    command += ["--tasks", "bigram_shift", "pos_brown", "--objectives", "electra"]
    command += [
        "--budgets",
        "2e8",
        "1e8",
        "--sweep-budget",
        "1e8",
        "--tuning-budget",
        "1e8",
        "--rates",
        "1e-3",
    ]
    command += ["--finetuning-rates", "1e-3", "--hparams", json.dumps(hparams)]
    log = open(data_folder / "log", "wb")
    running = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    for count in (1, 4):
        while len(read_points(results)) < count and running.poll() is None:
            time.sleep(0.5)
        if count == 1:
            os.kill(running.pid, signal.SIGKILL)  # its workers finish what they do
            running.wait()
            running = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        else:
            running.send_signal(signal.SIGTERM)
            running.wait()
    with open(results, "ab") as file:
        file.write(b'{"part": "st')
    subprocess.run(command, stdout=log, stderr=log, check=True)
    points = read_points(results)
    assert {p.budget for p in points if p.part == STUDY} == {0.0, 1e8, 2e8}
    assert len(points) == 2 * 2 + 3 * 4  # in the study with a probe each
    assert not list(plan.jobs_of(study(data_folder, *command[4:]), points))
