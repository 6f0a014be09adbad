# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Latency of an exported model beside Hugging Face's PyTorch model on the same weights.

    python benchmarks/serving.py [--rounds 30] [--dtypes float32] [--branches 2]

Needs the `bench` extra. Random weights of the small model. Each side runs in a separate process,
interleaved, request by request: what else the machine does hits both. `text` stands beside
`pipeline("feature-extraction")`, which tokenizes too, and `ids` beside the model itself; both sides
compute in the same data type. On a machine that is not idle torch is slower than by itself, because
its threads wait for each other; `--threads 1` compares there.
"""

import argparse
import multiprocessing
import os
import pathlib
import shutil
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

BATCHES = (1, 8, 32)
LENGTHS = (32, 128, 384)
TOLERANCES = {"float32": 1e-3, "bfloat16": 0.3}
"""By dtype: how far the outputs of the two sides may be apart, which have a scale of 1."""
_THREADS = {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_ONEDNN_THREADPOOL_USE_CALLER_THREAD": "1"}
SETTINGS = {"float32": _THREADS, "bfloat16": {**_THREADS, "TF_ONEDNN_ASSUME_FROZEN_WEIGHTS": "1"}}
"""What docs/serving.md advises for exports of a dtype; a client does not need this library."""


def make_models(folder, branches):
    """Random weights as a folder of ours, an export and a Hugging Face folder."""
    from electra_tf.config import PretrainingConfig
    from electra_tf.interop import save_huggingface
    from electra_tf.pretraining import ElectraPretrainer, model_folder
    from electra_tf.serving import export_model
    from electra_tf.text import load_tokenizer
    from electra_tf.training.checkpoints.weights import weights_by_name

    vocabulary = ROOT / "tests/goldens/tokenization/bert_uncased_vocab.txt"
    shutil.copy(vocabulary, f"{folder}/vocab.txt")
    config = PretrainingConfig.from_hparams("bench", folder, {"max_seq_length": 512})
    tokenizer = load_tokenizer(config.vocab_file)
    pretrainer = ElectraPretrainer(config, tokenizer.vocabulary)
    generator = np.random.default_rng(0)
    for weight in pretrainer.discriminator.weights:
        if len(weight.shape) == 1:  # biases that are all 0 would be optimized away
            weight.assign(weight.numpy() + 0.02 * generator.normal(size=weight.shape))
    model_folder.write_config(config, tokenizer)
    model_folder.checkpoints(config).save(0, weights_by_name(pretrainer), {})
    for dtype in TOLERANCES:
        exported, names = f"{folder}/{dtype}", ["text", "ids"]
        export_model(config.model_dir, exported, dtype=dtype, names=names, branches=branches)
    save_huggingface(pretrainer.discriminator, f"{folder}/huggingface", tokenizer)


def serve_export(folder, dtype, threads, branches, pipe):
    for name, value in SETTINGS[dtype].items():
        os.environ.setdefault(name, value)
    import tensorflow as tf
    import tensorflow_text  # noqa: F401

    if branches > 1:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    else:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    signatures = tf.saved_model.load(f"{folder}/{dtype}").signatures

    def text(texts):
        return signatures["text"](text=tf.constant(texts))["token_features"].numpy()

    def ids(rows):
        rows = tf.constant(rows, tf.int32)
        outputs = signatures["ids"](
            input_ids=rows, input_mask=tf.ones_like(rows), segment_ids=tf.zeros_like(rows)
        )
        return outputs["token_features"].numpy()

    answer(pipe, {"text": text, "ids": ids})


def serve_huggingface(folder, dtype, threads, pipe):
    import torch
    from transformers import AutoTokenizer, ElectraModel, pipeline

    torch.set_num_threads(threads)
    model = ElectraModel.from_pretrained(f"{folder}/huggingface").eval().to(getattr(torch, dtype))
    tokenizer = AutoTokenizer.from_pretrained(f"{folder}/huggingface")
    extract = pipeline("feature-extraction", model=model, tokenizer=tokenizer)

    @torch.inference_mode()
    def ids(rows):
        rows = torch.tensor(rows)
        return model(input_ids=rows, attention_mask=torch.ones_like(rows))[0].float().numpy()

    def text(texts):
        found = extract(list(texts), batch_size=len(texts), return_tensors=True)
        return np.concatenate([row.float().numpy() for row in found])

    answer(pipe, {"text": text, "ids": ids})


def answer(pipe, functions):
    """Answer requests (name, inputs) with (seconds, outputs) until None comes."""
    pipe.send("ready")
    while (request := pipe.recv()) is not None:
        name, inputs = request
        started = time.perf_counter()
        outputs = functions[name](inputs)
        pipe.send((time.perf_counter() - started, outputs))


def start(target, *arguments):
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=target, args=(*arguments, theirs), daemon=True)
    process.start()
    theirs.close()  # so that `mine` ends with the process
    try:
        assert mine.recv() == "ready"
    except EOFError:
        sys.exit(f"{target.__name__} has ended; is the extra bench installed?")
    return mine, process


def measure(sides, dtype, name, inputs, rounds):
    """Seconds of each side, [rounds], after two requests that are compared and not counted."""
    seconds = {side: [] for side in sides}
    for turn in range(rounds + 2):
        outputs = {}
        for side, (pipe, _) in sides.items():
            pipe.send((name, inputs))
            taken, outputs[side] = pipe.recv()
            if turn >= 2:
                seconds[side].append(taken)
        if turn == 0:
            difference = float(np.abs(np.subtract(*outputs.values())).max())
            assert difference < TOLERANCES[dtype], f"the sides differ by {difference}"
    return {side: np.array(values) for side, values in seconds.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="at most; fewer of large requests")
    parser.add_argument("--threads", type=int, default=2, help="of each side")
    parser.add_argument("--branches", type=int, default=1, help="of the exports")
    parser.add_argument("--dtypes", nargs="+", choices=TOLERANCES, default=list(TOLERANCES))
    parser.add_argument("--signatures", default="ids,text")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    args = parser.parse_args()
    multiprocessing.set_start_method("spawn")
    with tempfile.TemporaryDirectory() as folder:
        maker = multiprocessing.Process(target=make_models, args=(folder, args.branches))
        maker.start()
        maker.join()
        assert maker.exitcode == 0
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        print(
            "milliseconds and sequences per second, here and in torch; the last column is above 1 "
            "where this is faster"
        )
        print("p99 is the slowest where there were fewer than 100 turns")
        columns = "     p50    p99   seq/s"
        print(f"dtype    signature batch length turns | {columns} | {columns} | ratio")
        for dtype in args.dtypes:
            compare(folder, dtype, args)


def compare(folder, dtype, args):
    """Both sides in one data type, at all points."""
    sides = {
        "here": start(serve_export, folder, dtype, args.threads, args.branches),
        "torch": start(serve_huggingface, folder, dtype, args.threads),
    }
    generator = np.random.default_rng(0)
    for name in args.signatures.split(","):
        for batch in args.batches:
            for length in args.lengths:
                ids = generator.integers(2000, 2400, (batch, length))
                # One word of the vocabulary per token, between [CLS] and [SEP].
                texts = ["the " * (length - 2)] * batch
                inputs = ids if name == "ids" else texts
                rounds = max(3, min(args.rounds, 40_000 // (batch * length)))
                seconds = measure(sides, dtype, name, inputs, rounds)
                show(dtype, name, batch, length, seconds)
    for pipe, process in sides.values():
        pipe.send(None)
        process.join()


def show(dtype, name, batch, length, seconds):
    cells = []
    for values in seconds.values():
        p50, p99 = np.percentile(values, [50, 99])
        cells.append(f"{p50 * 1e3:9.1f} {p99 * 1e3:6.1f} {batch / p50:7.1f}")
    ratio = np.median(seconds["torch"]) / np.median(seconds["here"])
    turns = len(seconds["here"])
    print(
        f"{dtype:8} {name:9} {batch:5} {length:6} {turns:5} | {' | '.join(cells)} | {ratio:5.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
