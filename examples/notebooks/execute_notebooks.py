# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Runs notebooks and stores their outputs.

    python examples/notebooks/execute_notebooks.py [NOTEBOOK ...]

Without names, all of this folder, in the order in which one uses what another made. What they make
goes to `notebook_data` beside them. What TensorFlow writes on standard error is not stored.
"""

import pathlib
import sys
import time

import nbformat
from nbclient import NotebookClient

FOLDER = pathlib.Path(__file__).parent
NAMES = ("pretrain_your_text", "finetune_with_keras", "domain_adaptation", "serve")
SECONDS_PER_CELL = 1800


def main():
    for path in sys.argv[1:] or [FOLDER / f"{name}.ipynb" for name in NAMES]:
        began = time.monotonic()
        execute(pathlib.Path(path))
        print(f"{path}: {time.monotonic() - began:.0f} s", flush=True)


def execute(path: pathlib.Path):
    """Run a notebook in its folder and store it with its outputs.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raises an exception; nothing is stored.
    """
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        record_timing=False,  # stored notebooks differ only where their outputs do
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    notebook.metadata.language_info = {"name": "python"}  # without the version that ran it
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [part for part in cell.outputs if part.get("name") != "stderr"]
    nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
