# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Pre-trains a small model on film reviews; see `python quickstart.py --help`."""

from electra_tf.cli.quickstart import main

if __name__ == "__main__":
    main()
