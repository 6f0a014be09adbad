# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Pre-trains or evaluates an ELECTRA model; takes the flags of the original's script."""

from electra_tf.cli.main import run_script

if __name__ == "__main__":
    run_script("pretrain")
