# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How fast text becomes records, beside Hugging Face's tokenizer on the same text.

    python benchmarks/dataset_building.py --corpus-dir corpus --vocab-file vocab.txt

Every row uses as many processes (Hugging Face: threads) as asked for. Without a corpus, a text of
random words is made: it has no non-ASCII lines and few word pieces, so real text says more.
Starting the processes (importing TensorFlow, tracing) is not part of a rate; `building, start
included` is what a user waits for. The builder's line is as fast as its slowest step: compare the
ratios when other programs are running, and note the load.
"""

import argparse
import functools
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

_SYNTHETIC_WORDS = 8000
_SYNTHETIC_BYTES_PER_FILE = 16 << 20
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_SECONDS_BETWEEN_LOOKS = 0.05


def main():
    """Measures and prints a table, and its numbers as one line of JSON."""
    args = make_parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus, vocabulary = args.corpus_dir, args.vocab_file
        if corpus is None or vocabulary is None:
            corpus, vocabulary = make_corpus(folder, args.megabytes)
        rows = measure(args, corpus, vocabulary, os.path.join(folder, "records"))
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'':<34}{'MB/s':>8}{'tokens/s':>14}{'peak MiB':>10}")
    for name, row in rows.items():
        print(f"{name:<34}{row['MB/s']:>8.1f}{row['tokens/s']:>14,.0f}{row['peak MiB']:>10.0f}")
    print(json.dumps(rows))


def make_parser():
    """The flags."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpus-dir", help="folder of text; with --vocab-file")
    parser.add_argument("--vocab-file", help="WordPiece vocabulary")
    parser.add_argument("--megabytes", type=int, default=64, help="size of the text made if none")
    parser.add_argument("--num-processes", type=int, default=2)
    parser.add_argument("--max-seq-length", type=int, default=128)
    return parser


def measure(args, corpus, vocabulary, output):
    """{row name: MB/s, tokens/s and peak MiB}; memory is that of all processes together."""
    processes, rows = args.num_processes, {}
    for name, function in (
        ("Hugging Face tokenizers", functools.partial(hugging_face, processes)),
        ("tokenization alone", functools.partial(in_processes, processes, "tokenize")),
        ("text to records", functools.partial(in_processes, processes, "build")),
        ("text to records, start included", functools.partial(whole_builder, args, output)),
    ):
        with PeakMemory() as memory:
            num_bytes, num_tokens, seconds = function(corpus, vocabulary)
        rows[name] = {
            "MB/s": round(num_bytes / seconds / 1e6, 2),
            "tokens/s": round(num_tokens / seconds),
            "peak MiB": round(memory.peak / 2**20),
        }
    return rows


