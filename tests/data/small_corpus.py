# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A corpus of numbered words for tests, and what a build makes of it."""

import random

import pytest

from electra_tf.data import PretrainingRecords, build_pretraining_records

WORDS = [f"w{number}" for number in range(200)]
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, "caf", "##e", "cafe"]


@pytest.fixture
def corpus(tmp_path):
    """Files of 80, 30 and 5 documents of numbered words, and a vocabulary."""
    rng = random.Random(0)
    (tmp_path / "text").mkdir()
    for name, count in (("a.txt", 80), ("b.txt", 30), ("c.txt", 5)):
        documents = [
            "\n".join(
                " ".join(rng.choices(WORDS, k=rng.randint(1, 20))) for _ in range(rng.randint(1, 5))
            )
            for _ in range(count)
        ]
        (tmp_path / "text" / name).write_text("\n\n".join(documents))
    (tmp_path / "vocab.txt").write_text("\n".join(TOKENS) + "\n")
    return tmp_path


def build(corpus, output="records", **arguments):
    """Builds 3 shards of the corpus, 32 tokens long, in a sub-folder."""
    settings = {"max_seq_length": 32, "num_out_files": 3} | arguments
    text = settings.pop("text", str(corpus / "text"))
    return build_pretraining_records(
        text, str(corpus / "vocab.txt"), str(corpus / output), **settings
    )


def contents(folder):
    """Content of all files by their path in the folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def examples(folder, max_seq_length=32):
    """Token ids and segment ids of all records in file order."""
    for row in rows(folder, max_seq_length):
        yield row["input_ids"], row["segment_ids"]


def rows(folder, max_seq_length=32):
    """The features of all records in file order, without padding."""
    batches = PretrainingRecords(str(folder)).evaluation_batches(8, max_seq_length)
    for batch in batches.as_numpy_iterator():
        for number, mask in enumerate(batch["input_mask"]):
            if mask.any():
                yield {name: values[number][mask == 1].tolist() for name, values in batch.items()}
