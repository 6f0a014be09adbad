# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The commands that build and show records."""

import io
import lzma
import os
import subprocess
import sys
import tarfile
import types

import pytest
from commands import run_verb
from record_files import write_records

from electra_tf.cli import arguments, openwebtext, records
from electra_tf.data import Manifest
from electra_tf.data.workers import run_tasks

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VOCABULARY = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nit\nwas\nthe\nbest\nof\ntime\n##s\n.\n"


@pytest.fixture
def data_dir(tmp_path):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text("It was the best\n\nof times.\n")
    (tmp_path / "vocab.txt").write_text(VOCABULARY)
    return tmp_path


def flags_of(data_dir):
    names = {"--corpus-dir": "text", "--vocab-file": "vocab.txt", "--output-dir": "records"}
    return [text for flag, name in names.items() for text in (flag, str(data_dir / name))]


def test_flags_and_defaults_are_the_references():
    parsed = arguments.parser_of(records).parse_args(
        ["--corpus-dir", "c", "--vocab-file", "v", "--output-dir", "o"]
    )
    new = {
        "pre_split": None,
        "tokenizer": None,
        "word_starts": False,
        "split_long_lines": False,
        "pack_documents": False,
        "remove_duplicates": False,
        "held_out_share": 0.0,
        "shard_index": None,
        "num_shards": None,
        "runner": None,
        "beam_options": [],
        "verbose": False,
    }
    assert vars(parsed) == new | {
        "corpus_dir": "c",
        "input_files": None,
        "text_field": None,
        "vocab_file": "v",
        "output_dir": "o",
        "max_seq_length": 128,
        "num_processes": 1,
        "blanks_separate_docs": True,
        # What the vocabulary's files say, else True.
        "do_lower_case": None,
        "strip_accents": None,
        "num_out_files": None,
        "seed": 42,
    }
    parsed = arguments.parser_of(openwebtext).parse_args(["--data-dir", "d"])
    assert vars(parsed) == new | {
        "data_dir": "d",
        "max_seq_length": 128,
        "num_processes": 1,
        # What the vocabulary's files say, else True.
        "do_lower_case": None,
        "strip_accents": None,
        "num_out_files": None,
        "seed": 42,
    }


def test_build_and_inspect(data_dir, capsys):
    run_verb("records", *flags_of(data_dir), "--max_seq_length=16")
    assert "2 examples with 12 tokens (mean length 6.0 of 16)" in capsys.readouterr().out
    records, vocabulary = str(data_dir / "records"), str(data_dir / "vocab.txt")
    run_verb("inspect", "--records", records, "--vocab-file", vocabulary)
    shown = capsys.readouterr().out
    assert "max_seq_length  16" in shown and "vocab_size      13" in shown
    assert "[CLS] it was the best [SEP]" in shown and "[CLS] of times . [SEP]" in shown
    run_verb("inspect", "--records", records, "--vocab-file", vocabulary, "--num-examples=0")
    assert "[CLS]" not in capsys.readouterr().out


def test_flags_reach_the_builder(data_dir):
    flags = ["--blanks-separate-docs", "False", "--no-lower-case", "--num-out-files", "2"]
    run_verb("records", *flags_of(data_dir), *flags, "--seed", "9")
    manifest = Manifest.load(str(data_dir / "records"))
    assert manifest.num_examples == 1 and not manifest.blanks_separate_docs
    assert not manifest.tokenizer["do_lower_case"]
    assert manifest.seed == 9 and len(manifest.shards) == 2


def test_options_reach_the_builder(data_dir, capsys):
    texts = ["it " + "was " * number for number in range(20)] + ["it"]
    lines = [f'{{"body": "{text}"}}' for text in texts]
    (data_dir / "text" / "a.jsonl").write_text("\n".join(lines))
    files = ["--input-files", f"{data_dir}/text/*.jsonl, ", "--text-field", "body"]
    options = ["--word-starts", "--pack-documents", "--remove-duplicates"]
    command = [*files, *flags_of(data_dir)[2:], *options, "--max-seq-length=16"]
    run_verb("records", *command, "--shard-index=0", "--num-shards=1")
    assert "Share 0 of 1 is done." in capsys.readouterr().out
    run_verb("records", *command)
    assert "1 documents were left out because they are the same" in capsys.readouterr().out
    manifest = Manifest.load(str(data_dir / "records"))
    assert manifest.num_documents == 20 > manifest.num_examples
    assert manifest.features == ("word_starts", "position_ids", "sequence_ids")
    run_verb("records", *command, "--held-out-share=0.5")
    held_out = Manifest.load(str(data_dir / "records" / "held_out"))
    assert f"{held_out.num_documents} documents are held out: " in capsys.readouterr().out
    vocabulary = f"--vocab-file={data_dir}/vocab.txt"
    run_verb("inspect", f"--records={data_dir}/records/held_out", vocabulary)
    shown = capsys.readouterr().out
    assert "features        word_starts, position_ids, sequence_ids" in shown
    assert "duplicates      1 documents left out" in shown
    assert "held-out share  0.5; these are held_out" in shown
    assert "text            field 'body' of JSON lines" in shown


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--shard-index=1"], "--shard-index and --num-shards must be given together"),
        (
            ["--shard-index=2", "--num-shards=2"],
            "the index of a share is expected to be in 0..1, but is 2",
        ),
        (["--", "--project=p"], r"Options of Beam need --runner; received --project=p"),
    ],
)
def test_flags_that_do_not_fit_together_are_errors(data_dir, flags, message):
    with pytest.raises(ValueError, match=message):
        run_verb("records", *flags_of(data_dir), *flags)