def hugging_face(threads, corpus, vocabulary):
    """Lines in batches through the fast tokenizer, which uses its own threads."""
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    tokenizer = Tokenizer(models.WordPiece.from_file(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    num_bytes = num_tokens = 0
    start = time.perf_counter()
    for piece in _pieces(corpus):
        found = tokenizer.encode_batch_fast(piece.lines, add_special_tokens=False)
        num_tokens += sum(map(len, found))
        num_bytes += piece.source_bytes
    return num_bytes, num_tokens, time.perf_counter() - start


def in_processes(count, what, corpus, vocabulary):
    """Each of some processes does every n-th shard; the clock runs when all are ready."""
    command = [sys.executable, __file__, "--part"]
    parts = [
        subprocess.Popen(
            [*command, json.dumps([what, corpus, vocabulary, index, count])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for index in range(count)
    ]
    for part in parts:
        part.stdout.readline()  # it is ready
    start = time.perf_counter()
    for part in parts:
        part.stdin.write("go\n")
        part.stdin.flush()
    results = [json.loads(part.stdout.readline()) for part in parts]
    seconds = time.perf_counter() - start
    for part in parts:
        part.wait()
    return *np.sum(results, axis=0).tolist(), seconds


def do_part(what, corpus, vocabulary, index, count):
    """What one of those processes does: says that it is ready, waits, works, says how much."""
    import tensorflow as tf

    from electra_tf.data.corpus import find_sources
    from electra_tf.data.plan import make_plan
    from electra_tf.data.reading import read_pieces
    from electra_tf.data.shards import ShardBuilder

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    plan = make_plan(
        find_sources(corpus),
        tokenizer_path=vocabulary,
        do_lower_case=True,
        strip_accents=True,
        max_seq_length=128,
        blanks_separate_docs=True,
        seed=1,
    )
    with tempfile.TemporaryDirectory() as folder:
        builder = ShardBuilder(plan, folder)
        tokenize = tf.function(
            builder.tokenizer.__call__, input_signature=[tf.TensorSpec([None], tf.string)]
        )
        tokenize(tf.constant(["warm up"]))
        builder((0, []), lambda amount: None)
        num_bytes = num_tokens = 0
        print("ready", flush=True)
        sys.stdin.readline()
        for number, chunks in list(enumerate(plan.shards()))[index::count]:
            num_bytes += sum(chunk.end - chunk.start for chunk in chunks)
            if what == "build":
                written = builder((number, chunks), lambda amount: None).splits["training"]
                num_tokens += int(np.dot(written.length_counts, np.arange(129)))
                continue
            for chunk in chunks:
                for piece in read_pieces(chunk, blanks_separate_docs=True):
                    num_tokens += len(tokenize(tf.constant(piece.lines, tf.string)).flat_values)
        print(json.dumps([num_bytes, num_tokens]), flush=True)


def whole_builder(args, output, corpus, vocabulary):
    """The command as users run it."""
    command = [
        sys.executable,
        *("-m", "electra_tf", "records"),
        f"--corpus-dir={corpus}",
        f"--vocab-file={vocabulary}",
        f"--output-dir={output}",
        f"--max-seq-length={args.max_seq_length}",
        f"--num-processes={args.num_processes}",
    ]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - start
    manifest = json.loads(pathlib.Path(output, "manifest.json").read_text())
    return sum(s["bytes"] for s in manifest["sources"]), manifest["num_tokens"], seconds


def _pieces(corpus):
    from electra_tf.data.corpus import CHUNK_BYTES, cut_in_chunks, find_sources
    from electra_tf.data.reading import read_pieces

    for chunk in cut_in_chunks(find_sources(corpus), CHUNK_BYTES):
        yield from read_pieces(chunk, blanks_separate_docs=True)


class PeakMemory:
    """The most memory that the processes started meanwhile, or this one without any, had at once.

    Proportional shares: what processes share counts once.
    """

    def __enter__(self):
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while not self._stop.wait(_SECONDS_BETWEEN_LOOKS):
            family = _descendants(os.getpid())
            self.peak = max(self.peak, sum(map(_memory, family or [os.getpid()])))


def _descendants(pid):
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        children = [
            int(child)
            for task in tasks
            for child in pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split()
        ]
    except OSError:  # it has ended meanwhile
        return []
    return children + [further for child in children for further in _descendants(child)]


def _memory(pid):
    try:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    except OSError:
        pass
    return 0


def make_corpus(folder, megabytes):
    """Text of random words, and a vocabulary of most of them with their letters."""
    rng = random.Random(0)
    letters = "etaoinshrdlcumwfgypbvk"
    words = ["".join(rng.choices(letters, k=rng.randint(1, 10))) for _ in range(_SYNTHETIC_WORDS)]
    pieces = [*letters, *(f"##{letter}" for letter in letters), ".", ","]
    tokens = dict.fromkeys([*_SPECIAL, *pieces, *words[: _SYNTHETIC_WORDS * 9 // 10]])
    pathlib.Path(folder, "vocab.txt").write_text("\n".join(tokens) + "\n")
    corpus = pathlib.Path(folder, "text")
    corpus.mkdir()
    for number, left in enumerate(range(megabytes << 20, 0, -_SYNTHETIC_BYTES_PER_FILE)):
        sentences, size = [], 0
        while size < min(left, _SYNTHETIC_BYTES_PER_FILE):
            sentences.append(" ".join(rng.choices(words, k=rng.randint(5, 25))) + ".\n")
            size += len(sentences[-1])
            if rng.random() < 0.05:
                sentences.append("\n")
        (corpus / f"{number}.txt").write_text("".join(sentences))
    return str(corpus), os.path.join(folder, "vocab.txt")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--part"]:
        do_part(*json.loads(sys.argv[2]))
    else:
        main()
