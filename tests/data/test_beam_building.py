# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Apache Beam builds the records that processes here build. Needs the [beam] extra."""

import functools

import pytest
from small_corpus import build, contents

pytest.importorskip("apache_beam", reason="pip install 'electra-tf[beam]'")

from electra_tf.data.beam_building import run_on_beam

pytestmark = pytest.mark.slow

SEVERAL_PROCESSES = (
    "--runner=DirectRunner",
    "--direct_running_mode=multi_processing",
    "--direct_num_workers=2",
)


@pytest.mark.parametrize("options", [("--runner=DirectRunner",), SEVERAL_PROCESSES])
def test_the_records_are_those_of_the_local_builder(corpus, options):
    (corpus / "text" / "copies.txt").write_text((corpus / "text" / "b.txt").read_text())
    arguments = {"remove_duplicates": True, "held_out_share": 0.2, "seed": 9}
    execute = functools.partial(run_on_beam, options)
    manifest = build(corpus, "beam", execute=execute, **arguments)
    build(corpus, "local", **arguments)
    assert contents(corpus / "beam") == contents(corpus / "local")
    assert manifest.duplicate_documents == 30 and len(manifest.shards) == 3


def test_errors_are_those_of_the_local_builder(corpus):
    (corpus / "text" / "d.gz").write_bytes(b"\x1f\x8bnonsense")
    execute = functools.partial(run_on_beam, SEVERAL_PROCESSES)
    with pytest.raises(ValueError, match=r"^/.*d.gz is damaged or cut off: .*\.$"):
        build(corpus, execute=execute)