def test_options_of_beam_are_passed_on(data_dir, monkeypatch):
    received = []

    def run_on_beam(options, work, tasks, progress):
        received.append((options, len(tasks)))
        return run_tasks(1, work, tasks, progress)

    module = types.SimpleNamespace(run_on_beam=run_on_beam)
    monkeypatch.setitem(sys.modules, "electra_tf.data.beam_building", module)
    flags = ["--runner=FlinkRunner", "--", "--flink_master=host:8081", "--parallelism=8"]
    run_verb("records", *flags_of(data_dir), *flags)
    options = ["--runner=FlinkRunner", "--flink_master=host:8081", "--parallelism=8"]
    assert received == [(options, 1)]
    assert Manifest.load(str(data_dir / "records")).num_examples == 2


def test_beam_that_is_missing_is_an_error_that_names_the_extra(data_dir, monkeypatch):
    monkeypatch.setitem(sys.modules, "electra_tf.data.beam_building", None)
    with pytest.raises(ValueError, match=r"--runner needs Apache Beam .*electra-tf\[beam\]"):
        run_verb("records", *flags_of(data_dir), "--runner=DirectRunner")


def test_openwebtext_folders(data_dir, capsys):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, text in (("1.txt", b"it was\n\n\nthe best"), ("2.txt", b"of times")):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    (data_dir / "openwebtext").mkdir()
    path = data_dir / "openwebtext" / "urlsf_subset00-1_data.xz"
    path.write_bytes(lzma.compress(archive.getvalue()))
    run_verb("openwebtext", "--data-dir", str(data_dir))
    run_verb(
        "inspect",
        f"--records={data_dir}/pretrain_tfrecords/pretrain_data.tfrecord*",
        f"--vocab-file={data_dir}/vocab.txt",
    )
    shown = capsys.readouterr().out
    assert "it was" in shown and "the best" in shown and "[CLS] of times [SEP]" in shown
    assert Manifest.load(str(data_dir / "pretrain_tfrecords")).num_examples == 2


def test_records_of_the_reference_are_shown(tmp_path, capsys):
    write_records(tmp_path, [2, 1], with_manifest=False)
    (tmp_path / "vocab.txt").write_text(VOCABULARY + "\n".join(f"word{i}" for i in range(500)))
    run_verb("inspect", f"--records={tmp_path}", f"--vocab-file={tmp_path}/vocab.txt")
    shown = capsys.readouterr().out
    assert "manifest  none" in shown and "examples    3" in shown
    assert "example 0: 4 tokens, 1 of them in the second segment" in shown


def test_another_vocabulary_is_an_error(data_dir):
    run_verb("records", *flags_of(data_dir))
    (data_dir / "vocab.txt").write_text(VOCABULARY + "more\n")
    with pytest.raises(ValueError, match="vocabulary is not the one of"):
        run_verb(
            "inspect",
            f"--records={data_dir}/records",
            f"--vocab-file={data_dir}/vocab.txt",
        )


def test_ids_outside_of_the_vocabulary_are_an_error(data_dir):
    write_records(data_dir / "old", [1], with_manifest=False)
    with pytest.raises(ValueError, match="holds the id 200, but the vocabulary has 13 tokens"):
        run_verb("inspect", f"--records={data_dir}/old", f"--vocab-file={data_dir}/vocab.txt")


def test_scripts_report_an_error_of_a_worker_process_in_one_line(data_dir):
    (data_dir / "text" / "b.gz").write_bytes(b"\x1f\x8bnonsense")
    script = os.path.join(ROOT, "build_pretraining_dataset.py")
    flags = [*flags_of(data_dir), "--num-out-files=2", "--num-processes=2"]
    done = subprocess.run(
        [sys.executable, script, *flags], capture_output=True, text=True, cwd=data_dir
    )
    assert done.returncode != 0
    assert "b.gz is damaged or cut off" in done.stderr.splitlines()[-1]
    assert done.stderr.count("damaged") == 1 and "Traceback" not in done.stderr
    assert [path.name for path in (data_dir / "records").iterdir()] == ["unfinished"]
