# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`make docs`: pages, reference, and an error for what leads nowhere."""

import pathlib
import re
import shutil

import pytest

import electra_tf

pytest.importorskip("mkdocs", reason="of the extra [docs]")
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

ROOT = pathlib.Path(__file__).parents[1]
pytestmark = pytest.mark.slow


def built(docs, site):
    build(load_config(str(ROOT / "mkdocs.yml"), docs_dir=str(docs), site_dir=str(site)))
    return {
        str(path.relative_to(site).parent): path.read_text(encoding="utf-8")
        for path in site.rglob("index.html")
    }


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return built(ROOT / "docs", tmp_path_factory.mktemp("site"))


def test_every_public_name_leads_to_its_description(pages):
    for name, module in electra_tf._PUBLIC.items():
        link = re.search(rf'href="([^"]*)#({re.escape(f"{module}.{name}")})"', pages["api"])
        page = pathlib.PurePosixPath("api", link[1]).as_posix().replace("api/../", "").rstrip("/")
        assert f'id="{link[2]}"' in pages[page], name


def test_pages_and_files_they_link_to_are_there(pages):
    for path in (ROOT / "docs").glob("*.md"):
        assert path.stem == "index" or path.stem in pages
    assert '<pre class="mermaid">' in pages["architecture"]
    assert 'href="../repository/tests/test_layers.py/"' in pages["architecture"]
    assert (
        "test_no_file_imports_from_a_row_below_its_own" in pages["repository/tests/test_layers.py"]
    )
    # Files link on, to pages and to files.
    assert 'href="../../results/"' in pages["repository/configs"]
    assert 'href="pretraining/small.json/"' in pages["repository/configs"]


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("[x](missing.md)", "link 'missing.md', but the target is not found"),
        ("[x](../configs/missing.json)", "link '../configs/missing.json', but the target"),
        ("[x](speed.md#missing)", "does not contain an anchor '#missing'"),
        ("[x][electra_tf.missing]", "Could not find cross-reference target 'electra_tf.missing'"),
    ],
)
def test_a_broken_link_is_an_error(link, message, tmp_path, caplog):
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    with open(tmp_path / "docs/data.md", "a", encoding="utf-8") as page:
        page.write(f"\n{link}\n")
    with pytest.raises(Abort):
        built(tmp_path / "docs", tmp_path / "site")
    assert [record.message for record in caplog.records if message in record.message]
