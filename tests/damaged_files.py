# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The stored files of tiny runs, and commands that read them, run on damaged ones.

As a program it is the worker of test_damaged_files.py: it reads lines "<file> <seed>", damages the
file, runs every command that reads it in this process, and writes one JSON line with what came out.
"""

import contextlib
import hashlib
import io
import json
import pathlib
import random
import resource
import sys
import time
import traceback

import numpy as np
import tensorflow as tf
from damages import damage, restore
from tiny_finetuning import classification, finetune
from tiny_run import HPARAMS, LENGTH, SPECIAL, WORDS

import electra_tf
from electra_tf.cli.main import run_command
from electra_tf.data import PretrainingRecords, build_pretraining_records
from electra_tf.finetuning.prediction import Predictor
from electra_tf.interop import find_starting_point
from electra_tf.interop.conversion import convert
from electra_tf.interop.opening import open_model
from electra_tf.serving import export_model
from electra_tf.training.loop.logs import read_log

MODEL = "models/tiny"
TRIALS = f"{MODEL}/finetuning_models/words_model"
CACHES = f"{MODEL}/finetuning_tfrecords/words_tfrecords"
TUNING = {
    "max_seq_length": 16, "train_batch_size": 8, "num_train_epochs": 1.0, "do_eval": False,
    "eval_every_steps": 2, "layerwise_lr_decay": 0.0, "save_checkpoints_steps": 2, "seed": 3,
    "classifier_hidden_layer": True,
}  # fmt: skip


def hparams(**changes):
    return {**HPARAMS, "eval_every_steps": 4, "num_eval_steps": 1, **changes}


def build(root):
    """A folder with runs of every kind, and what is converted and exported from them."""
    root.mkdir(parents=True)
    rng = random.Random(0)
    corpus = root.parent / "corpus"
    corpus.mkdir()
    for name in ("a.txt", "b.txt"):
        lines = (" ".join(rng.choices(WORDS, k=rng.randint(5, 20))) for _ in range(60))
        (corpus / name).write_text("\n\n".join(lines))
    (root / "vocab.txt").write_text("\n".join(SPECIAL + WORDS) + "\n")
    vocabulary, records = str(root / "vocab.txt"), str(root / "pretrain_tfrecords")
    build_pretraining_records(str(corpus), vocabulary, records, LENGTH, num_out_files=2)
    code, text = command(
        "pretrain", f"--data-dir={root}", "--model-name=tiny", "--hparams", dumped(hparams())
    )
    assert code == 0, text
    finetune(root, [classification(root)], **TUNING)
    model = open_model(str(root / MODEL))
    convert(model, "huggingface", str(root / "hf_pair"))
    convert(model, "reference", str(root / "reference_pair"))
    convert(open_model(str(root / f"{TRIALS}_1")), "huggingface", str(root / "hf_tuned"))
    shard(root / "hf_pair", root / "hf_sharded")
    export_model(str(root / f"{TRIALS}_1"), str(root / "exported"))


def shard(source, folder):
    """The same Hugging Face folder with its tensors in two files and an index."""
    import safetensors.numpy

    folder.mkdir()
    for name in ("config.json", "vocab.txt", "tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((source / name).read_bytes())
    tensors = safetensors.numpy.load_file(source / "model.safetensors")
    names = sorted(tensors)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, some in parts.items():
        safetensors.numpy.save_file({name: tensors[name] for name in some}, folder / file)
    weight_map = {name: file for file, some in parts.items() for name in some}
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def dumped(value):
    return json.dumps(value)


def command(verb, *arguments) -> tuple[int, str]:
    """Exit code and what was written to standard error of a command, run in this process."""
    written = io.StringIO()
    with (
        contextlib.redirect_stderr(written),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        try:
            run_command([verb, *arguments])
        except SystemExit as stopped:
            return int(stopped.code or 0), written.getvalue()
    raise AssertionError("a command exits")


# ---- What reads the files; each returns something that is the same for sound files


def pretrain(root):
    """Of a run that is done: everything but the records is read."""
    return run("pretrain", root, "--model-name=tiny", "--hparams", dumped(hparams()))


def tune(root):
    task = str(root / "words.json")
    settings = {**run_tuning_settings(), "task_names": [task]}
    return run("finetune", root, "--model-name=tiny", "--hparams", dumped(settings))


def run_tuning_settings():
    return {"learning_rate": 1e-2, "log_every_steps": 3, **TUNING}


def run(verb, root, *arguments):
    code, text = command(verb, f"--data-dir={root}", *arguments)
    if code:
        raise CommandError(code, text)
    return ""


def records(root):
    found = PretrainingRecords(str(root / "pretrain_tfrecords"))
    batches = found.numpy_iterator(found.evaluation_batches(16, LENGTH), LENGTH)
    return digest({f"{i}/{name}": b[name] for i, b in enumerate(batches) for name in sorted(b)})


def inspect(root):
    return run_plainly(
        "inspect",
        f"--records={root / 'pretrain_tfrecords'}",
        f"--vocab-file={root}/vocab.txt",
    )


def run_plainly(verb, *arguments):
    code, text = command(verb, *arguments)
    if code:
        raise CommandError(code, text)
    return ""


def log(root):
    return repr(read_log(str(root / MODEL)))


def convert_to_reference(folder):
    def convert_it(root):
        output = root / "converted"
        run_plainly("convert", f"--input={root / folder}", f"--output={output}", "--to=reference")
        return ""

    return convert_it


def weights(folder):
    return lambda root: digest(open_model(str(root / folder)).weights)


def start(folder):
    return lambda root: digest(find_starting_point(str(root / folder)).weights)


def predict(root):
    predictor = Predictor(str(root / f"{TRIALS}_1"))
    return repr(list(predictor.of_lines(["w1 w5", "w2"], "lines")))


def serve(root):
    outputs = electra_tf.load(str(root / "exported")).predict(["w1 w5", "w2"])
    return digest({name: outputs[name] for name in ("logits", "label")})


def load(root):
    electra_tf.load(str(root / "exported"))
    return ""


READERS = {
    "vocab.txt": [pretrain],
    "pretrain_tfrecords/manifest.json": [records, pretrain],
    "pretrain_tfrecords/pretrain_data.tfrecord-0-of-2": [records, inspect],
    "pretrain_tfrecords/pretrain_data.tfrecord-1-of-2": [records],
    **{
        f"{MODEL}/{name}": [pretrain, weights(MODEL), start(MODEL)]
        for name in ("config.json", "tokenizer.json", "vocab.txt", "checkpoint")
    },
    f"{MODEL}/model.ckpt-12.index": [pretrain, weights(MODEL), convert_to_reference(MODEL)],
    f"{MODEL}/model.ckpt-12.data-00000-of-00001": [pretrain, weights(MODEL), start(MODEL)],
    f"{MODEL}/train_log.jsonl": [log],
    "words.json": [tune],
    **{
        f"{TRIALS}_1/{name}": [tune, weights(f"{TRIALS}_1")]
        for name in ("config.json", "tokenizer.json", "vocab.txt", "checkpoint")
    },
    f"{TRIALS}_1/best/checkpoint": [weights(f"{TRIALS}_1")],
    f"{TRIALS}_1/best/*.index": [weights(f"{TRIALS}_1"), predict],
    f"{TRIALS}_1/best/*.data-00000-of-00001": [weights(f"{TRIALS}_1"), predict],
    f"{TRIALS}_1/model.ckpt-3.index": [tune],
    f"{TRIALS}_1/model.ckpt-3.data-00000-of-00001": [tune],
    f"{CACHES}/words_train_*.npz": [tune],
    f"{CACHES}/words_dev_*.npz": [tune],
    **{
        f"hf_{name}/{file}": [weights(f"hf_{name}"), start(f"hf_{name}")]
        for name in ("pair", "tuned")
        for file in (
            *("config.json", "model.safetensors", "vocab.txt"),
            *("tokenizer.json", "tokenizer_config.json"),
        )
    },
    "hf_pair/generator/config.json": [weights("hf_pair")],
    "hf_pair/generator/model.safetensors": [weights("hf_pair")],
    "hf_sharded/model.safetensors.index.json": [weights("hf_sharded"), start("hf_sharded")],
    "hf_sharded/a.safetensors": [weights("hf_sharded")],
    "reference_pair/checkpoint": [weights("reference_pair")],
    "reference_pair/encoder.json": [weights("reference_pair")],
    "reference_pair/tokenizer.json": [weights("reference_pair")],
    "reference_pair/model.ckpt-12.index": [weights("reference_pair"), start("reference_pair")],
    "exported/saved_model.pb": [load],
    "exported/variables/variables.index": [load],
    "exported/variables/variables.data-00000-of-00001": [load],
    "exported/assets/vocab.txt": [load],
    "exported/assets.extra/electra_tf.json": [load],
}
"""Stored file -> what reads it."""

MOST_MEMORY = 6 << 30
"""Bytes of address space beyond what TensorFlow takes at the start."""

CHECKSUMMED = (".index", ".data-00000-of-00001", ".npz", "0-of-2", "1-of-2", ".pb")
"""Files of which no damage may be taken for sound content."""


class CommandError(Exception):
    """A command ended with another status than 0."""


def digest(arrays):
    found = hashlib.sha256()
    for name in sorted(arrays):
        found.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return found.hexdigest()


def outcome(reader, root) -> dict[str, str]:
    """{"result": ...}, {"error": message} or {"defect": traceback}."""
    try:
        return {"result": reader(root)}
    except CommandError as ended:
        code, text = ended.args
        lines = [line for line in text.splitlines() if line.startswith("error: ")]
        if code == 2 and len(lines) == 1:
            return {"error": text[text.index("error: ") :]}
        return {"defect": f"status {code}: {text[-2000:]}"}
    except (ValueError, OSError) as error:
        return {"error": str(error)}
    except BaseException:
        return {"defect": traceback.format_exc()[-3000:]}


def try_damage(sound, root, file, seed, expected) -> dict:
    """Damage a file of a sound copy and let all its readers read it."""
    restore(sound, root)
    (path,) = root.glob(file)
    how = damage(path, random.Random(f"{file} {seed}"))
    found = {"file": file, "seed": seed, "how": how, "problems": [], "errors": 0}
    for number, reader in enumerate(READERS[file]):
        began, before = time.monotonic(), memory()
        came = outcome(reader, root)
        used = {"seconds": time.monotonic() - began, "megabytes": memory() - before}
        problem = judged(came, path, how, expected and expected[number])
        if used["seconds"] > 60 or used["megabytes"] > 1000:
            problem = f"{used}"
        found["errors"] += "error" in came
        if problem:
            found["problems"].append([number, problem])
    return found


def judged(came, path, how, expected) -> str:
    """What is wrong with an outcome, if anything."""
    if "defect" in came:
        return came["defect"]
    if "result" in came:
        is_other = came["result"] != expected and path.name.endswith(CHECKSUMMED)
        return "damage was taken for sound content" if is_other else ""
    message = came["error"]
    name = path.name.split(".data-")[0].removesuffix(".index")
    if name == "words.json" and "task words" in message:  # called after its file
        return ""
    if "Traceback" in message or len(message) > 4000 or message.count("\n") > 30:
        return f"no short error: {message[:2000]}"
    if how == "nothing" or name in message or str(path.parent) in message:
        return ""
    return f"the file is not named: {message[:500]}"


def memory() -> float:
    """The most that this process has used so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    root, sound = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    # What asks for memory without end is to fail before the machine does.
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    expected = {}
    for line in sys.stdin:
        file, seed = line.rsplit(maxsplit=1)
        if file not in expected:
            restore(sound, root)
            came = [outcome(reader, root) for reader in READERS[file]]
            assert all("result" in one for one in came), (file, came)
            expected[file] = [one["result"] for one in came]
        print(json.dumps(try_damage(sound, root, file, int(seed), expected[file])), flush=True)


if __name__ == "__main__":
    tf.config.threading.set_intra_op_parallelism_threads(1)
    main()
