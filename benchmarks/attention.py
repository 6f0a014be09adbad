# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Forms of self-attention, forward and backward, timed in turn; all must give the same numbers.

python benchmarks/attention.py --batch-size 16 --max-seq-length 128
"""

import pathlib
import statistics
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import electra_tf  # noqa: E402

electra_tf.configure()  # before TensorFlow is imported

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from benchmarks.options import HEAD_SIZE, positive_int, width  # noqa: E402
from electra_tf.cli import arguments  # noqa: E402
from electra_tf.config import EncoderConfig  # noqa: E402
from electra_tf.model import Initializers  # noqa: E402
from electra_tf.model.layers import SelfAttention  # noqa: E402
from electra_tf.model.part import precision_scope  # noqa: E402


class Einsum(SelfAttention):
    """Scores and sums as einsum, without transposing queries, keys and values."""

    def attend(self, query, key, value, mask_scores):
        scores = tf.cast(tf.einsum("bqhd,bkhd->bhqk", query, key), tf.float32)
        scores = scores * self.config.head_size**-0.5 + tf.cast(mask_scores, tf.float32)
        weights = tf.cast(tf.nn.softmax(scores), value.dtype)
        return tf.einsum("bhqk,bkhd->bqhd", weights, value)

    def call(self, hidden, mask_scores, seed=None):
        shape = [*tf.unstack(tf.shape(hidden))[:2], self.config.num_attention_heads, -1]
        projected = [tf.reshape(layer(hidden), shape) for layer in self.projections()]
        return tf.reshape(self.attend(*projected, mask_scores), tf.shape(hidden))

    def projections(self):
        return self.query, self.key, self.value


class Each(SelfAttention):
    """A product each for queries, keys and values."""

    def _project(self, hidden):
        return self.project_each(hidden)


class AtOnce(SelfAttention):
    """One product for queries, keys and values."""

    def _project(self, hidden):
        return self.project_at_once(hidden)


class Library(Einsum):
    """keras.ops.dot_product_attention."""

    def attend(self, query, key, value, mask_scores):
        return keras.ops.dot_product_attention(
            query, key, value, bias=tf.cast(mask_scores, query.dtype)
        )


FORMS = {
    "used here": SelfAttention,
    "a product each": Each,
    "one product": AtOnce,
    "einsum": Einsum,
    "keras.ops": Library,
}


def compiled_step(layer, jit_compile):
    @tf.function(jit_compile=jit_compile)
    def step(hidden, mask_scores):
        with tf.GradientTape() as tape:
            tape.watch(hidden)
            outputs = layer(hidden, mask_scores)
            loss = tf.reduce_sum(tf.square(tf.cast(outputs, tf.float32)))
        projections = (layer.query, layer.key, layer.value)
        sources = [hidden, *(p.kernel.value for p in projections)]
        return [outputs, *tape.gradient(loss, sources)]

    return step


def measure(options):
    config = EncoderConfig(
        hidden_size=options.hidden_size,
        num_attention_heads=options.hidden_size // HEAD_SIZE,
        attention_probs_dropout_prob=0.0,
    )
    shape = [options.batch_size, options.max_seq_length, options.hidden_size]
    hidden = tf.constant(np.random.default_rng(0).normal(size=shape), tf.float32)
    hidden = tf.cast(hidden, options.precision)
    mask_scores = tf.zeros([options.batch_size, 1, 1, options.max_seq_length])
    steps, outputs, times = {}, {}, {name: [] for name in FORMS}
    for name, form in FORMS.items():
        with precision_scope(options.precision):
            layer = form(config, Initializers(0.02, seed=0))
            layer.build(shape)
        steps[name] = compiled_step(layer, options.jit_compile)
        outputs[name] = [tf.cast(x, tf.float32) for x in steps[name](hidden, mask_scores)]
        tolerance = 1e-4 if options.precision == "float32" else 0.05
        for found, expected in zip(outputs[name], outputs["used here"], strict=True):
            error = tf.norm(found - expected) / tf.norm(expected)
            assert error < tolerance, (name, float(error))
    for _ in range(options.rounds):
        for name, step in steps.items():
            start = time.perf_counter()
            step(hidden, mask_scores)[0].numpy()
            times[name].append(time.perf_counter() - start)
    here = statistics.median(times["used here"])
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{name:14} {1000 * median:8.2f} ms  {median / here:.2f} of the form used here")


def main():
    parser = arguments.make_parser(__doc__.split("\n")[0])
    parser.add_argument("--batch-size", type=positive_int, default=16)
    parser.add_argument("--max-seq-length", type=positive_int, default=128)
    parser.add_argument("--hidden-size", type=width, default=256)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--jit-compile", action="store_true")
    parser.add_argument("--rounds", type=positive_int, default=20)
    arguments.run(measure, parser)


if __name__ == "__main__":
    main()
