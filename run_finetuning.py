# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Fine-tunes an ELECTRA model on downstream tasks: see README.md."""

from electra_tf.cli.run_finetuning import main

if __name__ == "__main__":
    main()
