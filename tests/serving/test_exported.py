# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A damaged export is one error that names the file; nothing is computed with it."""

import json
import shutil

import pytest
import tensorflow as tf

from electra_tf.serving.export_files import DIGESTS, SETTINGS_FILE, digests_of, load_exported


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A SavedModel with a variable and an asset, and the settings of an export."""
    folder = tmp_path_factory.mktemp("sound") / "export"
    vocabulary = folder.parent / "vocab.txt"
    vocabulary.write_text("[PAD]\nw1\n")
    module = tf.Module()
    module.weights = tf.Variable(tf.range(300, dtype=tf.float32))
    module.vocabulary = tf.saved_model.Asset(str(vocabulary))
    module.double = tf.function(
        lambda row: {"row": row * module.weights}, input_signature=[tf.TensorSpec([300])]
    )
    tf.saved_model.save(module, str(folder), signatures={"double": module.double})
    settings = folder / SETTINGS_FILE
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(json.dumps({DIGESTS: digests_of(str(folder))}))
    return folder


@pytest.fixture
def export(sound, tmp_path):
    shutil.copytree(sound, tmp_path / "export")
    return tmp_path / "export"


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def make_folder(path):
    path.unlink()
    path.mkdir()


DAMAGES = {
    "flipped": flip,
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-30]),
    "empty": lambda path: path.write_bytes(b""),
    "missing": lambda path: path.unlink(),
    "a folder": make_folder,
}
FILES = {
    "saved_model.pb": "saved_model.pb",
    "assets/vocab.txt": "assets/vocab.txt",
    "variables/variables.index": "variables/variables",
    "variables/variables.data-00000-of-00001": "variables/variables",
}


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("file", FILES)
def test_the_damaged_file_is_named(export, file, how):
    DAMAGES[how](export / file)
    with pytest.raises((ValueError, OSError)) as raised:
        load_exported(str(export))
    message = str(raised.value)
    assert f"{export}/{FILES[file]}" in message and len(message) < 1000 and "\n" not in message


@pytest.mark.parametrize("content", ["{", "[1]", '{"sha256": []}', "[" * 100_000, "\0\0"])
def test_damaged_settings_are_named(export, content):
    path = export / SETTINGS_FILE
    path.write_text(content)
    with pytest.raises(ValueError, match=f"^{path}"):
        load_exported(str(export))


@pytest.mark.parametrize("settings", [None, "{}"])
def test_exports_of_earlier_versions_have_no_checksums(export, settings):
    path = export / SETTINGS_FILE
    path.unlink() if settings is None else path.write_text(settings)
    exported, _ = load_exported(str(export))
    row = exported.signatures["double"](tf.ones([300]))["row"]
    assert row.numpy().tolist() == list(range(300))
