# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Finding text, cutting it in chunks, and reading it as lines."""

import bz2
import gzip
import io
import itertools
import lzma
import random
import tarfile

import pytest
import zstandard

from electra_tf.data import corpus, reading
from electra_tf.data.corpus import cut_in_chunks, find_sources


def tar_of(files, mode="w"):
    """The bytes of a tar archive with some files and a folder entry."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        folder = tarfile.TarInfo("texts")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in files.items():
            member = tarfile.TarInfo(f"texts/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def documents(folder, blanks_separate_docs=True, chunk_bytes=1 << 20):
    """Documents of a corpus as lists of lines, empty documents left out."""
    found = []
    for chunk in cut_in_chunks(find_sources(str(folder)), chunk_bytes):
        for piece in reading.read_pieces(chunk, blanks_separate_docs):
            begin = 0
            for end in piece.document_ends:
                if end > begin:
                    found.append(piece.lines[begin:end])
                begin = end
            assert begin == len(piece.lines)
    return found


def flat(lists):
    """All lines of some documents."""
    return list(itertools.chain.from_iterable(lists))


def by_name(value):
    """The contents of some files hold the time of day."""
    return value if isinstance(value, str) else "content"


SKIPPED_FRAME = b"\x50\x2a\x4d\x18\x04\x00\x00\x00\x08\x00\x00\x00"


def test_blank_lines_and_ends_of_files_end_documents(tmp_path):
    (tmp_path / "b.txt").write_bytes(b"\n\n  one \r\ntwo\n \t\r\n\xe3\x80\x80\nthree")
    (tmp_path / "a").write_text("four\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.txt").write_text("\nfive\n\n")
    assert documents(tmp_path) == [["four"], ["one", "two"], ["three"], ["five"]]
    assert documents(tmp_path, blanks_separate_docs=False) == [
        ["four"],
        ["one", "two", "three"],
        ["five"],
    ]


@pytest.mark.parametrize(
    "name, content",
    [
        ("a.gz", gzip.compress(b"one\n\ntwo\n")),
        ("misleading.txt", lzma.compress(b"one\n\ntwo\n")),
        ("a.bz2", bz2.compress(b"one\n\ntwo\n")),
        ("a.tar", tar_of({"1.txt": b"one\n", "2.txt": b"two", ".hidden": b"no"})),
        ("subset_data.xz", lzma.compress(tar_of({"1.txt": b"one\n\n", "2.txt": b"two"}))),
        ("nested.tar", tar_of({"a.xz": lzma.compress(tar_of({"1": b"one", "2": b"two"}))})),
        ("members.tar", tar_of({"a.gz": gzip.compress(b"one"), "b.txt": b"two"})),
        ("a.zst", zstandard.compress(b"one\n\ntwo\n")),
        ("owt.tar.zst", zstandard.compress(tar_of({"1.txt": b"one\n\n", "2.txt": b"two"}))),
        ("two_frames.zst", zstandard.compress(b"one\n\n") + zstandard.compress(b"two")),
        ("skipped_frame.zst", SKIPPED_FRAME + zstandard.compress(b"one\n\ntwo\n")),
        ("older.lzma", lzma.compress(b"one\n\ntwo\n", lzma.FORMAT_ALONE)),
        ("two_streams.gz", gzip.compress(b"one\n\n") + gzip.compress(b"two")),
    ],
    ids=by_name,
)
def test_packed_files_are_told_by_their_content(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert documents(tmp_path) == [["one"], ["two"]]


def test_files_of_an_archive_are_documents_where_blank_lines_do_not_count(tmp_path):
    archive = lzma.compress(tar_of({"1.txt": b"one\n\nmore\n", "2.txt": b"two"}))
    (tmp_path / "urlsf_subset00-1_data.xz").write_bytes(archive)
    assert documents(tmp_path, blanks_separate_docs=False) == [["one", "more"], ["two"]]


@pytest.mark.parametrize(
    "name, content",
    [
        ("cut.xz", lzma.compress(bytes(range(256)) * 100)[:-200]),
        ("cut.gz", gzip.compress(bytes(range(256)) * 100)[:-200]),
        ("cut.tar", tar_of({"1.txt": b"text" * 1000})[:3000]),
        ("long_and_cut.xz", lzma.compress(random.Random(0).randbytes(5 << 20))[:-200]),
        ("cut.zst", zstandard.compress(random.Random(0).randbytes(100_000))[:-200]),
        ("bad.bz2", bz2.compress(random.Random(0).randbytes(1000))[:-200] + bytes(200)),
        ("bad.zst", b"\x28\xb5\x2f\xfdnonsense"),
        ("bad.gz", b"\x1f\x8bnonsense"),
        ("bad.xz", b"\xfd7zXZ\x00nonsense"),
    ],
    ids=by_name,
)
def test_damaged_archives_are_errors_that_name_the_file(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name} is damaged or cut off"):
        documents(tmp_path)


def test_text_in_utf16_is_an_error(tmp_path):
    (tmp_path / "a.txt").write_text("one", encoding="utf-16")
    with pytest.raises(ValueError, match=r"a.txt is UTF-16 text, which cannot be read; UTF-8"):
        find_sources(str(tmp_path))


def test_archives_of_other_kinds_are_errors(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04rest")
    with pytest.raises(ValueError, match=r"a.zip is a zip archive, which cannot be read"):
        find_sources(str(tmp_path))
    (tmp_path / "a.zip").unlink()
    (tmp_path / "b.tar").write_bytes(tar_of({"inner.7z": b"7z\xbc\xaf\x27\x1crest"}))
    with pytest.raises(ValueError, match=r"b.tar/texts/inner.7z is a 7z archive"):
        documents(tmp_path)


def test_missing_and_empty_corpora_are_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"corpus folder '.*nowhere' does not exist"):
        find_sources(str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match="holds no files"):
        find_sources(str(tmp_path))
    (tmp_path / ".hidden").write_text("text")
    with pytest.raises(ValueError, match="holds no files"):
        find_sources(str(tmp_path))
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(ValueError, match=r"All 1 text files in .* are empty"):
        find_sources(str(tmp_path))
    with pytest.raises(NotADirectoryError, match=r"'.*/a.txt' .* is a file; .* --input-files"):
        find_sources(str(tmp_path / "a.txt"))
    for pattern in (str(tmp_path), str(tmp_path.parent / f"{tmp_path.name[:-1]}*")):
        with pytest.raises(IsADirectoryError, match=r"is a folder; .* by --corpus-dir"):
            find_sources([pattern])
    with pytest.raises(FileNotFoundError, match=r"text file '.*b.txt' does not exist"):
        find_sources([str(tmp_path / "a.txt"), str(tmp_path / "b.txt")])


def test_lists_may_hold_patterns(tmp_path):
    for name in ("a.txt", "b.txt", "c.md", "[d].txt", "sub.txt/e.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text")
    sources = find_sources([f"{tmp_path}/?.txt", f"{tmp_path}/[d].txt", f"{tmp_path}/b.txt"])
    assert [source.name for source in sources] == ["[d].txt", "a.txt", "b.txt"]
    with pytest.raises(FileNotFoundError, match=r"'.*\*.doc' does not exist"):
        find_sources([f"{tmp_path}/*.doc"])


def test_lists_may_mix_absolute_and_relative_paths(tmp_path, monkeypatch):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    monkeypatch.chdir(tmp_path)
    sources = find_sources(["b.txt", str(tmp_path / "a.txt")])
    assert [source.path for source in sources] == [str(tmp_path / "a.txt"), "b.txt"]
    with pytest.raises(ValueError, match="expected to name text files, but names none"):
        find_sources([])


def test_hidden_files_are_left_out(tmp_path):
    for name in ("a.txt", ".b.txt", ".git/c.txt", "sub/.d/e/f.txt", "sub/g.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text")
    assert [source.name for source in find_sources(str(tmp_path))] == ["a.txt", "sub/g.txt"]


def test_a_list_of_files_is_a_corpus(tmp_path):
    for name in ("x/a.txt", "x/b.txt", "y/a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text")
    paths = [str(tmp_path / name) for name in ("y/a.txt", "x/a.txt")]
    assert [source.name for source in find_sources(paths)] == ["x/a.txt", "y/a.txt"]
    assert [source.name for source in find_sources(paths[:1])] == ["a.txt"]


@pytest.mark.parametrize("chunk_bytes", [1, 7, 100, 1000, 100_000])
@pytest.mark.parametrize("blanks_separate_docs", [True, False])
def test_text_is_cut_between_documents_or_lines(tmp_path, chunk_bytes, blanks_separate_docs):
    rng = random.Random(5)
    expected = [
        [f"{number} {line} wörd" for line in range(rng.randint(1, 6))] for number in range(60)
    ]
    text = "\n\n".join("\n".join(lines) for lines in expected)
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    found = documents(tmp_path, blanks_separate_docs, chunk_bytes)
    if blanks_separate_docs:
        assert found == expected
    else:
        assert flat(found) == flat(expected)


def test_long_documents_are_cut_between_lines_and_long_lines_between_words(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "_CUT_WINDOW_BYTES", 64)
    lines = [f"line {number}" for number in range(200)]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    found = documents(tmp_path, chunk_bytes=300)
    assert flat(found) == lines and len(found) == 6
    (tmp_path / "a.txt").write_text(" ".join(lines))
    found = documents(tmp_path, chunk_bytes=300)
    assert " ".join(flat(found)) == " ".join(lines) and len(found) == 6
    (tmp_path / "a.txt").write_text("日本語" * 200, encoding="utf-8")
    found = documents(tmp_path, chunk_bytes=301)
    assert "".join(flat(found)) == "日本語" * 200 and len(found) == 6


@pytest.mark.parametrize("size", [0, 1, 400, 401, 463, 464, 465, 3000])
def test_packed_text_is_read_in_pieces(tmp_path, monkeypatch, size):
    monkeypatch.setattr(reading, "CHUNK_BYTES", 400)
    monkeypatch.setattr(reading, "_CUT_WINDOW_BYTES", 64)
    text = " ".join(f"word{number}" for number in range(1000))[:size]
    (tmp_path / "a.gz").write_bytes(gzip.compress(text.encode()))
    found = flat(documents(tmp_path))
    assert " ".join(found) == text.strip()
    assert all(len(line) <= 464 for line in found)


def test_bytes_that_are_not_utf8_are_replaced_and_counted(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"caf\xe9 \xf0\x9f\x98 na\xc3\xafve \xef\xbf\xbd\n\xff")
    (chunk,) = cut_in_chunks(find_sources(str(tmp_path)), corpus.CHUNK_BYTES)
    (piece,) = reading.read_pieces(chunk, True)
    assert piece.lines == ["caf\ufffd \ufffd naïve \ufffd", "\ufffd"]
    assert piece.replaced_bytes == 5
