# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The page of `electra demo` as a person sees it, in headless Chromium."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import chromium
import pytest
from test_demo import free_port
from tiny_finetuning import make_data_dir

import electra_tf
from electra_tf.demo import page as demo_page

ROOT = pathlib.Path(__file__).parents[1]
GOLDENS = ROOT / "tests" / "goldens"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.CHROMIUM is None, reason="needs Debian's package chromium"),
]
PNG = b"\x89PNG\r\n\x1a\n"


@contextlib.contextmanager
def opened(address):
    """A browser at the page; when it is left, nothing has come from elsewhere or gone wrong."""
    with chromium.browser() as browser:
        browser.open(address)
        yield browser
        outside = [url for url in browser.requested if not url.startswith((address, "data:"))]
        assert len(browser.requested) > 10 and not outside
        assert browser.complaints == []


def saying(browser, text):
    """Waits for a text; some are shown in capitals."""
    browser.wait(f"document.body.innerText.toLowerCase().includes({text.lower()!r})")


def test_a_pair_is_clicked_through(tmp_path):
    """The command in a process of its own, and Ctrl-C while the page is open."""
    folder = str(make_data_dir(tmp_path / "data") / "models" / "tiny")
    port = free_port()
    # Without the tests' own setting, so that the command keeps TensorFlow's log from the terminal.
    kept = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    process = subprocess.Popen(
        [sys.executable, "-m", "electra_tf", "demo", "--model-dir", folder, "--port", str(port)],
        env={**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        address = f"http://127.0.0.1:{port}/"
        assert process.stdout.readline() == f"tiny is shown at {address} until Ctrl-C.\n"
        with opened(address) as browser:
            browser.type("Text", "w1 w2 w3 w4.")
            browser.click("button", "Find wrong words")
            browser.click(".token", "w2")
            saying(browser, "that it is an error.\n")
            saying(browser, "w2: ")
            browser.picture(tmp_path / "words.png")
            browser.click("[role=tab]", "Guess the fakes")
            browser.type("Text", "w1 w2 w3 w4.")
            browser.click("button", "Replace words")
            saying(browser, "replaced: which?")
            browser.click(".token", ".")  # no word, and no guess
            place = "[...document.querySelectorAll('.token')].filter(e => e.checkVisibility())"
            words = browser.run(f"{place}.map(e => e.textContent.trim())")
            browser.click(".token", words[0])
            browser.wait(f"Boolean({place}[0].querySelector(':not(.unlabeled)'))")
            browser.click("button", "Show the fakes")
            saying(browser, "You: ")
            browser.click("[role=tab]", "Fill masks")
            browser.type("Text", "w1 [MASK] w3")
            browser.click("button.primary", "Fill masks")
            saying(browser, "mask 1")
            browser.type("Text", "w" * 4001)
            browser.click("button.primary", "Fill masks")
            saying(browser, "expected to have at most 4,000 characters, but has 4,001.")
            browser.click("[role=tab]", "Score options")
            browser.type("Text with a gap {}", "w1 {} w2")
            browser.type("Options, one in a line", "w3\nw4")
            browser.click("button.primary", "Score options")
            saying(browser, "w4\n")
            browser.click("[role=tab]", "Similarity")
            browser.click("button", "Compare")
            saying(browser, "1.00")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (130, "", "interrupted\n")
    finally:
        process.kill()
        process.communicate()
    assert (tmp_path / "words.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("name", "typed", "shown"),
    [
        ("sequence_classification", {"Text": "tok1 tok2"}, "LABEL_1"),
        ("token_classification", {"Text": "tok1 tok2"}, "LABEL_"),
        ("question_answering", {"Question": "tok7", "Context": "tok1 tok2 tok3"}, "answer"),
    ],
)
def test_fine_tuned_models_are_shown(tmp_path, name, typed, shown):
    folder = shutil.copytree(GOLDENS / "huggingface" / name, tmp_path / name)
    shutil.copy(GOLDENS / "finetune" / "cola" / "vocab.txt", folder / "vocab.txt")
    made = demo_page.make_page(electra_tf.load(str(folder)), name)
    try:
        with opened(demo_page.start(made, "127.0.0.1", free_port())) as browser:
            for label, text in typed.items():
                browser.type(label, text)
            browser.click("button", "Predict")
            saying(browser, shown)
    finally:
        made.close(verbose=False)
