# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""An export is used only if it says what its model says."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from electra_tf.model import Encoder
from electra_tf.serving.served_encoder import ServedEncoder, is_disentangled
from electra_tf.text import Tokenizer
from electra_tf.text.packing import text_batch

TOLERANCES = {"float32": 1e-4, "bfloat16": 0.1}
"""By dtype of the export: how far its hidden states, which have a scale of 1, may be from those of
the model in the root mean square; ten times as far at single places."""
_SAME_PROGRAM = 1e-5
"""How far outputs of the export may be from those of the functions that were saved."""
_TEXTS = (
    "The {mask} brown fox jumps over the lazy dog.",
    "",
    "Don't panic: 3.14% of U.S. dollars (€5,000) & {mask}!?",
    "Ünïcödé naïve café; 日本語とEnglishの混在 漢字。한국어 {mask} שלום 👩‍👩‍👧 \u200b\x07",
    "too long {mask} " * 400,
)
_OPTIONS = ("a", "b", "c", "1", "é")


class ExportDiffersError(ArithmeticError):
    """The export does not say what the model says."""


class Comparison(NamedTuple):
    """What was compared.

    Attributes:
        count: number of arrays.
        largest: largest difference of two numbers.
        tolerance: of the dtype, see `TOLERANCES`.
    """

    count: int
    largest: float
    tolerance: float


def compare(
    exported: Mapping[str, Callable],
    saved: Mapping[str, Callable],
    encoders: list[tuple[ServedEncoder, Encoder]],
    tokenizer: Tokenizer,
    max_seq_length: int,
    dtype: str,
) -> Comparison:
    """Compare a loaded export with the model that it was made of, on five texts.

    Every output is compared with that of the function that was saved, which computes with
    `ServedEncoder`; each of these is compared with the `Encoder` whose weights it has.

    Args:
        exported: name -> signature of the loaded export.
        saved: name -> function that was saved under that name.
        encoders: those that serve, each with the model's own.
        tokenizer: of the model.
        max_seq_length: of the export.
        dtype: of the export.

    Raises:
        ExportDiffersError: they differ by more than rounding; names signature and output.
    """
    mask = tokenizer.vocabulary.token_of(tokenizer.vocabulary.mask_id)
    texts = tf.constant([text.replace("{mask}", mask) for text in _TEXTS])
    batch = text_batch(tokenizer, texts, None, max_seq_length)
    tolerance = TOLERANCES[dtype]
    differences = [
        _difference(f"token_features of layer {layer}", *states, tolerance)
        for served, encoder in encoders
        for layer, states in enumerate(_real_states(served, encoder, batch))
    ]
    # The last of the texts beside the first, and so on, where a model reads two.
    strings = {"text": texts, "text_pair": texts[::-1], "question": texts[::-1], "context": texts}
    options = {"text": tf.strings.join([texts, " {}."]), "option": tf.constant(_OPTIONS)}
    num_layers = encoders[0][0].num_layers
    for name, function in saved.items():
        inputs = [spec.name for spec in function.input_signature]
        for layer in range(num_layers + 1 if "layer" in inputs else 1):
            given = {**strings, **batch, "layer": tf.fill([len(_TEXTS)], layer)}
            given["threshold"] = tf.fill([len(_TEXTS)], -1.0)  # the model's own
            given |= options if "option" in inputs else {}
            given = {key: given[key] for key in inputs}
            differences += _output_differences(name, exported[name](**given), function(**given))
    return Comparison(len(differences), max(differences), tolerance)


def _real_states(
    served: ServedEncoder, encoder: Encoder, batch: Mapping[str, tf.Tensor]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """What the first layer reads and each layer gives, served and by the model, at real tokens."""
    options = {"disentangled": True} if is_disentangled(encoder) else {}
    first = encoder.embeddings(batch["input_ids"], batch["segment_ids"], **options)
    if encoder.embeddings_project is not None:
        first = encoder.embeddings_project(first)
    expected = [first, *encoder(batch).layer_outputs]
    is_real = tf.cast(batch["input_mask"], tf.bool)
    # As a graph, so that what TensorFlow's optimizer makes of it is compared too.
    found = tf.function(served, autograph=False)(batch)
    return [
        tuple(tf.cast(tf.boolean_mask(state, is_real), tf.float32).numpy() for state in pair)
        for pair in zip(found, expected, strict=True)
    ]


def _output_differences(
    name: str, exported: Mapping[str, tf.Tensor], expected: Mapping[str, tf.Tensor]
) -> list[float]:
    if exported.keys() != expected.keys():
        raise ExportDiffersError(
            f"{name}: the outputs {sorted(exported)} exported, {sorted(expected)} expected"
        )
    found = []
    for key, values in expected.items():
        pair = exported[key].numpy(), values.numpy()
        if values.dtype.is_floating:
            scale = max(1.0, float(np.abs(pair[1]).max(initial=0.0)))
            found.append(_difference(f"{name}: {key}", *pair, _SAME_PROGRAM * scale))
        elif not np.array_equal(*pair):
            raise ExportDiffersError(
                f"{name}: {key} differs: {pair[0]} exported, {pair[1]} expected"
            )
        else:
            found.append(0.0)
    return found


def _difference(what: str, exported: np.ndarray, expected: np.ndarray, tolerance: float) -> float:
    if exported.shape != expected.shape:
        raise ExportDiffersError(
            f"{what}: shape {exported.shape} exported, {expected.shape} expected"
        )
    difference = np.abs(exported.astype(np.float64) - expected)
    worst = float(difference.max(initial=0.0))
    typical = float(np.sqrt(np.mean(difference**2))) if difference.size else 0.0
    if not (worst <= 10 * tolerance and typical <= tolerance):  # NaN is neither
        raise ExportDiffersError(
            f"{what}: differs by {worst:.2e} at most, where {10 * tolerance:.0e} is allowed, and "
            f"by {typical:.2e} in the root mean square, where {tolerance:.0e} is allowed"
        )
    return worst
