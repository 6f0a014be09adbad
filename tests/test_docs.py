# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The documents say what the code does, and lead somewhere."""

import contextlib
import dataclasses
import importlib
import json
import pathlib
import re
import shlex
import sys
import types

import pytest
from test_config import REFERENCE_DEFAULTS

import electra_tf
from electra_tf.cli import arguments
from electra_tf.cli.main import VERBS
from electra_tf.config import EncoderConfig, PretrainingConfig
from electra_tf.config.encoder import OVERRIDABLE
from electra_tf.data import Manifest
from electra_tf.training.loop.logs import RunLog

ROOT = pathlib.Path(__file__).parents[1]
DOCUMENTS = (
    "CHANGELOG.md",
    "README.md",
    "configs/README.md",
    "configs/finetuning/README.md",
    "docs/api.md",
    "docs/architecture.md",
    "docs/benchmarks.md",
    "docs/data.md",
    "docs/demo.md",
    "docs/discriminators.md",
    "docs/index.md",
    "docs/interop.md",
    "docs/keras.md",
    "docs/migration.md",
    "docs/pretraining.md",
    "docs/recipes.md",
    "docs/results.md",
    "docs/scaling.md",
    "docs/serving.md",
    "docs/speed.md",
    "docs/tokenizers.md",
    "docs/tracking.md",
    "examples/notebooks/README.md",
)


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def table_under(heading):
    """Rows of the first table under a heading of docs/pretraining.md: [name, default, meaning]."""
    section = text_of("docs/pretraining.md").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_every_hyperparameter_is_there_with_its_default():
    documented = {
        name.strip("`"): json.loads(default.strip("`"))
        for name, default, _ in table_under("Hyperparameters")
    }
    defaults = PretrainingConfig.from_hparams("<model_name>", "<data_dir>", {}).to_dict()
    given_by_flags = {"model_name", "data_dir"}
    assert documented == {k: v for k, v in defaults.items() if k not in given_by_flags}


def test_what_is_new_is_marked():
    marked = {
        name.strip("`")
        for name, _, meaning in table_under("Hyperparameters")
        if re.match(r"new\b", meaning)
    }
    names = {field.name for field in dataclasses.fields(PretrainingConfig)}
    assert marked == names - set(REFERENCE_DEFAULTS) - {"model_name", "data_dir"}


def test_every_override_is_there_with_its_default():
    paragraph = text_of("docs/pretraining.md").split("Keys of `model_hparam_overrides`: ")[1]
    paragraph = paragraph.split("\n\n")[0]
    documented = dict(re.findall(r"`(\w+)`(?:\s\(([^)]*)\))?", paragraph))
    assert set(documented) == set(OVERRIDABLE)
    for name, default in documented.items():
        if default and not default.endswith(("hidden size", "/ 64")):
            assert default == str(getattr(EncoderConfig(), name))


@pytest.mark.parametrize("row", table_under("Objectives"), ids=lambda row: row[0])
def test_objectives_can_be_selected_as_described(row):
    hparams = json.loads("{" + row[1].strip("`") + "}") if row[1] != "(default)" else {}
    config = PretrainingConfig.from_hparams("name", "data", hparams)
    found = (config.has_discriminator, config.has_generator, config.has_separate_generator)
    assert (
        found
        == {
            "ELECTRA": (True, True, True),
            "tied weights": (True, True, False),
            "untied embeddings": (True, True, True),
            "uniform generator": (True, False, False),
            "masked LM": (False, True, False),
            "Electric": (True, True, True),
            "ELECTRA 15 %": (True, True, True),
            "Replace MLM": (True, True, True),
            "All-Tokens MLM": (True, True, True),
        }[row[0]]
    )


