# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What the site has beyond the pages in docs/: the API reference, and files that pages link to.

A hook of MkDocs (mkdocs.yml). The reference is read from docstrings without importing TensorFlow.
Links from docs/ to other files of the repository work on GitHub as they are; in the site they lead
to copies of these files, which it adds.
"""

import functools
import pathlib
import posixpath
import re

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import electra_tf

ROOT = pathlib.Path(__file__).parents[1]
DOCS = "docs"
COPIES = "repository"
"""The folder of the site for files of the repository that are not in docs/."""
PUBLIC_NAMES = "api.md"
RETURNED = ("loading.LoadedModel",)
"""What has a description on that page beside the public names."""

REFERENCE = {
    "config": (),
    "text": (),
    "data": (),
    "model": (),
    "training": (
        "training.optimization.optimizer.ElectraLamb",
        "training.optimization.optimizer.ElectraStableAdamW",
        "training.optimization.optimizer.Factors",
        "training.optimization.optimizer.NO_DECAY_OF_NORMS_AND_BIASES",
        "training.optimization.optimizer.ALL_ALIKE",
    ),
    "pretraining": (
        "pretraining.model_folder.resolve_config",
        "pretraining.run.train",
        "pretraining.run.evaluate",
        "pretraining.run.load_pretrainer",
    ),
    "finetuning": (
        "finetuning.task.load_task",
        "finetuning.kinds.register",
        "finetuning.kinds.Kind",
    ),
    "interop": (),
    "serving": (),
}
"""Package -> what its page has beside the names that the package exports."""

_HIGHLIGHTED = {".json": "json", ".py": "python", ".sh": "bash", ".txt": "text", ".yml": "yaml"}
"""Files that become pages; others are copied as they are."""

# Code, which is left alone, or the path of a link.
_CODE_OR_LINK = re.compile(
    r"^(?P<fence>```+|~~~+).*?^(?P=fence)|`[^`]*`|(?<=\]\()(?P<path>[^)#\s:]+)(?=[)#])",
    re.MULTILINE | re.DOTALL,
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference, and the files outside docs/ that pages and such files link to."""
    for package, others in REFERENCE.items():
        uri = f"reference/{package}.md"
        files.append(File.generated(config, uri, content=_reference(package, others)))
    waiting = [f"{DOCS}/{file.src_uri}" for file in files.documentation_pages()]
    known = set(waiting)
    while waiting:
        path = waiting.pop()
        for linked in _linked(path) - known:
            known.add(linked)
            if not linked.startswith(f"{DOCS}/"):
                waiting.append(linked)
                files.append(File.generated(config, _uri(linked), content=_content(linked)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links to files of the repository into links to pages of the site."""
    uri = page.file.src_uri
    source = uri.removeprefix(f"{COPIES}/") if uri.startswith(f"{COPIES}/") else f"{DOCS}/{uri}"
    if not (ROOT / source).exists():
        return markdown  # made here

    def lead_there(match: re.Match) -> str:
        path = _target(source, match)
        return match[0] if path is None else posixpath.relpath(_uri(path), posixpath.dirname(uri))

    markdown = _CODE_OR_LINK.sub(lead_there, markdown)
    return _with_reference(markdown) if uri == PUBLIC_NAMES else markdown


# ---- Files of the repository


def _linked(path: str) -> set[str]:
    """Files of the repository that a file links to, by their paths in it."""
    if not path.endswith(".md") or not (ROOT / path).exists():
        return set()
    text = (ROOT / path).read_text(encoding="utf-8")
    return {_target(path, match) for match in _CODE_OR_LINK.finditer(text)} - {None}


def _target(source: str, match: re.Match) -> str | None:
    """The file that a link of `source` leads to; None for code and for what is no such file.

    As on GitHub, that of a folder is its README.md.
    """
    if match["path"] is None:
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), match["path"]))
    if (ROOT / path).is_dir():
        path = f"{path}/README.md"
    return path if (ROOT / path).is_file() and not path.startswith("..") else None


def _uri(path: str) -> str:
    """The place in the site of a file of the repository."""
    if path.startswith(f"{DOCS}/"):
        return path.removeprefix(f"{DOCS}/")
    suffix = posixpath.splitext(path)[1]
    return f"{COPIES}/{path}" + (".md" if suffix in _HIGHLIGHTED else "")


def _content(path: str) -> str | bytes:
    suffix = posixpath.splitext(path)[1]
    content = (ROOT / path).read_bytes()
    if suffix in _HIGHLIGHTED:
        return f"# {path}\n\n~~~~~~ {_HIGHLIGHTED[suffix]}\n{content.decode()}\n~~~~~~\n"
    return content


# ---- The reference


def _reference(package: str, others: tuple[str, ...]) -> str:
    """A page with what a package exports, and others."""
    name = f"{electra_tf.__name__}.{package}"
    module = _modules()[package]
    parts = [f"# {name}", module.docstring.value]
    exported = sorted(map(str, module.exports), key=str.isupper)  # constants last
    parts += [f"::: {name}.{member}" for member in exported]
    parts += [f"::: {electra_tf.__name__}.{other}" for other in others]
    return "\n\n".join(parts)


def _with_reference(markdown: str) -> str:
    """The table of public names with links, and what other pages do not document below it."""
    rendered = []
    for name, module in electra_tf._PUBLIC.items():
        link = f"| [`{name}`][{module}.{name}] |"
        markdown = markdown.replace(f"| `{name}` |", link)
        if module.removeprefix(f"{electra_tf.__name__}.") not in REFERENCE:
            rendered.append(f"::: {module}.{name}")
    rendered += [f"::: {electra_tf.__name__}.{other}" for other in RETURNED]
    return "\n\n".join([markdown, *rendered])


@functools.cache
def _modules() -> griffe.Module:
    return griffe.load(electra_tf.__name__, search_paths=[str(ROOT)])
