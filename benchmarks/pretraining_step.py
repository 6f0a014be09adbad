# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Speed of a training step: time, sequences, real tokens, FLOP/s and their share of the peak.

    python benchmarks/pretraining_step.py --hparams configs/pretraining/small.json \
        --batch-size 16 --max-seq-length 128 --precision float32,bfloat16 --device cpu

Precisions are interleaved, each in a separate process. The peak is what the product of two square
matrices of the same data type reaches on the same device, measured between the steps. FLOPs are
those of the products that a step needs: one forward, two backward, none for looking up embeddings
or for computing activations again.
"""

import argparse
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import electra_tf  # noqa: E402

electra_tf.configure()  # before TensorFlow is imported

from benchmarks.options import positive_int, share  # noqa: E402
from benchmarks.turns import Turns  # noqa: E402

BACKWARD_AND_FORWARD = 3
LAST_KERNEL = "discriminator_predictions/dense_1/kernel"
SAME_LOSS = 0.005
"""Relative difference that two random beginnings of one model may have, heads beginning at 0."""
FIRST_ID = 1000
"""Of the random tokens: behind the special ones of any vocabulary."""
_SECONDS_OF_PRODUCTS = 0.3
"""For which the peak is measured in each turn."""


def product_flops(config) -> float:
    """Operations of the products of matrices in a step on one sequence, 2 m n k each.

    B sequences cost B times this. L length, N masked tokens, E embedding, V vocabulary, and H and F
    of each encoder.
    """
    length, width = config.max_seq_length, config.encoder.embedding_size

    def encoder_flops(encoder):
        hidden, inner = encoder.hidden_size, encoder.intermediate_size
        per_token = 2 * (4 * hidden**2 + 2 * hidden * inner) + 4 * length * hidden
        projection = 2 * width * hidden if width != hidden else 0
        return length * (encoder.num_hidden_layers * per_token + projection)

    forward = 0.0
    if config.has_discriminator:
        hidden = config.encoder.hidden_size
        forward += encoder_flops(config.encoder)
        if config.detects_replaced_tokens:
            forward += length * (2 * hidden**2 + 2 * hidden)
        else:
            copies = config.discriminator_objective == "all_tokens_mlm"
            predicted = length if copies else config.num_masked
            forward += predicted * 2 * (hidden * width + width * config.vocab_size)
            forward += length * 2 * hidden if copies else 0
    if config.has_generator:
        encoder = config.generator_encoder
        # Two towers guess all tokens, from the outputs of both.
        towers = 2 if config.two_tower_generator else 1
        predicted = length if config.two_tower_generator else config.num_masked
        forward += towers * encoder_flops(encoder)
        head = towers * encoder.hidden_size * width + width * config.vocab_size
        forward += predicted * 2 * head
    return BACKWARD_AND_FORWARD * forward


def make_batch(config, real_share=1.0):
    """Random tokens [B, L], of which the first share of each row is real."""
    import numpy as np

    shape = [config.train_batch_size, config.max_seq_length]
    ids = np.random.default_rng(0).integers(FIRST_ID, config.vocab_size, shape).astype(np.int32)
    mask = np.zeros_like(ids)
    mask[:, : real_tokens(real_share, config.max_seq_length)] = 1
    return {"input_ids": ids * mask, "input_mask": mask, "segment_ids": np.zeros_like(ids)}


def real_tokens(real_share, max_seq_length):
    """How many of a row are no padding."""
    return max(1, round(real_share * max_seq_length))


def runner_of(config):
    """What a run trains with, around a training step of initial weights; and their number.

    But for the last kernel of the discriminator: zeros, so that the first losses are those of any
    other beginning, log 2 per token.
    """
    import tensorflow as tf

    from electra_tf.pretraining import ElectraPretrainer, run
    from electra_tf.text import SpecialTokens, Vocabulary
    from electra_tf.training.checkpoints.weights import weights_by_name
    from electra_tf.training.loop.runners import make_runner

    special = SpecialTokens()
    tokens = (*special.all, *(f"t{i}" for i in range(config.vocab_size - len(special.all))))
    pretrainer = ElectraPretrainer(config, Vocabulary(tokens, special))
    pretrainer.compile(optimizer=run.make_optimizer(config))
    pretrainer.optimizer.build(pretrainer.trainable_variables)
    if config.has_discriminator:
        weights_by_name(pretrainer)[LAST_KERNEL].assign(tf.zeros([config.encoder.hidden_size, 1]))
    runner = make_runner(
        tf.distribute.get_strategy(),
        pretrainer.train_step,
        config.train_batch_size,
        config.iterations_per_loop,
        config.jit_compile,
    )
    return runner, sum(int(tf.size(weight)) for weight in pretrainer.trainable_variables)


def make_step(hparams, device, steps=1, threads=0, real_share=1.0, square=0):
    """A function that trains `steps` steps and returns what they took.

    Returns:
        Seconds per step, `loss` of the last one, the number of `weights`, and with `square`, FLOP/s
        of a product of square matrices; on a GPU also the peak of what TensorFlow allocated.
    """
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    import tensorflow as tf

    from electra_tf.config import PretrainingConfig

    gpus = tf.config.list_physical_devices("GPU")
    if device == "gpu" and not gpus:
        raise ValueError("a GPU is expected, but TensorFlow sees none.")
    for gpu in gpus:  # which several processes share
        tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    config = PretrainingConfig.from_hparams("benchmark", ".", hparams)
    runner, num_weights = runner_of(config)
    batches = [make_batch(config, real_share)] * steps
    product = _product(square, config.precision) if square else None

    def step():
        start = time.perf_counter()
        losses = runner(batches)
        found = {
            "seconds": (time.perf_counter() - start) / steps,
            "loss": float(losses[-1]),
            "weights": num_weights,
        }
        if product is not None:
            found["product_flops"] = product()
        if device == "gpu":
            found["peak_bytes"] = tf.config.experimental.get_memory_info("GPU:0")["peak"]
        return found

    return step


def _product(size, precision):
    """A function that measures FLOP/s of the product of two matrices [size, size]."""
    import tensorflow as tf

    a = tf.cast(tf.random.normal([size, size]), precision)
    b = tf.cast(tf.random.normal([size, size], stddev=size**-0.5), precision)  # keeps c's scale

    @tf.function
    def products(count):
        c = a
        for _ in tf.range(count):
            c = tf.matmul(c, b)
        return c[0, 0]

    def seconds(count):
        start = time.perf_counter()
        products(tf.constant(count)).numpy()
        return time.perf_counter() - start

    seconds(1)
    count = max(4, int(_SECONDS_OF_PRODUCTS / seconds(4) * 4))

    def measure():
        return count * 2.0 * size**3 / seconds(count)

    return measure


def add_shape_options(parser, hparams="small.json", batch_size=16, max_seq_length=128):
    """What `read_hparams` takes: the model, the shape of batches, how they are computed."""
    hparams = str(ROOT / "configs" / "pretraining" / hparams)
    parser.add_argument("--hparams", default=hparams, help="JSON object, or path of a .json file")
    parser.add_argument("--batch-size", type=positive_int, default=batch_size)
    parser.add_argument("--max-seq-length", type=positive_int, default=max_seq_length)
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument(
        "--threads", type=positive_int, default=os.cpu_count(), help="of a CPU's kernels"
    )
    parser.set_defaults(accumulation_steps=1, recompute=False, jit_compile=None)


def read_hparams(options, precision):
    """The configuration's hyperparameters with those of the command line.

    Raises:
        ValueError, FileNotFoundError: these are wrong.
    """
    from electra_tf.config import PretrainingConfig, check, load_hparams

    hparams = load_hparams(options.hparams)
    for name in ("stages", "num_train_steps", "length_buckets"):
        hparams.pop(name, None)
    hparams = {
        **hparams,
        "train_batch_size": options.batch_size,
        "max_seq_length": options.max_seq_length,
        "gradient_accumulation_steps": options.accumulation_steps,
        "recompute_activations": options.recompute,
        "precision": precision,
        **({} if options.jit_compile is None else {"jit_compile": options.jit_compile}),
    }
    config = PretrainingConfig.from_hparams("benchmark", ".", hparams)
    check(config.vocab_size > FIRST_ID, "vocab_size", f"more than {FIRST_ID}", config.vocab_size)
    whole_words = config.whole_word_masking
    check(not whole_words, "whole_word_masking", "false, for random tokens", whole_words)
    return hparams


def measure(options):
    from electra_tf.config import PretrainingConfig

    square = options.square or {"cpu": 2048, "gpu": 8192}[options.device]
    shared = (options.device, options.steps, options.threads, options.real_share, square)
    hparams = {p: read_hparams(options, p) for p in options.precision.split(",")}
    with Turns({p: (make_step, own, *shared) for p, own in hparams.items()}) as turns:
        found = turns.run(options.rounds)

    config = PretrainingConfig.from_hparams("benchmark", ".", next(iter(hparams.values())))
    batch, length = options.batch_size, options.max_seq_length
    flops = batch * product_flops(config)
    print(f"{batch} x {length} tokens, {flops / 1e9:,.0f} GFLOP per step, on a {options.device}")
    print("precision  s/step  sequences/s  real tokens/s  TFLOP/s  peak TFLOP/s  share  memory GiB")
    for precision, numbers in found.items():
        speed = 1 / numbers["seconds"]
        peak = numbers["product_flops"]
        print(
            f"{precision:9} {numbers['seconds']:7.3f} {batch * speed:12.1f} "
            f"{batch * real_tokens(options.real_share, length) * speed:14,.0f} "
            f"{flops * speed / 1e12:8.3f} {peak / 1e12:13.3f} {flops * speed / peak:6.1%} "
            f"{numbers['peak_bytes'] / 2**30:11.2f}"
        )


def main():
    from electra_tf.cli import arguments

    parser = arguments.make_parser(__doc__.split("\n")[0])
    add_shape_options(parser)
    parser.add_argument("--accumulation-steps", type=positive_int, default=1)
    parser.add_argument("--recompute", action="store_true", help="recompute activations")
    parser.add_argument("--precision", default="float32,bfloat16", help="one or several")
    parser.add_argument(
        "--jit-compile", action=argparse.BooleanOptionalAction, help="default: on a GPU only"
    )
    parser.add_argument("--real-share", type=share, default=1.0, help="of tokens; the rest pads")
    parser.add_argument("--steps", type=positive_int, default=1, help="per turn")
    parser.add_argument("--rounds", type=positive_int, default=10, help="turns; the median counts")
    parser.add_argument(
        "--square", type=positive_int, help="size of the matrices; default 2048, GPU 8192"
    )
    arguments.run(measure, parser)


if __name__ == "__main__":
    main()
