# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What is stored of models: dataclasses as JSON, checked key by key, and the sizes of weights."""

import dataclasses
import math
import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from electra_tf.config.encoder import EncoderConfig
from electra_tf.config.fields import did_you_mean
from electra_tf.files import check_keys, is_of_kind, shortened

T = TypeVar("T")
_LARGEST_INTEGER = 2**63 - 1
CASE = ("do_lower_case", "strip_accents", "pre_split")
"""What a tokenizer does to a text before it looks for tokens."""


def from_stored(kind: type[T], stored: Any, where: str) -> T:
    """The dataclass that a file holds as `dataclasses.asdict` gives it.

    Keys may be missing whose fields have a default. Lists become tuples where the fields are, and
    the same holds for dataclasses inside.

    Args:
        kind: the dataclass.
        stored: what the file's JSON stands for.
        where: the file, for messages.

    Raises:
        ValueError: names the file, the key, and what is expected of it.
    """
    check_keys({kind.__name__: stored}, {kind.__name__: dict}, where)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    needed = [
        name
        for name, field in fields.items()
        if field.default is field.default_factory is dataclasses.MISSING
    ]
    missing = [name for name in needed if name not in stored]
    if missing:
        raise ValueError(f"{where} is expected to have the keys {', '.join(missing)}.")
    for name in stored:
        if name not in fields:
            near = did_you_mean(name, fields) or f"; the keys are {', '.join(fields)}."
            raise ValueError(f"{where}: unknown key {name!r}{near}")
    hints = typing.get_type_hints(kind)
    values = {name: _value(hints[name], value, name, where) for name, value in stored.items()}
    try:
        return kind(**values)
    except (ValueError, TypeError, OverflowError) as error:  # raised by its own checks
        raise ValueError(f"{where}: {error}") from error


def as_stored(value: Any) -> Any:
    """A dataclass as JSON holds it, which `from_stored` takes: tuples become lists."""
    if dataclasses.is_dataclass(value):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {name: as_stored(item) for name, item in value.items()}
    return [as_stored(item) for item in value] if isinstance(value, list | tuple) else value


