# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The table of names: tensors of Hugging Face ELECTRA models and ours, read both ways.

Dimensions: V vocabulary, E embedding, H hidden, F feed-forward, C outputs of a head. A name of
ours is that of a single model, whose encoder is "electra"; the heads of tasks are in
"task_specific/{task}", as in the original.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from electra_tf.config import EncoderConfig
from electra_tf.config.stored import Shapes, encoder_sizes

BODY = "electra."
"""Prefix of the names of the encoder, except in a model without a head."""
DISCRIMINATOR_HEAD = "discriminator_predictions"
"""Prefix of the names of the discriminator's head, theirs and ours."""
GENERATOR_FOLDER = "generator"
"""Inside the folder of a discriminator: its generator."""


class Row(NamedTuple):
    """One of their tensors and ours."""

    theirs: str
    ours: tuple[str, ...]
    """Usually one; several are parts of theirs, one after the other along the outputs."""
    shape: tuple[int, ...]
    """Of each of ours."""
    transposed: bool = False

    @property
    def their_shape(self) -> tuple[int, ...]:
        joined = (*self.shape[:-1], self.shape[-1] * len(self.ours))
        return joined[::-1] if self.transposed else joined


def table(
    architecture: str, encoder: EncoderConfig, task: str = "", outputs: int = 0
) -> tuple[Row, ...]:
    """All tensors of a model.

    The architecture is a key of `HEADS`; the head of a task has our name for it and C outputs.
    """
    prefix = "" if architecture == "ElectraModel" else BODY
    body = tuple(row._replace(theirs=prefix + row.theirs) for row in encoder_rows(encoder))
    return body + HEADS[architecture].rows(encoder, f"task_specific/{task}", outputs)


def sizes_of(shapes: Shapes) -> dict[str, int]:
    """Fields of the configuration that follow from their tensors, see `encoder_sizes`."""
    ours = {}
    for name, shape in shapes.items():
        path = name.removeprefix(BODY).replace("layer.", "layer_").replace(".", "/")
        path = f"electra/{path}"
        if path.endswith("_embeddings/weight"):
            ours[path.removesuffix("/weight")] = shape
        elif path.endswith("/dense/weight"):
            ours[f"{path.removesuffix('weight')}kernel"] = shape[::-1]
        else:
            ours[path] = shape
    return encoder_sizes(ours)


def class_of(names: Iterable[str]) -> str:
    """The class whose head a model has: a key of `HEADS`, or another one.

    Raises:
        ValueError: it has heads of several.
    """
    found = {}
    for name in sorted(names):
        fitting = (key for key, head in HEADS.items() if name.startswith(head.beginnings))
        if (architecture := next(fitting, None)) is not None:
            found[architecture] = name
        elif name.startswith("sequence_summary."):
            found["ElectraForMultipleChoice"] = name
    if "ElectraForMultipleChoice" in found:  # its last layer is named as that of tags
        found.pop("ElectraForTokenClassification", None)
    if len(found) > 1:
        raise ValueError(f"heads of several classes: {', '.join(sorted(found.values()))}")
    return next(iter(found), "ElectraModel")


def encoder_rows(encoder: EncoderConfig) -> tuple[Row, ...]:
    """The tensors of an encoder; theirs without their prefix."""
    e, h, f = encoder.embedding_size, encoder.hidden_size, encoder.intermediate_size
    rows = [
        Row(f"embeddings.{name}.weight", (f"electra/embeddings/{name}",), (size, e))
        for name, size in (
            ("word_embeddings", encoder.vocab_size),
            ("position_embeddings", encoder.max_position_embeddings),
            ("token_type_embeddings", encoder.type_vocab_size),
        )
    ]
    rows += _norm("embeddings.LayerNorm", "electra/embeddings/LayerNorm", e)
    if e != h:
        rows += _dense("embeddings_project", "electra/embeddings_project", e, h)
    for number in range(encoder.num_hidden_layers):
        theirs, ours = f"encoder.layer.{number}", f"electra/encoder/layer_{number}"
        for name in ("query", "key", "value"):
            rows += _dense(f"{theirs}.attention.self.{name}", f"{ours}/attention/self/{name}", h, h)
        rows += _dense(f"{theirs}.attention.output.dense", f"{ours}/attention/output/dense", h, h)
        rows += _norm(
            f"{theirs}.attention.output.LayerNorm", f"{ours}/attention/output/LayerNorm", h
        )
        rows += _dense(f"{theirs}.intermediate.dense", f"{ours}/intermediate/dense", h, f)
        rows += _dense(f"{theirs}.output.dense", f"{ours}/output/dense", f, h)
        rows += _norm(f"{theirs}.output.LayerNorm", f"{ours}/output/LayerNorm", h)
    return tuple(rows)


