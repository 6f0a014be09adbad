# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The joint training step beside that of the original (google-research/electra), by its own code.

    git clone https://github.com/google-research/electra original
    python3.11 -m venv tf215
    tf215/bin/pip install tensorflow==2.15.1 scikit-learn scipy
    python benchmarks/compare_original.py --original-dir original --original-python tf215/bin/python

The original computes in float32. Its module tf.contrib.layers is replaced by the one function of it
that it calls. Same sizes, same batch, same rates; steps are called without its estimator. Each way
runs in a separate process, interleaved with the others.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.options import positive_int  # noqa: E402
from benchmarks.pretraining_step import (  # noqa: E402
    SAME_LOSS,
    add_shape_options,
    make_batch,
    make_step,
    read_hparams,
)
from benchmarks.turns import Turns  # noqa: E402

ORIGINAL = "original float32"
OURS_ONLY = ("precision", "jit_compile", "gradient_accumulation_steps", "recompute_activations")


def write_inputs(hparams, data_dir):
    """The vocabulary and the batch that the original reads."""
    from electra_tf.config import PretrainingConfig

    config = PretrainingConfig.from_hparams("benchmark", ".", hparams)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words += [f"t{i}" for i in range(config.vocab_size - len(words))]
    pathlib.Path(data_dir, "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    np.savez(pathlib.Path(data_dir, "batch.npz"), **make_batch(config))


def make_original_step(hparams, data_dir, folder, python, threads, steps):
    """Like `pretraining_step.make_step`, of the original in a process of its Python."""
    given = {
        "folder": folder,
        "data_dir": data_dir,
        "hparams": {name: value for name, value in hparams.items() if name not in OURS_ONLY},
        "threads": threads,
        "steps": steps,
    }
    script = str(ROOT / "benchmarks" / "original_step.py")
    process = subprocess.Popen(
        [python, script, json.dumps(given)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
    )

    def answer():
        line = process.stdout.readline()
        if not line:
            raise ChildProcessError(f"{python} ended with status {process.wait()}.")
        return json.loads(line)

    answer()

    def step():
        process.stdin.write("go\n")
        return answer()

    return step


def measure(options):
    folder = pathlib.Path(options.original_dir).resolve()
    if not (folder / "configure_pretraining.py").is_file():
        raise ValueError(
            "--original-dir is expected to be a folder with the original's "
            f"configure_pretraining.py, but is {options.original_dir!r}."
        )
    if options.device != "cpu":
        raise ValueError(f"--device is expected to be cpu, but is {options.device!r}.")
    makers = {}
    for precision in options.precision.split(","):
        hparams = read_hparams(options, precision)
        makers[f"here {precision}"] = (make_step, hparams, "cpu", options.steps, options.threads)
    hparams = read_hparams(options, "float32")
    shared = (str(folder), options.original_python, options.threads, options.steps)
    with tempfile.TemporaryDirectory() as data_dir:
        write_inputs(hparams, data_dir)
        makers[ORIGINAL] = (make_original_step, hparams, data_dir, *shared)
        with Turns(makers) as turns:
            show(turns.run(options.rounds, warm_up=3), options)


def show(found, options):
    print(f"{options.batch_size} x {options.max_seq_length} tokens, {options.threads} threads")
    print("way               s/step  sequences/s     loss")
    for name, numbers in found.items():
        speed = options.batch_size / numbers["seconds"]
        print(f"{name:16} {numbers['seconds']:7.3f} {speed:12.1f} {numbers['loss']:8.2f}")
    losses = [numbers["loss"] for numbers in found.values()]
    if max(losses) > (1 + SAME_LOSS) * min(losses):
        sys.exit("The losses are not those of one model.")
    for name, numbers in found.items():
        if name != ORIGINAL:
            ratio = found[ORIGINAL]["seconds"] / numbers["seconds"]
            print(f"{name}: {ratio:.2f} times as fast as the original")


def main():
    from electra_tf.cli import arguments

    parser = arguments.make_parser(__doc__.split("\n")[0])
    add_shape_options(parser)
    parser.add_argument("--original-dir", required=True, help="a clone of google-research/electra")
    parser.add_argument(
        "--original-python", required=True, help="a Python with TensorFlow 2.15, which it runs in"
    )
    parser.add_argument("--precision", default="float32,bfloat16", help="ours, one or both")
    parser.add_argument("--steps", type=positive_int, default=1, help="per turn")
    parser.add_argument("--rounds", type=positive_int, default=10, help="turns; the median counts")
    arguments.run(measure, parser)


if __name__ == "__main__":
    main()