def _value(hint: Any, value: Any, key: str, where: str) -> Any:
    """A value as a field of that type has it."""
    is_union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    choices = typing.get_args(hint) if is_union else (hint,)
    check_keys({key: value}, {key: tuple(map(_in_json, choices))}, where)
    chosen = next(choice for choice in choices if is_of_kind(value, _in_json(choice)))
    if dataclasses.is_dataclass(chosen):
        return from_stored(chosen, value, f"{where}: {key}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        _check_size(value, key, where)
    of = typing.get_args(chosen)
    if isinstance(value, list) and of:
        is_any_length = of[-1] is ... or typing.get_origin(chosen) is list
        kinds = of[:1] * len(value) if is_any_length else of
        if len(kinds) != len(value):
            raise ValueError(
                f"{where}: {key!r} is expected to have {len(kinds)} values, but has {len(value)}."
            )
        pairs = zip(kinds, value, strict=True)
        value = [_value(kind, v, f"{key}[{i}]", where) for i, (kind, v) in enumerate(pairs)]
    if isinstance(value, dict) and of:
        return {name: _value(of[1], v, f"{key}[{name!r}]", where) for name, v in value.items()}
    return tuple(value) if _in_json(chosen) is list and not _is_list(chosen) else value


def _in_json(hint: Any) -> Any:
    """The type that JSON has for values of a type."""
    kind = typing.get_origin(hint) or hint
    if dataclasses.is_dataclass(kind) or kind is Mapping:
        return dict
    if kind is Any:
        return object
    return list if kind is tuple else kind


def _is_list(hint: Any) -> bool:
    return (typing.get_origin(hint) or hint) is list


def _check_size(value: float, key: str, where: str):
    is_usable = math.isfinite(value) if isinstance(value, float) else abs(value) <= _LARGEST_INTEGER
    if not is_usable:
        raise ValueError(
            f"{where}: {key!r} is expected to be a number of 64 bits, but is "
            f"{shortened(str(value), 30)}."
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoredModelConfig:
    """What the config.json of every model's folder holds, whichever kind of run wrote it."""

    encoder: EncoderConfig
    tokenizer: Mapping[str, Any]
    """Settings; do_lower_case and strip_accents are among them."""
    converted_from: str | None = None
    """Where the weights are from, if they were not trained here."""

    @property
    def case(self) -> dict[str, bool]:
        """do_lower_case, strip_accents and, if it is true, pre_split."""
        return {name: self.tokenizer[name] for name in CASE if name in self.tokenizer}

    @classmethod
    def from_json(cls: type[T], stored: Mapping[str, Any], path: str) -> T:
        """From the object that a file holds; keys that are no field are for people.

        Raises:
            ValueError: something is missing or wrong; names the file and the key.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        found = from_stored(cls, {k: v for k, v in stored.items() if k in names}, path)
        settings = {"pre_split": False, **found.tokenizer}
        check_keys(settings, dict.fromkeys(CASE, bool), f"{path}: tokenizer")
        return found


Shapes = Mapping[str, Sequence[int]]
_TABLES = {
    "vocab_size": "word_embeddings",
    "max_position_embeddings": "position_embeddings",
    "type_vocab_size": "token_type_embeddings",
}
_OF_AN_ENCODER = (*_TABLES, "embedding_size", "hidden_size", "num_hidden_layers")
_OF_AN_ENCODER += ("intermediate_size",)
_GENERATORS = ("generator", "generator_ltr")


def encoder_sizes(shapes: Shapes, name: str = "electra") -> dict[str, int]:
    """Fields of an `EncoderConfig` that follow from the variables that exist.

    Args:
        shapes: of the variables, by their names.
        name: "electra", or that of a separate generator's encoder, whose embeddings may be
            electra's.
    """
    own = f"{name}/embeddings/word_embeddings" in shapes
    embeddings = f"{name}/embeddings" if own else "electra/embeddings"
    sizes = {}
    for field, table in _TABLES.items():
        shape = shapes.get(f"{embeddings}/{table}", ())
        if len(shape) == 2:
            sizes[field] = int(shape[0])
            sizes["embedding_size"] = int(shape[1])
    shape = shapes.get(f"{name}/encoder/layer_0/intermediate/dense/kernel", ())
    if len(shape) == 2:
        sizes["hidden_size"], sizes["intermediate_size"] = map(int, shape)
    found = (re.match(rf"{name}/encoder/layer_(\d+)/", variable) for variable in shapes)
    if layers := {match[1] for match in found if match}:
        sizes["num_hidden_layers"] = len(layers)  # no number of a layer is taken for a size
    return sizes


def model_sizes(shapes: Shapes) -> dict[str, Any]:
    """Hyperparameters of a whole model that follow from its variables."""
    sizes: dict[str, Any] = encoder_sizes(shapes)
    for name in _GENERATORS:
        sizes |= _generator_shares(sizes, encoder_sizes(shapes, name))
    return sizes


def configured_sizes(
    encoder: EncoderConfig, generator: EncoderConfig | None = None
) -> dict[str, Any]:
    """What `model_sizes` gives of a model with these encoders.

    Args:
        encoder: the discriminator's, or the only one.
        generator: that of a separate generator.
    """
    full = {name: getattr(encoder, name) for name in _OF_AN_ENCODER}
    if generator is None:
        return full
    return {**full, **_generator_shares(full, {n: getattr(generator, n) for n in _OF_AN_ENCODER})}


def _generator_shares(full: Mapping[str, int], small: Mapping[str, int]) -> dict[str, float]:
    """Hyperparameters of a generator are shares of the discriminator's sizes."""
    names = {"generator_hidden_size": "hidden_size", "generator_layers": "num_hidden_layers"}
    return {
        share: small[size] / full[size]
        for share, size in names.items()
        if size in small and size in full
    }


def size_differences(found: Mapping[str, Any], here: Mapping[str, Any], place: str) -> list[str]:
    """A phrase for each size that is known of both and differs.

    Args:
        found: sizes of a stored model, as `model_sizes` gives them.
        here: the same of the configured model.
        place: where `found` are from, such as "the checkpoint".
    """
    return [
        f"{name} is {_shown(found[name])} in {place}, {_shown(here[name])} here"
        for name in found
        if name in here and found[name] != here[name]
    ]


def _shown(size: float) -> str:
    return f"{size:.4g}" if isinstance(size, float) else str(size)
