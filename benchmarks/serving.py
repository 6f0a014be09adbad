# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Latency of an exported model beside Hugging Face's PyTorch model on the same weights.

    python benchmarks/serving.py [--rounds 30]

Needs the `bench` extra. Random weights of the small model. Each side runs in a separate process,
interleaved, request by request: what else the machine does hits both. `text` stands beside
`pipeline("feature-extraction")`, which tokenizes too, and `ids` beside the model itself.
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
THREADS = 2


def make_models(folder):
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
    model_folder.write_config(config, tokenizer)
    model_folder.checkpoints(config).save(0, weights_by_name(pretrainer), {})
    export_model(config.model_dir, f"{folder}/export", names=["text", "ids"])
    save_huggingface(pretrainer.discriminator, f"{folder}/huggingface", tokenizer)


def serve_export(folder, pipe):
    # What docs/serving.md advises; a client does not need this library.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    import tensorflow as tf
    import tensorflow_text  # noqa: F401

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    signatures = tf.saved_model.load(f"{folder}/export").signatures

    def text(texts):
        return signatures["text"](text=tf.constant(texts))["token_features"].numpy()

    def ids(rows):
        rows = tf.constant(rows, tf.int32)
        outputs = signatures["ids"](
            input_ids=rows, input_mask=tf.ones_like(rows), segment_ids=tf.zeros_like(rows)
        )
        return outputs["token_features"].numpy()

    answer(pipe, {"text": text, "ids": ids})


def serve_huggingface(folder, pipe):
    import torch
    from transformers import AutoTokenizer, ElectraModel, pipeline

    torch.set_num_threads(THREADS)
    model = ElectraModel.from_pretrained(f"{folder}/huggingface").eval()
    tokenizer = AutoTokenizer.from_pretrained(f"{folder}/huggingface")
    extract = pipeline("feature-extraction", model=model, tokenizer=tokenizer)

    @torch.inference_mode()
    def ids(rows):
        rows = torch.tensor(rows)
        return model(input_ids=rows, attention_mask=torch.ones_like(rows))[0].numpy()

    def text(texts):
        found = extract(list(texts), batch_size=len(texts), return_tensors=True)
        return np.concatenate([row.numpy() for row in found])

    answer(pipe, {"text": text, "ids": ids})


def answer(pipe, functions):
    """Answer requests (name, inputs) with (seconds, outputs) until None comes."""
    pipe.send("ready")
    while (request := pipe.recv()) is not None:
        name, inputs = request
        started = time.perf_counter()
        outputs = functions[name](inputs)
        pipe.send((time.perf_counter() - started, outputs))


def start(target, folder):
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=target, args=(folder, theirs), daemon=True)
    process.start()
    theirs.close()  # so that `mine` ends with the process
    try:
        assert mine.recv() == "ready"
    except EOFError:
        sys.exit(f"{target.__name__} has ended; is the extra bench installed?")
    return mine, process


def measure(sides, name, inputs, rounds):
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
            assert difference < 1e-3, f"the sides differ by {difference}"
    return {side: np.array(values) for side, values in seconds.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="at most; fewer of large requests")
    parser.add_argument("--signatures", default="ids,text")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    args = parser.parse_args()
    multiprocessing.set_start_method("spawn")
    with tempfile.TemporaryDirectory() as folder:
        maker = multiprocessing.Process(target=make_models, args=(folder,))
        maker.start()
        maker.join()
        assert maker.exitcode == 0
        sides = {
            "here": start(serve_export, folder),
            "torch": start(serve_huggingface, folder),
        }
        print(
            "milliseconds and sequences per second, here and in torch; the last column is above 1 "
            "where this is faster"
        )
        print("p99 is the slowest where there were fewer than 100 turns")
        columns = "     p50    p99   seq/s"
        print(f"signature  batch length turns | {columns} | {columns} | ratio")
        generator = np.random.default_rng(0)
        for name in args.signatures.split(","):
            for batch in args.batches:
                for length in args.lengths:
                    ids = generator.integers(2000, 2400, (batch, length))
                    # One word of the vocabulary per token, between [CLS] and [SEP].
                    texts = ["the " * (length - 2)] * batch
                    inputs = ids if name == "ids" else texts
                    rounds = max(3, min(args.rounds, 40_000 // (batch * length)))
                    show(name, batch, length, measure(sides, name, inputs, rounds))
        for pipe, process in sides.values():
            pipe.send(None)
            process.join()


def show(name, batch, length, seconds):
    cells = []
    for values in seconds.values():
        p50, p99 = np.percentile(values, [50, 99])
        cells.append(f"{p50 * 1e3:9.1f} {p99 * 1e3:6.1f} {batch / p50:7.1f}")
    ratio = np.median(seconds["torch"]) / np.median(seconds["here"])
    turns = len(seconds["here"])
    print(
        f"{name:9}  {batch:5} {length:6} {turns:5} | {' | '.join(cells)} | {ratio:5.2f}", flush=True
    )


if __name__ == "__main__":
    main()
