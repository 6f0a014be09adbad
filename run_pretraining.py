# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Pre-trains or evaluates an ELECTRA model: see README.md."""

from electra_tf.cli.run_pretraining import main

if __name__ == "__main__":
    main()
