# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Weights from format to format: nothing lost, nothing changed, refusals with their reasons."""

import json
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf
from commands import run_verb

from electra_tf.interop import load_huggingface
from electra_tf.interop.conversion import convert
from electra_tf.interop.huggingface.our_models import heads_left
from electra_tf.interop.opening import find_starting_point, open_model

GOLDENS = pathlib.Path(__file__).parent.parent / "goldens"
HEADS = {"model_hparam_overrides": {"num_attention_heads": 4}}
"""What the recorded checkpoints do not tell."""
BATCH = ("input_ids", "input_mask", "segment_ids")


def released(tmp_path, case):
    """A folder with a recorded checkpoint and its vocabulary, as released ones are."""
    folder = shutil.copytree(GOLDENS / case / "ckpt", tmp_path / "released")
    shutil.copy(GOLDENS / case / "vocab.txt", folder / "vocab.txt")
    return str(folder)


def hparams_of(case):
    meta = json.loads((GOLDENS / case / "meta.json").read_text())
    return {"model_hparam_overrides": meta["model_hparam_overrides"]}


def values_of(path, moments=True):
    """Every variable of a checkpoint; bits, so that nothing counts as nearly equal."""
    reader = tf.train.load_checkpoint(str(path))
    values = {
        name: np.asarray(reader.get_tensor(name))
        for name in reader.get_variable_to_shape_map()
        if moments or "/adam_" not in name
    }
    return {name: (value.dtype, value.tobytes()) for name, value in values.items()}


def read_and_write(source, target, folder, hparams=None, **options):
    read_options = {key: options.pop(key) for key in ("labels", "generator") if key in options}
    transfer = open_model(str(source), hparams, **read_options)
    convert(transfer, target, str(folder), **options)
    return folder


PAIRS = ("electra_untied", "electra_tied", "electra_untied_embeddings", "uniform", "mlm")


@pytest.mark.parametrize("case", [*(f"pretrain/{name}" for name in PAIRS), "pretrain/electric"])
def test_the_original_to_itself(case, tmp_path):
    source = released(tmp_path, case)
    written = read_and_write(source, "reference", tmp_path / "written", hparams_of(case))
    assert values_of(written) == values_of(source)
    assert {path.name for path in written.iterdir()} == {
        "checkpoint",
        "model.ckpt-2.index",
        "model.ckpt-2.data-00000-of-00001",
        "encoder.json",  # these models have narrow heads, which no variable tells
        "tokenizer.json",
        "vocab.txt",
    }
    heads = open_model(source, hparams_of(case)).encoder.num_attention_heads
    assert open_model(written).encoder.num_attention_heads == heads


@pytest.mark.parametrize("case", [f"pretrain/{name}" for name in PAIRS])
def test_a_pair_through_every_format(case, tmp_path):
    source = released(tmp_path, case)
    ours = read_and_write(source, "electra_tf", tmp_path / "ours", hparams_of(case))
    theirs = read_and_write(ours, "huggingface", tmp_path / "theirs")
    again = read_and_write(theirs, "electra_tf", tmp_path / "again")
    last = read_and_write(again, "reference", tmp_path / "last")
    # There is no place for Adam's moments there; all else is as it was, the step too.
    assert values_of(last) == values_of(source, moments=False)
    assert (last / "vocab.txt").read_bytes() == (pathlib.Path(source) / "vocab.txt").read_bytes()
    moments = {name for name in values_of(source) if "/adam_" in name}
    assert moments <= set(values_of(ours))


