# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The notebooks of examples/: stored with outputs, and all of their cells run."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import film_reviews
import nbformat
import pytest
from execute_notebooks import execute
from nbclient.exceptions import CellExecutionError

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "examples/notebooks"
NAMES = ("pretrain_your_text", "finetune_with_keras", "domain_adaptation", "serve")
OF_A_MACHINE = re.compile(
    r"(?<![\w.:/])/(?:home|root|tmp|work|usr|opt|Users|content)\b|site-packages|\.venv"
)


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def texts_of(outputs):
    """All that outputs show as text."""
    for output in outputs:
        yield from (output.get("text", ""), *map(str, output.get("data", {}).values()))


def test_these_are_all():
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_valid_and_installs_first(name):
    notebook = read(name)
    nbformat.validate(notebook)
    title, install, *others = notebook.cells
    assert title.cell_type == "markdown" and title.source.startswith("# ")
    assert "%pip install" in install.source and 'find_spec("electra_tf") is None' in install.source
    assert not any("pip install" in cell.source for cell in others)


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_stored(name):
    """Of a whole run from top to bottom, without errors and without paths of its machine."""
    cells = [cell for cell in read(name).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert len(outputs) >= 5
    assert {output.output_type for output in outputs} <= {"stream", "execute_result"}
    shown = "\n".join(text for text in texts_of(outputs))
    assert not OF_A_MACHINE.search(shown), OF_A_MACHINE.search(shown)


def test_paths_of_machines_are_found():
    for text in ("in /home/me/data", "File /usr/lib/x.py", "lib/python3.11/site-packages/keras"):
        assert OF_A_MACHINE.search(text)
    for text in ("notebook_data/models/reviews", "http://127.0.0.1/tmp", "good/bad"):
        assert not OF_A_MACHINE.search(text)


def write_notebook(path, *sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_outputs_are_stored_without_standard_error(tmp_path):
    noisy = "import sys\nprint('shown')\nprint('noise', file=sys.stderr)"
    path = write_notebook(tmp_path / "noisy.ipynb", noisy)
    execute(path)
    (cell,) = nbformat.read(path, as_version=4).cells
    assert list(texts_of(cell.outputs)) == ["shown\n"]


def test_a_notebook_that_fails_stays_as_it_is(tmp_path):
    path = write_notebook(tmp_path / "failing.ipynb", "print('shown')", "1 / 0")
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execute(path)
    assert path.read_bytes() == before
    (tmp_path / "damaged.ipynb").write_text("{")
    with pytest.raises(nbformat.reader.NotJSONError):
        execute(tmp_path / "damaged.ipynb")


@pytest.mark.slow
def test_all_notebooks_run(tmp_path):
    """In an empty folder, one after the other, as `make notebooks` does."""
    examples = tmp_path / "examples"
    shutil.copytree(
        ROOT / "examples", examples, ignore=shutil.ignore_patterns("notebook_data", "__pycache__")
    )
    kept = FOLDER / "notebook_data/download" / film_reviews.WHEEL
    if kept.exists():
        (examples / "notebooks/notebook_data/download").mkdir(parents=True)
        shutil.copy(kept, examples / "notebooks/notebook_data/download")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "examples/notebooks/execute_notebooks.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    for name in NAMES:
        assert f"{name}.ipynb: " in done.stdout
        assert (
            nbformat.read(examples / f"notebooks/{name}.ipynb", as_version=4).cells[1].outputs == []
        )
