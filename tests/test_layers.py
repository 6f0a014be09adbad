# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The rows of the package: a file imports only from rows above its own; scripts are thin."""

import ast
import pathlib
import textwrap

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = "electra_tf"

ROWS = {
    "accelerators": 0,
    "environment": 0,
    "files": 0,
    "folders": 0,
    "given_files": 0,
    "registration": 0,
    "seeds": 0,
    "patterns": 0,
    "tensorflow_log": 0,
    "config": 0,
    "text": 1,
    "data": 2,
    "model": 3,
    "training": 4,
    "pretraining": 5,
    "finetuning": 5,
    "interop": 6,
    "serving": 6,
    "loading": 7,
    "reports": 7,
    "runs": 7,
    "task_models": 7,
    "demo": 8,
    "cli": 9,
    "__main__": 10,
}
"""Area (file or folder directly under the package) -> row; imports go to lower numbers."""

FORBIDDEN = {
    "pretraining": {"finetuning"},
    "finetuning": {"pretraining"},
    # The encoder knows nothing of text; the training loop knows nothing of ELECTRA.
    "model": {"text", "data", "training"},
    "training": {"text", "data", "model"},
}
"""Areas that may not be imported although their row would allow it."""

LATE = {"IPython", "matplotlib", "pandas", "scipy", "sklearn"}
"""Packages that take as long to import as building a model: functions import what they need."""
AT_ONCE = {"data/cooccurrence", "pretraining/initial_embeddings", "serving/calibrating"}
"""Files of the commands that need such a package in any case."""

MAX_SCRIPT_LINES = 15
MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 60


