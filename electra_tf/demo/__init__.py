# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A page in the browser that shows what a model can do; needs the extra `demo`.

`display` turns outputs of models into coloured spans and tables, `puzzle` makes the guessing game,
`tabs` lays them out with gradio, `page` serves them.
"""
