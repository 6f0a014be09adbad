# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`electra report`: one page of HTML on a run, which needs nothing else, or one error."""

import json
import math
import re
import shutil
import xml.etree.ElementTree
from html import escape

import pytest

from electra_tf.cli.main import run_command
from electra_tf.config import PretrainingConfig, load_hparams
from electra_tf.files import read_bytes
from electra_tf.pretraining.health import CAUSES
from electra_tf.reports import make_report
from electra_tf.reports.charts import Area, Chart, Curve, draw, ticks
from electra_tf.reports.curves import log_of, means, thinned


@pytest.fixture
def model_dir(finished, tmp_path):
    """The folder of a finished run without its weights."""
    folder = tmp_path / "model"
    shutil.copytree(finished.config.model_dir, folder, ignore=shutil.ignore_patterns("model.*"))
    return folder


def run_report(*flags):
    with pytest.raises(SystemExit) as ended:
        run_command(["report", *map(str, flags)])
    return ended.value.code


def charts_of(html):
    """Title -> text of the pictures, which are well-formed and need nothing from elsewhere."""
    assert html.startswith("<!DOCTYPE html>") and html.endswith("</html>\n")
    assert not re.search(r"<script|<link|<img|@import|url\(|(?:src|href)=", html)
    found = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    titles = [xml.etree.ElementTree.fromstring(svg)[0].text for svg in found]
    return dict(zip(titles, found, strict=True))


def test_report_of_a_run(model_dir, capsys):
    assert not run_report("--model-dir", model_dir)
    assert capsys.readouterr().out == f"Wrote {model_dir}/report.html.\n"
    html = (model_dir / "report.html").read_text()
    charts = charts_of(html)
    assert [title.partition(":")[0] for title in charts] == [
        *("generator or masked LM", "discriminator", "discriminator"),
        *("share of tokens that are fakes", "accuracy on masked tokens"),
        *("gradient norm, before clipping", "learning rate", "tokens per second"),
        "share of the time spent waiting for input",
    ]
    assert "finished: 12 of 12 steps" in html and "No rule finds anything" in html
    assert "is judged from step 1,002 on" in html
    assert "auc at chance" in html and "outside band" not in html
    path = model_dir / "config.json"
    stored = json.loads(path.read_text())
    stored["pretraining"] |= {"electra_objective": False}
    path.write_text(json.dumps(stored))
    assert "(diverging, gradient spike, unigram plateau, unknown" in make_report(str(model_dir))
    assert "No run of this configuration was recorded" in html and "unigram plateau" in html
    assert not run_report("--model-dir", model_dir)  # a report is replaced


def test_findings_and_the_band_of_the_card(model_dir):
    """A log of the quickstart's card, in which the generator has learned nothing."""
    path = model_dir / "config.json"
    config = json.loads(path.read_text())
    card = PretrainingConfig.from_hparams("quickstart", "a<b", load_hparams("quickstart"))
    path.write_text(json.dumps({**config, "pretraining": card.to_dict()}))
    facts = {
        **{"tokens": 130000, "unigram_entropy": 6.67, "repeat_probability": 0.01},
        **{"unknown_share": 0.3, "vocabulary_cased_share": 0, "text_cased_share": 0},
    }
    lines = [{"kind": "records", "step": 0, **facts}]
    for step in range(100, 3600, 100):
        values = {"masked_lm_loss": 5.7, "disc_auc": 0.6, "replaced_share": 0.2, "disc_loss": 0.5}
        lines.append({"kind": "train", "step": step, **values, "gradient_norm": math.nan})
    (model_dir / "train_log.jsonl").write_text("".join(json.dumps(e) + "\n" for e in lines))
    html = make_report(str(model_dir))
    said = re.findall(r'<p class="finding">step (\d+): .* (Usual causes: .*)</p>', html)
    rules = ("unknown_tokens", "outside_band", "unigram_plateau")
    assert [causes for _, causes in said] == [escape(CAUSES[name]) for name in rules]
    assert (said[0][0], said[2][0]) == ("0", "1500")
    assert "quickstart: 3,500 of 3,500 steps" in html and "a&lt;b" in html and "a<b" not in html
    assert "The band is of recorded runs of the card quickstart" in html
    assert sum("recorded runs" in svg for svg in charts_of(html).values()) == 4
    # Of other text there is no band.
    lines[0]["unigram_entropy"] = 5.0
    (model_dir / "train_log.jsonl").write_text("".join(json.dumps(e) + "\n" for e in lines))
    assert "losses cannot be compared" in make_report(str(model_dir))
    # What a run has logged of its health is not judged anew.
    said = {"kind": "finding", "step": 900, "rule": "unigram_plateau", "what": "As <said>."}
    lines = [{**lines[0], "fingerprint": "f"}, *lines[1:], said]
    (model_dir / "train_log.jsonl").write_text("".join(json.dumps(e) + "\n" for e in lines))
    html = make_report(str(model_dir))
    assert re.findall(r'<p class="finding">(.*?) Usual', html) == ["step 900: As &lt;said&gt;."]


