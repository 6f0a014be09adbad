# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Peak memory of two training steps, with and without recomputed activations.

    python benchmarks/memory.py --hparams configs/pretraining/large.json --batch-size 1

Each way runs in a process of its own. On a CPU it is the peak of the whole process, which is a few
hundred MB before there is a model; on a GPU, what TensorFlow allocated there.
"""

import argparse
import json
import pathlib
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.pretraining_step import make_batch  # noqa: E402


def measure(hparams) -> dict[str, float]:
    """Train two steps in this process."""
    import tensorflow as tf

    from electra_tf.config import PretrainingConfig
    from electra_tf.pretraining import ElectraPretrainer, run
    from electra_tf.text import SpecialTokens, Vocabulary
    from electra_tf.training.loop import StepRunner

    config = PretrainingConfig.from_hparams("memory", ".", hparams)
    special = SpecialTokens()
    tokens = (*special.all, *(f"t{i}" for i in range(config.vocab_size - len(special.all))))
    pretrainer = ElectraPretrainer(config, Vocabulary(tokens, special))
    pretrainer.compile(optimizer=run.make_optimizer(config))
    pretrainer.optimizer.build(pretrainer.trainable_variables)
    runner = StepRunner(
        tf.distribute.get_strategy(), pretrainer.train_step, config.train_batch_size
    )
    batch = make_batch(config)
    runner([batch])
    start = time.perf_counter()
    runner([batch])
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if tf.config.list_physical_devices("GPU"):
        peak = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    weights = sum(int(tf.size(weight)) for weight in pretrainer.trainable_variables)
    return {"peak_bytes": peak, "weights": weights, "seconds": seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hparams", default=str(ROOT / "configs" / "pretraining" / "large.json"))
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--accumulation-steps", type=int, default=1)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--ways", default="recomputed,kept", help="which ones, in this order")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(json.loads(options.child))))
        return
    hparams = {
        **json.loads(pathlib.Path(options.hparams).read_text()),
        "train_batch_size": options.batch_size,
        "gradient_accumulation_steps": options.accumulation_steps,
        "precision": options.precision,
    }
    for way in options.ways.split(","):
        child = json.dumps({**hparams, "recompute_activations": way == "recomputed"})
        output = subprocess.run(
            [sys.executable, __file__, "--child", child], check=True, capture_output=True, text=True
        ).stdout
        found = json.loads(output.splitlines()[-1])
        print(
            f"activations {way:10} {found['peak_bytes'] / 2**30:6.2f} GiB at most, "
            f"{found['weights'] / 1e6:.0f}M weights, {found['seconds']:.1f} s per step",
            flush=True,
        )


if __name__ == "__main__":
    main()
