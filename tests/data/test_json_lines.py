# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Documents out of JSON lines, whole whatever the chunks, and errors that name the line."""

import gzip
import io
import json
import random
import tarfile

import pytest

from electra_tf.data import reading
from electra_tf.data.corpus import cut_in_chunks, find_sources


def documents(folder, chunk_bytes=1 << 20, field="text"):
    """(lines of all documents, bytes replaced, bytes reported as read)."""
    found, replaced, read = [], 0, 0
    for chunk in cut_in_chunks(find_sources(str(folder)), chunk_bytes):
        for piece in reading.read_pieces(chunk, True, field):
            begin = 0
            for end in piece.document_ends:
                found.append(piece.lines[begin:end])
                begin = end
            assert begin == len(piece.lines)
            replaced += piece.replaced_bytes
            read += piece.source_bytes
    return found, replaced, read


def write_lines(path, items):
    path.write_text("".join(json.dumps(item) + "\n" for item in items))


def test_every_object_is_a_document(tmp_path):
    write_lines(tmp_path / "a", [{"text": " one \n\n two\n", "id": 1}, {"text": "ü\u2028x"}])
    assert documents(tmp_path)[0] == [["one", "two"], ["ü\u2028x"]]
    write_lines(tmp_path / "a", [{"body": "three", "text": 4}])
    assert documents(tmp_path, field="body")[0] == [["three"]]


def test_blank_lines_byte_order_marks_and_a_missing_last_newline_are_fine(tmp_path):
    (tmp_path / "a").write_bytes(b'\xef\xbb\xbf{"text": "one"}\r\n\n  \n{"text": "two"}')
    assert documents(tmp_path)[0] == [["one"], ["two"]]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("chunk_bytes", [37, 100, 5000])
def test_chunks_never_cut_a_line(tmp_path, monkeypatch, packed, chunk_bytes):
    monkeypatch.setattr("electra_tf.data.reading.CHUNK_BYTES", chunk_bytes)
    monkeypatch.setattr("electra_tf.data.reading._CUT_WINDOW_BYTES", 16)
    rng = random.Random(3)
    texts = [f"d{number} " + "x" * rng.choice([0, 5, 300]) for number in range(200)]
    content = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
    (tmp_path / "a").write_bytes(gzip.compress(content) if packed else content)
    found, _, read = documents(tmp_path, chunk_bytes)
    assert found == [[text.strip()] for text in texts]
    assert read == (tmp_path / "a").stat().st_size


def test_bytes_and_escapes_that_are_no_characters_are_replaced_and_counted(tmp_path):
    (tmp_path / "a").write_bytes(b'{"text": "a\xffb \\ud800c \\ud83d\\ude00"}\n')
    assert documents(tmp_path)[:2] == ([["a\ufffdb \ufffdc \U0001f600"]], 1 + 3)


BAD_LINES = [
    (b'{"text": "cut', r"is not JSON: Unterminated string"),
    (b"[1]", r"is not a JSON object but of type list"),
    (b'{"tekst": "a", "id": 1}', r"has no field 'text'; its fields are \['id', 'tekst'\]"),
    (b'{"text": null}', r"has no text in 'text' but a value of type NoneType"),
    (b"[" * 100_000, "is not JSON"),
]


@pytest.mark.parametrize("bad, message", BAD_LINES)
@pytest.mark.parametrize("form", ["plain", "gzip", "tar"])
def test_bad_lines_are_errors_with_file_and_number(tmp_path, monkeypatch, form, bad, message):
    monkeypatch.setattr("electra_tf.data.reading.CHUNK_BYTES", 100)
    content = b'{"text": "some words"}\n' * 20 + b"\n" + bad + b'\n{"text": "more"}\n'
    name = "corpus.jsonl"
    if form == "gzip":
        content = gzip.compress(content)
    elif form == "tar":
        archive, member = io.BytesIO(), tarfile.TarInfo("inner.jsonl")
        with tarfile.open(fileobj=archive, mode="w") as tar:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        content, name = archive.getvalue(), "corpus.jsonl/inner.jsonl"
    (tmp_path / "corpus.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}: line 22 {message}"):
        documents(tmp_path, chunk_bytes=100)


@pytest.mark.parametrize("first", [0, 3, 50])
def test_the_first_bad_line_is_named_whichever_chunk_is_read(tmp_path, monkeypatch, first):
    monkeypatch.setattr("electra_tf.data.reading.CHUNK_BYTES", 200)
    lines = [b'{"text": "some words"}'] * 100
    lines[first], lines[70], lines[99] = b"[1]", b"{", b'{"text": 3}'
    (tmp_path / "a").write_bytes(b"\n".join(lines))
    chunks = cut_in_chunks(find_sources(str(tmp_path)), 300)
    assert len(chunks) > 5
    errors = []
    for chunk in reversed(chunks):
        try:
            list(reading.read_pieces(chunk, True, "text"))
        except ValueError as error:
            errors.append(str(error))
    assert len(errors) == 3
    assert set(errors) == {f"{tmp_path}/a: line {first + 1} is not a JSON object but of type list."}


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_without_lines_is_an_error_before_memory_is_full(tmp_path, monkeypatch, packed):
    monkeypatch.setattr(reading, "LONGEST_LINE_BYTES", 1 << 20)
    content = b'{"text": "a"}\n' + b"x" * (3 << 20)
    (tmp_path / "a").write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(ValueError, match=r"/a: line 2 is longer than 1 MiB"):
        documents(tmp_path)