@pytest.mark.parametrize(("name", "labels"), [("chunk", True), ("squadv1", False)])
def test_a_head_through_every_format(name, labels, tmp_path):
    source = released(tmp_path, f"finetune/{name}")
    hparams = hparams_of(f"finetune/{name}")
    size = values_of(source)[f"task_specific/{name}/dense/bias"][1]
    labels = [f"T{i}" for i in range(len(size) // 4)] if labels else None
    ours = read_and_write(source, "electra_tf", tmp_path / "ours", hparams, labels=labels)
    theirs = read_and_write(ours, "huggingface", tmp_path / "theirs")
    again = read_and_write(theirs, "electra_tf", tmp_path / "again")
    last = read_and_write(again, "reference", tmp_path / "last")
    assert values_of(last) == values_of(source, moments=False)
    if labels:
        stored = json.loads((theirs / "config.json").read_text())
        assert list(stored["id2label"].values()) == labels


def test_the_discriminator_says_there_what_the_original_recorded(tmp_path):
    case = "pretrain/electra_untied"
    source = released(tmp_path, case)
    theirs = read_and_write(source, "huggingface", tmp_path / "theirs", hparams_of(case))
    recorded = np.load(GOLDENS / case / "io.npz")
    batch = {name: tf.constant(recorded[f"batch0/{name}"], tf.int32) for name in BATCH}
    corrupted = {**batch, "input_ids": tf.constant(recorded["step0/disc_input_ids"], tf.int32)}
    logits = load_huggingface(str(theirs))(corrupted)["logits"]
    np.testing.assert_allclose(
        tf.sigmoid(logits), recorded["step0/disc_probs"], rtol=1e-5, atol=1e-5
    )
    masked = {**batch, "input_ids": tf.constant(recorded["batch0/masked_input_ids"], tf.int32)}
    logits = load_huggingface(str(theirs / "generator"))(masked)["logits"]
    positions = recorded["batch0/masked_lm_positions"]
    found = tf.gather(logits, positions, batch_dims=1)
    np.testing.assert_allclose(found, recorded["step0/mlm_logits"], rtol=1e-4, atol=1e-5)


def test_released_names_and_what_nothing_reads(tmp_path):
    """As electra_small.zip: another prefix, a temperature, a `checkpoint` of another machine."""
    case = "pretrain/electra_untied"
    values = tf.train.load_checkpoint(released(tmp_path, case))
    names = list(values.get_variable_to_shape_map())
    folder = tmp_path / "electra_small"
    folder.mkdir()
    extra = "generator_predictions/temperature"
    tf.raw_ops.SaveV2(
        prefix=str(folder / "electra_small.ckpt"),
        tensor_names=[*names, extra],
        shape_and_slices=[""] * (len(names) + 1),
        tensors=[tf.constant(values.get_tensor(name)) for name in names] + [tf.constant(1.0)],
    )
    (folder / "checkpoint").write_text('model_checkpoint_path: "gs://bucket/model.ckpt-7"\n')
    transfer = open_model(str(folder), hparams_of(case))
    assert transfer.left_behind == (extra,)
    lines = convert(transfer, "reference", str(tmp_path / "written"))
    assert lines[-2] == f"not written, since the format has no place for them: {extra}"
    assert "no vocabulary was found" in lines[-1]
    assert values_of(tmp_path / "written") == values_of(tmp_path / "released")


def test_the_originals_code_restores_what_is_written(tmp_path):
    """TF1's Saver over variables of the original's names and shapes, as its code has them."""
    case = "pretrain/electra_untied"
    source = released(tmp_path, case)
    written = read_and_write(source, "reference", tmp_path / "written", hparams_of(case))
    meta = json.loads((GOLDENS / case / "meta.json").read_text())
    reader = tf.train.load_checkpoint(source)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables = {
            name: tf.compat.v1.get_variable(name, shape)
            for name, shape in meta["variables"].items()
        }
        step = tf.compat.v1.train.get_or_create_global_step()
        path = tf.compat.v1.train.latest_checkpoint(str(written))
        tf.compat.v1.train.Saver().restore(session, path)
        assert session.run(step) == 2
        for name, value in session.run(variables).items():
            np.testing.assert_array_equal(value, reader.get_tensor(name), err_msg=name)


@pytest.mark.parametrize(
    ("case", "options", "message"),
    [
        ("pretrain/electric", {}, 'TwoTowerClozeModel cannot be written: .* part "discriminator"'),
        ("finetune/cola", {}, "Fine-tune with classifier_hidden_layer true to write it"),
        ("finetune/squad", {}, "joint_prediction=True and answerable_classifier=True"),
        ("finetune/multi", {}, "task is expected to be one of those of .*, cola, sts, but is None"),
        ("pretrain/mlm", {"part": "discriminator"}, "is expected to be one of those .* generator"),
        ("finetune/cola", {"part": "generator"}, "part can be given for a pre-trained pair"),
        ("pretrain/mlm", {"task": "cola"}, "task can be given for a fine-tuned model"),
    ],
)
def test_what_hugging_face_has_no_class_for(case, options, message, tmp_path):
    source = released(tmp_path, case)
    with pytest.raises(ValueError, match=message):
        read_and_write(source, "huggingface", tmp_path / "out", hparams_of(case), **options)
    assert not (tmp_path / "out").exists()


def test_electrics_discriminator_alone(tmp_path):
    case = "pretrain/electric"
    source = released(tmp_path, case)
    read_and_write(source, "huggingface", tmp_path / "out", hparams_of(case), part="discriminator")
    assert load_huggingface(str(tmp_path / "out")).config.architecture == "ElectraForPreTraining"
    assert not (tmp_path / "out" / "generator").exists()


def with_vocabulary(tmp_path, name):
    folder = shutil.copytree(GOLDENS / "huggingface" / name, tmp_path / name)
    shutil.copy(GOLDENS / "finetune" / "cola" / "vocab.txt", folder / "vocab.txt")
    return folder


def test_labels_that_are_span_tags_are_entities(tmp_path):
    folder = with_vocabulary(tmp_path, "token_classification")
    assert open_model(str(folder)).tasks[0].spec.scheme == "tokens"
    content = json.loads((folder / "config.json").read_text())
    labels = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    content["id2label"] = {str(i): label for i, label in enumerate(labels)}
    content["label2id"] = {label: i for i, label in enumerate(labels)}
    (folder / "config.json").write_text(json.dumps(content))
    model = open_model(str(folder))
    assert (model.tasks[0].spec.scheme, model.tasks[0].spec.labels) == ("spans", labels)
    assert model.config.max_seq_length == 40  # all that it has positions for


def test_a_task_may_be_described_for_a_head_of_others(tmp_path):
    folder = with_vocabulary(tmp_path, "question_answering")
    task = tmp_path / "asked.json"
    described = {"kind": "qa", "format": "squad_v2", "files": {"dev": "dev.json"}}
    task.write_text(json.dumps(described))
    hparams = {"task_names": [str(task)], "max_seq_length": 24}
    transfer = open_model(str(folder), hparams)
    (found,) = transfer.tasks
    assert found.name == "asked" and found.spec.has_unanswerable
    assert transfer.config.max_seq_length == 24
    plain = open_model(str(folder))
    for name, weight in plain.weights.items():
        renamed = name.replace("task_specific/qa/", "task_specific/asked/")
        np.testing.assert_array_equal(transfer.weights[renamed], weight)
    with pytest.raises(ValueError, match=r"of the kind qa, .* but its kind is classification"):
        task.write_text(
            json.dumps(
                {
                    **described,
                    "kind": "classification",
                    "format": "tsv",
                    "columns": {"text_a": 0, "label": 1},
                }
            )
        )
        open_model(str(folder), hparams)
    with pytest.raises(ValueError, match="contains its own: learning_rate"):
        open_model(str(folder), {"learning_rate": 1.0})


def test_a_checkpoint_of_a_fine_tuned_model_may_be_named(tmp_path):
    folder = with_vocabulary(tmp_path, "sequence_classification")
    ours = read_and_write(folder, "electra_tf", tmp_path / "ours")
    (ours / "best").mkdir()
    (data,) = ours.glob("*.data-*")
    name = data.name.split(".data-")[0]
    for file in ours.glob(f"{name}.*"):
        shutil.copy(file, ours / "best" / file.name)
    for prefix in (ours / name, ours / "best" / name):
        transfer = open_model(str(prefix))
        assert transfer.description.endswith(str(prefix))
        assert transfer.tasks[0].spec.kind == "classification"


def test_a_hidden_layer_before_the_classes_is_read_and_written(tmp_path):
    source = GOLDENS / "huggingface" / "sequence_classification"
    folder = shutil.copytree(source, tmp_path / "source")
    shutil.copy(GOLDENS / "finetune" / "cola" / "vocab.txt", folder / "vocab.txt")
    ours = read_and_write(folder, "electra_tf", tmp_path / "ours")
    assert json.loads((ours / "config.json").read_text())["finetuning"]["classifier_hidden_layer"]
    theirs = read_and_write(ours, "huggingface", tmp_path / "theirs")
    recorded = np.load(source / "io.npz")
    batch = {name: tf.constant(recorded[name], tf.int32) for name in BATCH}
    model = open_model(str(ours)).model
    batch["task_id"] = tf.zeros([len(recorded["logits"])], tf.int32)
    (outputs,) = model.compute_outputs(batch).values()
    np.testing.assert_allclose(outputs["logits"], recorded["logits"], rtol=1e-5, atol=1e-5)
    again = load_huggingface(str(theirs))(batch)["logits"]
    np.testing.assert_array_equal(again, load_huggingface(str(source))(batch)["logits"])
    with pytest.raises(ValueError, match="the original's heads have no hidden layer"):
        read_and_write(ours, "reference", tmp_path / "reference")


@pytest.mark.parametrize(
    ("case", "hparams", "labels", "message"),
    [
        ("finetune/chunk", {}, None, "the labels of the task 'chunk' are collected from its"),
        ("finetune/chunk", {}, ["a"], r"task_specific/chunk/dense/bias: \[\d+\] in the checkpoint"),
        ("finetune/multi", {}, ["a"], "labels can be given for one task"),
        ("pretrain/mlm", {"generator_sizes": 1}, None, "unknown hyperparameter 'generator_sizes'"),
        ("pretrain/mlm", {"vocab_size": 5}, None, r"word_embeddings: \[400, 16\] in the check"),
    ],
)
def test_what_a_checkpoint_does_not_tell(case, hparams, labels, message, tmp_path):
    source = released(tmp_path, case)
    with pytest.raises(ValueError, match=message):
        open_model(source, {**hparams_of(case), **hparams}, labels)


def test_an_encoder_alone_is_no_model(tmp_path):
    source = GOLDENS / "huggingface" / "discriminator"
    folder = shutil.copytree(source, tmp_path / "bare")
    stored = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**stored, "architectures": ["ElectraModel"]}))
    with pytest.raises(ValueError, match="unexpected in the file: discriminator_predictions"):
        open_model(str(folder))


