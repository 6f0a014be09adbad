# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Peak memory of two training steps, with and without recomputed activations.

    python benchmarks/memory.py --hparams configs/pretraining/large.json --batch-size 1

Each way runs in a separate process. On a CPU it is the peak of the whole process, which is a few
hundred MB before there is a model; on a GPU, what TensorFlow allocated there.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.options import positive_int  # noqa: E402
from benchmarks.pretraining_step import add_shape_options, make_step, read_hparams  # noqa: E402
from benchmarks.turns import Turns  # noqa: E402

WAYS = ("recomputed", "kept")


def measure(options):
    ways = options.ways.split(",")
    if not set(ways) <= set(WAYS):
        raise ValueError(f"--ways is expected to be of {', '.join(WAYS)}, but is {options.ways!r}.")
    for way in ways:
        options.recompute = way == "recomputed"
        hparams = read_hparams(options, options.precision)
        maker = (make_step, hparams, options.device, 1, options.threads)
        with Turns({way: maker}) as turns:
            found = turns.run(rounds=1, warm_up=1)[way]
        print(
            f"activations {way:10} {found['peak_bytes'] / 2**30:6.2f} GiB at most, "
            f"{found['weights'] / 1e6:.0f}M weights, {found['seconds']:.1f} s per step",
            flush=True,
        )


def main():
    from electra_tf.cli import arguments

    parser = arguments.make_parser(__doc__.split("\n")[0])
    add_shape_options(parser, "large.json", batch_size=1, max_seq_length=512)
    parser.add_argument("--accumulation-steps", type=positive_int, default=1)
    parser.add_argument("--precision", default="float32", help="one of them")
    parser.add_argument("--ways", default=",".join(WAYS), help="which ones, in this order")
    arguments.run(measure, parser)


if __name__ == "__main__":
    main()