def test_the_manifest_shown_is_one(tmp_path):
    shown = re.search(r"```json\n(.*?)```", text_of("docs/data.md"), re.S)[1]
    (tmp_path / "manifest.json").write_text(shown)
    manifest = Manifest.load(str(tmp_path))
    assert manifest.mean_length == round(manifest.num_tokens / manifest.num_examples, 3)
    assert sum(manifest.length_histogram) == manifest.num_examples


def test_index_and_site_have_all_pages():
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert {f"docs/{page}" for page in pages} <= set(DOCUMENTS)
    assert pages <= set(re.findall(r"\]\((\w+\.md)\)", text_of("docs/index.md")))
    assert pages <= set(re.findall(r"^ *- (\w+\.md)$", text_of("mkdocs.yml"), re.M))


def test_a_log_is_given_to_mlflow_as_described(tmp_path, monkeypatch):
    logged = []
    stand_in = types.SimpleNamespace(
        start_run=lambda run_name: contextlib.nullcontext(),
        log_metrics=lambda values, step: logged.append((step, values)),
        log_artifact=logged.append,
    )
    monkeypatch.setitem(sys.modules, "mlflow", stand_in)
    monkeypatch.chdir(tmp_path)
    folder = "data/models/my_model"
    log = RunLog(folder, 0)
    log.write(3, {"total_loss": 2.5})
    log.write(3, {"loss": 2.25}, "eval")
    exec(re.search(r"```python\n(.*?)```", text_of("docs/tracking.md"), re.S)[1], {})
    assert logged == [
        (3, {"train/total_loss": 2.5}),
        (3, {"eval/loss": 2.25}),
        f"{folder}/config.json",
    ]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_files(name):
    for target in re.findall(r"\]\(([^)#\s\"]+)[^)\s]*\)", text_of(name)):
        if "://" not in target:
            assert (ROOT / name).parent.joinpath(target).exists(), target


@pytest.mark.parametrize("name", DOCUMENTS)
def test_scripts_named_are_there(name):
    for script in re.findall(r"(?<![/\w])([a-z_]+\.py)\b", text_of(name)):
        assert (ROOT / script).exists(), script


def commands_in(name):
    """The `electra` commands of a document, [verb, flags, ...] each."""
    text = re.sub(r" *\\\n\s*", " ", text_of(name))
    lines = re.findall(r"(?:^|[`(;]|1 )\s*electra ([a-z-]+ [^`\n]*)", text, re.M)
    found = []
    for line in lines:
        with contextlib.suppress(ValueError):  # a quote of the shell continues in the next line
            found.append(shlex.split(line.split(" | ")[0].split(" > ")[0], comments=True))
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_shown_have_the_flags(name):
    """Whole commands parse; of those with an ellipsis, the flags that are shown are known."""
    for verb, *flags in commands_in(name):
        if not any(flag.startswith("-") for flag in flags):
            continue  # a sentence
        module = importlib.import_module(f"electra_tf.cli.{verb.replace('-', '_')}")
        parser = arguments.parser_of(module)
        known = {option for action in parser._actions for option in action.option_strings}
        for flag in flags:
            if flag.startswith("--") and flag != "--":
                assert flag.split("=")[0] in known or "--" in flags[: flags.index(flag)], (
                    verb,
                    flag,
                )


def test_the_readme_shows_commands():
    assert {verb for verb, *_ in commands_in("README.md")} >= set(VERBS) - {"flops", "embeddings"}


def test_the_changelog_is_about_this_version():
    assert f"## [{electra_tf.__version__}]" in text_of("CHANGELOG.md")


def test_recipes_of_other_models_are_taken():
    section = text_of("docs/speed.md").split("\n## As in other recipes\n")[1].split("\n## ")[0]
    recipes = re.findall(r"^\| .* \| `(\{.*\})` \|$", section, re.M)
    assert len(recipes) == 5
    for recipe in map(json.loads, recipes):
        config = PretrainingConfig.from_hparams("m", "/data", recipe).to_dict()
        assert {name: config[name] for name in recipe} == recipe