def test_folders_that_are_no_pair(tmp_path):
    discriminator = str(GOLDENS / "huggingface" / "discriminator")
    with pytest.raises(ValueError, match="are expected to be of the classes"):
        open_model(discriminator, generator=discriminator)
    with pytest.raises(ValueError, match="contains its own: do_lower_case"):
        open_model(discriminator, {"do_lower_case": False})
    # Trained apart: a feed-forward part that is not four times its width, as generators' are.
    with pytest.raises(ValueError, match=r"intermediate/dense/bias: \[64\] in the source, \[128\]"):
        open_model(discriminator, generator=str(GOLDENS / "huggingface" / "generator"))


def test_a_vocabulary_of_another_model(tmp_path):
    folder = shutil.copytree(GOLDENS / "huggingface" / "discriminator", tmp_path / "model")
    shutil.copy(GOLDENS / "pretrain" / "mlm" / "vocab.txt", folder / "vocab.txt")
    with pytest.raises(ValueError, match=r"at most vocab_size=300 tokens, .* but has 400"):
        open_model(str(folder))


def run_command(capsys, *arguments):
    run_verb("convert", *arguments)
    return capsys.readouterr().out


def test_the_command(tmp_path, capsys):
    case = "pretrain/electra_untied"
    source = released(tmp_path, case)
    hparams = json.dumps(hparams_of(case))
    out = run_command(
        capsys, "--input", source, "--output", tmp_path / "hf", "--to", "huggingface",
        "--hparams", hparams, "--no-lower-case",
    )  # fmt: skip
    assert f"Read the checkpoint {source}/model.ckpt-2." in out
    assert "ElectraForPreTraining, 43 variables" in out and "ElectraForMaskedLM" in out
    assert "not written, since the format has no place for them: 160 of Adam's moments" in out
    stored = json.loads((tmp_path / "hf" / "tokenizer_config.json").read_text())
    assert stored["do_lower_case"] is False
    out = run_command(
        capsys, "--input", tmp_path / "hf", "--output", tmp_path / "back", "--to", "reference"
    )
    assert f"{tmp_path / 'back'}: step 2" in out
    assert values_of(tmp_path / "back") == values_of(source, moments=False)
    assert open_model(str(tmp_path / "back"), hparams_of(case)).tokenizer.do_lower_case is False


