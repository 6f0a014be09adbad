# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Records as text for people: what a folder holds, and examples decoded."""

import os
from collections.abc import Iterator

from electra_tf.data import spec
from electra_tf.data.damage import first_records
from electra_tf.data.manifest import Manifest
from electra_tf.data.records import PretrainingRecords
from electra_tf.text import Vocabulary


def describe(records: PretrainingRecords) -> str:
    """A table of a record set's files and manifests."""
    rows = [("files", str(len(records.files))), ("examples", f"{records.num_examples:,}")]
    for folder in sorted({os.path.dirname(file) for file in records.files}):
        manifest = records.manifests.get(folder)
        rows.append(("folder", folder or "."))
        rows += _manifest_rows(manifest) if manifest else [("  manifest", "none")]
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(f"{name:<{width}}{value}" for name, value in rows)


def _manifest_rows(manifest: Manifest) -> list[tuple[str, str]]:
    longest = manifest.max_seq_length
    text_bytes = sum(source.bytes for source in manifest.sources)
    return [
        ("  shards", str(len(manifest.shards))),
        ("  examples", f"{manifest.num_examples:,}"),
        ("  tokens", f"{manifest.num_tokens:,}"),
        ("  tokens cut", f"{manifest.cut_tokens:,}"),
        *([("  tokens unknown", f"{manifest.unknown}")] if manifest.text_tokens else []),
        ("  max_seq_length", str(longest)),
        ("  mean length", f"{manifest.mean_length:.1f}"),
        ("  padding", f"{manifest.padding_share:.1%} of a batch of {longest}"),
        ("  lengths", _shares(manifest.length_histogram)),
        ("  sources", f"{len(manifest.sources)} files, {text_bytes:,} bytes"),
        ("  bytes replaced", f"{manifest.replaced_bytes:,}"),
        ("  text", _text_format(manifest)),
        ("  documents", f"{manifest.num_documents:,}"),
        *_option_rows(manifest),
        ("  seed", str(manifest.seed)),
        *((f"  {name}", str(value)) for name, value in manifest.tokenizer.items()),
    ]


def _text_format(manifest: Manifest) -> str:
    if manifest.text_field:
        return f"field {manifest.text_field!r} of JSON lines"
    return f"blank lines {'end documents' if manifest.blanks_separate_docs else 'are ignored'}"


def _option_rows(manifest: Manifest) -> list[tuple[str, str]]:
    """Rows on what was done beyond the reference."""
    rows = []
    if manifest.features:
        rows.append(("  features", ", ".join(manifest.features)))
    if manifest.remove_duplicates:
        rows.append(("  duplicates", f"{manifest.duplicate_documents:,} documents left out"))
    if manifest.held_out_share:
        share = f"{manifest.held_out_share:g}; these are {manifest.split}"
        rows.append(("  held-out share", share))
    return rows


def _shares(histogram: tuple[int, ...]) -> str:
    total = max(1, sum(histogram))
    shares = " ".join(f"{count / total:.0%}" for count in histogram)
    return f"{shares} (short to long, {len(histogram)} equal steps)"


def decode_examples(
    records: PretrainingRecords, vocabulary: Vocabulary, count: int
) -> Iterator[str]:
    """The first examples in file order, with word pieces joined.

    Raises:
        ValueError: for records made with another vocabulary, or ids outside of this one.
    """
    for folder, manifest in records.manifests.items():
        if manifest.tokenizer.get("vocab_sha256") != vocabulary.sha256:
            raise ValueError(
                f"The vocabulary is not the one of {Manifest.path_in(folder)}: its hash is "
                f"{vocabulary.sha256}, not {manifest.tokenizer.get('vocab_sha256')}."
            )
    for number, (file, place, batch) in enumerate(first_records(records.files, count)):
        ids, mask, segments = (batch[f.name][0].numpy() for f in spec.FEATURES)
        tokens = int(mask.sum())
        if ids.max() >= len(vocabulary):
            raise ValueError(
                f"{file}: record {place} holds the id {ids.max()}, "
                f"but the vocabulary has {len(vocabulary)} tokens."
            )
        yield (
            f"example {number}: {tokens} tokens, {int(segments[:tokens].sum())} of them in the "
            f"second segment\n  {vocabulary.join(vocabulary.tokens[i] for i in ids[:tokens])}"
        )
