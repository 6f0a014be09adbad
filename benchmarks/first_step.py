# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Seconds from a command to its first training step, by what they are spent on.

    make quickstart
    python benchmarks/first_step.py --data-dir quickstart_data

`electra pretrain` and `electra finetune` with the quickstart's settings and files run in processes
of their own, interleaved, to the end of their first step, and write nothing into its folder.
"""

import contextlib
import importlib
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.options import positive_int  # noqa: E402

PHASES = (
    "interpreter and imports",
    "configuration and checks",
    "building",
    "first weights, model folder",
    "batches",
    "tracing",
    "graph and first step",
)
BUILDERS = {
    "pretrain": ("electra_tf.pretraining.run", "make_pretrainer"),
    "finetune": ("electra_tf.finetuning.run", "TrialTrainer"),
}
"""Verb -> the module that it imports, and what is called there to build the model."""
STARTED, RESULT = "FIRST_STEP_STARTED", "FIRST_STEP_RESULT"
"""Variables of the environment: when the process was started, and the file for its times."""


def main():
    from electra_tf.cli import arguments

    if STARTED in os.environ:
        timed_command(sys.argv[1], sys.argv[2:])
    parser = arguments.make_parser(__doc__.split("\n")[0])
    parser.add_argument("--data-dir", required=True, help="of a finished quickstart")
    parser.add_argument("--rounds", type=positive_int, default=5, help="the median counts")
    arguments.run(measure, parser)


def measure(options):
    data_dir = pathlib.Path(options.data_dir).resolve()
    model = data_dir / "models" / "quickstart"
    if not (model / "checkpoint").is_file():
        raise ValueError(
            "--data-dir is expected to be the folder of a finished quickstart, with "
            f"models/quickstart, but is {options.data_dir!r}."
        )
    task = str(ROOT / "configs" / "finetuning" / "bigram_shift.json")
    hparams = {
        "pretrain": "quickstart",
        "finetune": json.dumps({"task_names": [task], "init_checkpoint": str(model)}),
    }
    found = {verb: [] for verb in BUILDERS}
    for _ in range(options.rounds):
        for verb in BUILDERS:
            found[verb].append(seconds_of(verb, data_dir, hparams[verb]))
    print(f"{'seconds':29}{''.join(f'{verb:>10}' for verb in BUILDERS)}")
    for phase in (*PHASES, "all"):
        medians = (statistics.median(times[phase] for times in found[verb]) for verb in BUILDERS)
        print(f"{phase:29}{''.join(f'{seconds:10.2f}' for seconds in medians)}")


def seconds_of(verb, data_dir, hparams):
    """Phase -> seconds of one command, in a folder with links to the files of `data_dir`."""
    with tempfile.TemporaryDirectory() as folder:
        result = os.path.join(folder, "times.json")
        own = pathlib.Path(folder, "data")
        own.mkdir()
        for entry in data_dir.iterdir():
            if entry.name != "models":
                (own / entry.name).symlink_to(entry)
        flags = ["--data-dir", str(own), "--model-name", "first_step", "--hparams", hparams]
        environment = {**os.environ, RESULT: result, STARTED: repr(time.time())}
        done = subprocess.run(
            [sys.executable, str(ROOT / "benchmarks" / "first_step.py"), verb, *flags],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if not os.path.exists(result):
            raise ChildProcessError(f"electra {verb} failed:\n{done.stderr}")
        with open(result, encoding="utf-8") as file:
            return json.load(file)


# ---- In the process of a command


def timed_command(verb, flags):
    """Run a verb until its first step, write the seconds of each phase, and end the process."""
    import electra_tf
    from electra_tf.cli.main import run_command
    from electra_tf.environment import without_collections, without_optional_imports

    electra_tf.configure()
    marks = [float(os.environ[STARTED])]

    def mark():
        marks.append(time.time())

    with without_collections():
        with without_optional_imports():
            importlib.import_module("keras")
        importlib.import_module("electra_tf.data")
    importlib.import_module("electra_tf.interop.opening")
    module, builder = BUILDERS[verb]
    module = importlib.import_module(module)
    from electra_tf.training.loop import loop, trainer

    mark()
    before(module, builder, mark)
    before(trainer.Trainer, "run", mark)
    before(trainer, "run_loop", mark)
    before(loop.StepRunner, "_run_steps", mark)
    run_steps, run_batches = loop.StepRunner._run_steps, loop.StepRunner.__call__

    def traced(runner, stacked):
        result = run_steps(runner, stacked)
        mark()
        return result

    def first_step(runner, batches):
        run_batches(runner, batches[:1])
        mark()
        spent = [end - start for start, end in itertools.pairwise(marks)]
        times = dict(zip(PHASES, spent, strict=True)) | {"all": marks[-1] - marks[0]}
        with open(os.environ[RESULT], "w", encoding="utf-8") as file:
            json.dump(times, file)
        os._exit(0)

    loop.StepRunner._run_steps = traced
    loop.StepRunner.__call__ = first_step
    with contextlib.redirect_stdout(sys.stderr):
        run_command([verb, *flags])


def before(owner, name, action):
    """Let `owner.name` call `action` first."""
    function = getattr(owner, name)

    def call(*arguments, **options):
        action()
        return function(*arguments, **options)

    setattr(owner, name, call)


if __name__ == "__main__":
    main()
