# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The model card of an export: what it is, what it takes and gives, what it was trained on."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import tensorflow as tf

import electra_tf
from electra_tf.config import FinetuningConfig, PretrainingConfig
from electra_tf.config.fields import Role, names_of
from electra_tf.config.task_table import TaskSpec
from electra_tf.files import exists, read_json
from electra_tf.interop.stored_model import StoredModel
from electra_tf.patterns import listed, matching, split_patterns
from electra_tf.serving.comparison import Comparison

DESCRIPTIONS = {
    "text": "raw UTF-8 strings",
    "ids": "token ids; no operation beyond TensorFlow's own",
    "features": "embeddings of raw strings, of the layer that `layer` names for each row",
    "replaced_tokens": "how probable it is that each token of a text is a fake",
    "find_errors": "words that do not belong where they are, with replacements; `threshold` is the "
    "probability of an error, below 0 for the model's own",
    "score_options": "how original an option is in the gap `{{}}` of a text",
    "fill_mask": "the most probable tokens for each {mask} in the texts",
    "pseudo_log_likelihood": "how probable texts are, each token where all others are known",
}


def default_signature(names: Collection[str]) -> str:
    """The signature that a request without a name gets: raw text, if there is such a one."""
    return "text" if "text" in names else sorted(set(names) & set(DESCRIPTIONS))[0]


def model_card(
    model: StoredModel,
    spec: TaskSpec | None,
    signatures: Mapping[str, tf.types.experimental.ConcreteFunction],
    settings: Mapping[str, Any],
    comparison: Comparison,
) -> str:
    """The text of README.md.

    Args:
        model: what was exported.
        spec: its task, of a fine-tuned one.
        signatures: name -> loaded signature.
        settings: of the export.
        comparison: what it found.
    """
    title = "pre-trained ELECTRA" if spec is None else f"ELECTRA fine-tuned for {spec.name}"
    encoder, vocabulary = model.config.encoder, model.tokenizer.vocabulary
    mask = vocabulary.token_of(vocabulary.mask_id)
    parts = [
        f"# {title}",
        f"A TensorFlow SavedModel, exported by electra_tf {electra_tf.__version__} with TensorFlow "
        f"{tf.__version__}.",
        _table(
            ("", ""),
            [
                ("encoder", f"{encoder.num_hidden_layers} layers of {encoder.hidden_size}"),
                ("vocabulary", f"{len(vocabulary)} tokens, in `assets`"),
                *((f"`{name}`", f"`{json.dumps(value)}`") for name, value in settings.items()),
                *([] if spec is None else _task_rows(spec)),
            ],
        ),
        "## Signatures",
        "B is the number of texts. Lengths are those of the longest text in the request, "
        f"{settings['max_seq_length']} tokens at most. Rows that are shorter are filled up with 0 "
        'and "". Offsets are bytes of the UTF-8 strings. `serving_default` is '
        f"`{default_signature(signatures)}`.",
        *(
            _signature(name, signatures[name], DESCRIPTIONS[name].format(mask=f"`{mask}`"))
            for name in sorted(signatures)
            if name in DESCRIPTIONS
        ),
        "## Comparison",
        f"Before this folder appeared, {comparison.count} comparisons with the model it was made "
        "of, on five texts, ordinary, empty, too long and in several scripts, differed by "
        f"{comparison.largest:.1e} at most. Hidden states may differ by "
        f"{comparison.tolerance:g} in the root mean square.",
        "## Training",
        *_training(model, spec),
        *_metrics(model, spec),
    ]
    return "\n\n".join(parts) + "\n"


def _task_rows(spec: TaskSpec) -> list[tuple[str, str]]:
    rows = [("task", f"{spec.name}, {spec.kind}"), ("metric", spec.metric)]
    if spec.labels:
        rows.append(("labels", ", ".join(f"`{label}`" for label in spec.labels)))
    return rows


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _signature(
    name: str, function: tf.types.experimental.ConcreteFunction, description: str
) -> str:
    _, inputs = function.structured_input_signature
    rows = [("in", *_row(spec.name, spec)) for spec in inputs.values()]
    outputs = sorted(function.structured_outputs.items())
    rows += [("out", *_row(key, spec)) for key, spec in outputs]
    return f"### {name}\n\n{description}\n\n" + _table(("", "name", "type", "shape"), rows)


def _row(name: str, spec: tf.TensorSpec) -> tuple[str, str, str]:
    shape = [
        "B" if axis == 0 else "*" if size is None else size for axis, size in enumerate(spec.shape)
    ]
    return f"`{name}`", spec.dtype.name, f"[{', '.join(map(str, shape))}]"


def _without_paths(config: PretrainingConfig | FinetuningConfig) -> dict[str, Any]:
    """The hyperparameters that are no places of this machine."""
    paths = names_of(type(config), Role.PATH)
    return {name: value for name, value in config.to_dict().items() if name not in paths}


def _training(model: StoredModel, spec: TaskSpec | None) -> list[str]:
    if model.origin is None:
        parts = [_json("Hyperparameters:", _without_paths(model.config)), *_data(model, spec)]
    else:
        parts = [f"Unknown: the weights were converted from {model.origin}."]
    return [f"{model.step:,} steps.", *parts]


def _data(model: StoredModel, spec: TaskSpec | None) -> list[str]:
    if spec is not None:
        files = ", ".join(f"{split.name} (`{split.file}`)" for split in spec.splits)
        began = os.path.basename((model.config.init_checkpoint or "").rstrip("/"))
        parts = [f"Data: the task's files {files}.", f"Initial weights: {began or 'random'}."]
        return [*parts, _json("Data that was read:", list(model.data))] if model.data else parts
    patterns = split_patterns(model.config.pretrain_tfrecords)
    places = [path for pattern in patterns[:1] for path in (*matching(pattern), pattern)]
    manifest = os.path.join(os.path.dirname(places[0]) if places else "", "manifest.json")
    if not places or not exists(manifest):
        return ["Data: the records it was trained on had no manifest where they are said to be."]
    content = read_json(manifest)
    kept = {k: v for k, v in content.items() if k not in ("shards", "length_histogram")}
    return [_json("Manifest of the records:", kept)]


def _metrics(model: StoredModel, spec: TaskSpec | None) -> list[str]:
    """Results that lie in the folder, or above it for one trial of fine-tuning."""
    if spec is not None:
        folder = model.folder if "://" in model.folder else os.path.abspath(model.folder)
        above = os.path.dirname(os.path.dirname(folder.rstrip("/")))
        folder = os.path.join(above, "results")
    else:
        folder = os.path.join(model.folder, "results")
    found = []
    for path in listed(folder, "*.json"):
        name = os.path.basename(path)
        content = read_json(path)
        if spec is None or spec.name in content.get("tasks", ()):
            found.append(_json(f"Results, `{name}`:", content))
    return ["## Metrics", *(found or ["There were no results of an evaluation beside the model."])]


def _json(heading: str, value: Any) -> str:
    return f"{heading}\n\n```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```"