def _discriminator(encoder: EncoderConfig, task: str, outputs: int):
    h, name = encoder.hidden_size, DISCRIMINATOR_HEAD
    return (
        *_dense(f"{name}.dense", f"{name}/dense", h, h),
        *_dense(f"{name}.dense_prediction", f"{name}/dense_1", h, 1),
    )


def _generator(encoder: EncoderConfig, task: str, outputs: int):
    e, name = encoder.embedding_size, "generator_predictions"
    return (
        *_dense(f"{name}.dense", f"{name}/dense", encoder.hidden_size, e),
        *_norm(f"{name}.LayerNorm", f"{name}/LayerNorm", e),
        Row("generator_lm_head.bias", (f"{name}/output_bias",), (encoder.vocab_size,)),
    )


def _sequence(encoder: EncoderConfig, task: str, outputs: int):
    h = encoder.hidden_size
    return (
        *_dense("classifier.dense", f"{task}/dense", h, h),
        *_dense("classifier.out_proj", f"{task}/dense_1", h, outputs),
    )


def _tokens(encoder: EncoderConfig, task: str, outputs: int):
    return _dense("classifier", f"{task}/dense", encoder.hidden_size, outputs)


def _answers(encoder: EncoderConfig, task: str, outputs: int):
    return _dense("qa_outputs", (f"{task}/dense", f"{task}/dense_1"), encoder.hidden_size, 1)


class Head(NamedTuple):
    """The head of a class of models."""

    rows: Callable[[EncoderConfig, str, int], tuple[Row, ...]] = lambda encoder, task, outputs: ()
    beginnings: tuple[str, ...] = ()
    """How names of its tensors begin; what fits a row above is not of this one."""
    kinds: Mapping[str, str | None] = {}
    """Kinds of task it is for -> problem_type, which distinguishes those of one class."""
    last_layer: str = ""
    """The tensor with a row for each class of a task."""


HEADS = {
    "ElectraModel": Head(),
    "ElectraForPreTraining": Head(_discriminator, (f"{DISCRIMINATOR_HEAD}.",)),
    "ElectraForMaskedLM": Head(_generator, ("generator_predictions.", "generator_lm_head.")),
    "ElectraForSequenceClassification": Head(
        _sequence,
        ("classifier.dense.", "classifier.out_proj."),
        {
            "regression": "regression",
            "classification": "single_label_classification",
            "multilabel": "multi_label_classification",
        },
        "classifier.out_proj.weight",
    ),
    "ElectraForTokenClassification": Head(
        _tokens, ("classifier.",), {"tagging": None}, "classifier.weight"
    ),
    "ElectraForQuestionAnswering": Head(_answers, ("qa_outputs.",), {"qa": None}),
}
"""Architecture -> its head."""
ARCHITECTURES = {kind: name for name, head in HEADS.items() for kind in head.kinds}
"""Kind of task -> the class of a model for it."""


def to_ours(tensors: Mapping[str, np.ndarray], rows: tuple[Row, ...]) -> dict[str, np.ndarray]:
    """Their tensors under our names, float32; names and shapes are those of the rows."""
    weights = {}
    for row in rows:
        tensor = np.asarray(tensors[row.theirs], np.float32)
        tensor = tensor.T if row.transposed else tensor
        parts = np.split(tensor, len(row.ours), axis=-1)
        weights.update(
            {name: np.ascontiguousarray(part) for name, part in zip(row.ours, parts, strict=True)}
        )
    return weights


def to_theirs(weights: Mapping[str, np.ndarray], rows: tuple[Row, ...]) -> dict[str, np.ndarray]:
    """Our weights under their names."""
    tensors = {}
    for row in rows:
        joined = np.concatenate([weights[name] for name in row.ours], axis=-1)
        tensors[row.theirs] = np.ascontiguousarray(joined.T if row.transposed else joined)
    return tensors


def renamed(name: str, first: str, other: str) -> str:
    """A name of ours with its first part exchanged, if it is that."""
    return other + name.removeprefix(first) if name.startswith(first) else name


def with_segments_exchanged(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights for the other way of tagging; applied twice it gives them back.

    The original tags sentences as segment 1 (tagging_tasks.py:147), transformers as segment 0: with
    the two rows of the segment embeddings exchanged, one says what the other does.
    """
    name = "electra/embeddings/token_type_embeddings"
    rows = weights[name]
    return {**weights, name: np.concatenate([rows[1::-1], rows[2:]])}


def _dense(theirs: str, ours: str | tuple[str, ...], inputs: int, outputs: int):
    ours = (ours,) if isinstance(ours, str) else ours
    return (
        Row(f"{theirs}.weight", tuple(f"{name}/kernel" for name in ours), (inputs, outputs), True),
        Row(f"{theirs}.bias", tuple(f"{name}/bias" for name in ours), (outputs,)),
    )


def _norm(theirs: str, ours: str, size: int):
    return (
        Row(f"{theirs}.weight", (f"{ours}/gamma",), (size,)),
        Row(f"{theirs}.bias", (f"{ours}/beta",), (size,)),
    )