def test_the_last_line_may_still_be_written(model_dir):
    before = make_report(str(model_dir))
    with open(model_dir / "train_log.jsonl", "a") as file:
        file.write('{"kind": "train", "step": 1')
    assert make_report(str(model_dir)) == before


def test_the_report_of_a_run_that_began_at_another_step(model_dir):
    lines = [
        {"kind": "records", "step": 1000},
        {"kind": "train", "step": 1100, "disc_auc": 0.7},
        {"kind": "train", "step": 1200, "disc_auc": 0.8},
    ]
    (model_dir / "train_log.jsonl").write_text("".join(json.dumps(e) + "\n" for e in lines))
    log = log_of(str(model_dir))
    assert means("", log.training, "disc_auc").steps == (1050, 1150)


def test_a_long_curve_keeps_its_spikes():
    points = [(step, float(step % 7)) for step in range(200_000)]
    points[77_777] = 77_777, 99.0
    points[77_778] = 77_778, -99.0
    found = thinned(points)
    assert len(found) <= 1002 and found == sorted(found) and {*found} <= {*points}
    assert {points[0], points[77_777], points[77_778], points[-1]} <= {*found}
    assert thinned(points[:1000]) == points[:1000]


def test_only_the_beginning_of_a_file_is_read(tmp_path):
    (tmp_path / "file").write_bytes(b"0123")
    found = [read_bytes(str(tmp_path / "file"), count) for count in (0, 3, 9, -1)]
    assert found == [b"", b"012", b"0123", b"0123"]


def test_report_of_a_finetuned_model(tmp_path):
    folder = tmp_path / "base" / "finetuning_models" / "cola_model_2"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"finetuning": {"learning_rate": 0.001}}')
    (folder / "train_log.jsonl").write_text(
        '{"kind": "train", "step": 5, "loss": 0.7, "learning_rate": 0.001}\n'
        '{"kind": "eval", "step": 5, "cola/mcc": 41.5}\n'
        '{"kind": "train", "step": 9, "loss": 0.6, "learning_rate": 0.0}\n'
    )
    html = make_report(f"{folder}/")
    assert list(charts_of(html)) == ["loss", "dev: cola/mcc", "learning rate"]
    assert "the trial has not been evaluated" in html
    results = tmp_path / "base" / "results"
    results.mkdir()
    trials = [
        {"folder": f"elsewhere/cola_model_{n}", "scores": {"cola": {"mcc": 40.0 + n}}}
        for n in (1, 2)
    ]
    content = {"trials": trials, "baselines": {"cola": {"mcc": 0.0}}, "summary": {}}
    (results / "cola_results.json").write_text(json.dumps(content))
    html = make_report(str(folder))
    assert '<td class="number">42.00</td>' in html and "41.00" not in html


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda m: (m / "train_log.jsonl").unlink(), "train_log.jsonl is expected to be the log"),
        (lambda m: (m / "config.json").unlink(), "config.json is expected to be what its model"),
        (
            lambda m: (m / "train_log.jsonl").write_text('{"kind": "train", "step": 1}\n{"k\n'),
            "train_log.jsonl, line 2",
        ),
        (
            lambda m: (m / "train_log.jsonl").write_text(""),
            "train_log.jsonl is expected to be the log of a run, but has no step",
        ),
        (lambda m: (m / "report.html").mkdir(), "is a folder"),
        (lambda m: (m / "report.html").write_text("<!DOCTYPE html>"), "is another file"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(model_dir, capsys, damage, message):
    damage(model_dir)
    before = sorted(model_dir.rglob("*"))
    assert run_report("--model-dir", model_dir) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith("error: ") and error.count("\n") == 1
    assert sorted(model_dir.rglob("*")) == before


def test_a_chart():
    area = Area("band", [0, 100], [1.0, 2.0], [3.0, 4.0])
    curve = Curve("a & b", [0, 50, 100], [2.0, math.nan, 3.0])
    svg = draw(Chart("title <1>", [curve], area, [("line", 2.5), ("far away", 900.0)]))
    root = xml.etree.ElementTree.fromstring(svg)
    kinds = [element.tag.partition("}")[2] for element in root]
    assert kinds.count("polygon") == 1 and kinds.count("polyline") == 1
    assert "far away" not in svg and "nan" not in svg and "a &amp; b" in svg
    # One value, or the same one always, is drawn, too.
    for values in ([0.0], [7.0, 7.0], [math.nan]):
        xml.etree.ElementTree.fromstring(draw(Chart("", [Curve("", range(len(values)), values)])))


def test_ticks():
    assert ticks(0, 3500) == [0, 1000, 2000, 3000]
    assert ticks(0.19, 0.26) == pytest.approx([0.2, 0.22, 0.24, 0.26])