def rewritten(source, folder, change):
    """A copy of a checkpoint of ours whose variables were changed by `change(values)`."""
    shutil.copytree(source, folder)
    reader = tf.train.load_checkpoint(str(source))
    values = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    change(values)
    (prefix,) = {path.with_suffix("") for path in pathlib.Path(folder).glob("*.index")}
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(values),
        shape_and_slices=[""] * len(values),
        tensors=[tf.constant(value) for value in values.values()],
    )
    return folder


BETA = "electra/embeddings/LayerNorm/beta"


def test_what_goes_on_with_training_only_is_named(tmp_path):
    case = "pretrain/mlm"
    ours = read_and_write(
        released(tmp_path, case), "electra_tf", tmp_path / "ours", hparams_of(case)
    )

    def add(values):
        for name in [name for name in values if not name.startswith("global")]:
            if "/adam_" not in name and not name.startswith("electra_tf/"):
                values[f"{name}/ema"] = values[name] + 1
        values["electra_tf/loss_scale"] = np.float32(8)

    averaged = rewritten(ours, tmp_path / "averaged", add)
    lines = convert(open_model(str(averaged)), "reference", str(tmp_path / "written"))
    assert lines[-1].endswith(
        "no place for them: electra_tf/loss_scale, the weights that moving averages stand for, and "
        "their moments"
    )
    before, after = (
        tf.train.load_variable(str(folder), BETA) for folder in (ours, tmp_path / "written")
    )
    np.testing.assert_array_equal(after, before + 1)
    assert not any("/adam_" in name for name in values_of(tmp_path / "written"))


