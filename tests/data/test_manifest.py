# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""manifest.json is read back exactly or not at all."""

import json

import pytest
from record_files import make_manifest

from electra_tf.data.manifest import Manifest, Shard, Source


def saved(tmp_path, **changes):
    make_manifest((Shard("a", 3, 100), Shard("b", 4, 200))).save(str(tmp_path))
    path = tmp_path / "manifest.json"
    stored = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in stored.items() if v is not None}))
    return str(tmp_path)


def test_save_and_load_give_the_same_manifest(tmp_path):
    manifest = make_manifest((Shard("a", 3, 100), Shard("b", 4, 200)))
    object.__setattr__(manifest, "sources", (Source("tales.txt", 12345),))
    manifest.save(str(tmp_path))
    assert Manifest.load(str(tmp_path)) == manifest
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"surprise": 1}, "unknown key 'surprise'; the keys are shards, "),
        ({"seed": None}, "is expected to have the keys seed"),
        ({"shards": [{"name": "a", "num_examples": 7}]}, r"shards\[0\] is expected .* keys bytes"),
        ({"format_version": 99}, "format_version 99; this program reads 1"),
        ({"num_examples": 8}, "7 examples together"),
        ({"seed": "x"}, "'seed' is expected to be an integer, but is \"x\""),
        ({"replaced_bytes": True}, "'replaced_bytes' is expected to be an integer, but is true"),
        ({"shards": "none"}, "'shards' is expected to be a JSON list, but is \"none\""),
        ({"shards": [7]}, r"'shards\[0\]' is expected to be a JSON object, but is 7"),
        ({"length_histogram": [1, "2"]}, r"'length_histogram\[1\]' is expected to be an integer"),
        ({"tokenizer": []}, r"'tokenizer' is expected to be a JSON object, but is \[\]"),
        ({"seed": 2**63}, "'seed' is expected to be a number of 64 bits"),
        ({"mean_length": float("nan")}, "'mean_length' is expected to be a number of 64 bits"),
    ],
)
def test_anything_else_than_its_keys_is_an_error_naming_the_file(tmp_path, changes, message):
    folder = saved(tmp_path, **changes)
    with pytest.raises(ValueError, match=message) as error:
        Manifest.load(folder)
    assert "manifest.json" in str(error.value)


def test_manifests_from_before_an_option_have_its_default(tmp_path):
    folder = saved(tmp_path, held_out_share=None, features=None, unknown_tokens=None)
    manifest = Manifest.load(folder)
    assert (manifest.held_out_share, manifest.features, manifest.unknown_tokens) == (0.0, (), 0)


def test_text_that_is_no_json_is_an_error(tmp_path):
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ValueError, match=r"manifest.json is expected to be a JSON object: "):
        Manifest.load(str(tmp_path))
