# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`python -m electra_tf` is the command `electra`."""

from electra_tf.cli.main import main

if __name__ == "__main__":
    main()
