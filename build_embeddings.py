# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Embeds tokens by which of them occur together; see `python build_embeddings.py --help`."""

from electra_tf.cli.build_embeddings import main

if __name__ == "__main__":
    main()
