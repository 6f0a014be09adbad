# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Training steps of all sizes on a GPU, in bfloat16 with XLA, beside compiled torch: one table.

    python benchmarks/gpu_table.py [--only small-128x128,base-32x512] [--no-torch]

Needs the `bench` extra unless torch is turned off. Models of a group compile side by side, each
in a separate process, and then have the card to themselves, one after the other.
"""

import argparse
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.compare_torch import check_extra, make_torch_step  # noqa: E402
from benchmarks.options import positive_int  # noqa: E402
from benchmarks.pretraining_step import make_step, product_flops, read_hparams  # noqa: E402
from benchmarks.turns import Turns  # noqa: E402

SQUARE = 8192
"""Rows and columns of the matrices whose product gives the peak."""
GROUPS = (
    (("small", 128, 128), ("base", 128, 128), ("base", 32, 512)),
    (("large", 16, 512),),
    (("small", 2048, 128),),
)
"""(model, batch, length); one card has to hold a group at a time, here and in torch."""


def name_of(model, batch, length):
    return f"{model}-{batch}x{length}"


NAMES = [name_of(*shape) for group in GROUPS for shape in group]


def hparams_of(model, batch, length):
    options = argparse.Namespace(
        hparams=str(ROOT / "configs" / "pretraining" / f"{model}.json"),
        batch_size=batch,
        max_seq_length=length,
        accumulation_steps=1,
        recompute=False,
        jit_compile=None,
    )
    return read_hparams(options, "bfloat16")


def run_group(shapes, options) -> dict[str, dict[str, float]]:
    """What `Turns.run` returns, by `<name>` and `<name> torch`."""
    steps, threads = options.steps, os.cpu_count()
    makers = {}
    for shape in shapes:
        hparams, name = hparams_of(*shape), name_of(*shape)
        makers[name] = (make_step, hparams, "gpu", steps, threads, 1.0, SQUARE)
        if options.torch:
            makers[f"{name} torch"] = (make_torch_step, hparams, "gpu", True, threads, steps)
    with Turns(makers) as turns:
        return turns.run(options.rounds)


def show(shape, found):
    from electra_tf.config import PretrainingConfig

    model, batch, length = shape
    name = name_of(*shape)
    here, torch = found[name], found.get(f"{name} torch")
    config = PretrainingConfig.from_hparams("benchmark", ".", hparams_of(*shape))
    speed = batch * product_flops(config) / here["seconds"]
    beside = ""
    if torch is not None:
        beside = f"{batch / torch['seconds']:12.0f} {torch['seconds'] / here['seconds']:6.2f}"
    print(
        f"{model:6} {batch:5} x {length:<6} {1000 * here['seconds']:8.2f} "
        f"{batch / here['seconds']:6.0f} {speed / 1e12:8.1f} "
        f"{speed / here['product_flops']:6.1%} {here['peak_bytes'] / 2**30:4.1f} {beside}",
        flush=True,
    )


def measure(options):
    wanted = options.only.split(",")
    if not set(wanted) <= set(NAMES):
        raise ValueError(
            f"--only is expected to be of {', '.join(NAMES)}, but is {options.only!r}."
        )
    if options.torch:
        check_extra()
    print(
        "model  batch x length  ms/step  sequences/s  TFLOP/s  share  memory GiB   torch/s  ratio"
    )
    for group in GROUPS:
        shapes = [shape for shape in group if name_of(*shape) in wanted]
        if shapes:
            found = run_group(shapes, options)
            for shape in shapes:
                show(shape, found)


def main():
    from electra_tf.cli import arguments

    parser = arguments.make_parser(__doc__.split("\n")[0])
    parser.add_argument("--only", default=",".join(NAMES), help=f"of {', '.join(NAMES)}")
    parser.add_argument("--torch", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--steps", type=positive_int, default=20, help="per turn")
    parser.add_argument("--rounds", type=positive_int, default=5, help="turns; the median counts")
    arguments.run(measure, parser)


if __name__ == "__main__":
    main()
