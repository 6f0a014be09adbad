# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What files hold as JSON is checked key by key, and errors name the file."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest

from electra_tf.config.stored import from_stored
from electra_tf.files import read_json
from electra_tf.training.loop.logs import RunLog, read_log


@dataclasses.dataclass(frozen=True)
class Part:
    name: str
    size: int = 3


@dataclasses.dataclass(frozen=True)
class Whole:
    title: str
    share: float
    parts: tuple[Part, ...]
    pair: tuple[float, float] | None = None
    column: int | str | None = None
    labels: tuple[str, ...] | None = None
    by_name: dict[str, Part] = dataclasses.field(default_factory=dict)
    rest: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    words: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self):
        if self.title == "refused":
            raise ValueError("title is refused")


WHOLE = Whole(
    "a", 0.5, (Part("x", 1), Part("y")), (0.0, 5.0), "label", ("no", "yes"), {"z": Part("z")},
    {"any": [1, None]}, ["w"],
)  # fmt: skip


def test_what_asdict_gives_comes_back_through_json():
    assert from_stored(Whole, json.loads(json.dumps(dataclasses.asdict(WHOLE))), "f") == WHOLE
    few = {"title": "a", "share": 1, "parts": []}
    assert from_stored(Whole, few, "f") == Whole("a", 1, ())


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"title": None}, "f: 'title' is expected to be a string, but is null"),
        ({"title": "refused"}, "f: title is refused"),
        ({"share": "0.5"}, "f: 'share' is expected to be a number, but is \"0.5\""),
        ({"share": True}, "f: 'share' is expected to be a number, but is true"),
        ({"share": float("nan")}, "f: 'share' is expected to be a number of 64 bits, but is nan"),
        ({"share": 10**400}, "f: 'share' is expected to be a number of 64 bits, but is 1000"),
        ({"parts": {}}, "f: 'parts' is expected to be a JSON list, but is {}"),
        ({"parts": [{"name": "x"}, 5]}, r"f: 'parts\[1\]' is expected to be a JSON object, but is"),
        ({"parts": [{}]}, r"f: parts\[0\] is expected to have the keys name"),
        ({"parts": [{"name": "x", "sise": 1}]}, r"f: parts\[0\]: unknown key 'sise': .* 'size'\?"),
        (
            {"parts": [{"name": "x", "size": 2.0}]},
            r"f: parts\[0\]: 'size' is expected to be an int",
        ),
        ({"pair": [1]}, "f: 'pair' is expected to have 2 values, but has 1"),
        ({"pair": [1, "2"]}, r"f: 'pair\[1\]' is expected to be a number"),
        ({"column": 1.5}, "f: 'column' is expected to be an integer or a string or null, but is"),
        ({"labels": ["a", 7]}, r"f: 'labels\[1\]' is expected to be a string, but is 7"),
        ({"by_name": {"z": []}}, r"f: \"by_name\['z'\]\" is expected to be a JSON object"),
        ({"words": [1]}, r"f: 'words\[0\]' is expected to be a string"),
        ({"tittle": 1}, "f: unknown key 'tittle': did you mean 'title'"),
    ],
)
def test_every_other_value_is_an_error_that_names_the_file_and_the_key(changes, problem):
    stored = json.loads(json.dumps({**dataclasses.asdict(WHOLE), **changes}))
    with pytest.raises(ValueError, match=f"^{problem}"):
        from_stored(Whole, stored, "f")


def test_missing_keys_are_named():
    with pytest.raises(ValueError, match=r"^f is expected to have the keys share, parts"):
        from_stored(Whole, {"title": "a"}, "f")
    with pytest.raises(ValueError, match=r"^f: 'Whole' is expected to be a JSON object"):
        from_stored(Whole, 3, "f")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"a": \xff}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": [' + b"9" * 5000 + b"]}",
        b'{"a": 1, "a": 2}',
        b"\0" * 64,
    ],
)
def test_what_is_no_json_object_is_one_short_error(tmp_path, content):
    path = tmp_path / "stored.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{path}") as raised:
        read_json(str(path))
    assert len(str(raised.value)) < 400 and "\n" not in str(raised.value)


def test_lists_just_shallow_enough_to_be_read_are_an_error_too(tmp_path):
    path = tmp_path / "stored.json"
    for depth in range(100, 1100, 7):
        path.write_bytes(b"[" * depth + b"]" * depth)
        with pytest.raises(ValueError, match=f"^{path} is expected to be a JSON object, but"):
            read_json(str(path))


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"kind": "train"}', '{"kind": 1, "step": 2}', '{"kind": "a", "step": "2"}']
)
def test_a_damaged_line_of_a_log_is_named(tmp_path, line):
    path = tmp_path / "train_log.jsonl"
    path.write_text('{"kind": "train", "step": 1, "loss": 2.0}\n' + line + "\n")
    for use in (lambda: read_log(str(tmp_path)), lambda: RunLog(str(tmp_path), 9)):
        with pytest.raises(ValueError, match=f"^{path}, line 2.* Delete the line, or move the log"):
            use()