def imported_modules(tree, package):
    """Absolute names of the modules that a file of `package` imports, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [base])])
            # The name may be a module itself, as in `from electra_tf import config`.
            for alias in node.names:
                yield f"{base}.{alias.name}", node.lineno


def imported_areas(path, root):
    """Areas of the package that the file imports, with lines."""
    package = ".".join(path.relative_to(root).parent.parts)
    for module, line in imported_modules(ast.parse(path.read_text(encoding="utf-8")), package):
        parts = module.split(".")
        if parts[0] == PACKAGE and len(parts) > 1 and not parts[1].startswith("__"):
            yield parts[1], line


def layer_violations(root):
    """One line for each import that breaks the rows, over every file of the package."""
    problems = []
    for path in sorted((root / PACKAGE).rglob("*.py")):
        name = path.relative_to(root)
        own = name.parts[1].removesuffix(".py")
        if own == "__init__":  # it is above every row, and may import what imports no library
            problems += [
                f"{name}:{line} imports {area}"
                for area, line in imported_areas(path, root)
                if area != "registration"
            ]
            continue
        if own not in ROWS:
            problems.append(f"{name} is in no row")
            continue
        for area, line in imported_areas(path, root):
            allowed = ROWS.get(area, 99) <= ROWS[own] and area not in FORBIDDEN.get(own, ())
            if ROWS.get(area) == ROWS[own]:
                same_row = ("config", "files", "folders", "given_files", "patterns")
                same_row += ("interop", "serving", "__main__")
                allowed = area == own or own in same_row
            if not allowed:
                problems.append(f"{name}:{line} imports {area}")
    return problems


def script_violations(root):
    """One line for each top-level script that is not thin."""
    problems = []
    for path in sorted(root.glob("*.py")):
        if path.name == "setup.py":
            continue
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        docstring = tree.body[0].end_lineno if ast.get_docstring(tree) else 0
        code = [
            line
            for line in source.splitlines()[docstring:]
            if line.strip() and not line.strip().startswith("#")
        ]
        if len(code) >= MAX_SCRIPT_LINES:
            problems.append(f"{path.name} has {len(code)} lines of code")
        for module, line in imported_modules(tree, ""):
            if not module.startswith(f"{PACKAGE}.cli"):
                problems.append(f"{path.name}:{line} imports {module}")
    return problems


def test_no_file_imports_from_a_row_below_its_own():
    assert layer_violations(ROOT) == []


def test_scripts_only_call_their_command():
    assert script_violations(ROOT) == []


def test_files_and_functions_are_short():
    """At most 400 lines a file and 60 a function."""
    long = []
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        long += [f"{path}: {text.count(chr(10))} lines"] * (text.count("\n") > MAX_FILE_LINES)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                count = node.end_lineno - node.lineno + 1
                long += [f"{path}: {node.name}, {count} lines"] * (count > MAX_FUNCTION_LINES)
    assert long == []


def test_a_run_begins_without_the_packages_that_take_long_to_import():
    early = []
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        top = ast.Module(ast.parse(path.read_text(encoding="utf-8")).body, [])
        top.body = [node for node in top.body if isinstance(node, ast.Import | ast.ImportFrom)]
        found = {module.split(".")[0] for module, _ in imported_modules(top, PACKAGE)} & LATE
        file = path.relative_to(ROOT / PACKAGE).with_suffix("").as_posix()
        early += [f"{file} imports {name}" for name in found if file not in AT_ONCE]
    assert early == []


def test_no_function_is_converted_by_autograph():
    """It takes twice as long as tracing itself, and Keras converts no step either."""
    converted = []
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "tf.function":
                given = {option.arg: ast.unparse(option.value) for option in node.keywords}
                if given.get("autograph") != "False":
                    converted.append(f"{path}:{node.lineno}")
    assert converted == []


def test_only_the_scripts_of_the_original_are_at_the_root():
    assert {path.name for path in ROOT.glob("*.py")} == {
        "build_openwebtext_pretraining_dataset.py",
        "build_pretraining_dataset.py",
        "run_finetuning.py",
        "run_pretraining.py",
        "setup.py",
    }


@pytest.mark.parametrize(
    ("path", "source", "culprit"),
    [
        ("text/a.py", "from electra_tf.data import records", "data"),
        ("text/a.py", "import electra_tf.cli.arguments", "cli"),
        ("data/a.py", "from electra_tf import model", "model"),
        ("model/a.py", "from electra_tf.training.loop import loop", "training"),
        ("model/a.py", "from electra_tf.text import load_tokenizer", "text"),
        ("training/a.py", "from ..pretraining import run", "pretraining"),
        ("training/a.py", "def f():\n    from .. import interop", "interop"),
        ("pretraining/a.py", "from electra_tf.finetuning import tasks", "finetuning"),
        ("finetuning/deep/a.py", "from ...pretraining.run import train", "pretraining"),
        ("interop/a.py", "import electra_tf.cli", "cli"),
        ("config.py", "from electra_tf.text import load_vocabulary", "text"),
        ("__init__.py", "from .model import encoder", "model"),
    ],
)
def test_a_planted_import_is_found(tmp_path, path, source, culprit):
    file = tmp_path / PACKAGE / path
    file.parent.mkdir(parents=True)
    file.write_text(source)
    (problem,) = layer_violations(tmp_path)
    assert problem.startswith(f"{PACKAGE}/{path}:") and problem.endswith(f"imports {culprit}")


def test_a_file_outside_the_rows_is_found(tmp_path):
    (tmp_path / PACKAGE).mkdir()
    (tmp_path / PACKAGE / "utils.py").write_text("import os\n")
    assert layer_violations(tmp_path) == [f"{PACKAGE}/utils.py is in no row"]


def test_imports_from_rows_above_are_allowed(tmp_path):
    for path, source in {
        "pretraining/a.py": "from electra_tf import config\nfrom electra_tf.data import records",
        "pretraining/b.py": "from . import a\nfrom ..model.encoder import Encoder",
        "serving/a.py": "from electra_tf.interop import names",
        "cli/a.py": "import electra_tf\nfrom electra_tf import __version__",
    }.items():
        file = tmp_path / PACKAGE / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    assert layer_violations(tmp_path) == []


def test_a_script_with_logic_or_foreign_imports_is_found(tmp_path):
    (tmp_path / "thin.py").write_text(
        textwrap.dedent('''
            """Docstring,
            of two lines."""

            from electra_tf.cli import quickstart

            if __name__ == "__main__":
                quickstart.main()
            ''')
    )
    (tmp_path / "fat.py").write_text("import os\n" + "print(os.name)\n" * MAX_SCRIPT_LINES)
    assert script_violations(tmp_path) == [
        f"fat.py has {MAX_SCRIPT_LINES + 1} lines of code",
        "fat.py:1 imports os",
    ]