def test_moments_are_those_of_the_weights(tmp_path):
    case = "pretrain/mlm"
    ours = read_and_write(
        released(tmp_path, case), "electra_tf", tmp_path / "ours", hparams_of(case)
    )

    def damage(values):
        values["zzz/adam_m"] = values[f"{BETA}/adam_m"]
        values[f"{BETA}/adam_m"] = np.zeros(5, np.float32)
        del values[f"{BETA}/adam_v"]

    damaged = rewritten(ours, tmp_path / "damaged", damage)
    with pytest.raises(ValueError, match=r"Adam's moments in .* do not fit its weights") as error:
        open_model(str(damaged))
    lines = str(error.value).splitlines()[1:]
    for name, line in zip((f"{BETA}/adam_v", "zzz/adam_m", f"{BETA}/adam_m"), lines, strict=True):
        assert name in line


@pytest.mark.parametrize("table", ["position", "token_type", "word"])
def test_a_checkpoint_without_embeddings_is_an_error_that_names_them(table, tmp_path):
    name = f"electra/embeddings/{table}_embeddings"
    source = released(tmp_path, "pretrain/mlm")
    damaged = rewritten(source, tmp_path / "damaged", lambda values: values.pop(name))
    with pytest.raises(ValueError, match=f"an encoder, but {name} is missing"):
        open_model(str(damaged), HEADS)


def test_heads_that_are_not_written_are_named(tmp_path):
    transfer = open_model(released(tmp_path, "finetune/multi"), hparams_of("finetune/multi"))
    assert heads_left(transfer, "cola") == ["the head of the task sts"]
    (tmp_path / "single").mkdir()
    single = open_model(released(tmp_path / "single", "finetune/cola"), hparams_of("finetune/cola"))
    assert heads_left(single, None) == []


def test_a_guessed_number_of_heads_is_told(tmp_path, caplog):
    source = released(tmp_path, "pretrain/mlm")
    open_model(source, hparams_of("pretrain/mlm"))
    assert "attention heads" not in caplog.text
    open_model(source)
    assert "does not contain its number of attention heads" in caplog.text


def test_what_stands_beside_a_checkpoint_counts_and_is_checked(tmp_path, caplog):
    hparams = hparams_of("pretrain/mlm")
    hparams["model_hparam_overrides"] = {**hparams["model_hparam_overrides"], "hidden_act": "relu"}
    transfer = open_model(released(tmp_path, "pretrain/mlm"), hparams)
    written = tmp_path / "written"
    convert(transfer, "reference", str(written))
    told = {"num_attention_heads": transfer.encoder.num_attention_heads, "hidden_act": "relu"}
    assert json.loads((written / "encoder.json").read_text()) == told
    caplog.clear()
    for encoder in (open_model(written).encoder, find_starting_point(str(written)).encoder):
        assert (encoder.num_attention_heads, encoder.hidden_act) == tuple(told.values())
    assert find_starting_point(str(written)).inferred == ()
    assert "attention heads" not in caplog.text
    for content in ('{"the": 1169}', "[1]", '{"num_attention_heads": "two"}', "not JSON"):
        (written / "encoder.json").write_text(content)
        with pytest.raises(
            ValueError, match=r"encoder\.json is expected to (give|be a JSON object)"
        ):
            open_model(written)


def test_heads_that_do_not_fit_the_checkpoint_are_an_error_that_names_the_file(tmp_path):
    hparams = hparams_of("pretrain/mlm")
    convert(
        open_model(released(tmp_path, "pretrain/mlm"), hparams), "reference", str(tmp_path / "w")
    )
    path = tmp_path / "w" / "encoder.json"
    for heads in (7, 1000):
        path.write_text(json.dumps({"num_attention_heads": heads}))
        with pytest.raises(ValueError, match=rf"^{path} does not fit .* divisor of hidden_size"):
            find_starting_point(str(tmp_path / "w"))
