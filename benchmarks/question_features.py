# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Times the features of 10,000 questions, here and in the reference's style.

    python benchmarks/question_features.py
    python benchmarks/question_features.py --data train-v2.0.json --vocab vocab.txt

Questions are repeated up to the wanted number, each time on a separate context. Both must give
the same arrays, except for positions of answers that end inside of a word.
"""

import argparse
import dataclasses
import pathlib
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import electra_tf  # noqa: E402

electra_tf.configure()  # before TensorFlow is imported

from benchmarks.plain_question_features import (  # noqa: E402
    plain_question_features,
    plain_tokenizer,
)
from electra_tf.finetuning.files.data_warnings import BadRows  # noqa: E402
from electra_tf.finetuning.files.squad import read_squad  # noqa: E402
from electra_tf.finetuning.kinds.question_rows import question_features  # noqa: E402
from electra_tf.text import load_tokenizer  # noqa: E402

GOLDENS = ROOT / "tests" / "goldens"


def repeated(examples, count):
    """Returns `count` questions; copies have other ids and contexts."""
    result = []
    for number in range(count):
        copy, index = divmod(number, len(examples))
        e = examples[index]
        result.append(dataclasses.replace(e, id=f"{e.id}-{copy}", context=f"{e.context} {copy}"))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default=str(GOLDENS / "qa" / "squad.json"))
    parser.add_argument("--vocab", default=str(GOLDENS / "tokenization" / "bert_uncased_vocab.txt"))
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--max-seq-length", type=int, default=384)
    parser.add_argument("--doc-stride", type=int, default=128)
    parser.add_argument("--max-query-length", type=int, default=64)
    options = parser.parse_args()
    settings = {
        "max_seq_length": options.max_seq_length,
        "doc_stride": options.doc_stride,
        "max_query_length": options.max_query_length,
        "task_name": "qa",
    }
    tokenizer = load_tokenizer(options.vocab)
    examples = read_squad(options.data, BadRows(), has_unanswerable=True)
    examples = repeated(examples, options.questions)

    start = time.perf_counter()
    arrays = question_features(examples, tokenizer, **settings).arrays
    here = time.perf_counter() - start
    start = time.perf_counter()
    rows = list(
        plain_question_features(examples, plain_tokenizer(tokenizer.vocabulary), **settings)
    )
    plain = time.perf_counter() - start
    # Only positions may differ: an answer that ends inside of a word takes fewer words here.
    for name in ("input_ids", "input_mask", "segment_ids", "qa_eid", "qa_is_impossible"):
        np.testing.assert_array_equal(arrays[name], np.array([row[name] for row in rows]))
    print(f"{len(examples):,} questions, {len(rows):,} rows of {options.max_seq_length} tokens")
    print(f"here                  {here:7.2f} s")
    print(f"in the original style {plain:7.2f} s")
    print(f"{plain / here:.1f} times faster")


if __name__ == "__main__":
    main()
